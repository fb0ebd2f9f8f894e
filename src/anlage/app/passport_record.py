"""What the journal holds of a lot, container or shipment, as the parts of its passport."""

from collections.abc import Iterable
from typing import Any

from anlage.base import Refused, stamp
from anlage.custody import Container, Shipment, prove
from anlage.custody.transport import ConditionLogged
from anlage.library import Definition, Product
from anlage.record import Stream

from .conditions import rule_of_product
from .custody import custody_on_record
from .installation import Installation
from .shipment_papers import HANDLING

EXCURSIONS_MAX = 5
_SHIPMENTS_MAX = 200


def passport_record(site: Installation, subject: str) -> dict[str, Any]:
    """Give the parts of a passport that the facts of a subject support; text and integers only.

    What nobody recorded is left out; a shipment without a condition log says so.

    Raises:
        Refused: `subject-unknown`: the subject has no container in the journal.
    """
    histories, chosen = custody_on_record(site, Stream(subject))
    states = []
    for name in chosen:
        state = Container(id=name)
        for dated in histories[name]:
            state = state.with_fact(dated.fact)
        states.append(state)
    proof = prove(histories, now=site.clock.now(), subjects=chosen)
    opened = site.journal.opened
    record: dict[str, Any] = {
        "id": subject,
        "origin": {"site": opened.site, "name": opened.site_name, "world": str(opened.world)},
        "containers": [
            {
                "id": state.id,
                "vessel": state.vessel,
                "amount": None if state.amount is None else str(state.amount),
                "state": str(state.end or "in use"),
            }
            for state in states
        ],
        "custody": {
            "coverage_percent": f"{proof.coverage_percent:.6f}",
            "read_percent": f"{proof.read_percent:.6f}",
            "gaps": len(proof.gaps),
        },
    }
    patients = sorted({state.coi for state in states if state.coi})
    if patients:
        record["chain_of_identity"] = patients
        record |= _named("consent", [_consent(site, one) for one in patients])
    lots = sorted({state.lot for state in states if state.lot})
    record |= _lot_parts(site, lots)
    record |= _named("conditions", _conditions(site, subject, chosen))
    record["handling"] = _handling(site, record.get("product", ()))
    return record


def _lot_parts(site: Installation, lots: list[str]) -> dict[str, Any]:
    told = [one for lot in lots for one in site.journal.read_stream(Stream(f"lot/{lot}"))]
    created = [one.body for one in told if one.kind == "lot-created"]
    results = {one.body["attribute"]: one.body for one in told if one.kind == "lot-result-reported"}
    released = [one.body for one in told if one.kind == "lot-released"]
    parts = _named("lot", lots) | _named(
        "product",
        [
            {"name": str(one.get("product")), "version": str(one.get("product_version"))}
            for one in created
        ],
    )
    parts |= _named(
        "tests",
        [
            {name: str(body[name]) for name in ("attribute", "reported", "outcome", "method")}
            for body in results.values()
        ],
    )
    if released:
        last = released[-1]
        rule = f"{last['specification']} version {last['specification_version']}"
        parts["rules"] = {"specification": rule, "exceptional": bool(last["is_exceptional"])}
    return parts


def _consent(site: Installation, coi: str) -> dict[str, str]:
    """Say that a consent is on record, on which version of the form, since when; not the paper."""
    said: dict[str, str] = {}
    for one in site.journal.read_stream(Stream(f"journey/{coi}")):
        if one.kind == "consent-given":
            said = {
                "state": "on record",
                "form": str(one.body["form"]),
                "version": str(one.body["form_version"]),
                "given": one.happened_text,
            }
        elif one.kind == "consent-withdrawn":
            said |= {"state": "withdrawn", "withdrawn": one.happened_text}
    return said


def _conditions(site: Installation, subject: str, containers: list[str]) -> list[dict[str, Any]]:
    """Give what was logged on every way that these containers went, first to last."""
    rows = site.rows("shipments")
    went = [
        row["shipment"]
        for container in containers
        for _, row in rows.find(facet=f"container/{container}", limit=_SHIPMENTS_MAX)
    ]
    family, _, name = subject.partition("/")
    names = [name] if family == "shipment" else dict.fromkeys(went)
    shipments = [site.engine.state(Shipment, Stream(f"shipment/{name}")) for name in names]
    packed = [one for one in shipments if one.prepared is not None]
    packed.sort(key=lambda one: one.sealed_at or site.clock.now())
    return [_way(one, set(containers)) for one in packed]


def _way(shipment: Shipment, containers: set[str]) -> dict[str, Any]:
    way: dict[str, Any] = {
        "shipment": shipment.id,
        "verdict": shipment.verdict or "nothing logged",
        **{
            name: stamp(at)
            for name, at in (("sealed", shipment.sealed_at), ("received", shipment.received_at))
            if at is not None
        },
    }
    way |= _named("logs", [_log(one) for one in shipment.logs])
    if shipment.received is not None:
        waiting = containers & set(shipment.received.quarantined) - shipment.decided.keys()
        refused = [one for one in containers if shipment.decided.get(one) is False]
        state = "in quarantine" if waiting else "refused" if refused else "accepted"
        way["receipt"] = state
    return way


def _log(logged: ConditionLogged) -> dict[str, Any]:
    """Tell a condition log without names that a sender chose freely: carriers read this too."""
    worst = sorted(logged.excursions, key=lambda one: one.end - one.start, reverse=True)
    return {
        "record": logged.file[:16],
        "start": stamp(logged.start),
        "end": stamp(logged.end),
        "readings": logged.readings,
        "range": f"{logged.low} to {logged.high} degC",
        "rule": logged.rule,
        "verdict": logged.verdict,
        **_named("reasons", list(logged.reasons)),
        "excursions": len(logged.excursions),
        **_named(
            "longest",
            [
                {
                    "start": stamp(one.start),
                    "end": stamp(one.end),
                    "worst": f"{one.worst} degC",
                    "limit": one.limit,
                }
                for one in worst[:EXCURSIONS_MAX]
            ],
        ),
        "not known": len(logged.problems),
    }


def _handling(site: Installation, products: Iterable[dict[str, str]]) -> dict[str, Any]:
    """Give how the product is handled: what holds for all cells, and its limits as defined."""
    limits = []
    for one in products:
        name = one["name"]
        versions = site.engine.state(Definition, Stream(f"definition/product:{name}")).versions
        known = [version.content for version in versions if str(version.number) == one["version"]]
        said = {"product": name} | _storage(Product.read(known[0]) if known else None)
        try:
            rule = rule_of_product(site, name, site.clock.now().date())
        except Refused:
            pass
        else:
            said |= {"on the way": rule.bands[0].range, "rule": rule.id}
        limits.append(said)
    return {"always": list(HANDLING)} | _named("limits", limits)


def _storage(product: Product | None) -> dict[str, str]:
    if product is None:
        return {}
    kept = product.storage
    held = (
        ("not below", kept.lower),
        ("not above", kept.upper),
        ("shelf life", kept.shelf_life),
        ("use after thaw within", kept.after_thaw),
    )
    return {name: str(value) for name, value in held if value is not None}


def _named(name: str, value: list[Any]) -> dict[str, Any]:
    found = [one for one in value if one]
    return {name: found} if found else {}
