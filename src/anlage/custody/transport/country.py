"""Rules of country pairs, as dated data: what a border asks for, what stops, what is not known.

A set says for which pairs and goods it claims to be told; for any other pair the answer is that
nothing is known, never that nothing is asked.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Self

from anlage.base import Problem, Refused
from anlage.library import Content, Fields, Heading, Reference, read_with

RULE = "ISO 21973"
_COUNTRY = re.compile(r"[A-Z]{2}")


class Goods(StrEnum):
    """What crosses a border."""

    STARTING_MATERIAL = "starting-material"
    CELLS = "cells"
    GENE_MODIFIED = "gene-modified-cells"

    @classmethod
    def named(cls, text: str) -> "Goods":
        """Give the goods by their name.

        Raises:
            Refused: `goods-unknown`.
        """
        try:
            return cls(text.strip().lower())
        except ValueError as error:
            raise Refused(
                "goods-unknown",
                what="goods",
                found=repr(text[:40]),
                limit=", ".join(one.value for one in cls),
                remedy="choose one of these",
                rule="ISO 21973",
            ) from error


class Asks(StrEnum):
    """What a rule of a pair says."""

    REQUIREMENT = "requirement"
    DOCUMENT = "document"
    HOLD = "hold"
    NOTE = "note"
    NOT_KNOWN = "not-known"


@dataclass(frozen=True, slots=True, kw_only=True)
class CountryRule:
    """One thing that is known, or known to be unknown, of country pairs.

    Attributes:
        id: Its name, unique in the set.
        origins: Countries or groups of the set that it holds for; `any` for all.
        destinations: The same for where the goods go.
        crosses: True where it holds only if the two are not in one customs union of the set.
        goods: What it holds for.
        asks: What it says.
        says: The rule in our own words.
        source: Where it stands.
        read: The day on which the source was read for it; None when it was not read again.
        valid_from: From when it holds; None when not stated.
        valid_until: Until when; None while it holds.
    """

    id: str
    origins: tuple[str, ...]
    destinations: tuple[str, ...]
    goods: tuple[Goods, ...]
    asks: Asks
    says: str
    source: str
    crosses: bool = False
    read: date | None = None
    valid_from: date | None = None
    valid_until: date | None = None

    @classmethod
    def from_fields(cls, fields: Fields) -> Self:
        """Read one rule."""
        goods = fields.texts("goods", least=1)
        known = [one.value for one in Goods]
        for one in goods:
            if one not in known:
                fields.wrong("goods", one, ", ".join(known), "choose among these")
        return cls(
            id=fields.id("id"),
            origins=fields.texts("from", least=1),
            destinations=fields.texts("to", least=1),
            goods=tuple(Goods(one) for one in goods if one in known),
            asks=fields.enum("asks", Asks),
            says=fields.text("says"),
            source=fields.text("source"),
            crosses=fields.flag("crosses", False),
            read=fields.day("read"),
            valid_from=fields.day("valid-from"),
            valid_until=fields.day("valid-until"),
        )

    def holds_on(self, day: date) -> bool:
        """Tell whether it holds on a day."""
        began = self.valid_from is None or self.valid_from <= day
        return began and (self.valid_until is None or day <= self.valid_until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Countries that rules name together; a customs union has no border between them."""

    id: str
    members: tuple[str, ...]
    is_customs_union: bool = False

    @classmethod
    def from_fields(cls, fields: Fields) -> Self:
        """Read one group."""
        members = fields.texts("members", least=1)
        for one in members:
            if not _COUNTRY.fullmatch(one):
                fields.wrong("members", one, "two letters of ISO 3166-1", "correct the code")
        return cls(
            id=fields.text("id"),
            members=members,
            is_customs_union=fields.flag("customs-union", False),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A direction that the set claims to tell about."""

    origins: tuple[str, ...]
    destinations: tuple[str, ...]

    @classmethod
    def from_fields(cls, fields: Fields) -> Self:
        """Read one pair."""
        return cls(origins=fields.texts("from", least=1), destinations=fields.texts("to", least=1))


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportRules:
    """A dated set of rules of country pairs.

    Attributes:
        heading: Identifier, title and basis.
        groups: Countries named together.
        told: The pairs that it claims to tell about.
        rules: The rules.
    """

    heading: Heading
    groups: tuple[Group, ...]
    told: tuple[Pair, ...]
    rules: tuple[CountryRule, ...]

    @classmethod
    def read(cls, content: Content) -> Self:
        """Read a set from its content.

        Raises:
            Refused: With every problem and its path.
        """
        return read_with(content, cls.from_fields)

    @classmethod
    def from_fields(cls, fields: Fields) -> Self:
        """Read a set."""
        heading = fields.heading("transport-rules")
        groups = fields.each("groups", Group.from_fields, unique="id")
        told = fields.each("told", Pair.from_fields, least=1)
        rules = fields.each("rules", CountryRule.from_fields, least=1, unique="id")
        names = {one.id for one in groups} | {"any"}
        ends = [end for one in told for end in (*one.origins, *one.destinations)]
        ends += [end for one in rules for end in (*one.origins, *one.destinations)]
        for end in ends:
            if end not in names and not _COUNTRY.fullmatch(end):
                fields.wrong("rules", end, "a country, a group of the set, or any", "correct it")
        return cls(heading=heading, groups=groups, told=told, rules=rules)

    @property
    def references(self) -> tuple[Reference, ...]:
        """It names no other definition."""
        return ()

    def covers(self, ends: Sequence[str], country: str) -> bool:
        """Tell whether countries and groups hold a country."""
        members = {one.id: one.members for one in self.groups}
        return any(end in ("any", country) or country in members.get(end, ()) for end in ends)

    def share_customs(self, origin: str, destination: str) -> bool:
        """Tell whether no customs border lies between two countries."""
        return origin == destination or any(
            one.is_customs_union and {origin, destination} <= set(one.members)
            for one in self.groups
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneCheck:
    """What is known of sending goods from one country to another.

    Attributes:
        origin: The country that sends.
        destination: The country that receives.
        goods: What goes.
        day: When.
        rules: What the way asks for.
        holds: What stops it.
        not_known: What nobody has said.
    """

    origin: str
    destination: str
    goods: Goods
    day: date
    rules: tuple[CountryRule, ...]
    holds: tuple[CountryRule, ...]
    not_known: tuple[str, ...]

    @property
    def verdict(self) -> str:
        """hold, not-known or open, the first that fits."""
        return "hold" if self.holds else "not-known" if self.not_known else "open"


def country_code(text: str) -> str:
    """Give a country as two letters of ISO 3166-1.

    Raises:
        Refused: `country-malformed`.
    """
    code = text.strip().upper()
    if not (_COUNTRY.fullmatch(code) and text.isascii()):
        raise Refused(
            "country-malformed",
            what="country",
            found=repr(text[:20]),
            limit="two letters of ISO 3166-1, such as DE",
            remedy="correct the code",
            rule="ISO 3166-1",
        )
    return code


def check_lane(
    origin: str, destination: str, goods: Goods, *, day: date, rules: TransportRules
) -> LaneCheck:
    """Give what is known of a way on a day.

    Raises:
        Refused: A country is none.
    """
    start, end = country_code(origin), country_code(destination)
    same = rules.share_customs(start, end)
    found = [
        one
        for one in rules.rules
        if goods in one.goods
        and one.holds_on(day)
        and rules.covers(one.origins, start)
        and rules.covers(one.destinations, end)
        and not (one.crosses and same)
    ]
    gaps = [one.says for one in found if one.asks is Asks.NOT_KNOWN]
    is_told = any(
        rules.covers(one.origins, start) and rules.covers(one.destinations, end)
        for one in rules.told
    )
    if not is_told:
        gaps.insert(
            0,
            f"{rules.heading.id} tells nothing about {start} to {end}: ask the authorities of both"
            " countries and enter what they say, with its source",
        )
    return LaneCheck(
        origin=start,
        destination=end,
        goods=goods,
        day=day,
        rules=tuple(one for one in found if one.asks not in (Asks.HOLD, Asks.NOT_KNOWN)),
        holds=tuple(one for one in found if one.asks is Asks.HOLD),
        not_known=tuple(gaps),
    )


def must_be_passable(check: LaneCheck, *, accepted: str) -> None:
    """See that a way may be booked; what is not known is accepted with a reason or refused.

    Raises:
        Refused: `lane-on-hold` or `lane-not-known`.
    """
    way = f"{check.goods.value} from {check.origin} to {check.destination}"
    problems = [
        Problem(
            code="lane-on-hold",
            what=way,
            found=one.says,
            limit="a way without a hold",
            remedy="wait until the hold ends, or send another way",
            rule=one.source,
        )
        for one in check.holds
    ]
    if check.not_known and not accepted.strip():
        problems += [
            Problem(
                code="lane-not-known",
                what=way,
                found=one,
                limit="rules that are known, or a reason why the shipment goes all the same",
                remedy="find out, or say who accepted this and why",
                rule=RULE,
            )
            for one in check.not_known
        ]
    if problems:
        raise Refused.of(problems)
