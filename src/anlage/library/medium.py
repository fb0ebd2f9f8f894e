"""What a label on a medium means: rules over what it is made of, dated and with reasons.

"Serum-free" is a rule, not an opinion. No regulator gives a binding, quantitative definition of
these words, so the rules are data: a rule set has an identifier, an edition and a date, a site may
write its own, and every verdict names the rule set and the ingredient that decided it.

A verdict is `yes`, `no`, `disputed` (the letter of the rule allows it, usage does not agree) or
`unknown` (something that the rule asks is not stated). What is not stated is never assumed.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Self

from anlage.base import Problem, Refused

from .fields import Content, Fields, Heading, Reference, read_with

LEVEL_MAX = 3


class Source(StrEnum):
    """Where an ingredient comes from."""

    HUMAN = "human"
    ANIMAL = "animal"
    PLANT = "plant"
    MICROBIAL = "microbial"
    RECOMBINANT = "recombinant"
    SYNTHETIC = "synthetic"
    MINERAL = "mineral"


class Matter(StrEnum):
    """What an ingredient is."""

    SERUM = "serum"
    PLASMA = "plasma"
    LYSATE = "lysate"
    HYDROLYSATE = "hydrolysate"
    EXTRACT = "extract"
    PROTEIN = "protein"
    PEPTIDE = "peptide"
    SMALL_MOLECULE = "small-molecule"
    LIPID = "lipid"
    POLYSACCHARIDE = "polysaccharide"
    POLYMER = "polymer"
    SALT = "salt"
    WATER = "water"


class Word(StrEnum):
    """The answer to "is it ...-free?"."""

    YES = "yes"
    NO = "no"
    DISPUTED = "disputed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingredient:
    """Something in a medium, or used to make something in it.

    Attributes:
        name: What it is called.
        source: Where it comes from; None when not stated.
        host: For recombinant: the kind of organism that expressed it.
        matter: What it is; None when not stated.
        is_defined: Whether identity and concentration are known; None when not stated.
        made_with: What was used to make it (one level further from the medium).
        is_traced: Whether `made_with` is complete; when not, deeper levels are unknown.
    """

    name: str
    source: Source | None = None
    host: Source | None = None
    matter: Matter | None = None
    is_defined: bool | None = None
    made_with: "tuple[Ingredient, ...]" = ()
    is_traced: bool = False

    def __post_init__(self) -> None:
        is_recombinant = self.source is Source.RECOMBINANT
        if self.host is not None and (
            not is_recombinant or self.host in {Source.RECOMBINANT, Source.SYNTHETIC}
        ):
            raise Refused(
                "ingredient-malformed",
                what=self.name,
                found=f"source {self.source}, host {self.host}",
                limit="a host organism for recombinant ingredients only",
                remedy="state the host as human, animal, plant or microbial, or leave it out",
                path="host",
            )

    @classmethod
    def from_fields(cls, fields: Fields) -> Self:
        """Read one ingredient and what it is made with."""
        is_defined = fields.flag("defined") if fields.has("defined") else None
        return cls(
            name=fields.text("name"),
            source=fields.enum("source", Source) if fields.has("source") else None,
            host=fields.enum("host", Source) if fields.has("host") else None,
            matter=fields.enum("matter", Matter) if fields.has("matter") else None,
            is_defined=is_defined,
            made_with=fields.each("made-with", cls.from_fields),
            is_traced=fields.flag("traced", False),
        )

    def walk(self, level: int = 1) -> "Iterator[tuple[int, Ingredient]]":
        """Give it and everything used to make it, with levels from 1."""
        yield level, self
        if level < LEVEL_MAX:
            for inner in self.made_with:
                yield from inner.walk(level + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What an ingredient must not be; every stated part must hold for it to apply.

    Attributes:
        sources: Any of these sources.
        hosts: Recombinant, and expressed in any of these.
        matters: Any of these kinds of matter.
        is_undefined: Identity or concentration not known.
        depth: Down to which level ingredients count, 1 to 3.
        reason: Why it matters, as the verdict prints it.
    """

    sources: frozenset[Source] = frozenset()
    hosts: frozenset[Source] = frozenset()
    matters: frozenset[Matter] = frozenset()
    is_undefined: bool = False
    depth: int = 1
    reason: str

    @classmethod
    def from_fields(cls, fields: Fields) -> Self:
        """Read one condition of a rule."""
        return cls(
            sources=frozenset(Source(word) for word in _words(fields, "sources", Source)),
            hosts=frozenset(Source(word) for word in _words(fields, "hosts", Source)),
            matters=frozenset(Matter(word) for word in _words(fields, "matters", Matter)),
            is_undefined=fields.flag("undefined", False),
            depth=fields.whole("depth", 1, least=1, most=LEVEL_MAX),
            reason=fields.text("reason"),
        )

    def applies(self, one: Ingredient) -> bool | None:
        """Tell whether an ingredient is what must not be; None when too little is stated."""
        asked: list[bool | None] = []
        if self.sources:
            asked.append(None if one.source is None else one.source in self.sources)
        if self.hosts:
            asked.append(self._applies_to_host(one))
        if self.matters:
            asked.append(None if one.matter is None else one.matter in self.matters)
        if self.is_undefined:
            asked.append(None if one.is_defined is None else not one.is_defined)
        if False in asked:
            return False
        return None if None in asked else True

    def _applies_to_host(self, one: Ingredient) -> bool | None:
        if one.source is None or (one.source is Source.RECOMBINANT and one.host is None):
            return None
        return one.host in self.hosts


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What a label means.

    Attributes:
        label: The word ("xeno-free").
        title: The meaning in one sentence.
        refuses: Conditions that make it untrue.
        disputes: Conditions that leave it true by the letter only.
    """

    label: str
    title: str
    refuses: tuple[Condition, ...]
    disputes: tuple[Condition, ...] = ()

    @classmethod
    def from_fields(cls, fields: Fields) -> Self:
        """Read one rule."""
        return cls(
            label=fields.id("label"),
            title=fields.text("title"),
            refuses=fields.each("refuses", Condition.from_fields, least=1),
            disputes=fields.each("disputes", Condition.from_fields),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelVerdict:
    """Whether a label is true of a medium, by which rule set, and why."""

    label: str
    word: Word
    reasons: tuple[str, ...]
    rule_set: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSet:
    """The labels of media as one edition of rules defines them.

    Attributes:
        heading: Identifier, title and basis.
        edition: Its edition.
        dated: The day of the edition.
        rules: One per label.
    """

    heading: Heading
    edition: str
    dated: date
    rules: tuple[Rule, ...]

    @classmethod
    def read(cls, content: Content) -> Self:
        """Read a rule set from its content.

        Raises:
            Refused: With every problem and its path.
        """
        return read_with(content, cls.from_fields)

    @classmethod
    def from_fields(cls, fields: Fields) -> Self:
        """Read a rule set."""
        heading = fields.heading("vocabulary")
        dated = fields.day("dated")
        if not fields.has("dated"):
            fields.wrong("dated", "nothing", "the day of the edition", "add dated: 2026-03-01")
        return cls(
            heading=heading,
            edition=fields.text("edition"),
            dated=dated or date.min,
            rules=fields.each("labels", Rule.from_fields, least=1, unique="label"),
        )

    @property
    def references(self) -> tuple[Reference, ...]:
        """A rule set names no other definition."""
        return ()

    @property
    def name(self) -> str:
        """Identifier, edition and date, as a verdict prints it."""
        return f"{self.heading.id} edition {self.edition} of {self.dated.isoformat()}"

    def classify(self, ingredients: Iterable[Ingredient]) -> tuple[LabelVerdict, ...]:
        """Judge every label for a medium made of these ingredients.

        Raises:
            Refused: There is no ingredient; nothing proves nothing.
        """
        parts = [found for one in ingredients for found in one.walk()]
        if not parts:
            raise Refused(
                "composition-missing",
                what="composition of the medium",
                found="no ingredient",
                limit="every ingredient with source, matter and definition",
                remedy="list the ingredients under composition",
                path="composition",
            )
        return tuple(self._judge(rule, parts) for rule in self.rules)

    def judge_claims(
        self, claims: Iterable[str], ingredients: Iterable[Ingredient]
    ) -> tuple[Problem, ...]:
        """Give each claimed label that is not plainly true of these ingredients, with the reasons.

        A disputed label is a problem too: it may be printed only with the dispute beside it.
        """
        verdicts = {one.label: one for one in self.classify(ingredients)}
        problems = []
        for at, claim in enumerate(claims):
            found = verdicts.get(claim)
            if found is not None and found.word is Word.YES:
                continue
            problems.append(
                Problem(
                    code="claim-contradicted" if found else "claim-unknown",
                    what=f"claim {claim}",
                    found=f"{found.word}: {'; '.join(found.reasons)}" if found else "no such label",
                    limit="a label that the composition bears out"
                    if found
                    else ", ".join(verdicts),
                    remedy="strike the claim, or correct the composition",
                    rule=self.name,
                    path=f"claims[{at}]",
                )
            )
        return tuple(problems)

    def _judge(self, rule: Rule, parts: list[tuple[int, Ingredient]]) -> LabelVerdict:
        untrue, open_, disputed = list[str](), list[str](), list[str]()
        for condition in rule.refuses:
            for name, applies in _applications(condition, parts):
                if applies:
                    untrue.append(f"{name}: {condition.reason}")
                elif applies is None:
                    open_.append(f"{name}: not stated whether {condition.reason}")
        for condition in rule.disputes:
            disputed += [
                f"{name}: {condition.reason}"
                for name, applies in _applications(condition, parts)
                if applies
            ]
        for word, reasons in (
            (Word.NO, untrue),
            (Word.UNKNOWN, open_),
            (Word.DISPUTED, disputed),
        ):
            if reasons:
                return self._verdict(rule, word, reasons)
        return self._verdict(rule, Word.YES, ["no ingredient stands against it"])

    def _verdict(self, rule: Rule, word: Word, reasons: list[str]) -> LabelVerdict:
        return LabelVerdict(
            label=rule.label,
            word=word,
            reasons=tuple(dict.fromkeys(reasons)),
            rule_set=self.name,
        )


def _applications(
    condition: Condition, parts: list[tuple[int, Ingredient]]
) -> Iterator[tuple[str, bool | None]]:
    """Judge each ingredient down to the condition's depth; where its making is not traced, deeper
    levels are open.
    """
    for level, one in parts:
        if level > condition.depth:
            continue
        yield one.name, condition.applies(one)
        is_end = not one.made_with and not one.is_traced
        if level < condition.depth and is_end and _is_made(one):
            yield f"{one.name} (how it is made)", None


def _is_made(one: Ingredient) -> bool:
    """Tell whether something of a living thing may have been used to make it."""
    return one.source not in {Source.SYNTHETIC, Source.MINERAL} and one.matter not in {
        Matter.WATER,
        Matter.SALT,
    }


def _words(fields: Fields, key: str, among: type[Source] | type[Matter]) -> Iterator[str]:
    known = [one.value for one in among]
    for word in fields.texts(key):
        if word in known:
            yield word
        else:
            fields.wrong(key, word, ", ".join(known), "choose one of these")
