"""A served facility to attack: one lot in work, people with logins, and a way to count what is stored."""

import json
from contextlib import contextmanager
from datetime import timedelta

import pytest

from anlage.app import make_account
from anlage.library import (
    AssessQualification,
    Finding,
    PersonRegistered,
    Qualifies,
    Requirement,
    RoleGranted,
)
from anlage.plant import Lot
from anlage.record import Actor, Entry, Stream
from tests.app.test_making import ROLES, begin, founded, order, step
from tests.serving import serve

PASSWORD = "correct horse battery"
GOWNING = Requirement(kind=Qualifies.GOWNING, subject="grade-b", every_days=30)
# Beside those of the small facility: one who reads, one without a role, one whose gowning lapses, one who holds
# every role (so that hostile values get past the guards to the decisions).
OTHERS = {
    "nora": ("inspector",), "otto": (),
    "pia": (),
    "nils": (), "lena": ("operator", "verifier"), "ada": ("administrator",),
    "omar": tuple(sorted({role for roles in ROLES.values() for role in roles} | {
        "administrator", "trainer", "definition-author", "definition-approver"})),
}  # fmt: skip


class Door:
    """The facility as an attacker meets it: pages and interface, with whatever login was got."""

    def __init__(self, plant, lot, coi):
        self.plant, self.lot, self.coi = plant, lot, coi

    def with_a_lot_of_its_own(self):
        """Give the same facility with another lot in work."""
        coi = order(self.plant)
        return Door(self.plant, begin(self.plant, coi), coi)

    @property
    def journal(self):
        return self.plant.installation.journal

    @property
    def at(self):
        return self.plant.clock.now()

    def browser(self, person=None):
        from django.test import Client

        from anlage.store.desk.models import Account

        client = Client()
        if person is not None:
            client.force_login(Account.objects.get(person=person))
        return client

    def post(self, person, name, values=None, *, sign=(), key=None, client=None):
        """Give status and answer of a raw call."""
        proofs = [{"login": one, "password": PASSWORD} for one in sign]
        body = {"values": values or {}, "sign": proofs, "key": key}
        answer = (client or self.browser(person)).post(
            f"/api/commands/{name}", json.dumps(body), content_type="application/json"
        )
        return answer.status_code, json.loads(answer.content)

    @contextmanager
    def nothing_stored(self):
        """See that no fact is added; a failed login is one, and no part of what was asked."""
        before = self.journal.size
        yield
        assert [one.kind for one in self.journal.read(before) if one.kind != "login-failed"] == []

    def refused(self, person, name, values=None, **more):
        """Give the code of the refusal of a raw call that has to leave no trace."""
        with self.nothing_stored():
            status, answer = self.post(person, name, values, **more)
        assert 400 <= status < 500, answer
        assert set(answer) == {"refused", "problems"}, answer
        return answer["refused"]["code"]

    def state(self):
        return self.plant.state(Lot, f"lot/{self.lot}")

    def go_to(self, wanted):
        """Do the lot's steps until one is ready."""
        for _ in range(40):
            lot = self.state()
            if wanted in lot.ready:
                return
            step(self.plant, lot, lot.ready[0])
        raise AssertionError(f"{wanted} is never ready")


def grant(plant):
    by, entries = Actor(person="admin", via="api"), []
    for person, roles in OTHERS.items():
        stream = Stream(f"person/{person}")
        entries.append(Entry(stream, PersonRegistered(id=person, name=person.title())))
        requires = (GOWNING,) if person == "lena" else ()
        for role in roles:
            granted = RoleGranted(role=role, role_version=1, requires=requires, granted_by="admin")
            entries.append(Entry(stream, granted))
    plant.installation.journal.append(entries, {}, by=by, at=plant.clock.now())
    assessed(plant)


def assessed(plant):
    """Assess lena's gowning as of now."""
    asked = AssessQualification(
        person="lena", requirement=Qualifies.GOWNING, subject="grade-b", finding=Finding.PASSED,
        evidence="seen",
    )  # fmt: skip
    plant.do(asked, "eva")


@pytest.fixture(autouse=True)
def served(request):
    """Whatever another test served, here it is the facility under attack."""
    if "door" in request.fixturenames:
        serve(request.getfixturevalue("door").plant.installation)


@pytest.fixture(scope="module")
def door(tmp_path_factory):
    """One facility for a module."""
    plant = founded(tmp_path_factory.mktemp("attacked"))
    serve(plant.installation, is_new=True)
    for person in (*ROLES, *OTHERS):
        make_account(login=person, person=person, password=PASSWORD)
    plant.clock.advance(timedelta(days=1))
    grant(plant)
    coi = order(plant)
    yield Door(plant, begin(plant, coi), coi)
    plant.installation.close()
