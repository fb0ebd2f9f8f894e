"""Which signatures a command wants: found by judging it, so that no shell keeps a list."""

import dataclasses
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from anlage.base import Refused
from anlage.record import Actor, Signature, SignatureWanted, encode, sign

from .engine import Engine, name_of

# Readings are signed with their step; here a signature stands only under a change of one.
_UNSIGNED = frozenset({"enter-readings"})
_TRIES_MAX = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One signature that a command wants.

    Attributes:
        field: The field of the request that takes it.
        person: Who has to sign.
        meaning: What the signature says.
        shown: The values that it stands under.
    """

    field: str
    person: str
    meaning: str
    shown: Mapping[str, Any]


def signature_fields(request: type) -> tuple[str, ...]:
    """Give the fields of a request class that take signatures."""
    hints = typing.get_type_hints(request)
    return tuple(name for name, hint in hints.items() if _bare(hint) is Signature)


def signatures_wanted(
    engine: Engine, request: Any, *, actor: Actor, chosen: typing.Iterable[Wanted] = ()
) -> list[Wanted]:
    """Judge a command and give the signatures that it wants, in the order of its fields.

    Args:
        engine: Judges it.
        request: The command.
        actor: Who asks.
        chosen: Signatures that were agreed on before, as no field of the command names who gives
            them.

    Raises:
        Refused: It would be refused, signed or not; nothing is stored.
    """
    fields = signature_fields(type(request))
    found: list[Wanted] = list(chosen)
    for _ in range(_TRIES_MAX):
        unset = [one for one in fields if one not in {wanted.field for wanted in found}]
        trial = with_signatures(engine, request, found, method="password")
        try:
            engine.judge(trial, actor=actor)
        except SignatureWanted as wanted:
            if not unset:
                raise
            found.append(
                Wanted(
                    field=unset[0], person=wanted.person, meaning=wanted.meaning, shown=wanted.shown
                )
            )
            continue
        except Refused:
            if found or not unset or actor.person is None:
                raise
            found.append(_own(request, unset[0], actor.person))
            continue
        is_signed = fields[:1] == ("signature",) and name_of(request) not in _UNSIGNED
        if is_signed and not found and actor.person is not None:
            found.append(_own(request, "signature", actor.person))
            continue
        return found
    raise AssertionError("a command asks for more signatures than it has fields")


def with_signatures(
    engine: Engine,
    request: Any,
    wanted: typing.Iterable[Wanted],
    *,
    method: str,
    names: Mapping[str, str] | None = None,
    template: str = "command/1",
    more: Mapping[str, Any] | None = None,
) -> Any:
    """Give the request signed.

    Args:
        engine: Tells the time.
        request: What is signed.
        wanted: The signatures.
        method: How the persons proved to be those persons.
        names: Printed name per person; the identifier where there is none.
        template: Name and version of what showed the values.
        more: Further values that were shown.
    """
    signatures = {
        one.field: sign(
            {**(more or {}), **one.shown},
            person=one.person,
            name=(names or {}).get(one.person, one.person),
            meaning=one.meaning,
            template=template,
            method=method,
            at=engine.clock.now(),
        )
        for one in wanted
    }
    return dataclasses.replace(request, **signatures) if signatures else request


def _own(request: Any, field: str, person: str) -> Wanted:
    values = {key: value for key, value in encode(request).items() if key != field}
    meaning = name_of(request).replace("-", " ")
    return Wanted(field=field, person=person, meaning=meaning, shown=values)


def _bare(hint: Any) -> Any:
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return next(one for one in typing.get_args(hint) if one is not type(None))
    return hint
