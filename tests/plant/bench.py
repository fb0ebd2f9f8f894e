"""A small journal in memory for the tests of PLANT: entries in, recorded facts and states out."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from anlage.base import Quantity
from anlage.plant import (
    EquipmentTerms,
    EquipmentUnit,
    Grade,
    MaterialLot,
    MaterialTerms,
    PackIn,
    QualifySupplier,
    ReceiveMaterial,
    RegisterSupplier,
    ReleaseMaterial,
    Room,
    RoomTerms,
    Supplier,
    qualify_supplier,
    receive_material,
    register_supplier,
    release_material,
)
from anlage.record import NOTHING_BEFORE, Actor, Stream, sign, write

AT = datetime(2026, 3, 1, 8, tzinfo=UTC)
MEDIUM = MaterialTerms(
    material_class="medium",
    unit="mL",
    hours_after_opening=Decimal(72),
    tolerance_percent=Decimal(2),
    inspections=("seal",),
)
VECTOR = MaterialTerms(
    material_class="vector",
    unit="uL",
    hours_after_thaw=Decimal(4),
    is_frozen=True,
    thaws_max=1,
    needs_titre=True,
    needs_rcl=True,
    gmo_class=2,
)


class Rows:
    """Rows of a view in a dictionary."""

    def __init__(self):
        self.all = {}

    def get(self, key):
        found = self.all.get(key)
        return None if found is None else dict(found[2])

    def put(self, key, row, *, facet="", order=""):
        self.all[key] = (facet, order, row)

    def delete(self, key):
        self.all.pop(key, None)

    def find(self, *, facet=None, limit=1000, newest_first=False, after=None, text=""):
        hits = [
            (order, key, row)
            for key, (its, order, row) in self.all.items()
            if facet is None or its == facet
        ]
        for _, key, row in sorted(hits, key=lambda one: one[:2], reverse=newest_first)[:limit]:
            yield key, row

    def count(self, *, facet=None):
        return len(list(self.find(facet=facet, limit=10**9)))


class Bench:
    """Keeps facts, folds states and follows views, as the engine would."""

    def __init__(self, *views):
        self.facts = []
        self.views = [(view, Rows()) for view in views]
        self.at = AT

    def keep(self, entries, by="keeper"):
        for entry in entries:
            past = self.stream(entry.stream)
            recorded = write(
                entry,
                number=len(self.facts),
                version=len(past) + 1,
                previous=past[-1].hash if past else NOTHING_BEFORE,
                site="S1",
                by=Actor(person=by, via="page"),
                at=self.at,
                recorded=self.at,
            )
            self.facts.append(recorded)
            for view, rows in self.views:
                if recorded.stream.family in view.families:
                    view.apply(rows, recorded)
        return self.facts[-len(entries) :]

    def stream(self, stream):
        return [one for one in self.facts if one.stream == stream]

    def state(self, cls, stream):
        state = cls.begin(Stream(stream))
        for one in self.stream(stream):
            state = state.after(one)
        return state

    def material(self, name):
        return self.state(MaterialLot, f"material/{name}")

    def unit(self, name):
        return self.state(EquipmentUnit, f"equipment/{name}")

    def room(self, name):
        return self.state(Room, f"room/{name}")

    def rows(self, name):
        return next(rows for view, rows in self.views if view.name == name)

    def later(self, **step):
        self.at += timedelta(**step)


def signed(person="qa", at=AT, meaning="released"):
    return sign(
        {"subject": "test"},
        person=person,
        name=person.title(),
        meaning=meaning,
        template="test@1",
        method="simulated-person",
        at=at,
    )


def q(text):
    return Quantity.parse(text)


def supplier(bench, terms=MEDIUM, days=365, name="ACME"):
    stream = Stream(f"supplier/{name}")
    if not bench.stream(stream):
        request = RegisterSupplier(supplier=name, name=f"{name} Ltd")
        bench.keep(register_supplier(Supplier.begin(stream), request))
    held = bench.state(Supplier, stream)
    if terms.material_class not in held.classes:
        request = QualifySupplier(
            supplier=name,
            material_class=terms.material_class,
            due=bench.at + timedelta(days=days),
            basis="audit 2026-01",
            signature=signed(),
        )
        bench.keep(qualify_supplier(held, request, at=bench.at))
    return bench.state(Supplier, stream)


def received(bench, name="M-1", *, terms=MEDIUM, amount="500 mL", days=30, packs=(), **more):
    """A material lot in quarantine, all papers there."""
    request = ReceiveMaterial(
        material=name,
        material_class=terms.material_class,
        name=f"the {terms.material_class}",
        amount=q(amount),
        expires=bench.at + timedelta(days=days),
        supplier="ACME",
        supplier_lot="SL-77",
        certificate="ab" * 32,
        packs=tuple(PackIn(id=key, amount=q(much), position=where) for key, much, where in packs),
        **more,
    )
    held = supplier(bench, terms)
    bench.keep(
        receive_material(bench.material(name), request, terms=terms, supplier=held, at=bench.at)
    )
    return bench.material(name)


def released(bench, name="M-1", **more):
    """A material lot that may be used."""
    from anlage.plant import InspectMaterial, inspect_material

    lot = received(bench, name, **more)
    if lot.terms.inspections:
        seen = InspectMaterial(material=name, checks=dict.fromkeys(lot.terms.inspections, "intact"))
        bench.keep(inspect_material(lot, seen))
    asked = ReleaseMaterial(material=name, signature=signed())
    held = supplier(bench, lot.terms)
    bench.keep(release_material(bench.material(name), asked, supplier=held, at=bench.at), by="qa")
    return bench.material(name)


CABINET = EquipmentTerms(
    equipment_class="cabinet", agents={"ethanol 70 %": Decimal(2)}, clean_hours=Decimal(4)
)
INCUBATOR = EquipmentTerms(
    equipment_class="incubator", agents={"ethanol 70 %": Decimal(2)}, lots_max=3
)
SUITE = RoomTerms(
    grade=Grade.B,
    checks=("no labels of another lot", "no material of another lot"),
    agents={"peracetic acid": Decimal(5)},
    lots_max=2,
)
