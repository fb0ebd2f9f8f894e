"""The facility: people qualified, definitions effective, cleanrooms, equipment and material in
place.
"""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from importlib.util import find_spec
from typing import Any

from anlage.base import Instant, Quantity
from anlage.library import (
    ApproveDefinition,
    AssessQualification,
    Definition,
    DraftDefinition,
    Finding,
    GrantRole,
    Person,
    Qualifies,
    ReadDocument,
    RegisterPerson,
    Requirement,
    Role,
    SubmitDefinition,
    starter,
    starters,
)
from anlage.plant import (
    CalibrateEquipment,
    CertifyMaterial,
    CleanEquipment,
    CleanRoom,
    Grade,
    InspectMaterial,
    PackIn,
    QualifyEquipment,
    QualifyRoom,
    QualifySupplier,
    Rcl,
    ReceiveMaterial,
    RegisterEquipment,
    RegisterRoom,
    RegisterSupplier,
    ReleaseMaterial,
    RoomTerms,
    Titre,
    starter_recipes,
)

from ..networks import network_content, network_examples
from .cast import CAST, UNQUALIFIED
from .player import Player

NETWORKS = ("central", "regional")
ADMINISTRATOR, AUTHOR, APPROVER = "P-0001", "P-0101", "P-0102"
STORE, OPERATOR, SECOND, QUALITY = "P-0105", "P-0106", "P-0107", "P-0109"
# Definitions are approved in this order, so that what one names is there before it.
ORDER = (
    "vocabulary", "sop", "role", "checklist", "label", "collection", "material-class",
    "equipment-class", "calculation", "assay", "method", "criteria", "specification", "recipe",
    "product",
)  # fmt: skip


def found_facility(player: Player) -> None:
    """Found the simulated facility: about a quarter of a thousand commands."""
    _people(player)
    _definitions(player)
    _qualifications(player)
    _rooms(player)
    _equipment(player)
    _materials(player)


def _people(player: Player) -> None:
    for member in CAST:
        player.names[member.id] = member.name
        if member.id == ADMINISTRATOR:
            continue
        player.do(
            RegisterPerson(id=member.id, name=member.name, post=member.post), by=ADMINISTRATOR
        )
    founding = (
        (AUTHOR, "definition-author"),
        (APPROVER, "definition-approver"),
        (APPROVER, "trainer"),
    )
    for person, role in founding:
        player.do(GrantRole(person=person, role=role), by=ADMINISTRATOR)


def _definitions(player: Player) -> None:
    every = [*starters(), *starter_recipes()]
    for one in sorted(every, key=lambda one: (ORDER.index(one.kind), one.id)):
        content = dict(one.content)
        player.do(DraftDefinition(content=content), by=AUTHOR)
        name = f"definition/{one.kind}:{one.id}"
        drafted = player.state(Definition, name).latest
        if drafted is None:
            continue
        kind, id, number = one.kind, one.id, drafted.number
        player.do(SubmitDefinition(kind=kind, id=id, number=number), by=AUTHOR)
        approved = ApproveDefinition(kind=kind, id=id, number=number, digest=drafted.digest)
        player.do(approved, by=APPROVER)
    for id in NETWORKS:
        _network(player, id)
    player.wait(minutes=5)


def _network(player: Player, id: str) -> None:
    """Bring one of the ready networks into effect; it is left out where the extra network is."""
    text = network_examples().get(id) if find_spec("airportsdata") else None
    if text is None:
        return
    basis = "published settings named in the file; the rest is assumed"
    title = f"{id.capitalize()} supply of twelve clinics"
    content = network_content(id=id, title=title, basis=basis, file=text)
    player.do(DraftDefinition(content=content), by=AUTHOR)
    player.do(SubmitDefinition(kind="network", id=id, number=1), by=AUTHOR)
    drafted = player.state(Definition, f"definition/network:{id}").versions[0]
    approved = ApproveDefinition(kind="network", id=id, number=1, digest=drafted.digest)
    player.do(approved, by=APPROVER)


def _qualifications(player: Player) -> None:
    for member in CAST:
        for role in member.roles:
            held = player.state(Person, f"person/{member.id}").roles
            if role not in held:
                player.do(GrantRole(person=member.id, role=role), by=ADMINISTRATOR)
    # The founding trainer assesses everyone, the quality reviewer first, who then assesses the
    # trainer.
    for member in sorted(CAST, key=lambda one: (one.id == APPROVER, one.id != QUALITY)):
        if member.id in UNQUALIFIED:
            continue
        for requirement in _requirements(player, member.id):
            if requirement.kind is Qualifies.DOCUMENT:
                document = player.state(Definition, f"definition/sop:{requirement.subject}")
                version = document.effective(player.clock.now())
                if version is not None:
                    player.do(
                        ReadDocument(document=requirement.subject, version=version.number),
                        by=member.id,
                    )
            else:
                assessor = APPROVER if member.id != APPROVER else QUALITY
                player.do(
                    AssessQualification(
                        person=member.id,
                        requirement=requirement.kind,
                        subject=requirement.subject,
                        finding=Finding.PASSED,
                        evidence="simulated assessment",
                    ),
                    by=assessor,
                )


def _requirements(player: Player, person: str) -> list[Requirement]:
    found = {}
    for role in player.state(Person, f"person/{person}").roles:
        checked = starter("role", role)
        if checked is not None and isinstance(checked.defined, Role):
            for one in checked.defined.requires:
                found[one.kind, one.subject] = one
    return list(found.values())


ROOMS = (
    ("R-101", "Receipt", "C"),
    ("R-102", "Open handling", "B"),
    ("R-103", "Culture", "C"),
    ("R-104", "Fill and finish", "B"),
    ("R-105", "Store", "D"),
)


def _rooms(player: Player) -> None:
    due = player.clock.now() + timedelta(days=365)
    for room, name, grade in ROOMS:
        terms = RoomTerms(
            grade=Grade(grade),
            checks=("no-material-of-another-lot", "no-label-of-another-lot", "surfaces-clean"),
            agents={"sporicide": Decimal(10)},
            lots_max=40,
        )
        player.do(RegisterRoom(room=room, name=name, terms=terms), by=QUALITY)
        player.do(QualifyRoom(room=room, due=due, report="simulated report"), by=QUALITY)
        player.do(
            CleanRoom(room=room, agent="sporicide", contact=Quantity.parse("10 min")), by=OPERATOR
        )


EQUIPMENT = (
    ("biosafety-cabinet", "BSC", 14, "R-102"),
    ("cell-counter", "CNT", 3, "R-103"),
    ("cell-washer", "WSH", 4, "R-102"),
    ("magnetic-selector", "MAG", 4, "R-102"),
    ("rocking-bioreactor", "BRX", 14, "R-103"),
    ("stirred-bioreactor", "STR", 2, "R-103"),
    ("incubator", "INC", 6, "R-103"),
    ("tube-welder", "WLD", 4, "R-104"),
    ("controlled-rate-freezer", "CRF", 3, "R-104"),
    ("balance", "BAL", 2, "R-104"),
    ("nitrogen-store", "LN2", 2, "R-105"),
    ("flow-cytometer", "FCM", 1, "R-103"),
    ("microscope", "MIC", 2, "R-103"),
    ("refrigerator", "REF", 2, "R-105"),
    ("freezer-80", "F80", 2, "R-105"),
)


def _equipment(player: Player) -> None:
    due = player.clock.now() + timedelta(days=200)
    for kind, prefix, count, room in EQUIPMENT:
        for number in range(1, count + 1):
            unit = f"{prefix}-{number:02d}"
            player.do(
                RegisterEquipment(
                    equipment=unit,
                    equipment_class=kind,
                    name=f"{kind.replace('-', ' ').capitalize()} {number}",
                    maker="simulated",
                    model="simulated",
                    serial=f"SIM-{prefix}-{number:04d}",
                    room=room,
                ),
                by=QUALITY,
            )
            make_ready(player, unit, kind, due=due)


def make_ready(player: Player, unit: str, kind: str, *, due: Instant) -> None:
    """Qualify, calibrate and clean a new unit as its class asks."""
    player.do(QualifyEquipment(equipment=unit, due=due, report="simulated report"), by=QUALITY)
    calibrate(player, unit, kind)
    clean(player, unit, kind)


def calibrate(player: Player, unit: str, kind: str) -> None:
    """Calibrate a unit for as long as its class allows."""
    checked = starter("equipment-class", kind)
    listed: Any = checked.content.get("capabilities") if checked else None
    spans = [
        Quantity.parse(str(one["calibrate-every"]))
        for one in listed or ()
        if "calibrate-every" in one
    ]
    days = min((int(span.to("d").value) for span in spans), default=180)
    player.do(
        CalibrateEquipment(
            equipment=unit,
            is_passed=True,
            certificate="simulated",
            due=player.clock.now() + timedelta(days=days),
        ),
        by=QUALITY,
    )


def clean(player: Player, unit: str, kind: str) -> None:
    """Clean a unit with the agent and for the contact time that its class asks for."""
    checked = starter("equipment-class", kind)
    asked = checked.content.get("cleaning") if checked else None
    if not isinstance(asked, Mapping):
        asked = {"agent": "alcohol 70 %", "contact": "1 min"}
    contact = Quantity.parse(str(asked["contact"]))
    player.do(
        CleanEquipment(equipment=unit, agent=str(asked["agent"]), contact=contact), by=OPERATOR
    )


MATERIALS = (
    # class, name, one pack, packs of a lot, days of life left
    ("t-cell-medium", "T-cell medium", "1000 mL", 120, 120),
    ("interleukin-2", "Interleukin-2", "1000000 [iU]", 40, 200),
    ("activation-beads", "Activation beads", "10 mL", 60, 180),
    ("selection-reagent", "Selection reagent", "1 vial", 60, 180),
    ("cd19-car-vector", "CD19 CAR vector", "10 mL", 60, 300),
    ("wash-buffer", "Wash buffer", "1000 mL", 200, 150),
    ("saline", "Saline", "500 mL", 60, 300),
    ("cryoprotectant", "Cryoprotectant", "50 mL", 60, 150),
    ("cryobag", "Cryobag", "1 bag", 300, 400),
    ("msc-bank-vial", "MSC bank vial", "1 vial", 40, 900),
    ("msc-medium", "MSC medium", "1000 mL", 80, 120),
    ("microcarriers", "Microcarriers", "100 g", 12, 200),
    ("dissociation-enzyme", "Dissociation enzyme", "500 mL", 40, 90),
    ("human-albumin", "Human albumin", "100 mL", 20, 300),
)


def _materials(player: Player) -> None:
    due = player.clock.now() + timedelta(days=300)
    player.do(RegisterSupplier(supplier="SUP-01", name="Simulated Supplies"), by=STORE)
    for index, (kind, name, pack, count, days) in enumerate(MATERIALS):
        player.do(
            QualifySupplier(
                supplier="SUP-01",
                material_class=kind,
                due=due,
                basis="simulated audit",
                is_sole_source=kind in {"cd19-car-vector", "activation-beads"},
            ),
            by=QUALITY,
        )
        for batch in (1, 2):
            receive(player, f"M-{index + 1:02d}{batch}", kind, name, pack, count, days + 40 * batch)


def receive(
    player: Player, id: str, kind: str, name: str, pack: str, count: int, days: int
) -> None:
    """Take a material lot in, inspect it, certify it, release it."""
    each = Quantity.parse(pack)
    vector = kind == "cd19-car-vector"
    titre = Titre(value=Quantity.parse("2e8 TU/mL"), method="flow titration, simulated")
    player.do(
        ReceiveMaterial(
            material=id,
            material_class=kind,
            name=name,
            amount=Quantity(each.value * count, each.unit),
            packs=tuple(PackIn(id=str(n), amount=each) for n in range(1, count + 1)),
            expires=player.clock.now() + timedelta(days=days),
            supplier="SUP-01",
            supplier_lot=f"SIM{id[2:]}",
            certificate=player.installation.blobs.put(f"simulated certificate of {id}".encode()),
            titre=titre if vector else None,
            rcl=Rcl.NOT_DETECTED if vector else None,
        ),
        by=STORE,
    )
    checked = starter("material-class", kind)
    needs: Any = checked.content.get("needs", ()) if checked else ()
    checks = {str(need): "present" for need in needs} | {"packaging": "intact", "label": "correct"}
    player.do(InspectMaterial(material=id, checks=checks), by=STORE)
    player.do(ReleaseMaterial(material=id), by=QUALITY)


__all__ = ["CertifyMaterial", "found_facility", "make_ready", "receive"]
