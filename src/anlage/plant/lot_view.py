"""Views of the making: the board of lots, the work that waits for each role, deviations, journeys,
samples. Each row is folded from facts alone, so any of them can be dropped and rebuilt.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from anlage.record import Recorded, Rows

OPEN = frozenset({"running", "held", "made"})


class LotBoard:
    """One row per lot: state, current step, what comes next, what is open. The facet is the state.

    Keys of a row: lot, product, coi, status, current, next, steps_done, steps, open_deviations,
    results, failed, pending, reviewed, created, last, late, due.
    """

    name = "lot-board"
    version = 3
    families = frozenset({"lot"})

    def apply(self, rows: Rows, recorded: Recorded) -> None:
        """Take one fact into the rows."""
        if recorded.is_withheld or recorded.stream.family != "lot":
            return
        id, body = recorded.stream.id, recorded.body
        row = rows.get(id)
        if recorded.kind == "lot-created":
            row = _new_lot(id, recorded, body)
        if row is None:
            return
        row["last"] = recorded.happened_text
        row["version"] = recorded.version
        change = _CHANGES.get(recorded.kind)
        if change is not None:
            change(row, body, recorded)
        _refresh(row)
        rows.put(id, row, facet=row["status"], order=row["created"])


class WorkView:
    """What waits for whom: one row per thing to do, the facet is the role that can do it.

    Keys of a row: role, what, lot, step, kind, subject, since, due, link.
    """

    name = "my-work"
    version = 1
    families = frozenset({"lot", "sample", "deviation"})

    def apply(self, rows: Rows, recorded: Recorded) -> None:
        """Take one fact into the rows."""
        if recorded.is_withheld:
            return
        tell = _WORK.get(recorded.kind)
        if tell is not None:
            tell(rows, recorded, recorded.body)


class DeviationView:
    """One row per deviation; the facet is open or closed."""

    name = "deviations"
    version = 1
    families = frozenset({"deviation"})

    def apply(self, rows: Rows, recorded: Recorded) -> None:
        """Take one fact into the rows."""
        if recorded.is_withheld or recorded.stream.family != "deviation":
            return
        id, body = recorded.stream.id, recorded.body
        row = rows.get(id) or {"deviation": id, "state": "open", "actions": [], "done": []}
        match recorded.kind:
            case "deviation-opened":
                row |= {name: body.get(name) for name in _DEVIATION}
                row["opened"] = recorded.happened_text
            case "deviation-regraded":
                row["severity"] = body["new"]
            case "deviation-investigated":
                row["root_cause"] = body["root_cause"]
                row["state"] = "investigated"
            case "deviation-dispositioned":
                row["state"] = "closed"
                row["outcome"] = body["outcome"]
                row["closed"] = recorded.happened_text
                row["actions"] = body.get("actions", [])
            case "action-completed":
                row["done"] = [*row["done"], body["action"]]
            case _:
                return
        facet = "closed" if row["state"] == "closed" else "open"
        rows.put(id, row, facet=facet, order=row.get("opened", ""))


class JourneyView:
    """One row per patient's journey, by the chain-of-identity id; the facet is the stage."""

    name = "journeys"
    version = 1
    families = frozenset({"journey"})

    def apply(self, rows: Rows, recorded: Recorded) -> None:
        """Take one fact into the rows."""
        if recorded.is_withheld or recorded.stream.family != "journey":
            return
        id, body = recorded.stream.id, recorded.body
        row = rows.get(id) or {"coi": id, "stage": "unknown", "ordered": recorded.happened_text}
        for name in ("product", "physician", "treatment_site", "indication", "lot", "slot"):
            if name in body:
                row[name] = body[name]
        if recorded.kind == "slot-booked":
            row["begins"] = body["begins"]
        if recorded.kind in {"collection-performed", "collection-accepted"}:
            row["collection"] = body.get("container")
        stage = _STAGES.get(recorded.kind)
        if recorded.kind == "patient-checked" and not body.get("is_eligible"):
            stage = None
        if recorded.kind == "follow-up-planned":
            row["due"] = body["due"]
        if recorded.kind == "follow-up-done":
            row["due"] = [one for one in row.get("due", []) if one != body["due"]]
            stage = None if row["due"] else "closed"
        row["consent"] = {"consent-given": True, "consent-withdrawn": False}.get(
            recorded.kind, row.get("consent", False)
        )
        row["stage"] = stage or row["stage"]
        row["last"] = recorded.happened_text
        rows.put(id, row, facet=row["stage"], order=row["ordered"])


class SampleView:
    """One row per sample; the facet is its state."""

    name = "samples"
    version = 1
    families = frozenset({"sample"})

    def apply(self, rows: Rows, recorded: Recorded) -> None:
        """Take one fact into the rows."""
        if recorded.is_withheld or recorded.stream.family != "sample":
            return
        id, body = recorded.stream.id, recorded.body
        row = rows.get(id) or {"sample": id, "state": "taken", "results": {}}
        match recorded.kind:
            case "sample-taken":
                row |= {name: body.get(name) for name in _SAMPLE}
                row["taken"] = recorded.happened_text
            case "sample-received":
                row |= {"state": "received", "laboratory": body["laboratory"]}
            case "sample-stored":
                row |= {"state": "stored", "place": body["place"]}
            case "sample-ended":
                row["state"] = body["how"]
            case "result-entered":
                one = {
                    name: body.get(name) for name in ("reported", "outcome", "method", "analyst")
                }
                row["results"] = {**row["results"], body["attribute"]: {**one, "state": "entered"}}
            case "result-approved" | "result-invalidated":
                one = row["results"].get(body["attribute"], {})
                state = recorded.kind.partition("-")[2]
                row["results"] = {**row["results"], body["attribute"]: {**one, "state": state}}
            case _:
                return
        rows.put(id, row, facet=row["state"], order=row.get("taken", ""))


# The board of lots -------------------------------------------------------------------------------


def _new_lot(id: str, recorded: Recorded, body: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "lot": id,
        "product": body["product"],
        "coi": body.get("coi"),
        "shape": body["shape"],
        "status": "running",
        "site": recorded.site,
        "created": recorded.happened_text,
        "names": {},
        "roles": {},
        "open": [],
        "ready": [],
        "held": [],
        "steps_done": 0,
        "deviations": {},
        "required": [],
        "later": [],
        "results": {},
        "unstored": [],
        "label_sets": [],
        "reviews": {},
        "content_version": recorded.version,
        "due": None,
        "late": 0,
        "containers": 0,
    }


def _frozen(row: dict[str, Any], body: Mapping[str, Any], recorded: Recorded) -> None:
    from .lot import net_of

    net = net_of(body["digest"], body["content"])
    marking, _ = net.begin()
    row["recipe"] = f"{body['recipe']} {body['recipe_version']}"
    row["names"] = {phase.id: phase.name for phase in net.phases.values()}
    row["roles"] = {phase.id: phase.role for phase in net.phases.values()}
    row["required"], row["later"] = body.get("required", []), body.get("later", [])
    row["ready"] = list(net.ready(marking))


def _started(row: dict[str, Any], body: Mapping[str, Any], recorded: Recorded) -> None:
    row["open"] = [*row["open"], body["step"]]
    row["ready"] = [one for one in row["ready"] if one != body["step"]]
    row["since"] = recorded.happened_text


def _ended(row: dict[str, Any], body: Mapping[str, Any], recorded: Recorded) -> None:
    row["open"] = [one for one in row["open"] if one != body["step"]]
    row["ready"] = [one for one in row["ready"] if one != body["step"]]
    row["ready"] += [one for one in body.get("opens", []) if one not in row["ready"]]
    row["steps_done"] += 1
    row["late"] += bool(body.get("is_late"))
    if not row["open"] and not row["ready"] and row["status"] == "running":
        row["status"] = "made"


def _step_held(row: dict[str, Any], body: Mapping[str, Any], recorded: Recorded) -> None:
    row["held"] = [*row["held"], body["step"]]


def _freed(row: dict[str, Any], body: Mapping[str, Any], recorded: Recorded) -> None:
    row["held"] = [one for one in row["held"] if one != body["step"]]


def _deviated(row: dict[str, Any], body: Mapping[str, Any], recorded: Recorded) -> None:
    row["deviations"] = {**row["deviations"], body["deviation"]: body["severity"]}


def _undeviated(row: dict[str, Any], body: Mapping[str, Any], recorded: Recorded) -> None:
    rest = {id: one for id, one in row["deviations"].items() if id != body["deviation"]}
    row["deviations"] = rest


def _sampled(row: dict[str, Any], body: Mapping[str, Any], recorded: Recorded) -> None:
    if body["purpose"] != "test":
        row["unstored"] = [*row["unstored"], body["sample"]]
    if body.get("due") and body["due"] > (row["due"] or ""):
        row["due"] = body["due"]


def _stored(row: dict[str, Any], body: Mapping[str, Any], recorded: Recorded) -> None:
    row["unstored"] = [one for one in row["unstored"] if one != body["sample"]]


def _tested(row: dict[str, Any], body: Mapping[str, Any], recorded: Recorded) -> None:
    row["results"] = {**row["results"], body["attribute"]: body["outcome"]}


def _untested(row: dict[str, Any], body: Mapping[str, Any], recorded: Recorded) -> None:
    rest = {name: one for name, one in row["results"].items() if name != body["attribute"]}
    row["results"] = rest


def _reviewed(row: dict[str, Any], body: Mapping[str, Any], recorded: Recorded) -> None:
    row["reviews"] = {**row["reviews"], recorded.kind: body["through"]}


def _filled(row: dict[str, Any], body: Mapping[str, Any], recorded: Recorded) -> None:
    row["containers"] += len(body["fills"])


def _status(row: dict[str, Any], body: Mapping[str, Any], recorded: Recorded) -> None:
    row["status"] = recorded.kind.partition("-")[2]
    if row["status"] not in OPEN:  # nobody asks what comes next; a board of thousands stays light
        row["current"] = [_named(row["names"], key) for key in row["open"]]
        row.update(names={}, roles={}, ready=[])


def _labels_printed(row: dict[str, Any], body: Mapping[str, Any], recorded: Recorded) -> None:
    row["label_sets"] = [*row["label_sets"], body["label_set"]]


def _labels_closed(row: dict[str, Any], body: Mapping[str, Any], recorded: Recorded) -> None:
    row["label_sets"] = [one for one in row["label_sets"] if one != body["label_set"]]


def _resumed(row: dict[str, Any], body: Mapping[str, Any], recorded: Recorded) -> None:
    row["status"] = "running" if row["open"] or row["ready"] else "made"


_CHANGES = {
    "control-recipe-frozen": _frozen,
    "step-started": _started,
    "step-completed": _ended,
    "step-skipped": _ended,
    "step-held": _step_held,
    "step-freed": _freed,
    "lot-deviation-opened": _deviated,
    "lot-deviation-closed": _undeviated,
    "lot-sample-taken": _sampled,
    "lot-sample-closed": _stored,
    "lot-labels-printed": _labels_printed,
    "lot-labels-reconciled": _labels_closed,
    "lot-result-reported": _tested,
    "lot-result-invalidated": _untested,
    "batch-reviewed": _reviewed,
    "audit-trail-reviewed": _reviewed,
    "doses-filled": _filled,
    "lot-held": _status,
    "lot-resumed": _resumed,
    "lot-released": _status,
    "lot-rejected": _status,
    "lot-terminated": _status,
    "lot-voided": _status,
    "lot-recalled": _status,
}


def _refresh(row: dict[str, Any]) -> None:
    """Set what a reader looks for first, from what was folded."""
    names = row["names"]
    if names or not row.get("current"):
        row["current"] = [_named(names, key) for key in row["open"]]
    row["next"] = [_named(names, key) for key in row["ready"]] if row["status"] in OPEN else []
    row["open_deviations"] = len(row["deviations"])
    row["failed"] = [name for name, one in row["results"].items() if one == "fail"]
    row["pending"] = [
        name for name in row["required"] if name not in row["results"] and name not in row["later"]
    ]
    row["before_release"] = _standing(row) if row["status"] in OPEN else []


def _standing(row: Mapping[str, Any]) -> list[dict[str, str | None]]:
    """Give what stands before release, short: what, owner, expected. The lot's page has it all."""
    found: list[tuple[str, str, str | None]] = []
    if row["status"] == "held":
        found.append(("the lot is held", "qa-reviewer", None))
    for key in (*row["open"], *row["ready"]):
        owner = "qa-reviewer" if key in row["held"] else row["roles"].get(_phase(key), "")
        found.append((f"step {_named(row['names'], key)}", owner, None))
    found += [(f"deviation {id}", "qa-reviewer", None) for id in row["deviations"]]
    found += [(f"result of {name}", "qc-analyst", row["due"]) for name in row["pending"]]
    found += [(f"{name} failed", "releaser", None) for name in row["failed"]]
    found += [(f"label set {id}", "operator", None) for id in row["label_sets"]]
    found += [(f"sample {id} not stored", "qc-analyst", None) for id in row["unstored"]]
    if not row["open"] and not row["ready"]:
        for kind in ("batch-reviewed", "audit-trail-reviewed"):
            if kind not in row["reviews"]:
                words = kind.removesuffix("ed").replace("-", " ")
                found.append((words, "qa-reviewer", None))
    return [{"what": what, "owner": owner, "expected": due} for what, owner, due in found]


def _named(names: Mapping[str, str], key: str) -> str:
    phase, _, round = key.partition(":")
    return names.get(phase, phase) + (f" ({round})" if round else "")


def _phase(key: str) -> str:
    return key.partition(":")[0]


# The work that waits -----------------------------------------------------------------------------


def _put(rows: Rows, key: str, role: str, what: str, recorded: Recorded, **more: Any) -> None:
    row = {"role": role, "what": what, "since": recorded.happened_text, **more}
    rows.put(key, row, facet=role, order=more.get("due") or recorded.happened_text)


def _work_begun(rows: Rows, recorded: Recorded, body: Mapping[str, Any]) -> None:
    from .lot import net_of

    net = net_of(body["digest"], body["content"])
    names = {phase.id: [phase.name, phase.role] for phase in net.phases.values()}
    first = list(net.ready(net.begin()[0]))
    _steps_wait(rows, recorded, {"names": names, "waiting": []}, first)


def _steps_wait(rows: Rows, recorded: Recorded, known: dict[str, Any], keys: Sequence[str]) -> None:
    """Let steps of a lot wait for their role; the lot's own row remembers which do."""
    lot = recorded.stream.id
    for key in keys:
        name, role = known["names"].get(_phase(key), (key, "operator"))
        what = f"{name} of lot {lot}"
        _put(rows, f"step/{lot}/{key}", role, what, recorded, lot=lot, step=key, kind="step")
    waiting = [one for one in known["waiting"] if one not in keys]
    known = {**known, "waiting": [*waiting, *keys]}
    rows.put(f"~lot/{lot}", known, facet="~")


def _work_done(rows: Rows, recorded: Recorded, body: Mapping[str, Any]) -> None:
    id = recorded.stream.id
    rows.delete(f"step/{id}/{body['step']}")
    known = rows.get(f"~lot/{id}")
    if known is None:
        return
    known["waiting"] = [one for one in known["waiting"] if one != body["step"]]
    _steps_wait(rows, recorded, known, body.get("opens", []))
    if not known["waiting"] and not body.get("opens"):
        for kind, what in (("batch", "Batch review"), ("audit", "Review of the audit trail")):
            key = f"review/{id}/{kind}"
            _put(rows, key, "qa-reviewer", f"{what} of lot {id}", recorded, lot=id, kind="review")


def _work_reviewed(rows: Rows, recorded: Recorded, body: Mapping[str, Any]) -> None:
    id = recorded.stream.id
    kind = "batch" if recorded.kind == "batch-reviewed" else "audit"
    rows.delete(f"review/{id}/{kind}")
    other = "audit" if kind == "batch" else "batch"
    if rows.get(f"review/{id}/{other}") is None:
        what = f"Release of lot {id}"
        _put(rows, f"release/{id}", "releaser", what, recorded, lot=id, kind="release")


def _work_ended(rows: Rows, recorded: Recorded, body: Mapping[str, Any]) -> None:
    id = recorded.stream.id
    known = rows.get(f"~lot/{id}") or {"waiting": []}
    keys = [f"step/{id}/{one}" for one in known["waiting"]]
    for key in (*keys, f"review/{id}/batch", f"review/{id}/audit", f"release/{id}", f"~lot/{id}"):
        rows.delete(key)


def _work_sample(rows: Rows, recorded: Recorded, body: Mapping[str, Any]) -> None:
    id = recorded.stream.id
    word = "Receive" if body["purpose"] == "test" else "Store"
    what = f"{word} sample {id}"
    _put(
        rows, f"sample/{id}", "qc-analyst", what, recorded,
        lot=body["lot"], subject=id, kind="sample", tests=body.get("tests", []),
        due=body.get("due"),
    )  # fmt: skip


def _work_received(rows: Rows, recorded: Recorded, body: Mapping[str, Any]) -> None:
    id = recorded.stream.id
    known = rows.get(f"sample/{id}") or {}
    rows.delete(f"sample/{id}")
    for test in known.get("tests", []):
        _put(
            rows, f"test/{id}/{test}", "qc-analyst", f"Test {test} of sample {id}", recorded,
            lot=known.get("lot"), subject=id, kind="test", due=known.get("due"),
        )  # fmt: skip


def _work_stored(rows: Rows, recorded: Recorded, body: Mapping[str, Any]) -> None:
    rows.delete(f"sample/{recorded.stream.id}")


def _work_result(rows: Rows, recorded: Recorded, body: Mapping[str, Any]) -> None:
    id, test = recorded.stream.id, body["attribute"]
    known = rows.get(f"test/{id}/{test}") or {}
    rows.delete(f"test/{id}/{test}")
    what = f"Approve {test} of sample {id}, reported by {body['analyst']}"
    _put(
        rows, f"approve/{id}/{test}", "qc-analyst", what, recorded,
        lot=known.get("lot"), subject=id, kind="approval",
    )  # fmt: skip


def _work_approved(rows: Rows, recorded: Recorded, body: Mapping[str, Any]) -> None:
    rows.delete(f"approve/{recorded.stream.id}/{body['attribute']}")


def _work_deviation(rows: Rows, recorded: Recorded, body: Mapping[str, Any]) -> None:
    id = recorded.stream.id
    if recorded.kind == "deviation-dispositioned":
        rows.delete(f"deviation/{id}")
        return
    known = rows.get(f"deviation/{id}") or {}
    title = body.get("title") or known.get("title", "")
    word = "Investigate" if recorded.kind == "deviation-opened" else "Disposition"
    _put(
        rows, f"deviation/{id}", "qa-reviewer", f"{word} deviation {id}: {title}", recorded,
        lot=body.get("lot") or known.get("lot"), subject=id, kind="deviation", title=title,
        due=body.get("due") or known.get("due"),
    )  # fmt: skip


_WORK = {
    "control-recipe-frozen": _work_begun,
    "step-completed": _work_done,
    "step-skipped": _work_done,
    "batch-reviewed": _work_reviewed,
    "audit-trail-reviewed": _work_reviewed,
    "lot-released": _work_ended,
    "lot-rejected": _work_ended,
    "lot-terminated": _work_ended,
    "lot-voided": _work_ended,
    "sample-taken": _work_sample,
    "sample-received": _work_received,
    "sample-stored": _work_stored,
    "sample-ended": _work_stored,
    "result-entered": _work_result,
    "result-approved": _work_approved,
    "result-invalidated": _work_approved,
    "deviation-opened": _work_deviation,
    "deviation-investigated": _work_deviation,
    "deviation-dispositioned": _work_deviation,
}
_DEVIATION = (
    "lot",
    "step",
    "attribute",
    "title",
    "description",
    "severity",
    "cause",
    "opener",
    "due",
)
_SAMPLE = ("lot", "step", "plan", "specimen", "purpose", "tests", "due", "operator")
_STAGES = {
    "product-ordered": "ordered",
    "patient-checked": "checked",
    "consent-given": "consented",
    "slot-booked": "booked",
    "collection-ordered": "collection-ordered",
    "collection-performed": "collected",
    "collection-failed": "booked",
    "collection-rejected": "booked",
    "collection-accepted": "accepted",
    "lot-assigned": "making",
    "dose-released": "dose-released",
    "dose-on-site": "on-site",
    "lymphodepletion-cleared": "cleared-for-lymphodepletion",
    "bedside-confirmed": "confirmed-at-bedside",
    "infusion-performed": "infused",
    "journey-cancelled": "cancelled",
}
