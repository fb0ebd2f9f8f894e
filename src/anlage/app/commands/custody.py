"""Commands of containers and shipments: who holds what, where."""

from datetime import timedelta

from anlage.base import Refused
from anlage.custody import (
    CheckAtBedside,
    Container,
    ContainerCreated,
    CreateContainer,
    FindContainer,
    FinishContainer,
    InfuseContainer,
    InfusionOrder,
    MissContainer,
    MoveContainer,
    OfferContainer,
    PackContainer,
    PoolContainers,
    ReceiveContainer,
    SeeContainer,
    SplitContainer,
    UnpackContainer,
    WithdrawOffer,
    check_at_bedside,
    create,
    find,
    finish,
    infuse,
    miss,
    move,
    offer,
    pack,
    pool,
    receive,
    see,
    split,
    unpack,
    withdraw,
)
from anlage.record import Entry, Stream

from ..engine import Desk, command
from ..staff import person_of
from ..stores import in_step
from .equipment import KEEPER, OPERATOR, QUALITY, SECOND
from .materials import must_act

# Whoever may answer for a container, from the collection to the bedside.
HOLDERS = (
    OPERATOR, KEEPER, SECOND, QUALITY, "courier", "collection-nurse", "ward-nurse", "qc-analyst",
)  # fmt: skip


@command("create-container")
@in_step
def _create(desk: Desk, request: CreateContainer) -> list[Entry]:
    created = ContainerCreated(
        vessel=request.vessel,
        place=request.place,
        holder=_actor(desk),
        evidence=request.evidence,
        coi=request.coi,
        lot=request.lot,
        amount=request.amount,
    )
    return create(_container(desk, request.container), created)


@command("move-container")
@in_step
def _move(desk: Desk, request: MoveContainer) -> list[Entry]:
    by = _actor(desk)
    container = _container(desk, request.container)
    return move(container, place=request.place, by=by, evidence=request.evidence)


@command("see-container")
def _see(desk: Desk, request: SeeContainer) -> list[Entry]:
    _actor(desk)
    container = _container(desk, request.container)
    return see(container, place=request.place, evidence=request.evidence)


@command("offer-container")
def _offer(desk: Desk, request: OfferContainer) -> list[Entry]:
    by = _actor(desk)
    container = _container(desk, request.container)
    return offer(container, by=by, to=request.to, evidence=request.evidence)


@command("withdraw-offer")
def _withdraw(desk: Desk, request: WithdrawOffer) -> list[Entry]:
    by = _actor(desk)
    return withdraw(_container(desk, request.container), by=by, evidence=request.evidence)


@command("receive-container")
@in_step
def _receive(desk: Desk, request: ReceiveContainer) -> list[Entry]:
    by = _actor(desk)
    return receive(
        _container(desk, request.container),
        by=by,
        roles=_roles(desk, by),
        place=request.place,
        scanned=request.scanned,
        evidence=request.evidence,
    )


@command("pack-container")
@in_step
def _pack(desk: Desk, request: PackContainer) -> list[Entry]:
    return pack(
        _container(desk, request.container),
        _container(desk, request.into),
        by=_actor(desk),
        evidence=request.evidence,
        position=request.position,
    )


@command("unpack-container")
@in_step
def _unpack(desk: Desk, request: UnpackContainer) -> list[Entry]:
    return unpack(
        _container(desk, request.container),
        _container(desk, request.out_of),
        by=_actor(desk),
        evidence=request.evidence,
    )


@command("split-container")
@in_step
def _split(desk: Desk, request: SplitContainer) -> list[Entry]:
    by = _actor(desk)
    for name in request.parts:
        _must_be_new(_container(desk, name))
    return split(
        _container(desk, request.container),
        request.parts,
        vessel=request.vessel,
        by=by,
        evidence=request.evidence,
    )


@command("pool-containers")
@in_step
def _pool(desk: Desk, request: PoolContainers) -> list[Entry]:
    return pool(
        [_container(desk, name) for name in request.containers],
        _container(desk, request.into),
        vessel=request.vessel,
        by=_actor(desk),
        evidence=request.evidence,
    )


@command("miss-container")
@in_step
def _miss(desk: Desk, request: MissContainer) -> list[Entry]:
    _actor(desk)
    return miss(_container(desk, request.container), evidence=request.evidence)


@command("find-container")
@in_step
def _find(desk: Desk, request: FindContainer) -> list[Entry]:
    by = _actor(desk)
    container = _container(desk, request.container)
    return find(container, place=request.place, by=by, evidence=request.evidence)


@command("finish-container")
@in_step
def _finish(desk: Desk, request: FinishContainer) -> list[Entry]:
    by = _actor(desk)
    container = _container(desk, request.container)
    return finish(container, how=request.how, by=by, evidence=request.evidence)


@command("check-at-bedside")
def _bedside(desk: Desk, request: CheckAtBedside) -> list[Entry]:
    minutes = request.thaw_minutes_max
    order = InfusionOrder(
        id=request.order,
        coi=request.coi,
        lot=request.lot,
        volume_min=request.volume_min,
        volume_max=request.volume_max,
        expires=request.expires,
        thaw_to_infusion_max=None if minutes is None else timedelta(minutes=minutes),
    )
    return check_at_bedside(
        order,
        _container(desk, request.container),
        band=request.band,
        bag=request.bag,
        thawed=request.thawed,
        first=_actor(desk),
        second=request.second,
        at=desk.at,
    )


@command("infuse-container")
@in_step
def _infuse(desk: Desk, request: InfuseContainer) -> list[Entry]:
    container = _container(desk, request.container)
    by = _actor(desk)
    return infuse(container, given=request.given, left=request.left, by=by, at=desk.at)


def _actor(desk: Desk) -> str:
    """Give the qualified person at the desk, who answers for what is done."""
    must_act(desk, *HOLDERS)
    return desk.actor.person or ""


def _roles(desk: Desk, person: str) -> list[str]:
    """Give the roles for which a person is qualified now: an offer to one of them is theirs."""
    state = person_of(desk, person)
    found = []
    for role in sorted(state.roles):
        try:
            state.must_be_qualified(role, desk.at)
        except Refused:
            continue
        found.append(role)
    return found


def _container(desk: Desk, name: str) -> Container:
    return desk.read(Container, Stream(f"container/{name}"))


def _must_be_new(container: Container) -> None:
    if container.vessel:
        raise Refused(
            "container-exists",
            what=f"container {container.id}",
            found="a history of its own",
            limit="a number not used",
            remedy="label the new container with a new number and scan that",
            rule="ISO 21973",
        )
