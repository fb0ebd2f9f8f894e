"""Commands of shipments: booked, sealed, handed over, logged, received, decided."""

import hashlib

from anlage.base import Refused
from anlage.custody import Container, Evidence, offer, receive
from anlage.custody.storage import (
    Keeping,
    PlaceRule,
    conflicts_within,
    quarantine,
    release,
)
from anlage.custody.transport import (
    BookShipment,
    CollectShipment,
    CourierLinkMade,
    DecideShipment,
    ExcursionDefinition,
    ExcursionRule,
    Goods,
    GoOnShipment,
    HandOverShipment,
    HoldShipment,
    Inspection,
    Lane,
    LeaveUnattended,
    LinkPurpose,
    LoadDevice,
    LogCondition,
    MakeCourierLink,
    Means,
    PrepareShipment,
    ReceiveShipment,
    RecordPaperHandOver,
    Seen,
    Shipment,
    ShipmentBooked,
    ShipmentHandedOver,
    ShipmentPrepared,
    ShipmentReceived,
    Shipper,
    SignAsCourier,
    TransportJudged,
    TransportRules,
    UnattendedStandard,
    WithdrawCourierLink,
    book,
    check_lane,
    collect,
    courier_of,
    decide_shipment,
    go_on,
    hand_over,
    hold,
    keeper_of_point,
    leave_unattended,
    log_condition,
    make_link,
    must_be_passable,
    packaged_transport_rules,
    prepare,
    receive_shipment,
    rule_for,
    take_shipper,
    use_link,
    withdraw_link,
)
from anlage.library import Definition, Person
from anlage.plant import Lot, LotStatus
from anlage.record import Entry, Stream

from ..conditions import opened_summary
from ..engine import Desk, command
from ..stores import container_of, in_step, keeping_of, rules_of
from .equipment import KEEPER, OPERATOR, QUALITY, SECOND
from .materials import must_act, must_sign

COORDINATOR, COURIER = "coordinator", "courier"
STANDARD = "unattended-standard:unattended"
RULES = "transport-rules:countries"


@command("book-shipment")
def _book(desk: Desk, request: BookShipment) -> list[Entry]:
    must_act(desk, KEEPER, COORDINATOR, OPERATOR)
    lane = desk.read(Lane, Stream(f"lane/{request.lane}"))
    shipper = desk.read(Shipper, Stream(f"shipper/{request.shipper}"))
    shipper.must_be_ready(until=request.due, hours=_longest(lane))
    assert shipper.registered is not None
    way = lane.must_be_open(until=request.due, model=shipper.registered.model)
    _rule(desk, request.product)  # so that a condition log can be judged
    ends = (way.origin_country, way.destination_country)
    day = request.pick_up.date()
    checked = check_lane(*ends, Goods.named(request.goods), day=day, rules=transport_rules(desk))
    must_be_passable(checked, accepted=request.accepted)
    booked = ShipmentBooked(
        lane=lane.id,
        product=request.product.strip().lower(),
        goods=checked.goods.value,
        shipper=shipper.id,
        pick_up=request.pick_up,
        due=request.due,
        rules=tuple(one.id for one in checked.rules),
        by=_who(desk),
        not_known=checked.not_known,
        accepted=request.accepted.strip(),
        contacts=request.contacts,
    )
    return book(_shipment(desk, request.shipment), booked, at=desk.at)


@command("prepare-shipment")
def _prepare(desk: Desk, request: PrepareShipment) -> list[Entry]:
    must_act(desk, OPERATOR, KEEPER, SECOND, QUALITY)
    shipper, shipment = container_of(desk, request.shipper), _shipment(desk, request.shipment)
    lots = []
    for name in request.containers:
        inside = container_of(desk, name)
        if inside.inside != shipper.id:
            raise Refused(
                "container-not-packed",
                what=f"container {name} of shipment {request.shipment}",
                found=inside.inside or "in no container",
                limit=f"inside {shipper.id}",
                remedy="pack it by scan first",
                rule="ISO 21973",
            )
        lots += [inside.lot] if inside.lot and inside.lot not in lots else []
    keepings = [keeping_of(desk, name) for name in request.containers]
    _must_travel_together(desk, shipper.id, keepings)
    prepared = ShipmentPrepared(
        shipper=shipper.id,
        containers=request.containers,
        seal=request.seal,
        sender=_who(desk),
        receiver=request.receiver,
        due=request.due,
        evidence=request.evidence,
        under_quarantine=request.under_quarantine,
        lots=tuple(lots),
    )
    _must_fit_release(request, keepings)
    return [*prepare(shipment, prepared), *_take_shipper(desk, shipment, prepared)]


@command("hand-over-shipment")
def _hand_over(desk: Desk, request: HandOverShipment) -> list[Entry]:
    must_act(desk, OPERATOR, KEEPER, SECOND, QUALITY, COORDINATOR)
    shipment = _shipment(desk, request.shipment)
    shipper, by = _shipper_of(desk, shipment), _who(desk)
    handed = ShipmentHandedOver(
        giver=shipper.holder or "",
        receiver=by,
        name=desk.read(Person, Stream(f"person/{by}")).name or by,
        means=Means.LOGIN,
        place=request.place,
        evidence=Evidence.SCANNED,
    )
    entries = hand_over(shipment, handed, seal=request.seal)
    taken = receive(
        shipper, by=by, place=request.place, scanned=shipper.id, evidence=Evidence.SCANNED
    )
    return [*entries, *taken]


@command("record-paper-hand-over")
def _paper(desk: Desk, request: RecordPaperHandOver) -> list[Entry]:
    must_act(desk, OPERATOR, KEEPER, SECOND, QUALITY, COORDINATOR)
    shipment = _shipment(desk, request.shipment)
    shipper = _shipper_of(desk, shipment)
    sealed, giver = shipment.sealed_at, shipper.holder or ""
    if sealed is None or not sealed <= request.happened <= desk.at:
        raise Refused(
            "paper-time",
            what=f"hand-over of shipment {request.shipment} on paper",
            found=request.happened.isoformat(),
            limit=f"from {sealed.isoformat() if sealed else 'its sealing'} to now",
            remedy="enter the time as the paper has it",
            rule="ALCOA: contemporaneous",
        )
    handed = ShipmentHandedOver(
        giver=giver,
        receiver=request.receiver,
        name=request.receiver,
        means=Means.PAPER,
        place=request.place,
        evidence=Evidence.PAPER,
        paper=request.paper,
    )
    entries = [
        *hand_over(shipment, handed, seal=request.seal),
        *_passed(shipper, giver, request.receiver, request.place, Evidence.PAPER),
    ]
    return [Entry(one.stream, one.fact, happened=request.happened) for one in entries]


@command("make-courier-link")
def _make_link(desk: Desk, request: MakeCourierLink) -> list[Entry]:
    must_act(desk, OPERATOR, KEEPER, COORDINATOR)
    made = CourierLinkMade(
        digest=request.digest,
        courier=request.courier,
        purpose=request.purpose,
        expires=request.expires,
        by=_who(desk),
    )
    return make_link(_shipment(desk, request.shipment), made, at=desk.at)


@command("withdraw-courier-link")
def _withdraw_link(desk: Desk, request: WithdrawCourierLink) -> list[Entry]:
    must_act(desk, OPERATOR, KEEPER, COORDINATOR)
    shipment = _shipment(desk, request.shipment)
    return withdraw_link(shipment, request.digest, reason=request.reason, by=_who(desk))


@command("sign-as-courier")
def _sign_as_courier(desk: Desk, request: SignAsCourier) -> list[Entry]:
    # The link is the right to this one act; whoever holds no link is refused by the decision.
    shipment = _shipment(desk, request.shipment)
    shipper = _shipper_of(desk, shipment)
    digest = hashlib.sha256(request.secret.encode("utf-8", "replace")).hexdigest()
    link, entries = use_link(
        shipment,
        digest,
        name=request.name,
        seal=request.seal,
        place=request.place,
        holder=shipper.holder or "",
        at=desk.at,
    )
    courier = courier_of(link)
    if link.purpose is LinkPurpose.PICK_UP:
        giver = shipper.holder or ""
        return [*entries, *_passed(shipper, giver, courier, request.place, Evidence.SCANNED)]
    assert shipment.prepared is not None
    to = shipment.prepared.receiver
    return [*entries, *offer(shipper, by=courier, to=to, evidence=Evidence.SCANNED)]


@command("load-device")
def _load(desk: Desk, request: LoadDevice) -> list[Entry]:
    must_act(desk, OPERATOR, KEEPER, COURIER)
    shipment = _shipment(desk, request.shipment)
    shipper, by = _shipper_of(desk, shipment), _who(desk)
    handed = ShipmentHandedOver(
        giver=by,
        receiver=request.device,
        name=request.device,
        means=Means.DEVICE,
        place=request.place,
        evidence=Evidence.DEVICE,
    )
    entries = hand_over(shipment, handed, seal=request.seal)
    passed = _passed(shipper, by, request.device, request.place, Evidence.DEVICE)
    return [*entries, *passed]


@command("leave-unattended")
def _leave(desk: Desk, request: LeaveUnattended) -> list[Entry]:
    if desk.actor.device is None:
        must_act(desk, OPERATOR, KEEPER, COURIER)
    shipment, standard = _shipment(desk, request.shipment), _standard(desk)
    shipper, booked = _shipper_of(desk, shipment), shipment.booked
    seen = Seen(
        seal=request.seal,
        latitude=float(request.latitude),
        longitude=float(request.longitude),
        sampled=request.sampled,
        celsius=float(request.celsius),
        light=None if request.light is None else float(request.light),
        tilt=None if request.tilt is None else float(request.tilt),
    )
    entries = leave_unattended(
        shipment,
        seen,
        point=request.point,
        device=request.device,
        holder=shipper.holder or "",
        standard=standard,
        rule=_rule(desk, booked.product if booked else ""),
        at=desk.at,
    )
    keeper = keeper_of_point(request.point.strip())
    return [*entries, *_passed(shipper, request.device, keeper, keeper, Evidence.DEVICE)]


@command("collect-shipment")
def _collect(desk: Desk, request: CollectShipment) -> list[Entry]:
    must_act(desk, OPERATOR, KEEPER, SECOND, QUALITY, COORDINATOR)
    shipment, by = _shipment(desk, request.shipment), _who(desk)
    name = desk.read(Person, Stream(f"person/{by}")).name or by
    left, entries = collect(shipment, seal=request.seal, by=by, name=name, at=desk.at)
    shipper, keeper = _shipper_of(desk, shipment), keeper_of_point(left.point)
    return [*entries, *_passed(shipper, keeper, by, keeper, Evidence.SCANNED)]


@command("log-condition")
def _log(desk: Desk, request: LogCondition) -> list[Entry]:
    must_act(desk, OPERATOR, KEEPER, QUALITY, COORDINATOR)
    shipment, logged = _shipment(desk, request.shipment), opened_summary(request)
    entries = log_condition(shipment, logged)
    judged = TransportJudged(
        shipment=shipment.id,
        file=logged.file,
        rule=logged.rule,
        verdict=logged.verdict,
        reasons=logged.reasons,
    )
    for name in shipment.prepared.lots if shipment.prepared else ():
        lot = desk.read(Lot, Stream(f"lot/{name}"))
        if lot.status is not LotStatus.UNKNOWN:
            entries.append(Entry(Stream(f"lot/{name}"), judged))
    return entries


@command("hold-shipment")
def _hold(desk: Desk, request: HoldShipment) -> list[Entry]:
    must_act(desk, OPERATOR, KEEPER, COORDINATOR, QUALITY)
    return hold(
        _shipment(desk, request.shipment),
        cause=request.cause,
        place=request.place,
        note=request.note,
        by=_who(desk),
    )


@command("go-on-shipment")
def _go_on(desk: Desk, request: GoOnShipment) -> list[Entry]:
    must_act(desk, OPERATOR, KEEPER, COORDINATOR, QUALITY)
    return go_on(_shipment(desk, request.shipment), note=request.note, by=_who(desk))


@command("receive-shipment")
@in_step
def _receive_shipment(desk: Desk, request: ReceiveShipment) -> list[Entry]:
    must_act(desk, OPERATOR, KEEPER, SECOND, QUALITY)
    shipment, by = _shipment(desk, request.shipment), _who(desk)
    found = Inspection(
        scanned=request.scanned,
        seal=request.seal,
        verdict=shipment.verdict or request.verdict,
        damaged=frozenset(request.damaged),
        record=shipment.logs[-1].file if shipment.logs else request.record,
    )
    entries = receive_shipment(shipment, found, by=by, at=desk.at)
    got = entries[0].fact
    assert isinstance(got, ShipmentReceived)
    if request.place.strip():
        shipper = _shipper_of(desk, shipment)
        entries += receive(
            shipper, by=by, place=request.place, scanned=shipper.id, evidence=Evidence.SCANNED
        )
    why = "; ".join(got.reasons)[:380] or "received in doubt"
    for name in got.quarantined:
        keeping = keeping_of(desk, name)
        if keeping.quarantined is None and keeping.exists:
            entries += quarantine(keeping, reason=why, by=by, shipment=shipment.id)
    return entries


@command("decide-shipment")
def _decide(desk: Desk, request: DecideShipment) -> list[Entry]:
    must_act(desk, QUALITY)
    must_sign(desk, request.signature, QUALITY)
    by = _who(desk)
    entries = decide_shipment(
        _shipment(desk, request.shipment),
        request.containers,
        is_accepted=request.accept,
        reason=request.reason,
        by=by,
        signature=request.signature,
    )
    for name in request.containers if request.accept else ():
        keeping = keeping_of(desk, name)
        if keeping.quarantined is not None:
            entries += release(keeping, reason=request.reason, by=by, signature=request.signature)
    return entries


def transport_rules(desk: Desk) -> TransportRules:
    """Give the rules of country pairs in force: the site's own, or the packaged ones."""
    version = desk.read(Definition, Stream(f"definition/{RULES}")).effective(desk.at)
    return packaged_transport_rules() if version is None else TransportRules.read(version.content)


def _rule(desk: Desk, product: str) -> ExcursionRule:
    """Give the excursion rule of a product: the site's own, or the packaged one.

    Raises:
        Refused: There is none.
    """
    name = f"definition/excursion-rule:{product.strip().lower()}"
    if Stream.pattern.fullmatch(name) is not None:
        version = desk.read(Definition, Stream(name)).effective(desk.at)
        if version is not None:
            return ExcursionDefinition.read(version.content).rule
    return rule_for(product)


def _standard(desk: Desk) -> UnattendedStandard:
    """Give the site's standard of deliveries without a person; there is no packaged one.

    Raises:
        Refused: `unattended-no-standard`.
    """
    version = desk.read(Definition, Stream(f"definition/{STANDARD}")).effective(desk.at)
    if version is None:
        raise Refused(
            "unattended-no-standard",
            what="delivery without a person",
            found="no standard in force",
            limit=f"an effective definition {STANDARD}",
            remedy="hand it to a person, or have quality approve a standard first",
            rule="ISO 21973",
        )
    return UnattendedStandard.read(version.content)


def _must_travel_together(desk: Desk, shipper: str, keepings: list[Keeping]) -> None:
    """See that what is in one shipper may be; what nobody has classified cannot be judged."""
    kept = [one.kept() for one in keepings if one.said is not None]
    place = PlaceRule(id=shipper, takes_infectious=True)
    problems = conflicts_within(kept, place, rules=rules_of(desk))
    problems = [one for one in problems if one.code != "temperature-not-kept"]
    if problems:
        raise Refused.of(problems)


def _must_fit_release(request: PrepareShipment, keepings: list[Keeping]) -> None:
    waiting = [one.id for one in keepings if one.quarantined is not None]
    if waiting and not request.under_quarantine:
        raise Refused(
            "container-quarantined",
            what=f"shipment {request.shipment}",
            found=f"{', '.join(waiting)} in quarantine",
            limit="released containers, or a shipment under quarantine",
            remedy="have quality release them, or send under quarantine",
            rule="21 CFR 1271.265(c)",
        )


def _take_shipper(desk: Desk, shipment: Shipment, prepared: ShipmentPrepared) -> list[Entry]:
    """Give the fact of the fleet's shipper that goes out; a carrier's own shipper has none."""
    shipper = desk.read(Shipper, Stream(f"shipper/{prepared.shipper}"))
    booked = shipment.booked
    if booked is not None and booked.shipper != prepared.shipper:
        raise Refused(
            "shipper-not-booked",
            what=f"shipment {shipment.id}",
            found=f"packed in {prepared.shipper}",
            limit=f"{booked.shipper}, as booked",
            remedy="pack it into the shipper that was booked, or book again",
            rule="ISO 21973",
        )
    if shipper.registered is None:
        return []
    lane = desk.read(Lane, Stream(f"lane/{booked.lane}")) if booked else Lane(id="")
    hours = _longest(lane) if booked else (prepared.due - desk.at).total_seconds() / 3600
    return take_shipper(shipper, shipment=shipment.id, until=prepared.due, hours=hours)


def _longest(lane: Lane) -> float:
    return float(lane.registered.hours_max) if lane.registered else 0.0


def _passed(
    shipper: Container, giver: str, receiver: str, place: str, evidence: Evidence
) -> list[Entry]:
    """Give both sides of a hand-over of the shipper, from whoever holds it."""
    offered = shipper
    opened: list[Entry] = []
    if shipper.offered_to != receiver:
        opened = offer(shipper, by=giver, to=receiver, evidence=evidence)
        offered = shipper.with_fact(opened[0].fact)
    closed = receive(offered, by=receiver, place=place, scanned=shipper.id, evidence=evidence)
    return [*opened, *closed]


def _shipper_of(desk: Desk, shipment: Shipment) -> Container:
    name = shipment.prepared.shipper if shipment.prepared else "none"
    return container_of(desk, name)


def _shipment(desk: Desk, name: str) -> Shipment:
    return desk.read(Shipment, Stream(f"shipment/{name}"))


def _who(desk: Desk) -> str:
    return desk.actor.person or ""
