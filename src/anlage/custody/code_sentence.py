"""Facts of codes, scans, labels and claims as plain sentences."""

from anlage.record import Recorded

from .claim import ClaimAccepted, ClaimDismissed, MatchingAgreed, MatchingEnded
from .label_set import LabelReprinted, LabelsPrinted, LabelsReconciled
from .naming import CodeGiven, CodeWithdrawn
from .scan import CodeScanned, ScannerCalibrated, TagsRead


def code_sentence(recorded: Recorded) -> str | None:
    """Give a fact of codes as one sentence; None for another fact."""
    name = recorded.stream.id
    match recorded.fact:
        case CodeGiven(code=code, subject=subject):
            return f"{code} names {subject}."
        case CodeWithdrawn(code=code, subject=subject, reason=reason):
            return f"{code} names {subject} no more: {reason}."
        case CodeScanned() as said:
            what = said.subject or said.thing or f"{said.form}, kept in the vault"
            state = "" if said.is_valid else f" and refused ({said.problem})"
            return f"{what} was read at {name}{state}."
        case ScannerCalibrated(name=given):
            return f"The scanner of {given} was calibrated."
        case TagsRead(tags=tags, shipment=shipment) as said:
            whose = f" of shipment {shipment}" if shipment else ""
            kind = "Simulated reader" if said.is_simulated else "Reader"
            return f"{kind} {name} read {len(tags)} tags{whose} at once."
        case ClaimAccepted() as said:
            how = f"by the agreement with {said.rule}" if said.rule else "by a person"
            return f"A partner's event on {said.container} was taken as {said.meaning} {how}."
        case ClaimDismissed() as said:
            return f"A partner's event on {said.container} was put aside: {said.reason}."
        case MatchingAgreed(party=party, person=person):
            return f"Events sent for {person} close hand-overs to {party}."
        case MatchingEnded(party=party, reason=reason):
            return f"Events of {party} close hand-overs no more: {reason}."
        case LabelsPrinted() as said:
            return f"{len(said.numbers)} labels were printed for {said.step} of {said.lot}."
        case LabelReprinted(number=number, reason=reason):
            return f"Label {number} was printed again: {reason}."
        case LabelsReconciled() as said:
            counts = f"{len(said.applied)} applied, {len(said.destroyed)} destroyed"
            return f"Label set {name} is closed: {counts}."
    return None
