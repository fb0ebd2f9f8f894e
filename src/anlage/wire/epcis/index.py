"""A document as it is captured: judged, and where each of its events lies, word for word."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from anlage.base import Problem, Refused, stamp
from anlage.custody import CAPTURED_EVENTS_MAX, CapturedEvent, LeftOut

from .canonical_link import canonical_link
from .check import check
from .document import Document, hashes, read_bytes
from .vocabulary import CBV

CONTEXT = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
_LISTS = (
    ("epcisBody", "eventList"),
    ("epcisBody", "queryResults", "resultsBody", "eventList"),
)
_IN_EVENT = re.compile(r"epcisBody(?:\.queryResults\.resultsBody)?\.eventList\[(\d+)\]")
_SPACE = re.compile(r"[ \t\r\n]*")
_scan = json.JSONDecoder().raw_decode
_MARKS = {"bizStep": ("BizStep-", "bizstep"), "disposition": ("Disp-", "disp")}
_ROLES = {
    "epc": ("epcList", "childEPCs"),
    "inputEPC": ("inputEPCList",),
    "outputEPC": ("outputEPCList",),
}
_CLASSES = {
    "epcClass": ("quantityList", "childQuantityList"),
    "inputEPCClass": ("inputQuantityList",),
    "outputEPCClass": ("outputQuantityList",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a document holds.

    Attributes:
        context: Its JSON-LD context, as JSON text.
        sender: Whom it names as its sender, if anybody.
        events: Its valid events, in order.
        left_out: One line per event that is not valid.
        problems: Every problem of those events.
    """

    context: str
    sender: str | None
    events: tuple[CapturedEvent, ...]
    left_out: tuple[LeftOut, ...]
    problems: tuple[Problem, ...]


def read_capture(data: bytes, *, is_single: bool = False) -> Reading:
    """Read and judge a JSON-LD document, or one single event.

    A plain JSON event without a context is read in the context of EPCIS itself.

    Raises:
        Refused: It is no JSON, has too many events, or is wrong outside of its events; also
            anything wrong with a single event.
    """
    document = read_bytes(data, "document")
    if document.json is None:
        raise Refused(
            "media-type-unsupported",
            what="document",
            found="XML",
            limit="JSON-LD",
            remedy="send the same events as JSON-LD",
            rule="EPCIS 2.0 clause 12",
        )
    value = document.json
    judged = value
    if is_single and "@context" not in value:
        judged = {"@context": [CONTEXT], **value}
    problems = check(Document(name="document", json=judged, text=document.text))
    is_event = "epcisBody" not in value
    if is_event and not is_single and not problems:
        raise _no_document(value)
    outside = [one for one in problems if is_single or not _IN_EVENT.match(one.path or "")]
    if outside:
        raise Refused.of([*outside, *(one for one in problems if one not in outside)])
    text = data.decode("utf-8-sig")
    offset = len(data) - len(text.encode())
    spans = [(0, len(text))] if is_single else list(_spans(text, value))
    if len(spans) > CAPTURED_EVENTS_MAX:
        raise Refused(
            "capture-too-large",
            what="document",
            found=f"{len(spans)} events",
            limit=f"{CAPTURED_EVENTS_MAX} events",
            remedy="send it in several documents",
            rule="EPCIS 2.0 clause 12",
        )
    bad: dict[int, Problem] = {}
    for one in problems:
        bad.setdefault(int(_IN_EVENT.match(one.path or "")[1]), one)  # type: ignore[index]
    every = _entries(text, spans, value, offset, bad)
    left_out = tuple(
        LeftOut(place=place, code=one.code, what=str(one.path), found=str(one.found)[:300])
        for place, one in sorted(bad.items())
    )
    sender = value.get("sender")
    return Reading(
        context=json.dumps(judged.get("@context"), ensure_ascii=False),
        sender=sender if isinstance(sender, str) else None,
        events=tuple(every),
        left_out=left_out,
        problems=tuple(problems),
    )


def canonical_thing(value: str) -> str:
    """Give the spelling under which an identifier is found: its Digital Link where it has one."""
    return canonical_link(value) or value


def canonical_term(name: str, value: str) -> str:
    """Give the spelling under which a term is found: the bare word of the CBV where it is one."""
    mark, urn = _MARKS.get(name, ("", ""))
    for start in (f"urn:epcglobal:cbv:{urn}:", f"{CBV}{mark}", f"cbv:{mark}"):
        if mark and value.startswith(start):
            return value[len(start) :]
    return canonical_thing(value) if name in ("bizLocation", "readPoint") else value


def _entries(
    text: str,
    spans: list[tuple[int, int]],
    value: dict[str, Any],
    offset: int,
    bad: dict[int, Problem],
) -> Iterator[CapturedEvent]:
    events = [_scan(text, start)[0] for start, _ in spans] if len(spans) > 1 else []
    if not events:
        events = [_scan(text, _skip(text, start))[0] for start, _ in spans]
    good = [place for place in range(len(events)) if place not in bad]
    named = dict(zip(good, _hashes(value, [events[place] for place in good]), strict=True))
    seen, at = 0, offset
    for place, (start, end) in enumerate(spans):
        at += len(text[seen:start].encode())
        size = len(text[start:end].encode())
        if place in named:
            yield _entry(events[place], place, at, at + size, named[place])
        at, seen = at + size, end


def _hashes(value: dict[str, Any], events: list[Any]) -> list[str]:
    if "epcisBody" not in value:
        return hashes(Document(name="event", json=value))
    if not events:
        return []
    whole = {**value, "type": "EPCISDocument", "epcisBody": {"eventList": events}}
    return hashes(Document(name="document", json=whole))


def _entry(event: dict[str, Any], place: int, start: int, end: int, named: str) -> CapturedEvent:
    error = event.get("errorDeclaration")
    declared = error.get("declarationTime") if isinstance(error, dict) else None
    terms = {}
    for name in ("bizStep", "disposition", "action", "transformationID"):
        if isinstance(given := event.get(name), str):
            terms[name] = canonical_term(name, given)
    for name in ("readPoint", "bizLocation"):
        holder = event.get(name)
        if isinstance(holder, dict) and isinstance(holder.get("id"), str):
            terms[name] = canonical_term(name, holder["id"])
    given_id = event.get("eventID")
    return CapturedEvent(
        place=place,
        start=start,
        end=end,
        id=given_id if isinstance(given_id, str) and given_id else named,
        hash=named,
        type=str(event.get("type", "")),
        time=_time(event["eventTime"]),
        declared=_time(declared) if isinstance(declared, str) else None,
        terms=terms,
        things=_things(event),
    )


def _things(event: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for role, names in _ROLES.items():
        values = [one for name in names for one in event.get(name) or [] if isinstance(one, str)]
        if values:
            found[role] = tuple(dict.fromkeys(canonical_thing(one) for one in values))
    for role, names in _CLASSES.items():
        held = [one for name in names for one in event.get(name) or [] if isinstance(one, dict)]
        classes = [one["epcClass"] for one in held if isinstance(one.get("epcClass"), str)]
        if classes:
            found[role] = tuple(dict.fromkeys(canonical_thing(one) for one in classes))
    if isinstance(parent := event.get("parentID"), str):
        found["parentID"] = (canonical_thing(parent),)
    return found


def _time(text: str) -> str:
    try:
        return stamp(datetime.fromisoformat(text).astimezone(UTC))
    except (ValueError, OverflowError) as error:
        raise Refused(
            "time-out-of-range",
            what="time of an event",
            found=text[:60],
            limit="the years 1 to 9999",
            remedy="correct the time",
            rule="EPCIS 2.0 clause 7.3",
        ) from error


def _spans(text: str, value: dict[str, Any]) -> Iterator[tuple[int, int]]:
    """Give the place of each event's text in the document."""
    for path in _LISTS:
        at: int | None = _skip(text, 0)
        for name in path:
            at = dict(_members(text, at)).get(name) if at is not None and text[at] == "{" else None
        if at is not None:
            yield from _items(text, at)
            return
    if isinstance(value["epcisBody"], dict) and "event" in value["epcisBody"]:
        body = dict(_members(text, _skip(text, 0)))["epcisBody"]
        at = dict(_members(text, body))["event"]
        yield at, _scan(text, at)[1]


def _members(text: str, at: int) -> Iterator[tuple[str, int]]:
    """Give each key of the object that begins here, and where its value begins."""
    at = _skip(text, at + 1)
    while text[at] != "}":
        key, at = _scan(text, at)
        at = _skip(text, _skip(text, at) + 1)
        yield key, at
        at = _skip(text, _scan(text, at)[1])
        if text[at] == ",":
            at = _skip(text, at + 1)


def _items(text: str, at: int) -> Iterator[tuple[int, int]]:
    at = _skip(text, at + 1)
    while text[at] != "]":
        _, end = _scan(text, at)
        yield at, end
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)


def _skip(text: str, at: int) -> int:
    return _SPACE.match(text, at).end()  # type: ignore[union-attr]


def _no_document(value: dict[str, Any]) -> Refused:
    return Refused(
        "document-type-unknown",
        what="document",
        found=str(value.get("type", "no type"))[:80],
        limit="EPCISDocument",
        remedy="send a single event to /epcis/events",
        rule="EPCIS 2.0 clause 12.6",
        path="type",
    )
