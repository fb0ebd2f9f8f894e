"""What a label says: the reading that every codec gives, and the elements it is made of."""

from dataclasses import dataclass, field

from anlage.base import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """One piece of a code, with its meaning.

    Attributes:
        code: Data identifier, application identifier or place ("=<", "(01)", "serial").
        name: Our name for it, as the key of `fields` ("gtin", "donation_number").
        raw: The characters as they stand in the code, without the identifier.
        value: What they mean, in a form a program can use (dates as ISO 8601).
        meaning: One sentence for a person.
    """

    code: str
    name: str
    raw: str
    value: str
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one code says, accepted or not; the raw text is always kept.

    Attributes:
        kind: What sort of code it is ("isbt128-din", "gs1-element-string", "unknown" …).
        raw: The text as the scanner gave it.
        elements: The pieces found, in the order of the code.
        problems: Why the code is refused; empty when it is valid.
        notes: What a person should know of a valid code.
        more: Further values that follow from the code ("digital_link", "epc").
    """

    kind: str
    raw: str
    elements: tuple[Element, ...] = ()
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    more: tuple[tuple[str, str], ...] = field(default=())

    @property
    def valid(self) -> bool:
        """True when nothing in the code was refused."""
        return not self.problems

    @property
    def fields(self) -> dict[str, str]:
        """The meaning of the code by name; a name that stands twice gets a number."""
        named: dict[str, str] = {}
        for name, value in (*((e.name, e.value) for e in self.elements), *self.more):
            key, count = name, 2
            while key in named:
                key, count = f"{name}_{count}", count + 1
            named[key] = value
        return named


def fault(
    code: str, what: str, *, found: str, limit: str, remedy: str, rule: str, path: str | None = None
) -> Problem:
    """Give a problem of a code with every part filled; the text found is cut to 80 characters."""
    shown = found if len(found) <= 80 else found[:79] + "…"
    return Problem(
        code=code, what=what, found=shown, limit=limit, remedy=remedy, rule=rule, path=path
    )
