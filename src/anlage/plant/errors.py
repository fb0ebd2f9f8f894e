"""What the rules of making a lot say no with, each code once, and the refusals that recur."""

from collections.abc import Mapping

from anlage.base import Refused

PART_11 = "21 CFR 11.10(f)"
IDENTITY = "21 CFR 1271.290(b); chain of identity"
GMP = "EU GMP Part IV"

CODES: Mapping[str, str] = {
    "attachment-missing": "A step asks for a picture or file and none is attached.",
    "attachment-unusable": "What is attached has no digest, name or size that can be right.",
    "authorisation-unusable": "An exceptional authorisation lacks a person, or names no one rule.",
    "calculation-mismatch": "A value worked out by hand does not agree with the computed one.",
    "collection-count-outside": "A count of the collection is missing or outside its limits.",
    "consent-missing": "A patient's checks or consent are not complete.",
    "definition-not-effective": "A definition is not approved and in effect.",
    "deviation-unknown": "There is no such deviation.",
    "deviation-closed": "The deviation has been dispositioned.",
    "deviation-not-investigated": "A deviation is dispositioned after it was investigated.",
    "dose-unknown": "There is no such container of product in the lot.",
    "dose-unavailable": "The container is rejected, allocated or not released.",
    "entry-unknown": "There is no such entry to correct.",
    "equipment-missing": "A step needs a unit of a class that was not scanned.",
    "erasure-in-follow-up": "Follow-up visits of the patient are still to come.",
    "erasure-in-traceability": "Cells have to be traceable for 30 years after their use.",
    "erasure-in-treatment": "The patient's journey is not over.",
    "erasure-on-hold": "A legal hold forbids erasing.",
    "hold-known": "A legal hold of that name stands.",
    "hold-unknown": "There is no such legal hold.",
    "fill-count-mismatch": "More containers of product are named than the filling step read.",
    "identity-mismatch": "What was scanned is not the lot's identity. There is no override.",
    "identity-not-scanned": "The step asks for a scan of the lot's identity.",
    "journey-out-of-order": "A patient's journey is not at the point for this.",
    "label-field-foreign": "A label would say something else than the record of its lot.",
    "label-not-applied": "A label is counted as applied to nothing, or destroyed although in use.",
    "label-not-printed": "A container of product carries a number of no label that was printed.",
    "label-number-foreign": "A number for a label is used, or is not what the lot gives its tubes.",
    "labels-not-printed": "A label set that a step asks for was not printed, or is too small.",
    "labels-count-mismatch": "More or fewer labels than containers.",
    "labels-not-asked-for": "The step's recipe asks for no such label set.",
    "labels-printed-before": "The set was printed; a label of it is printed again with a reason.",
    "labels-unaccounted": "A label set of a step that was done is not accounted for.",
    "leftover-not-reconciled": "A dose is said to be given whole and something is left.",
    "late-entry-unexplained": "An entry after the fact needs its reason.",
    "lot-exists": "The lot's number is used.",
    "lot-not-running": "The lot is held, ended, or never began.",
    "lot-not-releasable": "Something is open before release.",
    "material-missing": "A step needs material that was not named.",
    "material-twice": "One pack is entered twice in one step; each use is judged by itself.",
    "material-unusable": "Material is expired, quarantined, recalled or wrong.",
    "operator-unqualified": "The person may not do this.",
    "person-not-distinct": "A second, distinct person is needed.",
    "personal-data-none": "Nothing that names the patient is kept.",
    "personal-data-unusable": "What is to be kept is not what the vault gave.",
    "reading-missing": "A required value was not entered.",
    "readings-differ": "The second person read another value in the source than the first entered.",
    "reading-unusable": "A value does not fit its parameter.",
    "recipe-unusable": "A recipe has defects.",
    "result-missing": "There is no result of that kind.",
    "sample-unknown": "There is no such sample.",
    "sample-not-at-hand": "The sample is not where this can be done.",
    "signature-missing": "A signature is needed.",
    "signature-unsound": "A signature does not fit what it should stand under.",
    "subject-unknown": "Nothing is recorded about it.",
    "specification-unknown": "An attribute is not in the specification.",
    "step-done": "The step is completed.",
    "step-exclusive": "Another step of the lot is open that allows none beside it.",
    "step-held": "The step waits for its deviation.",
    "step-not-open": "The step has not been started.",
    "step-out-of-order": "It is not the step's turn.",
    "step-too-early": "Not enough time has passed.",
    "step-unknown": "The recipe has no such step.",
    "time-before-start": "A step is said to have ended before it was started.",
    "time-in-future": "Something is said to have happened later than now.",
}


def distinct(what: str, person: str, other: str, rule: str = "EU GMP Annex 11, 6") -> Refused:
    """Give the refusal of one person in two parts that need two."""
    return Refused(
        "person-not-distinct",
        what=what,
        found=f"{person}, who is also {other}",
        limit="a second, distinct person",
        remedy="ask another qualified person",
        rule=rule,
    )


def not_running(lot: str, status: str, why: str | None) -> Refused:
    """Give the refusal of work on a lot that does not run."""
    return Refused(
        "lot-not-running",
        what=f"lot {lot}",
        found=status if why is None else f"{status}: {why}",
        limit="running",
        remedy="resume it if it is held; an ended lot takes no more work",
        rule=GMP,
    )
