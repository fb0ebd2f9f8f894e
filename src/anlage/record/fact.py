"""A fact: one thing that happened, and the envelope that keeps it.

A fact is a frozen dataclass registered by `@fact(kind, version)`. Its fields may be text,
integers, booleans, `Decimal`, `Quantity`, `Instant`, identifiers, enums, other frozen dataclasses,
tuples and string-keyed mappings of these, or None. The envelope adds who, when, where, why and the
place in its stream; its canonical bytes are what is hashed and kept.
"""

import dataclasses
import enum
import functools
import hashlib
import re
import secrets
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Self, TypeVar

import orjson

from anlage.base import (
    Broken,
    Identifier,
    Instant,
    Quantity,
    Refused,
    canonical,
    instant,
    stamp,
)

from .merkle import leaf_hash

ENVELOPE = 1
NOTHING_BEFORE = bytes(32)

T = TypeVar("T")
_sha256 = hashlib.sha256
_CLASSES: dict[tuple[str, int], type] = {}
_NEWEST: dict[str, int] = {}
_UPCASTERS: dict[tuple[str, int], Callable[[dict[str, Any]], dict[str, Any]]] = {}


class Stream(Identifier):
    """The name of one thing with a history: `family/id`, such as `lot/L-0412`."""

    pattern = re.compile(r"[a-z][a-z0-9-]{0,31}/[A-Za-z0-9][A-Za-z0-9._:=,*+\-]{0,95}")

    @property
    def family(self) -> str:
        """The kind of thing: lot, container, material, equipment, person ..."""
        return self.partition("/")[0]

    @property
    def id(self) -> str:
        """The thing's own identifier within its family."""
        return self.partition("/")[2]


def fact(kind: str, version: int = 1) -> Callable[[type[T]], type[T]]:
    """Register a frozen dataclass as the fact of this kind and version.

    Args:
        kind: Past tense in kebab-case, unique over all packages ("step-completed").
        version: Raised when fields change; older bytes are read through `upcaster`.
    """

    def register(cls: type[T]) -> type[T]:
        if (kind, version) in _CLASSES and _CLASSES[kind, version].__qualname__ != cls.__qualname__:
            raise ValueError(f"fact kind {kind} version {version} is registered twice")
        cls.kind = kind  # type: ignore[attr-defined]
        cls.kind_version = version  # type: ignore[attr-defined]
        _CLASSES[kind, version] = cls
        _NEWEST[kind] = max(version, _NEWEST.get(kind, 0))
        return cls

    return register


def upcaster(
    kind: str, version: int
) -> Callable[[Callable[[dict[str, Any]], dict[str, Any]]], Callable[..., dict[str, Any]]]:
    """Register a pure function that turns a body of `version` into one of `version + 1`."""

    def register(
        function: Callable[[dict[str, Any]], dict[str, Any]],
    ) -> Callable[..., dict[str, Any]]:
        _UPCASTERS[kind, version] = function
        return function

    return register


def known_kinds() -> dict[str, int]:
    """Give every registered kind with its newest version."""
    return dict(_NEWEST)


def fact_classes() -> list[tuple[str, int, type]]:
    """Give kind, newest version and class of every registered fact."""
    return [(kind, version, _CLASSES[kind, version]) for kind, version in _NEWEST.items()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who did it: a person, through which door; or a device or the system itself.

    Attributes:
        person: Identifier of the person; None when a device or the system acted.
        via: The door: page, api, command-line, job, device, clock or system.
        device: The equipment unit that acted, if one did.
        session: A digest of the login session, so that acts of one session can be found together.
    """

    person: str | None = None
    via: str = "system"
    device: str | None = None
    session: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """What a decision gives: a fact and the stream that it goes to.

    Attributes:
        stream: The stream.
        fact: An instance of a class registered by `@fact`.
        happened: When it happened, if not at the moment of the command; a past time flags a late
        entry. why: The reason that a person gave.
    """

    stream: Stream
    fact: Any
    happened: Instant | None = None
    why: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A fact as the journal keeps it: a header, which is hashed into stream and tree, and a body
    that it names by digest.

    An export may withhold a body (it concerns another patient); the header still proves its place.

    Attributes:
        number: The global number, from 0, without gaps.
        stream: The stream it belongs to.
        version: Its place in the stream, from 1, without gaps.
        hash: RFC 6962 leaf hash of `header` (32 bytes).
        header: Canonical bytes of the header.
        content: Canonical bytes of the body with its salt; None when withheld.
    """

    number: int
    stream: Stream
    version: int
    hash: bytes
    header: bytes
    content: bytes | None
    parts: dict[str, Any] = field(repr=False, compare=False)

    @classmethod
    def read(cls, number: int, header: bytes, content: bytes | None) -> Self:
        """Read a fact that a journal wrote; cheap: the body is parsed when it is asked for.

        Raises:
            Broken: The header is none of a version that this build knows.
        """
        try:
            parts = orjson.loads(header)
            if parts["envelope"] != ENVELOPE:
                raise Broken(f"fact {number} in envelope {ENVELOPE}", seen=parts["envelope"])
            return cls(
                number=number,
                stream=str.__new__(Stream, parts["stream"]),
                version=parts["version"],
                hash=leaf_hash(header),
                header=header,
                content=content,
                parts=parts,
            )
        except (ValueError, KeyError, TypeError) as error:
            raise Broken(f"fact {number} to be readable", seen=repr(header[:60])) from error

    @property
    def kind(self) -> str:
        """What happened, in past tense."""
        return str(self.parts["kind"])

    @property
    def kind_version(self) -> int:
        """The version in which the body was written."""
        return int(self.parts["kind_version"])

    @property
    def previous(self) -> bytes:
        """The hash of the fact before it in its stream; 32 zero bytes for the first."""
        return bytes.fromhex(self.parts["previous"])

    @property
    def site(self) -> str:
        """The site where it was recorded."""
        return str(self.parts["site"])

    @property
    def happened(self) -> Instant:
        """When it happened."""
        return instant(self.parts["happened"])

    @property
    def recorded(self) -> Instant:
        """When the journal recorded it, by the machine's clock."""
        return instant(self.parts["recorded"])

    @property
    def happened_text(self) -> str:
        """When it happened, as written."""
        return str(self.parts["happened"])

    @property
    def recorded_text(self) -> str:
        """When it was recorded, as written."""
        return str(self.parts["recorded"])

    @property
    def command(self) -> str | None:
        """The client's key of the command that led to it."""
        return self.parts.get("command")

    @property
    def by(self) -> Actor:
        """Who did it."""
        return Actor(**self.parts["by"])

    @property
    def person(self) -> str | None:
        """The person who did it, if one did."""
        return self.parts["by"].get("person")  # type: ignore[no-any-return]

    @property
    def is_withheld(self) -> bool:
        """Whether the body is not here."""
        return self.content is None

    @property
    def body(self) -> dict[str, Any]:
        """The fact's fields as JSON values, as they were written; empty when withheld."""
        return self._content().get("fact", {})  # type: ignore[no-any-return]

    @property
    def why(self) -> str | None:
        """The reason that was given."""
        return self._content().get("why")

    @property
    def relied(self) -> dict[str, int]:
        """Every stream that the decision read, with its version at that moment."""
        return self._content().get("relied", {})  # type: ignore[no-any-return]

    @property
    def fact(self) -> Any:
        """The fact itself, upcast to its newest version; an `Unknown` for a kind this build does
        not know.
        """
        return decode(self.kind, self.kind_version, self.body)

    def is_sound(self) -> bool:
        """Tell whether the body, if it is here, is the one that the header names."""
        if self.content is None:
            return True
        return _sha256(self.content).hexdigest() == self.parts.get("digest")

    def _content(self) -> dict[str, Any]:
        return orjson.loads(self.content) if self.content is not None else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """A fact of a kind that this build does not know: verified by its hash, shown raw."""

    kind: str
    kind_version: int
    body: Mapping[str, Any]


def write(
    entry: Entry,
    *,
    number: int,
    version: int,
    previous: bytes,
    site: str,
    by: Actor,
    at: Instant,
    recorded: Instant,
    relied: Mapping[Stream, int] | None = None,
    command: str | None = None,
    salt: str | None = None,
) -> Recorded:
    """Give the fact of an entry as the journal keeps it.

    The body carries a random salt, so that a withheld body cannot be guessed from its digest.

    Raises:
        Refused: The fact holds a value that the record cannot keep.
    """
    content: dict[str, Any] = {"fact": encode(entry.fact), "salt": salt or secrets.token_hex(8)}
    if entry.why:
        content["why"] = entry.why
    if relied:
        content["relied"] = {str(stream): past for stream, past in relied.items()}
    body = canonical(content)
    parts: dict[str, Any] = {
        "envelope": ENVELOPE,
        "stream": str(entry.stream),
        "version": version,
        "previous": previous.hex(),
        "kind": entry.fact.kind,
        "kind_version": entry.fact.kind_version,
        "site": site,
        "happened": stamp(entry.happened or at),
        "recorded": stamp(recorded),
        "by": {k: v for k in Actor.__slots__ if (v := getattr(by, k)) is not None},
        "digest": hashlib.sha256(body).hexdigest(),
    }
    if command:
        parts["command"] = command
    header = canonical(parts)
    return Recorded(
        number=number,
        stream=entry.stream,
        version=version,
        hash=leaf_hash(header),
        header=header,
        content=body,
        parts=parts,
    )


def encode(value: Any) -> Any:
    """Give the JSON values of a fact or of any value that a fact may hold."""
    kind = type(value)
    if kind is str or kind is int or kind is bool or value is None:
        return value
    if isinstance(value, Quantity):
        return {"value": str(value.value), "unit": value.unit}
    if dataclasses.is_dataclass(value):
        return {
            name: encode(inner)
            for name in _field_names(kind)  # type: ignore[arg-type]
            if (inner := getattr(value, name)) is not None
        }
    if isinstance(value, datetime):
        return stamp(value)
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, tuple | list | frozenset):
        return [
            encode(inner) for inner in (sorted(value) if isinstance(value, frozenset) else value)
        ]
    if isinstance(value, Mapping):
        return {str(key): encode(inner) for key, inner in value.items()}
    raise TypeError(f"a fact cannot hold a {kind.__name__}")


def decode(kind: str, version: int, body: Mapping[str, Any]) -> Any:
    """Give the fact of a body, upcast step by step to the newest version of its kind."""
    newest = _NEWEST.get(kind)
    if newest is None or version > newest:
        return Unknown(kind=kind, kind_version=version, body=body)
    values = dict(body)
    for step in range(version, newest):
        values = _UPCASTERS[kind, step](values)
    return rebuild(_CLASSES[kind, newest], values)


def rebuild(cls: type[T], values: Mapping[str, Any]) -> T:
    """Build a frozen dataclass from JSON values, by its type hints.

    Raises:
        Broken: A required field is missing or does not fit its type.
    """
    try:
        readers = _readers(cls)  # type: ignore[arg-type]
        return cls(
            **{name: readers[name](inner) for name, inner in values.items() if name in readers}
        )
    except (TypeError, ValueError, KeyError, AttributeError, Refused) as error:
        raise Broken(f"a readable {cls.__name__}", seen=f"{error}") from error


@functools.cache
def _field_names(cls: type) -> tuple[str, ...]:
    return tuple(one.name for one in dataclasses.fields(cls))


@functools.cache
def _readers(cls: type) -> dict[str, Callable[[Any], Any]]:
    hints = typing.get_type_hints(cls)
    return {one.name: _reader(hints[one.name]) for one in dataclasses.fields(cls)}  # type: ignore[arg-type]


def _reader(hint: Any) -> Callable[[Any], Any]:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        inner = [_reader(one) for one in arguments if one is not type(None)]
        return lambda value: None if value is None else inner[0](value)
    if origin in (tuple, list, frozenset):
        item = _reader(arguments[0])
        return lambda value: origin(item(one) for one in value)
    if origin is not None and isinstance(origin, type) and issubclass(origin, Mapping):
        item = _reader(arguments[1])
        return lambda value: {key: item(one) for key, one in value.items()}
    if hint is Quantity:
        return lambda value: Quantity(Decimal(value["value"]), value["unit"])
    if hint is Decimal:
        return Decimal
    if hint is datetime:
        return instant
    if isinstance(hint, type):
        if issubclass(hint, Identifier | enum.Enum):
            return hint
        if dataclasses.is_dataclass(hint):
            return lambda value: rebuild(hint, value)
    return lambda value: value
