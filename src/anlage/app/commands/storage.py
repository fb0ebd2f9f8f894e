"""Commands of the store: places, what stands in them, picklists and audits."""

from anlage.custody import Container
from anlage.custody.storage import (
    AuditPlace,
    ChangePlace,
    ClassifyContainer,
    CleanPlace,
    ClearPlace,
    ClosePlace,
    MakePicklist,
    MovePlace,
    PickContainer,
    Picklist,
    Place,
    QuarantineContainer,
    RegisterPlace,
    ReleaseContainer,
    RestowContainer,
    SkipPick,
    StoreContainer,
    TakeContainer,
    audit,
    change_place,
    classify,
    clean_place,
    clear_place,
    close_place,
    compare_place,
    confirm_pick,
    leave_pick,
    make_picklist,
    move_place,
    place_and_position,
    quarantine,
    register_place,
    release,
    restow,
    store,
    take,
)
from anlage.record import Entry, Stream

from ..engine import Desk, command
from ..stores import (
    around_of,
    container_of,
    in_step,
    inside_of,
    keeping_of,
    path_of,
    place_of,
    rules_of,
)
from .equipment import KEEPER, OPERATOR, QUALITY, SECOND
from .materials import must_act, must_sign


@command("register-place")
def _register(desk: Desk, request: RegisterPlace) -> list[Entry]:
    must_act(desk, KEEPER, QUALITY)
    return register_place(place_of(desk, request.place), request, path_of(desk, request.parent))


@command("change-place")
def _change(desk: Desk, request: ChangePlace) -> list[Entry]:
    must_act(desk, QUALITY, KEEPER)
    path = path_of(desk, request.place)
    inside = inside_of(desk, path[0])
    return change_place(path, request, inside=inside, rules=rules_of(desk))


@command("move-place")
def _move(desk: Desk, request: MovePlace) -> list[Entry]:
    must_act(desk, KEEPER, OPERATOR)
    path = path_of(desk, request.place)
    into = path_of(desk, request.into)
    inside, rules = inside_of(desk, path[0]), rules_of(desk)
    around = around_of(desk, [path[0], *into], rules, inside)
    return move_place(path, into, request, inside=inside, around=around, rules=rules)


@command("close-place")
def _close(desk: Desk, request: ClosePlace) -> list[Entry]:
    must_act(desk, KEEPER, QUALITY)
    return close_place(path_of(desk, request.place), reason=request.reason)


@command("clean-place")
def _clean(desk: Desk, request: CleanPlace) -> list[Entry]:
    must_act(desk, KEEPER, OPERATOR)
    return clean_place(place_of(desk, request.place), request, by=_who(desk))


@command("clear-place")
def _clear(desk: Desk, request: ClearPlace) -> list[Entry]:
    must_act(desk, SECOND, KEEPER, OPERATOR)
    place = place_of(desk, request.place)
    return clear_place(place, by=_who(desk), signature=request.signature)


@command("classify-container")
def _classify(desk: Desk, request: ClassifyContainer) -> list[Entry]:
    must_act(desk, KEEPER, OPERATOR, QUALITY)
    container = container_of(desk, request.container)
    is_stored = place_and_position(container.place) is not None
    keeping = keeping_of(desk, request.container)
    return classify(keeping, request, is_stored=is_stored, by=_who(desk))


@command("quarantine-container")
def _quarantine(desk: Desk, request: QuarantineContainer) -> list[Entry]:
    must_act(desk, KEEPER, OPERATOR, QUALITY)
    return quarantine(keeping_of(desk, request.container), reason=request.reason, by=_who(desk))


@command("release-container")
def _release(desk: Desk, request: ReleaseContainer) -> list[Entry]:
    must_act(desk, QUALITY)
    must_sign(desk, request.signature, QUALITY)
    return release(
        keeping_of(desk, request.container),
        reason=request.reason,
        by=_who(desk),
        signature=request.signature,
    )


@command("store-container")
@in_step
def _store(desk: Desk, request: StoreContainer) -> list[Entry]:
    must_act(desk, KEEPER, OPERATOR)
    path, rules = path_of(desk, request.place), rules_of(desk)
    keeping = keeping_of(desk, request.container)
    return store(
        container_of(desk, request.container),
        keeping,
        path,
        position=request.position,
        by=_who(desk),
        evidence=request.evidence,
        around=around_of(desk, path, rules, [keeping.kept()]),
        rules=rules,
        at=desk.at,
    )


@command("restow-container")
@in_step
def _restow(desk: Desk, request: RestowContainer) -> list[Entry]:
    must_act(desk, KEEPER, OPERATOR)
    container = container_of(desk, request.container)
    path, rules = path_of(desk, request.place), rules_of(desk)
    keeping = keeping_of(desk, request.container)
    return restow(
        container,
        keeping,
        _box_of(desk, container),
        path,
        position=request.position,
        by=_who(desk),
        evidence=request.evidence,
        around=around_of(desk, path, rules, [keeping.kept()]),
        rules=rules,
        at=desk.at,
    )


@command("take-container")
@in_step
def _take(desk: Desk, request: TakeContainer) -> list[Entry]:
    must_act(desk, KEEPER, OPERATOR)
    container = container_of(desk, request.container)
    return take(
        container,
        keeping_of(desk, request.container),
        _box_of(desk, container),
        scanned=request.scanned,
        to=request.to,
        by=_who(desk),
        evidence=request.evidence,
    )


@command("make-picklist")
def _make(desk: Desk, request: MakePicklist) -> list[Entry]:
    must_act(desk, KEEPER, OPERATOR, QUALITY)
    name = desk.next_number("picklist", "PL{yy}-{n:05d}", request.order)
    picklist = desk.read(Picklist, Stream(f"picklist/{name}"))
    wanted = []
    for one in request.containers:
        container = container_of(desk, one)
        box = place_and_position(container.place)
        path = path_of(desk, box[0]) if box else []
        wanted.append((container, keeping_of(desk, one), path))
    return make_picklist(picklist, wanted, order=request.order, by=_who(desk))


@command("pick-container")
@in_step
def _pick(desk: Desk, request: PickContainer) -> list[Entry]:
    must_act(desk, KEEPER, OPERATOR)
    picklist = desk.read(Picklist, Stream(f"picklist/{request.picklist}"))
    picklist.must_have_open(request.container)
    container = container_of(desk, request.container)
    taken = take(
        container,
        keeping_of(desk, request.container),
        _box_of(desk, container),
        scanned=request.scanned,
        to=request.to,
        by=_who(desk),
        evidence=request.evidence,
        picklist=picklist.id,
    )
    return [*confirm_pick(picklist, request.container, by=_who(desk)), *taken]


@command("skip-pick")
def _skip(desk: Desk, request: SkipPick) -> list[Entry]:
    must_act(desk, KEEPER, OPERATOR)
    picklist = desk.read(Picklist, Stream(f"picklist/{request.picklist}"))
    line = picklist.must_have_open(request.container)
    place = place_of(desk, line.way[-1])
    return leave_pick(picklist, request.container, place, reason=request.reason, by=_who(desk))


@command("audit-place")
@in_step
def _audit(desk: Desk, request: AuditPlace) -> list[Entry]:
    must_act(desk, KEEPER, OPERATOR, QUALITY)
    place = place_of(desk, request.place)
    place.must_exist()
    found = compare_place(place, request)
    concerned: dict[str, tuple[Container, Place | None]] = {}
    for name in (*found.missing, *found.foreign, *found.shifted):
        container = container_of(desk, name)
        box = place_and_position(container.place)
        concerned[name] = (container, place_of(desk, box[0]) if box else None)
    return audit(place, request, concerned, by=_who(desk))


def _box_of(desk: Desk, container: Container) -> Place:
    """Give the place whose position a container stands in, as its own facts say."""
    box = place_and_position(container.place)
    return place_of(desk, box[0] if box else "none")


def _who(desk: Desk) -> str:
    return desk.actor.person or ""
