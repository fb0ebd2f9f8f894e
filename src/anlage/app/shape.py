"""Whether values from outside have the shape of a request, before anything is built from them.

A wrong type that got as far as a decision would be a breakage there instead of a refusal here; and
a signature is never a value: it is made when a person proves to be that person (21 CFR 11.200).
"""

import collections.abc
import dataclasses
import enum
import re
import types
import typing
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from anlage.base import Identifier, Quantity, Refused, instant
from anlage.record import Signature

TEXT_MAX = 100_000
NAME_MAX = 200
LIST_MAX = 5_000
DEPTH_MAX = 40
WHOLE_MAX = 10**15
EXPONENT_MAX = 60
YEAR_MIN, YEAR_MAX = 1900, 2200
_HIDDEN = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x85\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)


def must_fit(request: type, values: object, where: str) -> None:
    """See that JSON values fit the fields of a request class.

    Args:
        request: The dataclass.
        values: What was sent.
        where: What it is, for messages.

    Raises:
        Refused: `request-malformed`, or `signature-not-proven` for a signature sent as a value.
    """
    _fit_record(request, values, where, 0)


def must_be_legible(text: str, where: str, *, limit: int = TEXT_MAX) -> None:
    """See that text is not over-long and holds no character that hides, turns or breaks text.

    Raises:
        Refused: `request-malformed`.
    """
    if len(text) > limit or _HIDDEN.search(text):
        raise Refused(
            "request-malformed",
            what=where[:NAME_MAX],
            found="control characters or over-long text",
            limit=f"printable text of at most {limit:,} characters",
            remedy="type it again",
            rule="ALCOA: legible",
        )


def _fit_record(cls: type, values: object, where: str, depth: int) -> None:
    if not isinstance(values, Mapping):
        raise _refused(where, values, "an object with the fields of the command")
    hints = typing.get_type_hints(cls)
    fields: Any = dataclasses.fields(cls)  # type: ignore[arg-type]
    if unknown := [name for name in values if name not in hints]:
        name = ascii(str(unknown[0])[:60])
        raise _refused(where, f"field {name}", ", ".join(hints), "correct the field's name")
    missing = [one.name for one in fields if one.name not in values and _is_required(one)]
    if missing:
        raise _refused(where, f"no {', '.join(missing)}", "every required field", "fill it in")
    for name, value in values.items():
        _fit(hints[name], value, f"{name} of {where}", depth + 1)


def _fit(hint: Any, value: object, where: str, depth: int) -> None:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        if value is not None:
            _fit(next(one for one in arguments if one is not type(None)), value, where, depth)
    elif hint is Signature:
        raise Refused(
            "signature-not-proven",
            what=where,
            found="a signature sent as a value",
            limit="a signature that is made when its person proves to be that person",
            remedy="leave it out, and sign with login and password",
            rule="21 CFR 11.200",
        )
    elif origin in (tuple, list, frozenset):
        if not isinstance(value, list | tuple) or len(value) > LIST_MAX:
            raise _refused(where, value, f"a list of at most {LIST_MAX:,}")
        for one in value:
            _fit(arguments[0], one, where, depth + 1)
    elif origin is not None and issubclass(origin, collections.abc.Mapping):
        for name, one in _names_of(value, where).items():
            _fit(arguments[1], one, f"{name[:60]} in {where}", depth + 1)
    elif isinstance(hint, type) and dataclasses.is_dataclass(hint) and hint is not Quantity:
        _fit_record(hint, value, where, depth)
    elif isinstance(hint, type) and issubclass(hint, enum.Enum):
        if value not in [one.value for one in hint]:
            raise _refused(where, value, ", ".join(str(one.value) for one in hint))
    elif isinstance(hint, type) and issubclass(hint, Identifier):
        _text(value, where)
    elif hint in _PLAIN:
        _PLAIN[hint](value, where)
    else:
        _open(value, where, depth)


def _text(value: object, where: str) -> None:
    if not isinstance(value, str):
        raise _refused(where, value, "text")
    must_be_legible(value, where)


def _whole(value: object, where: str) -> None:
    if type(value) is not int or abs(value) > WHOLE_MAX:
        raise _refused(where, value, "a whole number")


def _truth(value: object, where: str) -> None:
    if type(value) is not bool:
        raise _refused(where, value, "true or false")


def _decimal(value: object, where: str) -> None:
    try:
        if isinstance(value, str | int) and len(str(value)) <= EXPONENT_MAX:
            number = Decimal(value)
            if number.is_finite() and abs(number.adjusted()) <= EXPONENT_MAX:
                return
    except (InvalidOperation, ValueError):
        pass
    raise _refused(where, value, "a decimal number as text")


def _quantity(value: object, where: str) -> None:
    if not isinstance(value, Mapping) or set(value) != {"value", "unit"}:
        raise _refused(where, value, 'a quantity {"value": "1.5", "unit": "mL"}')
    _decimal(value["value"], where)
    _text(value["unit"], where)
    Quantity.of(value["value"], value["unit"])


def _moment(value: object, where: str) -> None:
    try:
        if isinstance(value, str) and YEAR_MIN <= instant(value).year <= YEAR_MAX:
            return
    except (ValueError, OverflowError, Refused):
        pass
    raise _refused(where, value, f"a moment with its zone, {YEAR_MIN} to {YEAR_MAX}")


def _open(value: object, where: str, depth: int) -> None:
    """See that free content is JSON of a reasonable depth, legible throughout."""
    if depth > DEPTH_MAX:
        raise _refused(where, "deeper nesting", f"at most {DEPTH_MAX} levels")
    if isinstance(value, str):
        must_be_legible(value, where)
    elif isinstance(value, Mapping):
        for one in _names_of(value, where).values():
            _open(one, where, depth + 1)
    elif isinstance(value, list | tuple):
        if len(value) > LIST_MAX:
            raise _refused(where, f"{len(value)} items", f"at most {LIST_MAX:,}")
        for one in value:
            _open(one, where, depth + 1)
    elif type(value) is int:
        _whole(value, where)
    elif value is not None and type(value) is not bool:
        raise _refused(where, value, "text, whole numbers, true, false, lists and objects")


def _names_of(value: object, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or len(value) > LIST_MAX:
        raise _refused(where, value, f"an object of at most {LIST_MAX:,} names")
    for name in value:
        if not isinstance(name, str):
            raise _refused(where, name, "names that are text")
        must_be_legible(name, f"a name in {where}", limit=NAME_MAX)
    return value


def _is_required(one: Any) -> bool:
    missing = dataclasses.MISSING
    return one.default is missing and one.default_factory is missing


def _refused(where: str, found: object, limit: str, remedy: str = "correct the request") -> Refused:
    seen = found if isinstance(found, str) else type(found).__name__
    return Refused(
        "request-malformed",
        what=where[:NAME_MAX],
        found=_HIDDEN.sub("?", seen[:NAME_MAX]),
        limit=limit,
        remedy=remedy,
    )


_PLAIN: dict[Any, Callable[[object, str], None]] = {
    str: _text,
    int: _whole,
    bool: _truth,
    Decimal: _decimal,
    Quantity: _quantity,
    datetime: _moment,
}
