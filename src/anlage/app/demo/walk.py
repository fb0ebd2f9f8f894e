"""One patient's journey, walked by simulated persons through the same commands as real use.

`walk_journey` goes as far as it is told and stops there, so that a seeded plant has patients at
every stage. Readings are
simulated: the target, or a value well inside the limits, unless `SCRIPT` says otherwise.
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from enum import IntEnum

from anlage.base import Instant, Quantity, Refused
from anlage.custody import (
    Container,
    CreateContainer,
    Evidence,
    MoveContainer,
    OfferContainer,
    PackContainer,
    ReceiveContainer,
    UnpackContainer,
)
from anlage.plant import (
    AcceptCollection,
    ApproveResult,
    AttachFile,
    BeginLot,
    BookSlot,
    CheckPatient,
    ClearLymphodepletion,
    CompleteStep,
    ConfirmBedside,
    ContainerVerb,
    DestroyRemainder,
    EnterResult,
    EquipmentUnit,
    FillDoses,
    FilledContainer,
    GiveConsent,
    Journey,
    JourneyStage,
    Lot,
    MaterialGiven,
    MaterialLot,
    OrderCollection,
    OrderProduct,
    Parameter,
    Phase,
    PhaseKind,
    ReceiveDose,
    ReceiveSample,
    RecordCollection,
    RecordInfusion,
    ReleaseLot,
    ReviewAuditTrail,
    ReviewBatch,
    Sample,
    SampleStatus,
    StartStep,
    StoreSample,
    ThawDose,
    ThawPack,
    labels_due,
    new_vessels,
    starting_of,
    tube_numbers,
)
from anlage.record import Actor
from anlage.wire.labels import NUMBER

from ..commands.label_sets import PrintLabels, ReconcileLabels
from ..label_printing import label_layout, label_values
from ..personal import keep_personal
from .cast import BY_LOGIN
from .facility import calibrate, clean
from .instrument import instrument_files
from .player import Player, first_of

PHYSICIAN, COORDINATOR = BY_LOGIN["physician"], BY_LOGIN["coordinator"]
NURSE, NURSE2, STORE = BY_LOGIN["nurse"], BY_LOGIN["nurse2"], BY_LOGIN["store"]
OPERATOR, SECOND = BY_LOGIN["operator"], BY_LOGIN["operator2"]
ANALYST, QUALITY, RELEASER = BY_LOGIN["analyst"], BY_LOGIN["reviewer"], BY_LOGIN["releaser"]
WARD, WARD2 = BY_LOGIN["ward"], BY_LOGIN["ward2"]
COURIER = BY_LOGIN["courier"]
READ = Evidence.SCANNED
WARD_STORE = "ward cell store"
Steps = Iterator[timedelta]
PATIENT_CHECKS = ("identity", "eligibility", "infectious-markers")
PRODUCT = "cd19-car-t"
STEPS_MAX = 400
COUNTS = {
    "total-nucleated-cells": "9.4 10*9.cell",
    "cd3-cells": "5.1 10*9.cell",
    "viability": "97 %",
}


class Until(IntEnum):
    """How far a journey is walked."""

    ORDERED = 1
    COLLECTED = 2
    ACCEPTED = 3
    ACTIVATED = 4
    EXPANDING = 5
    MADE = 6
    TESTED = 7
    REVIEWED = 8
    RELEASED = 9
    ON_SITE = 10
    INFUSED = 11


@dataclass(slots=True)
class Walk:
    """A journey under way.

    Attributes:
        player: Who plays.
        script: Readings that are not the plain ones, by `phase.parameter`.
        coi: The chain-of-identity id, once ordered.
        lot: The lot, once begun.
        bag: The first bag of product, once filled.
    """

    player: Player
    script: Mapping[str, str] = field(default_factory=dict)
    coi: str = ""
    lot: str = ""
    bag: str = ""


def walk_journey(walk: Walk, number: int, until: Until) -> Steps:
    """Walk one autologous journey as far as `until`, yielding the plant time to wait between two
    acts.

    What has been done already is not done again, so that a journey can be taken up where it stands.
    """
    player = walk.player
    if not walk.coi:
        yield from _order(walk, number)
    if until >= Until.COLLECTED and _stage(walk) is JourneyStage.COLLECTION_ORDERED:
        yield from _collect(walk, number)
    if until >= Until.ACCEPTED and _stage(walk) is JourneyStage.COLLECTED:
        yield from _accept(walk)
    if until < Until.ACTIVATED:
        return
    if not walk.lot:
        begun = player.do(BeginLot(product=PRODUCT, coi=walk.coi), by=OPERATOR)
        walk.lot = first_of(begun, "lot-created").stream.id
    stop = {Until.ACTIVATED: "activation-culture", Until.EXPANDING: "in-process-count:2"}.get(until)
    yield from run_lot(walk, stop=stop)
    lot = player.state(Lot, f"lot/{walk.lot}")
    if until >= Until.TESTED and lot.released is None:
        yield from test_lot(player, walk.lot)
    if until >= Until.REVIEWED and lot.released is None:
        yield from review_lot(player, walk.lot)
    if until >= Until.RELEASED and lot.released is None:
        player.do(ReleaseLot(lot=walk.lot), by=RELEASER)
    if until >= Until.ON_SITE and not player.state(Journey, f"journey/{walk.coi}").on_site:
        yield from _deliver(walk)
    if until >= Until.INFUSED and player.state(Journey, f"journey/{walk.coi}").infused is None:
        yield from _infuse(walk)


def walk_bank(walk: Walk, *, stop: str | None = None) -> Steps:
    """Make doses for many from one bank: an allogeneic lot, as far as it goes or to `stop`."""
    begun = walk.player.do(
        BeginLot(product="msc-microcarrier", identity="MSC-BANK-07"), by=OPERATOR
    )
    walk.lot = first_of(begun, "lot-created").stream.id
    walk.script = {**walk.script, **BANK_SCRIPT}
    yield from run_lot(walk, stop=stop)


def _stage(walk: Walk) -> JourneyStage:
    return walk.player.state(Journey, f"journey/{walk.coi}").stage


SCRIPT = {
    "receipt-check.state": "fresh",
    "receipt-check.volume": "220 mL",
    "start-count.viable-cells": "4.2e9 cell",
    "start-count.viability": "94.5 %",
    "wash.cells-after": "3.6e9 cell",
    "select.t-cells": "1.4e9 cell",
    "select.purity": "97.2 %",
    "pre-vector-count.viable-cells": "2.0e8 cell",
    "in-process-count.glucose": "12.4 mmol/L",
    "in-process-count.lactate": "9.8 mmol/L",
    "harvest.viable-cells": "3.4e9 cell",
    "formulate.volume": "78.0 mL",
    "harvest.density": "2.0e7 cell/mL",
    "harvest.viability": "92.1 %",
    "harvest.car-fraction": "41.5 %",
    "fill.bags": "2 bag",
    "fill.volume": "30.0 mL",
}
# What each in-process count finds, round after round: the loop ends when enough have grown.
GROWTH = {
    "in-process-count.viable-cells": ("3.1e8 cell", "1.2e9 cell", "3.4e9 cell"),
    "seed-count.viable-cells": ("7.0e7 cell", "1.8e8 cell"),
    "seed-count.doublings": ("3.1", "4.6"),
    "bioreactor-count.density": ("9.0e4 cell/mL", "2.4e5 cell/mL", "4.6e5 cell/mL"),
    "bioreactor-count.glucose": ("4.1 mmol/L", "3.6 mmol/L", "3.2 mmol/L"),
}
BANK_SCRIPT = {
    "detach.viable-cells": "6.2e9 cell",
    "wash.cells-after": "5.4e9 cell",
    "fill.bags": "48 bag",
    "visual-inspection.rejected": "1 bag",
}


def _order(walk: Walk, number: int) -> Steps:
    player = walk.player
    subject = f"SUBJ-{number:03d}"
    ordered = player.do(
        OrderProduct(
            product=PRODUCT,
            subject=player.installation.vault.put(
                f"subject-{number}", "name", f"Simulated Patient {number}"
            ),
            indication="relapsed B-cell lymphoma",
            treatment_site="Simulated University Hospital",
            weight="72 kg",
        ),
        by=PHYSICIAN,
    )
    walk.coi = first_of(ordered, "product-ordered").stream.id
    who = {"name": f"Simulated Patient {number} ({subject})"}
    keep_personal(player.installation, walk.coi, who, actor=Actor(person=COORDINATOR, via="page"))
    yield timedelta(hours=2)
    checks = dict.fromkeys(PATIENT_CHECKS, "pass")
    player.do(CheckPatient(coi=walk.coi, checks=checks), by=COORDINATOR)
    player.do(GiveConsent(coi=walk.coi, form="ICF-CD19", form_version="3"), by=COORDINATOR)
    begins = player.clock.now() + timedelta(days=4)
    player.do(
        BookSlot(coi=walk.coi, slot=f"SLOT-{number:03d}", begins=begins, suite="A"), by=COORDINATOR
    )
    planned = player.clock.now() + timedelta(days=3)
    order = OrderCollection(coi=walk.coi, site="Apheresis unit", planned=planned)
    player.do(order, by=COORDINATOR)


def _collect(walk: Walk, number: int) -> Steps:
    yield timedelta(days=3)
    walk.player.do(
        RecordCollection(
            coi=walk.coi,
            donation=f"A9999{walk.player.clock.now():%y}{number:06d}",
            container=f"{walk.coi}-APH",
            volume="220 mL",
            scan=walk.coi,
            second=NURSE2,
            place="apheresis unit",
            kit="continuous-set",
            anticoagulant="ACD-A",
            data={
                "blood-processed": "11.5 L",
                "duration": "205 min",
                "anticoagulant-volume": "820 mL",
            },
            checks={"band": "yes", "labels-at-bedside": "yes", "reactions": "no"},
        ),
        by=NURSE,
    )


def _hand_over(player: Player, container: str, giver: str, taker: str, place: str) -> None:
    """Offer a container and take it over by its label; what was done already is not done again."""
    state = player.state(Container, f"container/{container}")
    if state.holder == taker or not state.exists:
        return
    if state.offered_to is None:
        player.do(OfferContainer(container=container, to=taker, evidence=READ), by=giver)
    player.do(
        ReceiveContainer(container=container, scanned=container, place=place, evidence=READ),
        by=taker,
    )


def _accept(walk: Walk) -> Steps:
    bag = f"{walk.coi}-APH"
    yield timedelta(minutes=40)
    _hand_over(walk.player, bag, NURSE, COURIER, "courier vehicle")
    yield timedelta(hours=8)
    _hand_over(walk.player, bag, COURIER, STORE, "receipt dock")
    yield timedelta(minutes=20)
    walk.player.do(
        AcceptCollection(
            coi=walk.coi,
            container=f"{walk.coi}-APH",
            scan=walk.coi,
            checks={"seal": "pass", "label": "pass", "logger": "pass"},
            counts=COUNTS,
        ),
        by=STORE,
    )


def run_lot(walk: Walk, *, stop: str | None = None) -> Steps:
    """Do every step whose turn it is, in the order in which they open, until none is left or
    `stop` is next.
    """
    player = walk.player
    for _ in range(STEPS_MAX):
        lot = player.state(Lot, f"lot/{walk.lot}")
        waiting = [step.key for step in lot.open_steps] or list(lot.ready)
        if not waiting or stop in waiting:
            return
        yield from _step(walk, lot, waiting[0])
    raise RuntimeError(f"lot {walk.lot} did not come to an end in {STEPS_MAX} steps")


def _step(walk: Walk, lot: Lot, key: str) -> Steps:
    player, phase = walk.player, lot.phase_of(key)
    if phase is None:
        raise RuntimeError(f"lot {lot.id} has no phase for step {key}")
    operator = STORE if phase.role == "store-keeper" else OPERATOR
    witness = SECOND if phase.witness else None
    units = _units(player, lot, phase)
    scans = _scans(lot, phase)
    if key not in lot.steps:
        at_start = scans if phase.kind in (PhaseKind.WAIT, PhaseKind.HOLD) else {}
        start = StartStep(lot=lot.id, step=key, equipment=units, containers=at_start)
        player.do(start, by=operator)
        span = phase.minimum or phase.duration
        yield timedelta(seconds=max(60.0, span.total_seconds()) + (60.0 if phase.minimum else 0.0))
    if phase.photo and not player.state(Lot, f"lot/{lot.id}").steps[key].files:
        _photo(walk, key)
    readings = {
        one.id: _reading(walk, lot, phase, one, key)
        for one in phase.parameters
        if one.calculation is None
    }
    materials, source = _materials(player, lot, phase)
    sets = _print_labels(walk, key)
    scans |= _scans(player.state(Lot, f"lot/{lot.id}"), phase)
    player.do(
        CompleteStep(
            lot=lot.id,
            step=key,
            readings=readings,
            materials=materials,
            equipment=(),
            scan=lot.identity
            if phase.is_identity_critical or phase.kind is PhaseKind.SCAN
            else None,
            source=source,
            witness=witness,
            containers=scans,
        ),
        by=operator,
    )
    if key == "fill":
        fill_bags(walk, 2 if lot.coi else 48)
    _account_for(walk, sets)


def _print_labels(walk: Walk, key: str) -> dict[str, list[str]]:
    """Print the label sets of a step, with one spare where the recipe allows one."""
    player, lot = walk.player, walk.player.state(Lot, f"lot/{walk.lot}")
    sets: dict[str, list[str]] = {}
    for due in labels_due(lot, key):
        bags = 2 if lot.coi else 48
        numbers = list(due.numbers) or [f"{lot.id}-B{n}" for n in range(1, bags + 1)]
        spare = [f"{numbers[0]}-spare"] if due.need.spare else []
        name = f"LS-{lot.id}-{key}-{due.need.part}".replace(":", ".")
        player.do(
            PrintLabels(
                label_set=name, lot=lot.id, step=key, layout=f"{due.need.label}@1",
                numbers=(*numbers, *spare), number_field=NUMBER, label=due.need.label,
                part=due.need.part or "", shared=_shared(walk, due.need.label, lot),
            ),
            by=OPERATOR,
        )  # fmt: skip
        sets[name] = [*numbers, *spare]
    return sets


def _shared(walk: Walk, label: str, lot: Lot) -> dict[str, str]:
    """Fill in a label from the record, and what a person would type beside it."""
    known = label_values(walk.player.installation, lot)
    typed = {"dose": "simulated", "volume": "30 mL", "recipient": lot.coi or "", **known}
    fields = label_layout(walk.player.installation, label).fields
    return {name: typed.get(name, "–") for name in fields if name != NUMBER}


def _account_for(walk: Walk, sets: dict[str, list[str]]) -> None:
    for name, numbers in sets.items():
        spare = [one for one in numbers if one.endswith("-spare")]
        applied = tuple(one for one in numbers if one not in spare)
        done = ReconcileLabels(
            label_set=name, applied=applied, destroyed=tuple(spare), second=SECOND
        )
        walk.player.do(done, by=OPERATOR)


def _scans(lot: Lot, phase: Phase) -> dict[str, str]:
    """Scan every container that a step handles, and the label of each that it makes."""
    scans: dict[str, str] = {}
    for act in phase.containers:
        here = lot.vessels.get(act.part, ())
        if act.verb is ContainerVerb.RECEIVE:
            here = starting_of(lot)
        if here:
            scans[act.part] = " ".join(here)
    scans |= new_vessels(lot, phase, {})
    for plan in phase.samples:
        if plan.source and lot.vessels.get(plan.source):
            scans[plan.source] = " ".join(lot.vessels[plan.source])
    if phase.samples:
        scans["samples"] = " ".join(tube_numbers(lot, phase, lot.key_of(phase.id)))
    return scans


def fill_bags(walk: Walk, count: int) -> None:
    """Record the bags of product, each labelled and read as it is filled."""
    bags = [f"{walk.lot}-B{n}" for n in range(1, count + 1)]
    fills = tuple(
        FilledContainer(container=one, amount="30.0 mL", cells="7.0e8 cell") for one in bags
    )
    vessels = walk.player.state(Lot, f"lot/{walk.lot}").vessels
    source = vessels.get("formulated") or vessels.get("harvested") or ()
    asked = FillDoses(lot=walk.lot, fills=fills, scanned=(*bags, *source))
    walk.player.do(asked, by=OPERATOR)
    walk.bag = bags[0]


def _photo(walk: Walk, key: str) -> None:
    name, data, media = instrument_files()[-1]
    digest = walk.player.installation.blobs.put(data)
    walk.player.do(
        AttachFile(
            lot=walk.lot, step=key, name=name, digest=digest, media_type=media, size=len(data)
        ),
        by=OPERATOR,
    )


def _units(player: Player, lot: Lot, phase: Phase) -> tuple[str, ...]:
    """Choose a unit of each class asked for: the one the lot is in, else the first that is free;
    clean it first.
    """
    board = player.installation.rows("equipment-board")
    rows = [(key, row) for key, row in board.find(limit=5000)]
    chosen = []
    for wanted in phase.equipment:
        units = [key for key, row in rows if row["class"] == wanted]
        states = [(unit, player.state(EquipmentUnit, f"equipment/{unit}")) for unit in units]
        mine = next((unit for unit, state in states if lot.id in state.lots), None)
        chosen.append(mine or _free(player, lot, wanted, states))
    return tuple(chosen)


def _free(player: Player, lot: Lot, kind: str, states: list[tuple[str, EquipmentUnit]]) -> str:
    refusal: Refused | None = None
    for unit, state in states:
        if len(state.lots) >= state.terms.lots_max:
            continue
        try:
            state.must_be_ready(lot=lot.id, at=player.clock.now())
        except Refused as error:
            refusal = error
            if state.lots:
                continue
            try:
                if "calibration" in str(error):
                    calibrate(player, unit, kind)
                prepare_unit(player, unit, kind, lot.id)
            except Refused as other:
                refusal = other
                continue
        return unit
    raise refusal or RuntimeError(f"no {kind} in the facility")


def prepare_unit(player: Player, unit: str, kind: str, lot: str) -> None:
    """Clean a unit and have a second person clear it for a lot."""
    from anlage.plant import ClearEquipment

    clean(player, unit, kind)
    player.do(ClearEquipment(equipment=unit, lot=lot), by=SECOND)


def _materials(
    player: Player, lot: Lot, phase: Phase
) -> tuple[tuple[MaterialGiven, ...], str | None]:
    given: list[MaterialGiven] = []
    for need in phase.materials:
        given += _pick(player, lot, need.material_class, _amount(lot, need))
    source = None
    if any("material.titre" in one.inputs.values() for one in phase.parameters):
        source = _pick(player, lot, "cd19-car-vector", Quantity.parse("1 mL"))[0].material
    return tuple(given), source


def _pick(player: Player, lot: Lot, kind: str, amount: Quantity) -> list[MaterialGiven]:
    """Pick from what expires first and may be used, pack after pack."""
    stock = player.installation.rows("stock")
    refusal: Exception = RuntimeError(f"no {kind} in stock")
    for name, _ in stock.find(facet=kind, limit=100):
        state = player.state(MaterialLot, f"material/{name}")
        try:
            state.must_be_usable(
                material_class=kind, amount=amount, at=player.clock.now(), lot=lot.id
            )
        except Refused as error:
            refusal = error
            continue
        parts = _parts(state, amount.to(state.unit).value, player.clock.now())
        for pack, _ in parts:
            if state.packs[pack].is_frozen:
                player.do(ThawPack(material=name, pack=pack), by=OPERATOR)
        unit = state.unit
        return [
            MaterialGiven(
                material=name, material_class=kind, amount=str(Quantity(part, unit)), pack=pack
            )
            for pack, part in parts
        ]
    raise refusal


def _parts(state: MaterialLot, needed: Decimal, at: Instant) -> list[tuple[str, Decimal]]:
    """Share an amount over packs that are in their time, opened ones first."""
    found = []
    live = [(id, one) for id, one in state.packs.items() if not one.lapses or one.lapses > at]
    for pack, held in sorted(live, key=lambda one: (one[1].is_frozen, one[1].left, one[0])):
        part = min(held.left, needed)
        if part > 0:
            found.append((pack, part))
            needed -= part
        if not needed:
            break
    return found


def _amount(lot: Lot, need: object) -> Quantity:
    planned = getattr(need, "amount", None)
    if isinstance(planned, Quantity):
        return planned
    value = lot.readings[str(getattr(need, "amount_from", ""))]
    if not isinstance(value, Quantity):
        raise RuntimeError(f"{need} has no amount")
    return value


def _reading(walk: Walk, lot: Lot, phase: Phase, one: Parameter, key: str) -> str:
    name = f"{phase.id}.{one.id}"
    if name in GROWTH:
        return GROWTH[name][min(int(key.partition(":")[2] or 1), len(GROWTH[name])) - 1]
    if name in walk.script:
        return walk.script[name]
    if one.choices:
        return (one.accepted or one.choices)[0]
    if one.kind == "text":
        return "as expected"
    return str(_plain(one))


def _plain(one: Parameter) -> Quantity:
    """Give a value well inside the limits."""
    if one.target is not None:
        return one.target
    limits = one.warning if one.warning.lower or one.warning.upper else one.hard
    low = limits.lower.to(one.unit).value if limits.lower else None
    high = limits.upper.to(one.unit).value if limits.upper else None
    if low is not None and high is not None:
        value = (low + high) / 2
    elif low is not None:
        value = (low + 100) / 2 if one.unit == "%" else low * Decimal("1.5")
    elif high is not None:
        value = high / 2 if high > 0 else high * 2
    else:
        value = Decimal(1)
    return Quantity(round(value, one.decimals if one.decimals is not None else 2), one.unit)


RESULTS = {
    "identity": ("match", "chain-of-identity"),
    "appearance": ("cloudy suspension without foreign matter", "visual-inspection"),
    "viability": ("91.4 %", "two-dye-exclusion"),
    "cd3-purity": ("97.8 %", "flow-cytometry"),
    "car-expression": ("41.5 %", "flow-cytometry"),
    "vector-copy-number": ("2.1 copy/cell", "digital-pcr"),
    "dose": ("2.4 10*6.cell/kg", "calculation"),
    "potency": ("2150 pg/mL", "immunoassay-coculture"),
    "residual-beads": ("4 bead/10*6.cell", "bead-microscopy"),
    "residual-tumour": ("0.1 %", "flow-cytometry"),
    "endotoxin": ("0.5 [EU]/mL", "endotoxin-kinetic"),
    "mycoplasma": ("not detected", "nucleic-acid-amplification"),
    "replication-competent-lentivirus": ("not detected", "nucleic-acid-amplification"),
    "sterility-interim": ("no growth", "rapid-microbial"),
    "sterility-final": ("no growth", "sterility-culture"),
    "memory-phenotype": ("38.0 %", "flow-cytometry"),
}
LATER = frozenset({"sterility-final"})


# How far results of simulated lots lie apart: standard deviation and decimals.
SPREAD = {
    "viability": (1.6, 1), "cd3-purity": (0.6, 1), "car-expression": (4.0, 1),
    "vector-copy-number": (0.25, 1), "potency": (240.0, 0), "memory-phenotype": (3.5, 1),
}  # fmt: skip


def _varied(lot: str, attribute: str, reported: str) -> str:
    """Give a simulated result of its own to each lot, the same each time the lot is walked."""
    if attribute not in SPREAD:
        return reported
    spread, decimals = SPREAD[attribute]
    value, unit = reported.split(" ", 1)
    moved = float(value) + random.Random(f"{lot} {attribute}").gauss(0, spread)
    top = 99.5 if unit == "%" else float("inf")
    return f"{min(moved, top):.{decimals}f} {unit}"


def test_lot(player: Player, lot: str, *, results: Mapping[str, str] | None = None) -> Steps:
    """Receive every sample, report and approve every result that is due before release."""
    samples = player.state(Lot, f"lot/{lot}").samples
    for sample in samples.values():
        if player.state(Sample, f"sample/{sample.id}").status is not SampleStatus.TAKEN:
            continue
        if sample.tests:
            received = ReceiveSample(sample=sample.id, laboratory="QC", scan=sample.id)
            player.do(received, by=ANALYST)
        else:
            kept = StoreSample(sample=sample.id, place="LN2-01 / rack 4", scan=sample.id)
            player.do(kept, by=ANALYST)
    yield timedelta(days=3)
    files = {media: (name, data) for name, data, media in instrument_files()}
    for sample in samples.values():
        for attribute in sample.tests:
            known = player.state(Sample, f"sample/{sample.id}").results
            if attribute in LATER or attribute not in RESULTS or attribute in known:
                continue
            reported, method = RESULTS[attribute]
            reported = (results or {}).get(attribute) or _varied(lot, attribute, reported)
            raw = files.get(
                "application/vnd.isac.fcs" if "flow" in method or attribute == "viability" else ""
            )
            if attribute == "appearance":
                raw = files.get("image/png")
            digest = player.installation.blobs.put(raw[1]) if raw else None
            player.do(
                EnterResult(
                    sample=sample.id,
                    attribute=attribute,
                    reported=reported,
                    method=method,
                    raw_file=digest,
                    raw_name=raw[0] if raw else None,
                ),
                by=ANALYST,
            )
            state = player.state(Sample, f"sample/{sample.id}").results.get(attribute)
            if state is not None and not state.is_approved and not state.is_invalidated:
                player.do(
                    ApproveResult(sample=sample.id, attribute=attribute, reading=reported),
                    by=QUALITY,
                )


def review_lot(player: Player, lot: str) -> Steps:
    """Review the batch and its audit trail."""
    yield timedelta(hours=5)
    if player.state(Lot, f"lot/{lot}").audit_review is not None:
        return
    through = player.state(Lot, f"lot/{lot}").version
    said = "every exception looked at; simulated"
    player.do(ReviewBatch(lot=lot, through=through, comment=said), by=QUALITY)
    through = player.state(Lot, f"lot/{lot}").version
    player.do(ReviewAuditTrail(lot=lot, through=through, comment="nothing unexplained"), by=QUALITY)


def _deliver(walk: Walk) -> Steps:
    player, bag, shipper = walk.player, walk.bag, f"{walk.coi}-SHIP"
    yield timedelta(hours=2)
    if player.state(Container, f"container/{bag}").holder == STORE:
        _pack(player, bag, shipper)
    yield timedelta(minutes=30)
    _hand_over(player, shipper, STORE, COURIER, "courier vehicle")
    yield timedelta(hours=17)
    _hand_over(player, shipper, COURIER, WARD, WARD_STORE)
    yield timedelta(minutes=30)
    if player.state(Container, f"container/{bag}").inside == shipper:
        player.do(UnpackContainer(container=bag, out_of=shipper, evidence=READ), by=WARD)
    received = ReceiveDose(coi=walk.coi, container=bag, scan=walk.coi, place=WARD_STORE)
    player.do(received, by=WARD)
    player.do(ClearLymphodepletion(coi=walk.coi), by=PHYSICIAN)


def _pack(player: Player, bag: str, shipper: str) -> None:
    """Bring the bag to the packing place and put it into a charged shipper."""
    bench = "packing bench"
    player.do(MoveContainer(container=bag, place=bench, evidence=READ), by=STORE)
    if not player.state(Container, f"container/{shipper}").exists:
        taken = CreateContainer(container=shipper, vessel="shipper", place=bench, evidence=READ)
        player.do(taken, by=STORE)
    player.do(PackContainer(container=bag, into=shipper, evidence=READ), by=STORE)


def _infuse(walk: Walk) -> Steps:
    player = walk.player
    if player.state(Journey, f"journey/{walk.coi}").thawed is None:
        yield timedelta(days=5)
        player.do(ThawDose(coi=walk.coi, container=walk.bag, bag_scan=walk.bag), by=WARD)
    yield timedelta(minutes=6)
    player.do(
        ConfirmBedside(
            coi=walk.coi,
            container=walk.bag,
            band_scan=walk.coi,
            bag_scan=walk.bag,
            second=WARD2,
        ),
        by=WARD,
    )
    began = player.clock.now()
    yield timedelta(minutes=15)
    player.do(
        RecordInfusion(
            coi=walk.coi,
            container=walk.bag,
            began=began,
            ended=player.clock.now(),
            volume="30 mL",
        ),
        by=WARD,
    )
    state = player.state(Journey, f"journey/{walk.coi}")
    for container in sorted(state.remainders):
        player.do(
            DestroyRemainder(coi=walk.coi, container=container, method="autoclave", second=WARD2),
            by=WARD,
        )
