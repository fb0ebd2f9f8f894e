"""The two families of errors and the one problem shape.

`Refused`: a rule said no and someone can act. `Broken`: our own promise failed and nobody can go
on safely.
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong, in the shape that every face of Anlage shows.

    Attributes:
        code: Stable name of the rule that said no, in kebab-case.
        what: The thing it is about, by name ("step wash of lot L-0412").
        found: The value found; None when there is none to show.
        limit: What would have been accepted.
        remedy: What to do next.
        rule: The regulation, standard clause or specification behind the rule.
        path: File, or place inside a document ("process[2].use.time").
        line: Line in the file, counted from 1.
    """

    code: str
    what: str
    found: str | None = None
    limit: str | None = None
    remedy: str | None = None
    rule: str | None = None
    path: str | None = None
    line: int | None = None

    def as_dict(self) -> dict[str, str | int | None]:
        """Give the problem as a JSON object with all eight keys, in the contract's order."""
        return {
            "code": self.code,
            "path": self.path,
            "line": self.line,
            "what": self.what,
            "found": self.found,
            "limit": self.limit,
            "remedy": self.remedy,
            "rule": self.rule,
        }

    def __str__(self) -> str:
        place = f"{self.path or ''}{f':{self.line}' if self.line else ''}"
        parts = [f"{place}: " if place else "", self.what]
        if self.found is not None:
            parts.append(f": found {self.found}")
        if self.limit is not None:
            parts.append(f", accepted is {self.limit}")
        sentence = "".join(parts).rstrip(".") + "."
        if self.remedy:
            sentence += f" {self.remedy[:1].upper()}{self.remedy[1:].rstrip('.')}."
        return f"{sentence} ({self.rule})" if self.rule else sentence


class Refused(Exception):  # noqa: N818 - a refusal is a feature, not an error
    """A rule said no; nothing was stored, nothing was lost, someone can act.

    Example:
        >>> try:
        ...     raise Refused("lot-expired", what="lot L-4", found="2026-03-01", remedy="scan L-5")
        ... except Refused as refusal:
        ...     print(refusal)
        lot L-4: found 2026-03-01. Scan L-5.
    """

    def __init__(
        self,
        code: str,
        *,
        what: str,
        found: object = None,
        limit: object = None,
        remedy: str | None = None,
        rule: str | None = None,
        path: str | None = None,
        line: int | None = None,
        others: Iterable[Problem] = (),
    ) -> None:
        """Say no; `others` carries further problems found in the same judgement."""
        self.problem = Problem(
            code=code,
            what=what,
            found=None if found is None else str(found),
            limit=None if limit is None else str(limit),
            remedy=remedy,
            rule=rule,
            path=path,
            line=line,
        )
        self.problems: tuple[Problem, ...] = (self.problem, *others)
        super().__init__(str(self.problem))

    @property
    def code(self) -> str:
        """The stable name of the rule that said no."""
        return self.problem.code

    @classmethod
    def of(cls, problems: Iterable[Problem]) -> "Refused":
        """Give one refusal that carries several problems, the first in front."""
        first, *others = problems
        fields = {name: getattr(first, name) for name in Problem.__slots__ if name != "code"}
        return cls(first.code, others=others, **fields)


class Broken(Exception):  # noqa: N818
    """Our own promise failed: Anlage stops to protect the record.

    Attributes:
        promised: What should have held.
        seen: What was found instead.
    """

    def __init__(self, promised: str, *, seen: object) -> None:
        """State the promise and what was seen in its place."""
        self.promised = promised
        self.seen = str(seen)
        super().__init__(f"stopped to protect the record: promised {promised}; saw {self.seen}")
