"""What becomes of a lot: filled, held, released, released exceptionally, rejected, terminated."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

from anlage.base import Instant, Problem, Refused, clean_text, digest, stamp
from anlage.custody import Container as Custody
from anlage.custody import assign
from anlage.record import Entry, Signature

from .errors import GMP, distinct, not_running
from .journey import Journey, JourneyStage
from .journey_fact import DoseReleased, LotAssigned
from .lot import Container, Lot, LotStatus
from .lot_fact import (
    DoseAllocated,
    DoseRejected,
    ExceptionalReleaseAssessed,
    ExceptionalReleaseRequested,
    LotHeld,
    LotRecalled,
    LotRejected,
    LotReleased,
    LotResumed,
    LotTerminated,
)
from .review import before_release
from .signing import Qualified, must_sign

RELEASER = "releaser"
QUALITY = "qa-reviewer"
QP_RULE = "EU GMP Annex 11, 15; Directive 2001/83/EC, Article 51"


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocateDose:
    """Set a released container of an allogeneic lot aside for one patient."""

    lot: str
    container: str
    coi: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectDose:
    """Say that one container may not be used."""

    lot: str
    container: str
    reason: str
    signature: Signature | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldLot:
    """Stop work on a lot for now."""

    lot: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeLot:
    """Let work on a lot go on."""

    lot: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseLot:
    """Certify a lot. Nothing may be open."""

    lot: str
    statement: str = "made and tested as approved"
    signature: Signature | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestExceptionalRelease:
    """As treating physician, ask for a product out of specification."""

    lot: str
    attributes: tuple[str, ...]
    reason: str
    signature: Signature | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessExceptionalRelease:
    """As QA, weigh the product's risk against that of giving nothing."""

    lot: str
    assessment: str
    is_supported: bool
    signature: Signature | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectLot:
    """Say that a lot will not be used."""

    lot: str
    reason: str
    signature: Signature | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminateLot:
    """Give up the making of a lot before its end."""

    lot: str
    reason: str
    signature: Signature | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallLot:
    """Call a released lot back."""

    lot: str
    reason: str
    physician_told: Instant | None = None
    signature: Signature | None = None


def certificate(lot: Lot) -> dict[str, Any]:
    """Give the content of the certificate of analysis: what the QP signs, and what is printed."""
    return {
        "lot": lot.id,
        "coi": lot.coi,
        "product": lot.product,
        "product_version": lot.product_version,
        "specification": lot.specification,
        "specification_version": lot.specification_version,
        "control_recipe": lot.digest,
        "made": stamp(lot.made) if lot.made else None,
        "site": lot.site,
        "results": [
            {
                "attribute": one.attribute,
                "reported": one.reported,
                "outcome": one.outcome,
                "compared": one.compared,
                "method": one.method,
                "analyst": one.analyst,
                "approver": one.approver,
                "at": stamp(one.at),
                "raw_file": one.raw_file,
            }
            for one in sorted(lot.results.values(), key=lambda one: one.attribute)
        ],
        "pending": pending(lot),
        "deviations": [
            {"id": one.id, "title": one.title, "severity": str(one.severity)}
            for one in sorted(lot.deviations.values(), key=lambda one: one.id)
        ],
        "containers": [
            {
                "container": one.fill.container,
                "amount": str(one.fill.amount),
                "cells": str(one.fill.cells) if one.fill.cells else None,
            }
            for one in lot.containers.values()
            if not one.is_rejected
        ],
    }


def pending(lot: Lot) -> list[str]:
    """Give the attributes whose final result comes after release."""
    return [name for name in lot.required if name in lot.later and name not in lot.results]


def allocate_dose(
    lot: Lot,
    journey: Journey,
    request: AllocateDose,
    *,
    person: Qualified,
    at: Instant,
    container: Custody | None = None,
) -> list[Entry]:
    """Set a released container aside for one patient.

    Raises:
        Refused: The container is another's, rejected or not released, or the product is not the
            one prescribed.
    """
    person.must_be_qualified("store-keeper", at)
    one = _container(lot, request.container)
    has_ended = container is not None and container.end is not None
    if lot.status is not LotStatus.RELEASED or one.is_rejected or one.coi or has_ended:
        found = f"for {one.coi}" if one.coi else "rejected" if one.is_rejected else str(lot.status)
        found = f"{container.end}" if container is not None and has_ended else found
        raise Refused(
            "dose-unavailable",
            what=f"container {request.container} of lot {lot.id}",
            found=found,
            limit="released, and set aside for nobody",
            remedy="choose another container",
        )
    journey.must_be_at(JourneyStage.CONSENTED, "a dose", until=JourneyStage.BOOKED)
    if journey.product != lot.product:
        raise Refused(
            "identity-mismatch",
            what=f"dose for {journey.id}",
            found=lot.product,
            limit=f"{journey.product}, as prescribed",
            remedy="stop; look at the prescription",
            rule="chain of identity",
        )
    assigned = LotAssigned(lot=lot.id, product=lot.product, container=request.container)
    released = DoseReleased(lot=lot.id, is_exceptional=lot.is_exceptional)
    return [
        Entry(lot.stream, DoseAllocated(container=request.container, coi=journey.id)),
        Entry(journey.stream, assigned),
        Entry(journey.stream, released),
        *(assign(container, coi=journey.id, by=person.id) if _lives(container) else ()),
    ]


def _lives(container: Custody | None) -> TypeGuard[Custody]:
    return container is not None and container.exists


def reject_dose(lot: Lot, request: RejectDose, *, person: Qualified, at: Instant) -> list[Entry]:
    """Say that one container may not be used; the others may.

    Raises:
        Refused: There is no such container, it is rejected, or the person is not of QA.
    """
    one = _container(lot, request.container)
    person.must_be_qualified(QUALITY, at)
    if one.is_rejected:
        raise Refused(
            "dose-unavailable",
            what=f"container {request.container} of lot {lot.id}",
            found="rejected",
            limit="a container that is not rejected",
            remedy="nothing is left to do",
        )
    reason = clean_text(request.reason, "reason", limit=2000)
    signature = _sign(lot, request.signature, person, "rejected", reason)
    said = DoseRejected(container=request.container, reason=reason, signature=signature)
    return [Entry(lot.stream, said, why=reason)]


def hold_lot(lot: Lot, request: HoldLot, *, person: Qualified, at: Instant) -> list[Entry]:
    """Stop work on a lot for now.

    Raises:
        Refused: It is not being made or waiting for release, or the person is not of QA.
    """
    if lot.status not in {LotStatus.RUNNING, LotStatus.MADE}:
        raise not_running(lot.id, str(lot.status), lot.held_because)
    person.must_be_qualified(QUALITY, at)
    reason = clean_text(request.reason, "reason", limit=2000)
    return [Entry(lot.stream, LotHeld(reason=reason, by=person.id), why=reason)]


def resume_lot(lot: Lot, request: ResumeLot, *, person: Qualified, at: Instant) -> list[Entry]:
    """Let work on a lot go on.

    Raises:
        Refused: It is not held, or the person is not of QA.
    """
    if lot.status is not LotStatus.HELD:
        raise Refused(
            "lot-not-running",
            what=f"lot {lot.id}",
            found=str(lot.status),
            limit="held",
            remedy="nothing is to be resumed",
        )
    person.must_be_qualified(QUALITY, at)
    reason = clean_text(request.reason, "reason", limit=2000)
    return [Entry(lot.stream, LotResumed(reason=reason, by=person.id), why=reason)]


def shown_release(lot: Lot) -> dict[str, Any]:
    """Give the values under the QP's signature."""
    return {"lot": lot.id, "coi": lot.coi, "certificate": digest(certificate(lot))}


def release_lot(
    lot: Lot, request: ReleaseLot, *, journey: Journey | None, person: Qualified, at: Instant
) -> list[Entry]:
    """Certify a lot.

    When QA supports the physician's request, the results named in it are accepted although they
    failed, for this one patient; everything else still has to be closed.

    Raises:
        Refused: Something is open (all of it is named), the person is not the QP or took part, or
            the signature does not stand under this certificate.
    """
    if blockers := before_release(lot, at):
        raise Refused.of(
            [
                Problem(
                    code="lot-not-releasable",
                    what=f"lot {lot.id}: {one.what}",
                    found=one.code,
                    limit=f"expected {stamp(one.expected)}" if one.expected else None,
                    remedy=f"{one.owner}: {one.remedy}" if one.owner else one.remedy,
                    rule=QP_RULE,
                    path=one.subject or None,
                )
                for one in blockers
            ]
        )
    person.must_be_qualified(RELEASER, at)
    if person.id in lot.people:
        raise distinct(f"release of lot {lot.id}", person.id, "one who made it", QP_RULE)
    if lot.batch_review is not None and lot.batch_review.reviewer == person.id:
        raise distinct(f"release of lot {lot.id}", person.id, "its reviewer", QP_RULE)
    exceptional = any(one.outcome == "fail" for one in lot.results.values())
    meaning = "released exceptionally" if exceptional else "released"
    released = LotReleased(
        certificate=digest(certificate(lot)),
        specification=lot.specification,
        specification_version=lot.specification_version,
        is_exceptional=exceptional,
        releaser=person.id,
        signature=must_sign(
            request.signature,
            person=person,
            meaning=meaning,
            what=f"release of lot {lot.id}",
            shown=shown_release(lot),
        ),
        pending=tuple(pending(lot)),
        statement=clean_text(request.statement, "statement", limit=2000),
    )
    entries = [Entry(lot.stream, released)]
    if journey is not None and lot.coi is not None:
        _must_be_same(lot, journey)
        told = DoseReleased(lot=lot.id, is_exceptional=exceptional)
        entries.append(Entry(journey.stream, told))
    return entries


def request_exceptional_release(
    lot: Lot,
    request: RequestExceptionalRelease,
    *,
    physician: Qualified,
    journey: Journey,
    at: Instant,
) -> list[Entry]:
    """As treating physician, ask for a product out of specification.

    Raises:
        Refused: The lot is no single patient's, nothing failed, or the physician is not the one
            who treats this patient.
    """
    failed = {one.attribute for one in lot.results.values() if one.outcome == "fail"}
    asked = set(request.attributes)
    if lot.coi is None or not asked or not asked <= failed or lot.status is not LotStatus.MADE:
        raise Refused(
            "lot-not-releasable",
            what=f"exceptional release of lot {lot.id}",
            found=f"{', '.join(sorted(asked - failed)) or 'a lot of no one patient'}, {lot.status}",
            limit=f"failed results of one patient's lot: {', '.join(sorted(failed)) or 'none'}",
            remedy="name the results that failed",
            rule="EU GMP Part IV, 11.5",
        )
    _must_be_same(lot, journey)
    physician.must_be_qualified("physician", at)
    reason = clean_text(request.reason, "reason")
    shown = {"lot": lot.id, "attributes": sorted(asked), "reason": reason}
    signature = must_sign(
        request.signature,
        person=physician,
        meaning="requested",
        what=f"exceptional release of lot {lot.id}",
        shown=shown,
    )
    asked_for = ExceptionalReleaseRequested(
        attributes=tuple(sorted(asked)),
        reason=reason,
        physician=physician.id,
        signature=signature,
    )
    return [Entry(lot.stream, asked_for, why=reason)]


def assess_exceptional_release(
    lot: Lot, request: AssessExceptionalRelease, *, person: Qualified, at: Instant
) -> list[Entry]:
    """As QA, weigh the product's risk against that of giving nothing.

    Raises:
        Refused: No physician asked, or the person is not of QA or made the lot.
    """
    if lot.request is None:
        raise Refused(
            "lot-not-releasable",
            what=f"exceptional release of lot {lot.id}",
            found="no request",
            limit="the request of the treating physician",
            remedy="ask the physician",
            rule="EU GMP Part IV, 11.5",
        )
    person.must_be_qualified(QUALITY, at)
    if person.id in lot.people:
        raise distinct(f"assessment of lot {lot.id}", person.id, "one who made it", QP_RULE)
    assessment = clean_text(request.assessment, "assessment")
    signature = must_sign(
        request.signature,
        person=person,
        meaning="assessed",
        what=f"exceptional release of lot {lot.id}",
        shown={"lot": lot.id, "assessment": assessment, "is_supported": request.is_supported},
    )
    assessed = ExceptionalReleaseAssessed(
        assessment=assessment,
        is_supported=request.is_supported,
        reviewer=person.id,
        signature=signature,
    )
    return [Entry(lot.stream, assessed)]


def reject_lot(lot: Lot, request: RejectLot, *, person: Qualified, at: Instant) -> list[Entry]:
    """Say that a lot will not be used.

    Raises:
        Refused: It has been decided, or the person is not the QP.
    """
    if not lot.status.is_open:
        raise not_running(lot.id, str(lot.status), None)
    person.must_be_qualified(RELEASER, at)
    reason = clean_text(request.reason, "reason")
    signature = _sign(lot, request.signature, person, "rejected", reason)
    said = LotRejected(reason=reason, releaser=person.id, signature=signature)
    return [Entry(lot.stream, said, why=reason)]


def terminate_lot(
    lot: Lot, request: TerminateLot, *, person: Qualified, at: Instant
) -> list[Entry]:
    """Give up the making of a lot before its end.

    Raises:
        Refused: It has been decided or is made, or the person is not of QA.
    """
    if lot.status not in {LotStatus.RUNNING, LotStatus.HELD}:
        raise not_running(lot.id, str(lot.status), None)
    person.must_be_qualified(QUALITY, at)
    reason = clean_text(request.reason, "reason")
    signature = _sign(lot, request.signature, person, "terminated", reason)
    said = LotTerminated(reason=reason, by=person.id, signature=signature)
    return [Entry(lot.stream, said, why=reason)]


def recall_lot(lot: Lot, request: RecallLot, *, person: Qualified, at: Instant) -> list[Entry]:
    """Call a released lot back.

    Raises:
        Refused: It was not released, or the person is not the QP.
    """
    if lot.status is not LotStatus.RELEASED:
        raise not_running(lot.id, str(lot.status), None)
    person.must_be_qualified(RELEASER, at)
    reason = clean_text(request.reason, "reason")
    signature = _sign(lot, request.signature, person, "recalled", reason)
    said = LotRecalled(
        reason=reason, by=person.id, signature=signature, physician_told=request.physician_told
    )
    return [Entry(lot.stream, said, why=reason)]


def _sign(
    lot: Lot, signature: Signature | None, person: Qualified, meaning: str, reason: str
) -> Signature:
    shown: Mapping[str, Any] = {"lot": lot.id, "reason": reason}
    what = f"lot {lot.id}, {meaning}"
    return must_sign(signature, person=person, meaning=meaning, what=what, shown=shown)


def _container(lot: Lot, name: str) -> Container:
    one = lot.containers.get(name)
    if one is None:
        raise Refused(
            "dose-unknown",
            what=f"container {name[:96]} of lot {lot.id}",
            found="none of that name",
            limit=", ".join(list(lot.containers)[:12]) or "none is filled",
            remedy="scan the container again",
            rule=GMP,
        )
    return one


def _must_be_same(lot: Lot, journey: Journey) -> None:
    if journey.id != lot.coi:
        raise Refused(
            "identity-mismatch",
            what=f"lot {lot.id}",
            found=journey.id,
            limit=lot.coi,
            remedy="stop; the lot is another patient's",
            rule="chain of identity",
        )
