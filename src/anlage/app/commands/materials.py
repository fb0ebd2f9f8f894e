"""Commands of material lots and suppliers."""

from anlage.base import Refused
from anlage.library import Definition
from anlage.plant import (
    CertifyMaterial,
    ChangeExpiry,
    ConsumeMaterial,
    CorrectUse,
    DestroyMaterial,
    DisqualifySupplier,
    FreezePack,
    InspectMaterial,
    MaterialLot,
    MaterialTerms,
    MovePack,
    OpenPack,
    PoolMaterials,
    PrepareMaterial,
    QualifySupplier,
    QuarantineMaterial,
    RecallMaterial,
    ReceiveMaterial,
    ReconcileMaterial,
    RegisterSupplier,
    RejectMaterial,
    ReleaseMaterial,
    ReserveMaterial,
    SplitMaterial,
    Supplier,
    ThawPack,
    VoidMaterial,
    certify_material,
    change_expiry,
    consume_material,
    correct_use,
    destroy_material,
    disqualify_supplier,
    freeze_pack,
    inspect_material,
    move_pack,
    open_pack,
    pool_materials,
    prepare_material,
    qualify_supplier,
    quarantine_material,
    read_terms,
    recall_material,
    receive_material,
    reconcile_material,
    register_supplier,
    reject_material,
    release_material,
    reserve_material,
    split_material,
    thaw_pack,
    void_material,
)
from anlage.record import Entry, Signature, Stream, World

from ..engine import Desk, command
from ..staff import person_of

KEEPER, QUALITY, OPERATOR = "store-keeper", "qa-reviewer", "operator"
DESCENDANTS_MAX = 100_000


@command("receive-material")
def _receive(desk: Desk, request: ReceiveMaterial) -> list[Entry]:
    must_act(desk, KEEPER)
    return receive_material(
        _lot(desk, request.material),
        request,
        terms=_terms(desk, request.material_class),
        supplier=_supplier(desk, request.supplier),
        at=desk.at,
    )


@command("prepare-material")
def _prepare(desk: Desk, request: PrepareMaterial) -> list[Entry]:
    must_act(desk, OPERATOR)
    name, _, number = request.recipe.partition("@")
    recipe = desk.read(Definition, Stream(f"definition/{name}"))
    recipe.must_be_effective(int(number) if number.isdigit() else 0, desk.at)
    return prepare_material(
        _lot(desk, request.material),
        request,
        terms=_terms(desk, request.material_class),
        sources={part.material: _lot(desk, part.material) for part in request.ingredients},
        at=desk.at,
    )


@command("inspect-material")
def _inspect(desk: Desk, request: InspectMaterial) -> list[Entry]:
    must_act(desk, KEEPER)
    return inspect_material(_lot(desk, request.material), request)


@command("certify-material")
def _certify(desk: Desk, request: CertifyMaterial) -> list[Entry]:
    must_act(desk, KEEPER)
    return certify_material(_lot(desk, request.material), request)


@command("quarantine-material")
def _quarantine(desk: Desk, request: QuarantineMaterial) -> list[Entry]:
    must_act(desk, KEEPER, QUALITY)
    return quarantine_material(_lot(desk, request.material), request)


@command("release-material")
def _release(desk: Desk, request: ReleaseMaterial) -> list[Entry]:
    must_sign(desk, request.signature, QUALITY)
    lot = _lot(desk, request.material)
    supplier = _supplier(desk, lot.supplier) if lot.supplier else None
    return release_material(lot, request, supplier=supplier, at=desk.at)


@command("reject-material")
def _reject(desk: Desk, request: RejectMaterial) -> list[Entry]:
    must_sign(desk, request.signature, QUALITY)
    return reject_material(_lot(desk, request.material), request)


@command("recall-material")
def _recall(desk: Desk, request: RecallMaterial) -> list[Entry]:
    must_act(desk, QUALITY)
    lot = _lot(desk, request.material)
    return recall_material(lot, request, descendants=_descendants(desk, lot))


@command("void-material")
def _void(desk: Desk, request: VoidMaterial) -> list[Entry]:
    must_act(desk, KEEPER)
    return void_material(_lot(desk, request.material), request)


@command("change-material-expiry")
def _change_expiry(desk: Desk, request: ChangeExpiry) -> list[Entry]:
    must_act(desk, KEEPER, QUALITY)
    if request.signature is not None:
        must_sign(desk, request.signature, QUALITY)
    return change_expiry(_lot(desk, request.material), request, at=desk.at)


@command("open-pack")
def _open(desk: Desk, request: OpenPack) -> list[Entry]:
    must_act(desk, KEEPER, OPERATOR)
    return open_pack(_lot(desk, request.material), request, at=desk.at)


@command("thaw-pack")
def _thaw(desk: Desk, request: ThawPack) -> list[Entry]:
    must_act(desk, KEEPER, OPERATOR)
    return thaw_pack(_lot(desk, request.material), request, at=desk.at)


@command("freeze-pack")
def _freeze(desk: Desk, request: FreezePack) -> list[Entry]:
    must_act(desk, KEEPER, OPERATOR)
    return freeze_pack(_lot(desk, request.material), request, at=desk.at)


@command("move-pack")
def _move(desk: Desk, request: MovePack) -> list[Entry]:
    must_act(desk, KEEPER, OPERATOR)
    return move_pack(_lot(desk, request.material), request)


@command("reserve-material")
def _reserve(desk: Desk, request: ReserveMaterial) -> list[Entry]:
    must_act(desk, KEEPER, OPERATOR)
    return reserve_material(_lot(desk, request.material), request, at=desk.at)


@command("consume-material")
def _consume(desk: Desk, request: ConsumeMaterial) -> list[Entry]:
    must_act(desk, OPERATOR)
    return consume_material(_lot(desk, request.material), request, at=desk.at)


@command("correct-material-use")
def _correct(desk: Desk, request: CorrectUse) -> list[Entry]:
    must_act(desk, OPERATOR, KEEPER)
    return correct_use(_lot(desk, request.material), request)


@command("destroy-material")
def _destroy(desk: Desk, request: DestroyMaterial) -> list[Entry]:
    must_act(desk, KEEPER, OPERATOR)
    return destroy_material(_lot(desk, request.material), request)


@command("reconcile-material")
def _reconcile(desk: Desk, request: ReconcileMaterial) -> list[Entry]:
    must_act(desk, KEEPER)
    return reconcile_material(_lot(desk, request.material), request)


@command("split-material")
def _split(desk: Desk, request: SplitMaterial) -> list[Entry]:
    must_act(desk, KEEPER, OPERATOR)
    child, parent = _lot(desk, request.into), _lot(desk, request.material)
    return split_material(child, parent, request, at=desk.at)


@command("pool-materials")
def _pool(desk: Desk, request: PoolMaterials) -> list[Entry]:
    must_act(desk, OPERATOR)
    sources = {part.material: _lot(desk, part.material) for part in request.parts}
    return pool_materials(_lot(desk, request.into), request, sources=sources, at=desk.at)


@command("register-supplier")
def _register_supplier(desk: Desk, request: RegisterSupplier) -> list[Entry]:
    must_act(desk, KEEPER, QUALITY)
    return register_supplier(_supplier(desk, request.supplier), request)


@command("qualify-supplier")
def _qualify_supplier(desk: Desk, request: QualifySupplier) -> list[Entry]:
    must_sign(desk, request.signature, QUALITY)
    return qualify_supplier(_supplier(desk, request.supplier), request, at=desk.at)


@command("disqualify-supplier")
def _disqualify_supplier(desk: Desk, request: DisqualifySupplier) -> list[Entry]:
    must_act(desk, QUALITY)
    return disqualify_supplier(_supplier(desk, request.supplier), request)


def must_act(desk: Desk, *roles: str) -> None:
    """See that the person at the desk holds one of these roles, qualified at this moment.

    Raises:
        Refused: `operator-unqualified`, as the first role says it.
    """
    _must_hold(desk, desk.actor.person, roles)


def must_sign(desk: Desk, signature: Signature | None, *roles: str) -> None:
    """See that who signs holds one of these roles; a missing signature is left to the decision.

    Raises:
        Refused: `operator-unqualified`.
    """
    if signature is None:
        return
    if signature.method == "simulated-person" and desk.world is not World.SIMULATED:
        raise Refused(
            "signature-unsound",
            what=f"signature of {signature.name}",
            found=f"a simulated person in a {desk.world} world",
            limit="a person who proved to be that person",
            remedy="log in and sign",
            rule="21 CFR 11.70",
        )
    _must_hold(desk, signature.person, roles)


def _must_hold(desk: Desk, person: str | None, roles: tuple[str, ...]) -> None:
    if person is None:
        raise Refused(
            "operator-unqualified",
            what=f"{desk.actor.via} without a person",
            found="nobody named",
            limit=f"a person in the role {' or '.join(roles)}",
            remedy="log in",
            rule="21 CFR 211.25",
        )
    state = person_of(desk, person)
    held = [role for role in roles if role in state.roles]
    refusals: list[Refused] = []
    for role in held or roles[:1]:
        try:
            state.must_be_qualified(role, desk.at)
            return
        except Refused as refused:
            refusals.append(refused)
    raise refusals[0]


def _lot(desk: Desk, name: str) -> MaterialLot:
    return desk.read(MaterialLot, Stream(f"material/{name}"))


def _supplier(desk: Desk, name: str) -> Supplier:
    return desk.read(Supplier, Stream(f"supplier/{name}"))


def _terms(desk: Desk, name: str) -> MaterialTerms:
    definition = desk.read(Definition, Stream(f"definition/material-class:{name}"))
    version = definition.must_have_effective(desk.at)
    return read_terms(name, version.content, version=version.number, digest=version.digest)


def _descendants(desk: Desk, lot: MaterialLot) -> list[MaterialLot]:
    """Give every material lot split off, pooled or prepared from a lot, at any depth."""
    found: dict[str, MaterialLot] = {}
    waiting = [lot]
    while waiting and len(found) < DESCENDANTS_MAX:
        one = waiting.pop()
        used = {use.subject for use in one.uses.values() if use.amount > 0}
        for name in sorted(used | set(one.children)):
            family, _, number = name.partition("/")
            if family == "material" and name not in found and name != str(lot.stream):
                found[name] = _lot(desk, number)
                waiting.append(found[name])
    return list(found.values())
