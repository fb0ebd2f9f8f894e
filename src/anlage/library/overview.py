"""Views of the library: definitions with their versions and uses, persons with what they hold."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from anlage.base import Instant, Refused, instant, stamp
from anlage.record import Recorded, Rows

from .definition import (
    DefinitionApproved,
    DefinitionDrafted,
    DefinitionLetGo,
    DefinitionRetired,
    DefinitionReturned,
    DefinitionSubmitted,
    DefinitionTakenUp,
    Phase,
)
from .kinds import check_content
from .person import (
    DocumentRead,
    Finding,
    PersonLeft,
    PersonRegistered,
    PersonRenamed,
    PersonReturned,
    QualificationAssessed,
    QualificationRevoked,
    RoleGranted,
    RoleWithdrawn,
)
from .role import Qualifies

PEOPLE_MAX = 100_000


class DefinitionView:
    """One row per definition: its versions, their dates and people, what it names, its lots."""

    name = "definitions"
    version = 1
    families = frozenset({"definition"})

    def apply(self, rows: Rows, recorded: Recorded) -> None:
        """Take one fact into the rows."""
        key = recorded.stream.id
        kind, _, id = key.partition(":")
        row = rows.get(key) or {
            "kind": kind,
            "id": id,
            "title": "",
            "versions": [],
            "references": [],
            "retired": None,
            "lots": {},
        }
        self._fold(row, recorded)
        rows.put(key, row, facet=kind, order=id)

    def _fold(self, row: dict[str, Any], recorded: Recorded) -> None:
        match recorded.fact:
            case DefinitionDrafted() as drafted:
                row["title"] = drafted.title
                row["references"] = _references(drafted.content)
                version = {
                    "number": drafted.number,
                    "state": Phase.DRAFT.value,
                    "digest": drafted.digest,
                    "author": drafted.author,
                    "drafted": recorded.happened_text,
                    "reason": drafted.note.reason if drafted.note else None,
                    "impact": drafted.note.impact if drafted.note else None,
                }
                row["versions"] = [*row["versions"][: drafted.number - 1], version]
            case DefinitionSubmitted(number=number, by=by):
                row["versions"][number - 1] |= {
                    "state": Phase.IN_REVIEW.value,
                    "submitted": recorded.happened_text,
                    "submitted_by": by,
                }
            case DefinitionReturned(number=number, by=by, reason=reason):
                row["versions"][number - 1] |= {
                    "state": Phase.DRAFT.value,
                    "returned_by": by,
                    "returned": reason,
                }
            case DefinitionApproved(number=number, approver=approver, effective=effective):
                for earlier in row["versions"][: number - 1]:
                    if not earlier.get("until") or earlier["until"] > stamp(effective):
                        earlier["until"] = stamp(effective)
                        earlier["state"] = Phase.SUPERSEDED.value
                row["versions"][number - 1] |= {
                    "state": Phase.EFFECTIVE.value,
                    "approver": approver,
                    "approved": recorded.happened_text,
                    "effective": stamp(effective),
                }
            case DefinitionRetired(since=since):
                row["retired"] = stamp(since)
            case DefinitionTakenUp(number=number, lot=lot):
                row["lots"][lot] = number
            case DefinitionLetGo(lot=lot):
                row["lots"].pop(lot, None)


class PeopleView:
    """One row per person: roles with what they ask for, qualifications with expiry, SOPs read."""

    name = "people"
    version = 1
    families = frozenset({"person"})

    def apply(self, rows: Rows, recorded: Recorded) -> None:
        """Take one fact into the rows."""
        key = recorded.stream.id
        row = rows.get(key) or {
            "id": key,
            "name": "",
            "post": "",
            "is_active": False,
            "roles": {},
            "held": {},
        }
        self._fold(row, recorded)
        rows.put(key, row, facet="active" if row["is_active"] else "left", order=row["name"])

    def _fold(self, row: dict[str, Any], recorded: Recorded) -> None:
        match recorded.fact:
            case PersonRegistered(name=name, post=post):
                row |= {"name": name, "post": post, "is_active": True}
            case PersonRenamed(name=name):
                row["name"] = name
            case RoleGranted() as granted:
                row["roles"][granted.role] = {
                    "version": granted.role_version,
                    "until": None if granted.until is None else stamp(granted.until),
                    "requires": [f"{one.kind}:{one.subject}" for one in granted.requires],
                }
            case RoleWithdrawn(role=role):
                row["roles"].pop(role, None)
            case QualificationAssessed() as made:
                row["held"][f"{made.requirement}:{made.subject}"] = {
                    "finding": made.finding.value,
                    "assessed": stamp(made.assessed),
                    "expires": None if made.expires is None else stamp(made.expires),
                    "assessor": made.assessor,
                }
            case QualificationRevoked(requirement=kind, subject=subject, reason=reason):
                row["held"].get(f"{kind}:{subject}", {})["revoked"] = reason
            case DocumentRead() as read:
                row["held"][f"{Qualifies.DOCUMENT}:{read.document}"] = {
                    "finding": Finding.PASSED.value,
                    "assessed": recorded.happened_text,
                    "expires": None if read.expires is None else stamp(read.expires),
                    "version": read.version,
                }
            case PersonLeft():
                row |= {"is_active": False, "roles": {}}
            case PersonReturned():
                row["is_active"] = True


VIEWS = (DefinitionView(), PeopleView())


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Where one person stands with one requirement, for a matrix.

    Attributes:
        person: Identifier.
        name: The printed name.
        requirement: Kind and subject, "gowning:grade-b".
        word: valid, expires-soon, expired, failed, revoked, older-version, missing.
        expires: When it ends; None for never or where nothing is held.
        version: For an SOP: the version read.
    """

    person: str
    name: str
    requirement: str
    word: str
    expires: Instant | None
    version: int | None


def qualification_matrix(
    rows: Rows,
    at: Instant,
    *,
    role: str | None = None,
    soon_days: int = 30,
    documents: Mapping[str, int] | None = None,
) -> tuple[Cell, ...]:
    """Give, for each active person and each requirement of a role held, where they stand.

    Args:
        rows: The rows of the view "people".
        at: The instant asked about.
        role: Only the requirements of this role; None for all roles of each person.
        soon_days: How near an expiry is said to be soon.
        documents: The effective version of each SOP, by identifier.
    """
    cells = []
    for _, row in rows.find(facet="active", limit=PEOPLE_MAX):
        roles = [one for name, one in row["roles"].items() if role in {None, name}]
        for requirement in sorted({each for one in roles for each in one["requires"]}):
            cells.append(_cell(row, requirement, at, soon_days, documents or {}))
    return tuple(cells)


def who_has_not_read(rows: Rows, document: str, version: int, at: Instant) -> tuple[Cell, ...]:
    """Give the active persons whose roles ask for an SOP and who have not read this version.

    Args:
        rows: The rows of the view "people".
        document: Identifier of the SOP.
        version: The version asked about ("who has not signed version 7?").
        at: The instant asked about.
    """
    requirement = f"{Qualifies.DOCUMENT}:{document}"
    matrix = qualification_matrix(rows, at, documents={document: version})
    return tuple(
        one
        for one in matrix
        if one.requirement == requirement and one.word not in {"valid", "expires-soon"}
    )


def where_used(rows: Rows, kind: str, id: str) -> tuple[str, ...]:
    """Give the definitions ("kind:id") whose latest version names this one.

    Args:
        rows: The rows of the view "definitions".
        kind: Kind of the definition asked about.
        id: Its identifier.
    """
    name = f"{kind}:{id}"
    return tuple(key for key, row in rows.find(limit=PEOPLE_MAX) if name in row["references"])


def _cell(
    row: Mapping[str, Any], requirement: str, at: Instant, soon: int, documents: Mapping[str, int]
) -> Cell:
    held = row["held"].get(requirement)
    expires = instant(held["expires"]) if held and held["expires"] else None
    version = held.get("version") if held else None
    wanted = documents.get(requirement.partition(":")[2], 1)
    if held is None:
        word = "missing"
    elif held.get("revoked"):
        word = "revoked"
    elif held["finding"] == Finding.FAILED.value:
        word = "failed"
    elif expires is not None and expires <= at:
        word = "expired"
    elif version is not None and version < wanted:
        word = "older-version"
    elif expires is not None and (expires - at).days < soon:
        word = "expires-soon"
    else:
        word = "valid"
    return Cell(
        person=row["id"],
        name=row["name"],
        requirement=requirement,
        word=word,
        expires=expires,
        version=version,
    )


def _references(content: Mapping[str, object]) -> list[str]:
    try:
        found: Iterable[Any] = check_content(content).defined.references
    except Refused:  # a kind that this build cannot read names nothing that it knows
        return []
    return sorted({f"{one.kind}:{one.id}" for one in found})
