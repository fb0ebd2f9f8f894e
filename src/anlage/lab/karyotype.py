"""A karyotype in ISCN notation, read clone by clone and judged with reasons.

`46,XX[18]/47,XX,+12[2]` says how many metaphases showed which chromosomes. What counts as a clone
follows ISCN (a gain or structural change in two cells or more, a loss in three or more); how many
metaphases are enough and which gains are watched for in pluripotent cells stands in a dated rule
set, not here. What ISCN can write beyond that (arrays, in-situ hybridisation) is refused, never
skipped.
"""

import re
from dataclasses import dataclass
from importlib import resources

from anlage.base import Refused
from anlage.library import Content, Fields, Heading, Outcome, read_with, read_yaml

TEXT_MAX = 2000
CLONES_MAX = 60

_CHROMOSOMES = frozenset([*map(str, range(1, 23)), "X", "Y"])
_CLONE = re.compile(
    r"(?P<count>\d{2,3}(?:[~-]\d{2,3})?)(?:<(?P<ploidy>[1-9])n>)?(?:,(?P<rest>[^\[\]]+))?(?:\[(?:cp)?(?P<cells>\d{1,4})\])?"
)
_STRUCTURE = re.compile(
    r"(?P<sign>[+-]?)(?P<kind>dup|trp|del|add|inv|ins|idic|dic|der|rec|iso|i|r|t|rob|trc|qdp|fra|hsr)"
    r"\((?P<where>\??[\dXY]{1,2}(?:;\??[\dXY]{1,2})*)\)(?P<bands>.*)"
)
_BAND = re.compile(r"([pq])(\d{1,2}(?:\.\d{1,3})?|ter|\?)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change of a clone's chromosomes.

    Attributes:
        text: As written.
        kind: "gain", "loss" or "structural".
        chromosomes: The chromosomes it touches.
        gained: Arms or whole chromosomes of which there is one more ("1q", "12p", "12q").
        number: By how many the count of chromosomes moves.
        is_constitutional: Whether it is the donor's own (written with a c).
    """

    text: str
    kind: str
    chromosomes: tuple[str, ...]
    gained: tuple[str, ...] = ()
    number: int = 0
    is_constitutional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Clone:
    """Cells of one kind.

    Attributes:
        text: As written.
        count: Number of chromosomes; the lower end where a range is written.
        count_high: The upper end.
        sex: Its sex chromosomes ("XX", "XY", "X").
        changes: What differs from the normal set.
        cells: Metaphases that showed it; None where no number is written.
        has_own_sex: Whether unusual sex chromosomes are the donor's own (written with a c).
    """

    text: str
    count: int
    count_high: int
    sex: str
    changes: tuple[Change, ...]
    cells: int | None
    has_own_sex: bool = False

    @property
    def acquired(self) -> tuple[Change, ...]:
        """The changes that are not the donor's own."""
        return tuple(change for change in self.changes if not change.is_constitutional)

    @property
    def is_normal(self) -> bool:
        """XX or XY, or the donor's own sex chromosomes, and nothing acquired."""
        return (self.sex in {"XX", "XY"} or self.has_own_sex) and not self.acquired


@dataclass(frozen=True, slots=True, kw_only=True)
class Karyotype:
    """The clones of one line, as one report states them."""

    text: str
    clones: tuple[Clone, ...]

    @property
    def cells(self) -> int | None:
        """All metaphases counted; None where any clone has no number."""
        numbers = [clone.cells for clone in self.clones]
        return None if None in numbers else sum(number or 0 for number in numbers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """A dated rule set for judging karyotypes.

    Attributes:
        heading: Its identifier, title and source.
        metaphases: Fewest metaphases that prove a normal karyotype.
        gain_cells: Cells that make a gain or structural change a clone.
        loss_cells: Cells that make a loss a clone.
        watched: Gains that recur in cultured pluripotent cells ("1q", "20q11.21").
        below_resolution: Watched gains too small for G-bands, to be sought by another method.
    """

    heading: Heading
    metaphases: int
    gain_cells: int
    loss_cells: int
    watched: tuple[str, ...]
    below_resolution: tuple[str, ...]

    @classmethod
    def read(cls, content: Content) -> "Rules":
        """Read a rule set.

        Raises:
            Refused: With every problem and its path.
        """
        return read_with(content, cls._from_fields)

    @classmethod
    def _from_fields(cls, fields: Fields) -> "Rules":
        return cls(
            heading=fields.heading("karyotype-rules"),
            metaphases=fields.whole("metaphases", least=1, most=1000),
            gain_cells=fields.whole("gain-cells", least=1, most=100),
            loss_cells=fields.whole("loss-cells", least=1, most=100),
            watched=fields.texts("watched"),
            below_resolution=fields.texts("below-resolution"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class KaryotypeVerdict:
    """What a karyotype is worth, and why.

    Attributes:
        outcome: Pass, fail or inconclusive.
        reasons: Why, one sentence each.
        notes: What the verdict does not cover.
        karyotype: What was judged.
        rules: Identifier of the rule set.
    """

    outcome: Outcome
    reasons: tuple[str, ...]
    notes: tuple[str, ...]
    karyotype: Karyotype
    rules: str

    def as_dict(self) -> dict[str, object]:
        """Give the verdict as a JSON object."""
        return {
            "karyotype": self.karyotype.text,
            "outcome": self.outcome.value,
            "reasons": list(self.reasons),
            "notes": list(self.notes),
            "metaphases": self.karyotype.cells,
            "rules": self.rules,
            "clones": [
                {
                    "text": clone.text,
                    "cells": clone.cells,
                    "count": clone.count,
                    "sex": clone.sex,
                    "normal": clone.is_normal,
                    "changes": [
                        {"text": c.text, "kind": c.kind, "gained": list(c.gained)}
                        for c in clone.changes
                    ],
                }
                for clone in self.karyotype.clones
            ],
        }


def hpsc_rules() -> Rules:
    """Give the rule set for pluripotent stem cells that Anlage carries."""
    place = (
        resources.files("anlage.library") / "data" / "karyotype-rules" / "karyotype-hpsc-2023.yaml"
    )
    return Rules.read(read_yaml(place.read_bytes()).content)


def read_karyotype(text: str) -> Karyotype:
    """Read a karyotype in ISCN short form.

    Raises:
        Refused: It is no such karyotype, a chromosome does not exist, or the number of
            chromosomes does not follow from the changes.

    Example:
        >>> [clone.cells for clone in read_karyotype("46,XY[18]/47,XY,+12[2]").clones]
        [18, 2]
    """
    line = "".join(text.split()).replace("\u2212", "-").rstrip(".")
    if not line or len(line) > TEXT_MAX:
        raise _unreadable(text, "nothing" if not line else f"{len(line)} characters", "one line")
    if re.search(r"\barr\b|arr\[|ish|rsa|seq\[|ogm\[", line):
        raise _unreadable(
            text, "an array, in-situ hybridisation or sequence result", "a banded karyotype"
        )
    line = re.sub(r"^(mos|chi|//)+", "", line)
    parts = re.split("//?", line)
    if len(parts) > CLONES_MAX or not all(parts):
        found = f"{len(parts)} clones" if all(parts) else "a clone without a word"
        raise _unreadable(text, found, f"1 to {CLONES_MAX} clones, parted by /")
    clones: list[Clone] = []
    for part in parts:
        clones.append(_clone(part, clones, text))
    return Karyotype(text=text.strip(), clones=tuple(clones))


def judge_karyotype(
    karyotype: Karyotype, rules: Rules, *, donor_sex: str | None = None
) -> KaryotypeVerdict:
    """Judge a karyotype: normal in enough metaphases passes, an abnormal clone fails.

    Too few metaphases, and single abnormal cells, are inconclusive: more cells must be counted.

    Args:
        karyotype: What was found.
        rules: The rule set in force.
        donor_sex: "XX" or "XY", where the donor's is known; another one fails as a mix-up.
    """
    fails: list[str] = []
    doubts: list[str] = []
    for change, cells, text in _counted(karyotype):
        needed = rules.loss_cells if change.kind == "loss" else rules.gain_cells
        watched = _watched(change, rules)
        name = f"{change.text}{f' (watched: {watched})' if watched else ''}"
        if cells is None:
            fails.append(f"{name} in {text}, for which no number of cells is written.")
        elif cells >= needed:
            fails.append(
                f"{name} in {cells} cells is a clone: {needed} cells make a {change.kind} one."
            )
        else:
            doubts.append(
                f"{name} in {cells} cell{'s' if cells > 1 else ''} is no clone "
                f"({needed} would be); count more metaphases."
            )
    sexes = {clone.sex for clone in karyotype.clones}
    if donor_sex is not None:
        wrong = [clone for clone in karyotype.clones if clone.sex != donor_sex and clone.is_normal]
        fails.extend(
            f"{clone.text} is {clone.sex}, the donor {donor_sex}: another person's cells."
            for clone in wrong
        )
    elif {"XX", "XY"} <= sexes:
        fails.append("XX and XY cells stand side by side: cells of two persons.")
    total = karyotype.cells
    if total is None:
        doubts.append("a clone has no number of metaphases in brackets.")
    elif total < rules.metaphases:
        doubts.append(f"{total} metaphases were counted; {rules.metaphases} are needed.")
    outcome = Outcome.FAIL if fails else Outcome.INCONCLUSIVE if doubts else Outcome.PASS
    reasons = tuple(fails + doubts) or (f"{total} metaphases, all normal.",)
    notes = tuple(
        f"a gain of {gain} is below the resolution of G-bands; show its absence by SNP array or PCR"
        for gain in rules.below_resolution
    )
    return KaryotypeVerdict(
        outcome=outcome,
        reasons=reasons,
        notes=notes,
        karyotype=karyotype,
        rules=rules.heading.id,
    )


def _counted(karyotype: Karyotype) -> list[tuple[Change, int | None, str]]:
    """Give each acquired change once, with all cells that showed it, over the clones."""
    found: dict[str, tuple[Change, int | None, str]] = {}
    for clone in karyotype.clones:
        for change in dict.fromkeys(clone.acquired):
            _, cells, text = found.get(change.text, (change, 0, clone.text))
            both = None if cells is None or clone.cells is None else cells + clone.cells
            found[change.text] = (change, both, text)
        is_odd = not clone.is_normal and not clone.acquired
        if is_odd:
            kind = "loss" if len(clone.sex) < 2 else "gain"
            odd = Change(text=f"sex chromosomes {clone.sex}", kind=kind, chromosomes=("X",))
            found[clone.text] = (odd, clone.cells, clone.text)
    return list(found.values())


def _watched(change: Change, rules: Rules) -> str:
    for watch in (*rules.watched, *rules.below_resolution):
        match = re.fullmatch(r"([\dXY]{1,2})([pq])?.*", watch)
        if match is None:
            continue
        arms = {f"{match[1]}{arm}" for arm in ([match[2]] if match[2] else ["p", "q"])}
        if arms & set(change.gained):
            return watch
    return ""


def _clone(part: str, before: list[Clone], text: str) -> Clone:
    match = _CLONE.fullmatch(part)
    if match is None:
        raise _unreadable(text, part[:60], "such as 47,XX,+12[3]")
    low, _, high = match["count"].replace("-", "~").partition("~")
    words = _words(match["rest"] or "")
    if not words:
        raise _unreadable(text, part[:60], "the sex chromosomes after the number")
    base: tuple[Change, ...] = ()
    is_own_sex = False
    first = words[0]
    if re.fullmatch(r"idem|sl|sdl\d*", first):
        if not before:
            raise _unreadable(text, first, "a clone before it that it can refer to")
        known = before[-1] if first.startswith("sdl") else before[0]
        sex, base, is_own_sex = known.sex, known.changes, known.has_own_sex
    else:
        is_own_sex = first.endswith("c")
        first = first.removesuffix("c")
        if not re.fullmatch(r"[XY]{1,5}|\?", first):
            raise _unreadable(text, first[:20], "sex chromosomes, such as XX or XY")
        sex = first
    changes = base + tuple(_change(word, text) for word in words[1:])
    ploidy = _ploidy(match["ploidy"], int(low))
    if ploidy != 2 and not base:
        changes = (_of_whole_set(ploidy), *changes)
    expected = 22 * ploidy + (ploidy if sex == "?" else len(sex))
    expected += sum(change.number for change in changes)
    altered = _altered_sex(changes[len(base) :])[: max(0, int(low) - expected)]
    if sex != "?":
        sex, expected = "".join(sorted(sex + altered)), expected + len(altered)
    clone = Clone(
        text=part,
        count=int(low),
        count_high=int(high or low),
        sex=sex,
        changes=changes,
        cells=None if match["cells"] is None else int(match["cells"]),
        has_own_sex=is_own_sex,
    )
    open_count = any("mar" in c.text or "?" in c.text or "dmin" in c.text for c in changes)
    if not clone.count <= expected <= clone.count_high and not open_count:
        raise _unreadable(
            text, f"{part[:60]}: {match['count']} chromosomes", f"{expected}, as its changes add up"
        )
    return clone


def _ploidy(written: str | None, count: int) -> int:
    """Give the number of chromosome sets: as written, else by the ranges of ISCN."""
    if written is not None:
        return int(written)
    return 1 if count <= 34 else 2 if count <= 57 else round(count / 23)


def _of_whole_set(ploidy: int) -> Change:
    return Change(
        text=f"{ploidy}n sets of chromosomes",
        kind="gain" if ploidy > 2 else "loss",
        chromosomes=(),
    )


def _altered_sex(changes: tuple[Change, ...]) -> str:
    """Give the sex chromosomes written as structural changes: 46,X,i(X)(q10) has two."""
    return "".join(
        next(name for name in change.chromosomes if name in {"X", "Y"})
        for change in changes
        if change.kind == "structural"
        and change.number == 0
        and {"X", "Y"} & set(change.chromosomes)
    )


def _words(rest: str) -> list[str]:
    """Part at the commas that stand outside parentheses."""
    words, depth, start = [], 0, 0
    for at, sign in enumerate(rest):
        depth += (sign == "(") - (sign == ")")
        if sign == "," and depth == 0:
            words.append(rest[start:at])
            start = at + 1
    words.append(rest[start:])
    return [word for word in words if word]


def _change(word: str, text: str) -> Change:
    is_own = bool(re.search(r"(?<=[\d)])c$", word))
    bare = word[:-1] if is_own else word
    times = 1
    if repeat := re.fullmatch(r"(.+?)[x×](\d)", bare):
        bare, times = repeat[1], int(repeat[2])
    if whole := re.fullmatch(r"([+-])\??(\d{1,2}|X|Y)", bare):
        _known(whole[2], text)
        is_gain = whole[1] == "+"
        return Change(
            text=word,
            kind="gain" if is_gain else "loss",
            chromosomes=(whole[2],),
            gained=(f"{whole[2]}p", f"{whole[2]}q") if is_gain else (),
            # A lost sex chromosome is already missing from the sex chromosomes written first.
            number=times if is_gain else 0 if whole[2] in {"X", "Y"} else -times,
            is_constitutional=is_own,
        )
    if re.fullmatch(r"\+?\d{0,2}(~\d{1,2})?(mar\d?|dmin|r)", bare):
        return Change(text=word, kind="gain", chromosomes=(), is_constitutional=is_own)
    structure = _STRUCTURE.fullmatch(bare)
    if structure is None:
        raise _unreadable(text, word[:40], "a change such as +12, dup(1)(q21q32) or t(9;22)")
    places = tuple(place.lstrip("?") for place in structure["where"].split(";"))
    for place in places:
        _known(place, text)
    number = {"+": times, "-": -times, "": 0}[structure["sign"]]
    # A chromosome joined from two whole arms stands in for both of them.
    is_joined = structure["kind"] in {"rob", "dic"} or (
        structure["kind"] == "der" and len(places) == 2
    )
    if is_joined:
        number -= len(places) - 1
    return Change(
        text=word,
        kind="structural",
        chromosomes=places,
        gained=_gained(structure["sign"], structure["kind"], places, structure["bands"]),
        number=number,
        is_constitutional=is_own,
    )


def _gained(sign: str, kind: str, places: tuple[str, ...], bands: str) -> tuple[str, ...]:
    arms = [arm for arm, _ in _BAND.findall(bands)]
    home = places[0]
    if kind in {"dup", "trp", "qdp"} and arms:
        return tuple(dict.fromkeys(f"{home}{arm}" for arm in arms))
    if kind in {"i", "iso", "idic"} and arms:
        return (f"{home}{arms[0]}",)
    if kind == "der" and (
        inner := re.match(r"(?:t|ins)\(([\dXY]{1,2});([\dXY]{1,2})\)(.*)", bands)
    ):
        partners = [inner[1], inner[2]]
        arms = [arm for arm, _ in _BAND.findall(inner[3])]
        # The derivative keeps its own centromere and carries the partner's segment as a gain.
        found = [f"{name}{arm}" for name, arm in zip(partners, arms, strict=False) if name != home]
        return (*found, f"{home}p", f"{home}q") if sign == "+" else tuple(found)
    if sign == "+":
        lost = arms[0] if kind == "del" and arms else ""
        return tuple(f"{home}{arm}" for arm in "pq" if arm != lost)
    return ()


def _known(chromosome: str, text: str) -> None:
    if chromosome not in _CHROMOSOMES:
        raise _unreadable(text, f"chromosome {chromosome}", "1 to 22, X or Y")


def _unreadable(text: str, found: str, limit: str) -> Refused:
    return Refused(
        "karyotype-unreadable",
        what=f"karyotype {text[:80]!r}",
        found=found,
        limit=limit,
        remedy="copy the karyotype as the cytogenetic report writes it",
        rule="ISCN",
    )
