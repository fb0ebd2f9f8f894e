"""What a container is, for whoever has to keep it: its class, what it must not stand beside, and
whether it waits in quarantine. These are facts of the container's own stream.
"""

from dataclasses import dataclass, replace
from typing import Self

from anlage.base import Quantity, Refused, clean_line
from anlage.record import Entry, Recorded, Signature, Stream, fact

from ..container_fact import ContainerCreated, ContainerEnded
from .place_fact import RULE, Stowed
from .request import ClassifyContainer
from .segregation import Infectious, Kept

NAME_MAX = 60


@fact("container-classified")
@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerClassified:
    """It was said what a container is, for its storage.

    Attributes:
        product_class: cell therapy, tissue, reagent, waste.
        infectious: The donor's status.
        is_open: True while it is handled open.
        label_name: The name that a person reads on it; never a patient's own name.
        keep_min: Lowest temperature it may be kept at.
        keep_max: Highest temperature it may be kept at.
        by: Who said so.
    """

    product_class: str
    infectious: Infectious
    by: str
    is_open: bool = False
    label_name: str = ""
    keep_min: Quantity | None = None
    keep_max: Quantity | None = None


@fact("container-quarantined")
@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerQuarantined:
    """A container was put into quarantine: it may be kept and moved, not used."""

    reason: str
    by: str
    shipment: str | None = None


@fact("container-released")
@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerReleased:
    """Quality let a container out of quarantine."""

    reason: str
    by: str
    signature: Signature | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """What a container's facts say about how it is kept.

    Attributes:
        id: The container.
        exists: True from its creation to its end.
        said: What it was last said to be; None before.
        quarantined: Why it waits in quarantine; None when it does not.
    """

    id: str
    exists: bool = False
    coi: str | None = None
    lot: str | None = None
    said: ContainerClassified | None = None
    quarantined: str | None = None

    @classmethod
    def begin(cls, stream: Stream) -> Self:
        """Give the state of a container without facts."""
        return cls(id=stream.id)

    @property
    def stream(self) -> Stream:
        """The container's stream."""
        return Stream(f"container/{self.id}")

    def after(self, recorded: Recorded) -> Self:
        """Give the state after one more fact of the journal."""
        return self.with_fact(recorded.fact)

    def with_fact(self, fact: object) -> Self:
        """Give the state after one more fact; a fact of another kind leaves it as it is."""
        match fact:
            case ContainerCreated():
                return replace(self, exists=True, coi=fact.coi, lot=fact.lot)
            case ContainerEnded():
                return replace(self, exists=False)
            case ContainerClassified():
                return replace(self, said=fact)
            case ContainerQuarantined():
                return replace(self, quarantined=fact.reason)
            case ContainerReleased():
                return replace(self, quarantined=None)
            case _:
                return self

    def kept(self) -> Kept:
        """Give it as the rules of segregation see it.

        Raises:
            Refused: `container-unclassified`.
        """
        if self.said is None:
            raise Refused(
                "container-unclassified",
                what=f"container {self.id}",
                found="nobody has said what it is",
                limit="a product class and the donor's infectious status",
                remedy="classify it, then put it away",
                rule=RULE,
            )
        said = self.said
        return Kept(
            id=self.id,
            product_class=said.product_class,
            coi=self.coi,
            infectious=said.infectious,
            is_open=said.is_open,
            label_name=said.label_name,
            keep_min=said.keep_min,
            keep_max=said.keep_max,
        )

    def stowed(self) -> Stowed:
        """Give it as a position keeps it."""
        kept = self.kept()
        return Stowed(
            container=self.id,
            product_class=kept.product_class,
            coi=self.coi,
            lot=self.lot,
            infectious=kept.infectious,
            is_open=kept.is_open,
            label_name=kept.label_name,
        )


def as_kept(stowed: Stowed) -> Kept:
    """Give what stands in a position as the rules of segregation see it."""
    return Kept(
        id=stowed.container,
        product_class=stowed.product_class,
        coi=stowed.coi,
        infectious=stowed.infectious,
        is_open=stowed.is_open,
        label_name=stowed.label_name,
    )


def classify(
    keeping: Keeping, request: ClassifyContainer, *, is_stored: bool, by: str
) -> list[Entry]:
    """Give the fact of what a container is.

    Raises:
        Refused: It does not exist, or stands in a position judged by what it was said to be.
    """
    _must_exist(keeping)
    if is_stored:
        raise _refuse(
            "container-stored", keeping, "in a position", "a container in hand",
            "take it out, classify it, then put it where it belongs",
        )  # fmt: skip
    for limit in (request.keep_min, request.keep_max):
        if limit is not None:
            limit.to("Cel")
    name = request.label_name.strip()
    said = ContainerClassified(
        product_class=clean_line(request.product_class, "product class", limit=NAME_MAX).lower(),
        infectious=request.infectious,
        is_open=request.is_open,
        label_name=clean_line(name, "label name", limit=NAME_MAX) if name else "",
        keep_min=request.keep_min,
        keep_max=request.keep_max,
        by=by,
    )
    return [Entry(keeping.stream, said)]


def quarantine(
    keeping: Keeping, *, reason: str, by: str, shipment: str | None = None
) -> list[Entry]:
    """Give the fact of a container put into quarantine.

    Raises:
        Refused: It does not exist, or waits there already.
    """
    _must_exist(keeping)
    if keeping.quarantined is not None:
        raise _refuse(
            "container-quarantined", keeping, f"in quarantine: {keeping.quarantined}",
            "a container not in quarantine", "leave it there, or release it",
        )  # fmt: skip
    said = ContainerQuarantined(reason=clean_line(reason, "reason"), by=by, shipment=shipment)
    return [Entry(keeping.stream, said)]


def release(keeping: Keeping, *, reason: str, by: str, signature: Signature | None) -> list[Entry]:
    """Give the fact of a container let out of quarantine.

    Raises:
        Refused: It is not in quarantine, or nobody signed.
    """
    _must_exist(keeping)
    if keeping.quarantined is None:
        raise _refuse(
            "container-not-quarantined", keeping, "not in quarantine",
            "a container in quarantine", "check the number",
        )  # fmt: skip
    if signature is None or signature.person != by:
        raise Refused(
            "signature-missing",
            what=f"release of container {keeping.id}",
            found="none of the person who releases it",
            limit="a signature with the meaning released",
            remedy="sign the release",
            rule="21 CFR 11.50; 21 CFR 1271.265(b)",
        )
    said = ContainerReleased(reason=clean_line(reason, "reason"), by=by, signature=signature)
    return [Entry(keeping.stream, said)]


def must_be_usable(keeping: Keeping) -> None:
    """See that a container does not wait in quarantine.

    Raises:
        Refused: `container-quarantined`.
    """
    if keeping.quarantined is not None:
        raise _refuse(
            "container-quarantined", keeping, f"in quarantine: {keeping.quarantined}",
            "a container that quality has released", "have quality decide first",
        )  # fmt: skip


def _must_exist(keeping: Keeping) -> None:
    if not keeping.exists:
        raise _refuse(
            "container-not-there", keeping, "not in use", "a container in use",
            "check the number, or scan again",
        )  # fmt: skip


def _refuse(code: str, keeping: Keeping, found: str, limit: str, remedy: str) -> Refused:
    return Refused(
        code, what=f"container {keeping.id}", found=found, limit=limit, remedy=remedy, rule=RULE
    )
