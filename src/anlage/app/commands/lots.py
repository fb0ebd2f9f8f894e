"""Commands of lots: begin, steps, entries, the one door."""

from collections.abc import Mapping
from dataclasses import replace

from anlage.base import Quantity, Refused
from anlage.custody import Container
from anlage.library import Stage, let_go, take_up
from anlage.plant import (
    AddNote,
    AttachFile,
    AuthoriseException,
    BeginLot,
    CompleteStep,
    ConsumeMaterial,
    CorrectEntry,
    EnterReadings,
    EquipmentLeft,
    EquipmentUnit,
    Handling,
    LeaveEquipment,
    Lot,
    Phase,
    Recipe,
    Room,
    Rule,
    ScanIdentity,
    SkipStep,
    StartStep,
    TakeEquipment,
    VoidLot,
    add_note,
    attach_file,
    authorise_exception,
    begin_lot,
    complete_step,
    consume_material,
    containers_wanted,
    correct_entry,
    enter_readings,
    leave_equipment,
    scan_identity,
    skip_step,
    start_step,
    take_equipment,
    void_lot,
)
from anlage.record import Entry, Stream

from ..engine import Desk, command
from .making import (
    calculations_of,
    containers_of,
    definition_of,
    journey_of,
    lot_of,
    material_of,
    person,
    recipe_must_stand,
    signer,
    specification_of,
    who,
)


@command("begin-lot")
def _begin(desk: Desk, request: BeginLot) -> list[Entry]:
    product = definition_of(desk, "product", request.product).must_have_effective(desk.at)
    recipes = product.content.get("recipes")
    first = str(recipes[0]) if isinstance(recipes, list | tuple) and recipes else request.product
    recipe = definition_of(desk, "recipe", request.recipe or first)
    version = recipe.must_have_effective(desk.at)
    id = request.lot or desk.next_number("lot", "L-{yy}-{n:04d}", f"lot of {request.product}")
    reference = Recipe.read(dict(version.content)).specification
    name, number, required, later = reference.partition("@")[0], 0, [], []
    if reference:
        specification, number = specification_of(desk, reference)
        counted = {Stage.RELEASE, Stage.AFTER_RELEASE}
        required = [one.attribute for one in specification.criteria if one.stage in counted]
        later = [
            one.attribute for one in specification.criteria if one.stage is Stage.AFTER_RELEASE
        ]
    entries = begin_lot(
        lot_of(desk, id),
        replace(request, lot=id),
        recipe=version,
        product_version=product.number,
        specification=(name, number),
        required=required,
        later=later,
        journey=journey_of(desk, request.coi) if request.coi else None,
        person=who(desk),
        at=desk.at,
    )
    return entries + take_up(recipe, version.number, lot=id, at=desk.at)


@command("void-lot")
def _void(desk: Desk, request: VoidLot) -> list[Entry]:
    lot = lot_of(desk, request.lot)
    entries = void_lot(lot, request, person=who(desk), at=desk.at)
    return entries + let_go(definition_of(desk, "recipe", lot.recipe_id), lot=lot.id)


@command("start-step")
def _start(desk: Desk, request: StartStep) -> list[Entry]:
    lot = lot_of(desk, request.lot)
    recipe_must_stand(desk, lot, request.step)
    entries = start_step(
        lot,
        request,
        operator=who(desk),
        at=desk.at,
        containers=_vessels(desk, lot, request.step, request.containers),
        units=_classes(desk, request.equipment),
    )
    return entries + _take(desk, lot, request.step, request.equipment, request.room)


@command("scan-identity")
def _scan(desk: Desk, request: ScanIdentity) -> list[Entry]:
    lot = lot_of(desk, request.lot)
    return scan_identity(lot, request, operator=who(desk))


@command("enter-readings")
def _readings(desk: Desk, request: EnterReadings) -> list[Entry]:
    _must_measure(desk, request.instruments)
    return enter_readings(lot_of(desk, request.lot), request, operator=who(desk), at=desk.at)


@command("complete-step")
def _complete(desk: Desk, request: CompleteStep) -> list[Entry]:
    lot = lot_of(desk, request.lot)
    recipe_must_stand(desk, lot, request.step)
    _must_measure(desk, request.instruments)
    phase, known = lot.phase_of(request.step), lot.steps.get(request.step)
    operator = who(desk)
    entries = complete_step(
        lot,
        request,
        operator=operator,
        witness=person(desk, request.witness) if request.witness else None,
        at=desk.at,
        calculations=calculations_of(desk, lot, phase, request.step) if phase else {},
        sources=_sources(desk, request.source),
        containers=_vessels(desk, lot, request.step, request.containers),
        units=_classes(desk, request.equipment or (known.equipment if known else ())),
    )
    if known is None:
        entries += _take(desk, lot, request.step, request.equipment, request.room)
    done = next((one for one in entries if one.fact.kind == "step-completed"), None)
    if done is None or phase is None:
        return entries
    entries += _consume(desk, lot, request)
    units = request.equipment or (known.equipment if known else ())
    return entries + _leave(desk, lot, phase, units, done.fact.opens, request.equipment, known)


@command("skip-step")
def _skip(desk: Desk, request: SkipStep) -> list[Entry]:
    return skip_step(lot_of(desk, request.lot), request, operator=who(desk), at=desk.at)


@command("correct-entry")
def _correct(desk: Desk, request: CorrectEntry) -> list[Entry]:
    return correct_entry(lot_of(desk, request.lot), request, person=who(desk), at=desk.at)


@command("attach-file")
def _attach(desk: Desk, request: AttachFile) -> list[Entry]:
    return attach_file(lot_of(desk, request.lot), request, person=who(desk))


@command("add-note")
def _note(desk: Desk, request: AddNote) -> list[Entry]:
    return add_note(lot_of(desk, request.lot), request, person=who(desk))


@command("authorise-exception")
def _authorise(desk: Desk, request: AuthoriseException) -> list[Entry]:
    quality = signer(desk, request.quality, request.quality_by or desk.actor.person)
    second = signer(desk, request.second, request.second_by)
    if quality is None or second is None:
        raise Refused(
            "authorisation-unusable",
            what=f"authorisation for step {request.step} of lot {request.lot}",
            found="nobody named beside QA",
            limit="QA and a second, distinct person",
            remedy="name the second person, and have both sign",
            rule="design: the one door",
        )
    return authorise_exception(
        lot_of(desk, request.lot),
        request,
        quality=quality,
        second=second,
        physician=signer(desk, request.physician, request.physician_by),
        at=desk.at,
    )


def _sources(desk: Desk, material: str | None) -> Mapping[str, Quantity]:
    if material is None:
        return {}
    titre = material_of(desk, material).titre
    return {} if titre is None else {"material.titre": titre.value}


def _vessels(desk: Desk, lot: Lot, step: str, scans: Mapping[str, str]) -> Mapping[str, Container]:
    """Give the containers that a step handles, and those that it makes."""
    phase = lot.phase_of(step)
    return containers_of(desk, containers_wanted(lot, phase, scans)) if phase else {}


def _classes(desk: Desk, units: tuple[str, ...]) -> Mapping[str, str]:
    """Give the unit of each equipment class."""
    states = [desk.read(EquipmentUnit, Stream(f"equipment/{unit}")) for unit in units]
    return {one.terms.equipment_class: one.id for one in states if one.status is not None}


def _must_measure(desk: Desk, instruments: Mapping[str, str]) -> None:
    for unit in sorted(set(instruments.values())):
        desk.read(EquipmentUnit, Stream(f"equipment/{unit}")).must_measure(desk.at)


def _consume(desk: Desk, lot: Lot, request: CompleteStep) -> list[Entry]:
    entries: list[Entry] = []
    given = [(one.material, one.pack) for one in request.materials]
    if twice := next((one for one in given if given.count(one) > 1), None):
        # Each use is judged against the state before the command: two could overdraw a pack.
        raise Refused(
            "material-twice",
            what=f"material {twice[0]} in step {request.step} of lot {lot.id}",
            found="entered twice from one pack",
            limit="one line per pack",
            remedy="add the amounts up",
            rule="21 CFR 211.101",
        )
    for one in request.materials:
        use = ConsumeMaterial(
            material=one.material,
            lot=lot.id,
            step=request.step,
            material_class=one.material_class,
            amount=Quantity.parse(one.amount),
            pack=one.pack,
            happened=request.happened,
            reason=request.reason,
        )
        number = lot.authorisation(Rule.MATERIAL, request.step, one.material, desk.at)
        state = material_of(desk, one.material)
        entries += consume_material(state, use, at=desk.at, authorised=number)
    return entries


def _take(desk: Desk, lot: Lot, step: str, units: tuple[str, ...], room: str | None) -> list[Entry]:
    """Take every unit that the phase asks for; a unit the lot is in already is only looked at."""
    phase = lot.phase_of(step)
    states = [desk.read(EquipmentUnit, Stream(f"equipment/{unit}")) for unit in units]
    held = {one.terms.equipment_class for one in states if one.status is not None}
    missing = [name for name in phase.equipment if name not in held] if phase else []
    if missing:
        raise Refused(
            "equipment-missing",
            what=f"step {step} of lot {lot.id}",
            found=f"no {', '.join(missing)}",
            limit=", ".join(phase.equipment) if phase else None,
            remedy="scan a unit of each class",
            rule=f"recipe {lot.recipe_id}",
        )
    entries = []
    for state in states:
        if lot.id in state.lots:
            state.must_be_ready(lot=lot.id, at=desk.at)
            continue
        if not state.terms.agents:
            # An instrument or store that no lot occupies: nothing of one lot stays in it.
            state.must_be_in_service()
            state.must_measure(desk.at)
            continue
        handling = Handling.OPEN if state.terms.is_open else Handling.CLOSED
        taking = TakeEquipment(equipment=state.id, lot=lot.id, step=step, handling=handling)
        entries += take_equipment(state, taking, at=desk.at)
    if room is not None:
        desk.read(Room, Stream(f"room/{room}")).must_be_cleared(lot.id, desk.at)
    return entries


def _leave(
    desk: Desk,
    lot: Lot,
    phase: Phase,
    units: tuple[str, ...],
    opens: tuple[str, ...],
    given: tuple[str, ...],
    known: object,
) -> list[Entry]:
    """Leave every unit that the unit procedure asks for no more."""
    if lot.recipe is None:
        return []
    phases = [one for one in lot.recipe.phases() if one.unit == phase.unit]
    names = [one.id for one in phases]
    following = [names.index(name) for key in opens if (name := key.partition(":")[0]) in names]
    wanted = (
        {wish for one in phases[min(following) :] for wish in one.equipment} if following else set()
    )
    entries = []
    for unit in units:
        state = desk.read(EquipmentUnit, Stream(f"equipment/{unit}"))
        taken = lot.id in state.lots or (
            known is None and unit in given and bool(state.terms.agents)
        )
        if taken and state.terms.equipment_class not in wanted:
            if lot.id in state.lots:
                entries += leave_equipment(state, LeaveEquipment(equipment=unit, lot=lot.id))
            else:
                # Taken in this very command: the fact stands before this one.
                entries.append(Entry(Stream(f"equipment/{unit}"), EquipmentLeft(lot=lot.id)))
    return entries
