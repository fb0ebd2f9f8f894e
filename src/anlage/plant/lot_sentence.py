"""Facts of lots, samples, deviations and journeys as plain English sentences."""

from collections.abc import Mapping
from typing import Any

from anlage.record import Recorded

_STEPS = {
    "step-started": "Step {step} was started by {operator} as {role}.",
    "identity-scanned": "{operator} scanned {raw} at step {step}.",
    "readings-entered": "{operator} entered {readings} at step {step}.",
    "step-skipped": "Step {step} was left out by {operator} on authorisation {authorised}.",
    "step-held": "Step {step} was held by deviation {deviation}: {reason}.",
    "step-freed": "Step {step} may go on: deviation {deviation} was dispositioned.",
    "entry-corrected": "{operator} corrected {parameter} of step {step} from {old} to {new}: "
    "{reason}",
    "file-attached": "{operator} attached {name} to step {step}.",
    "note-added": "{operator} remarked: {text}",
    "exception-authorised": "Exceptional authorisation at step {step}: {rule} for {subject}. "
    "{reason}",
}
_LOTS = {
    "lot-created": "The lot was created to make {product}, version {product_version}.",
    "control-recipe-frozen": "It follows recipe {recipe}, version {recipe_version}, frozen as "
    "{digest:.12}.",
    "lot-deviation-opened": "Deviation {deviation} ({severity}) was opened: {title}.",
    "lot-deviation-closed": "Deviation {deviation} was closed: {conclusion}",
    "lot-sample-taken": "Sample {sample} was taken at step {step}: {amount}, for {purpose}.",
    "lot-container-joined": "Container {container} is the {part}, from step {step}.",
    "lot-container-left": "Container {container}, the {part}, was emptied at step {step}.",
    "lot-labels-printed": "Label set {label_set} was printed for step {step}: {count} of {label} "
    "for {part}.",
    "lot-labels-reconciled": "Label set {label_set} of step {step} is accounted for: {applied} "
    "applied, {destroyed} destroyed.",
    "lot-sample-closed": "Sample {sample} is {how}.",
    "lot-result-reported": "{attribute} of sample {sample} counts: {reported}, {outcome}.",
    "lot-result-invalidated": "The result of {attribute} of sample {sample} was invalidated: "
    "{reason}",
    "batch-reviewed": "{reviewer} reviewed the batch record up to entry {through}: {comment}",
    "audit-trail-reviewed": "{reviewer} reviewed the audit trail up to entry {through}: {comment}",
    "doses-filled": "{operator} recorded {fills} containers of product.",
    "dose-allocated": "Container {container} was set aside for {coi}.",
    "dose-rejected": "Container {container} was rejected: {reason}",
    "lot-held": "The lot was held by {by}: {reason}",
    "lot-resumed": "Work on the lot goes on: {reason}",
    "exceptional-release-requested": "{physician} asked for release although {attributes} failed: "
    "{reason}",
    "exceptional-release-assessed": "{reviewer} assessed the exceptional release: {assessment}",
    "lot-released": "{releaser} released the lot: {statement}.",
    "lot-rejected": "{releaser} rejected the lot: {reason}",
    "lot-terminated": "{by} gave up the making of the lot: {reason}",
    "lot-voided": "{by} voided the lot: {reason}",
    "lot-recalled": "{by} recalled the lot: {reason}",
}
_SAMPLES = {
    "sample-taken": "{operator} took {amount} of {specimen} from lot {lot} at step {step}.",
    "sample-received": "{by} received it in {laboratory}: {condition}.",
    "sample-stored": "{by} stored it at {place}.",
    "sample-ended": "{by}: {how}. {reason}",
    "sample-measured": "{raw_name} was analysed by {method}: measurement {measurement}.",
    "result-entered": "{analyst} reported {attribute} as {reported} by {method}: {outcome}.",
    "result-approved": "{approver} approved the result of {attribute}.",
    "result-invalidated": "{by} set the result of {attribute} aside under {deviation}: {reason}",
    "deviation-opened": "Opened against lot {lot}: {title}. {description}",
    "deviation-regraded": "{by} changed the severity from {old} to {new}: {reason}",
    "deviation-investigated": "{investigator} investigated: {root_cause} Impact: {impact}",
    "deviation-dispositioned": "{by} decided {outcome}: {conclusion}",
    "action-completed": "{by} completed action {action}: {evidence}",
}
_JOURNEYS = {
    "product-ordered": "{physician} prescribed {product} for {indication}.",
    "patient-checked": "{by} checked the patient: {checks}.",
    "consent-given": "{by} recorded consent on form {form}, version {form_version}.",
    "consent-withdrawn": "The consent was withdrawn: {reason}",
    "slot-booked": "Slot {slot} in {suite} was booked from {begins}.",
    "collection-ordered": "{by} ordered the collection at {site} for {planned}.",
    "collection-performed": "{nurse} collected {volume} into {container} under {donation}, "
    "verified by {second}.",
    "collection-failed": "The collection failed: {reason}",
    "collection-accepted": "{by} accepted the collection {container}.",
    "collection-rejected": "{by} rejected the collection {container}: {reason}",
    "lot-assigned": "Lot {lot} is for this patient.",
    "dose-released": "The dose of lot {lot} was released.",
    "dose-on-site": "{by} received the dose {container}, {integrity}.",
    "lymphodepletion-cleared": "{by} cleared the patient for lymphodepletion: {basis}.",
    "dose-thawed": "{by} thawed {container}; its time to the infusion runs.",
    "patient-scan-read": "{by} scanned the {what} at the {place}; fits: {is_match}.",
    "bedside-confirmed": "{nurse} and {second} compared band and bag {container} at the bedside.",
    "infusion-performed": "{by} gave {volume} of {container} from {began} to {ended}; reactions: "
    "{reactions}.",
    "remainder-returned": "{by} returned {container} to {to}.",
    "remainder-destroyed": "{by} destroyed {container} by {method} before {second}.",
    "follow-up-planned": "Follow-up is due on {due}.",
    "follow-up-done": "{by} did the follow-up due on {due}.",
    "journey-cancelled": "{by} cancelled the treatment: {reason}",
}
SENTENCES: Mapping[str, str] = {**_STEPS, **_LOTS, **_SAMPLES, **_JOURNEYS}


def lot_sentence(recorded: Recorded) -> str | None:
    """Say in one plain sentence what a fact of the making tells; None for any other fact."""
    if recorded.is_withheld:
        return None
    body = recorded.body
    match recorded.kind:
        case "step-completed":
            return _completed(body) + _late(body)
        case "turn-taken":
            return _turn(body)
        case "doses-filled":
            body = {**body, "fills": len(body["fills"])}
        case "exceptional-release-requested" | "follow-up-planned":
            key = "attributes" if "attributes" in body else "due"
            body = {**body, key: ", ".join(body[key][:4])}
        case _:
            pass
    template = SENTENCES.get(recorded.kind)
    if template is None:
        return None
    shown = {name: _shown(name, value) for name, value in body.items()}
    return " ".join(template.format_map(_Missing(shown)).split()) + _late(body)


def _completed(body: Mapping[str, Any]) -> str:
    parts = [f"Step {body['step']} was completed by {body['operator']}"]
    if witness := body.get("witness"):
        parts.append(f", verified by {witness}")
    if readings := body.get("readings"):
        parts.append(f": {_shown('readings', readings)}")
    if materials := body.get("materials"):
        used = ", ".join(f"{_quantity(one['amount'])} of {one['material']}" for one in materials)
        parts.append(f"; used {used}")
    return "".join(parts) + "."


def _turn(body: Mapping[str, Any]) -> str:
    at, because = body["at"], body.get("because", "")
    match body["turn"]:
        case "branch":
            return f"At {at} branch {body['branch'] + 1} was taken: {because}."
        case "again":
            return f"{at} goes on after round {body['round']}: {because}."
        case "leave":
            return f"{at} ended after round {body['round']}: {because}."
        case "exhausted":
            return f"{at} used up all its rounds: {because}."
        case _:
            return f"At {at} {because}."


def _late(body: Mapping[str, Any]) -> str:
    return " (Entered after the fact.)" if body.get("is_late") else ""


def _shown(name: str, value: Any) -> str:
    if name == "readings" and isinstance(value, list):
        return ", ".join(f"{one['parameter']} {_reading(one)}" for one in value) or "nothing"
    if isinstance(value, dict):
        if "parameter" in value:
            return _reading(value)
        if value.keys() == {"value", "unit"}:
            return _quantity(value)
        return ", ".join(f"{key} {inner}" for key, inner in value.items())
    if isinstance(value, list):
        return ", ".join(str(one) for one in value)
    return str(value).rstrip(".") if name in {"title", "reactions"} else str(value)


def _reading(one: Mapping[str, Any]) -> str:
    return _quantity(one["number"]) if one.get("number") else str(one.get("text", ""))


def _quantity(one: Mapping[str, Any]) -> str:
    return f"{one['value']}" if one["unit"] == "1" else f"{one['value']} {one['unit']}"


class _Missing(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "-"
