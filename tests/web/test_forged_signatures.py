"""Attacks on signatures through the interface: none is taken ready made, none without its proof."""

import json

import pytest

from anlage.plant import CompleteStep, Lot, StartStep, StepStatus, shown_step
from anlage.record import encode
from tests.app.test_making import begin, order
from tests.web.conftest import PASSWORD

FIRST = "receipt-identity"


@pytest.fixture
def lot(house):
    """A lot whose first step, the scan by two persons, is open."""
    found = begin(house, order(house))
    house.do(StartStep(lot=found, step=FIRST), "anna")
    return found


def ask(browser, name, values, *proofs):
    sign = [{"login": login, "password": password} for login, password in proofs]
    body = json.dumps({"values": values, "sign": sign})
    return browser.post(f"/api/commands/{name}", body, content_type="application/json")


def values_of(house, lot):
    coi = house.state(Lot, f"lot/{lot}").coi
    return {"lot": lot, "step": FIRST, "scan": coi, "witness": "ben"}


@pytest.mark.req("P11.70")
@pytest.mark.req("P11.200")
@pytest.mark.parametrize("field", ["performed", "verified"])
def test_a_signature_that_comes_ready_made_is_refused(house, enter, lot, field):
    values = values_of(house, lot)
    shown = shown_step(CompleteStep(**values))
    forged = {
        "performed": encode(house.sign("anna", "performed", **shown)),
        "verified": encode(house.sign("ben", "verified", **shown)),
    }

    both = ask(enter("anna"), "complete-step", values | forged, ("anna", PASSWORD))
    one = ask(enter("anna"), "complete-step", values | {field: forged[field]}, ("anna", PASSWORD))

    for answer in (both, one):
        assert answer.status_code == 409
        assert json.loads(answer.content)["refused"]["code"] == "signature-not-proven"
    assert house.state(Lot, f"lot/{lot}").steps[FIRST].status is StepStatus.STARTED


@pytest.mark.parametrize(
    "proofs", [[], [("anna", PASSWORD)], [("anna", PASSWORD), ("ben", "guess")],
               [("anna", PASSWORD), ("clara", PASSWORD)]]
)  # fmt: skip
def test_without_the_proof_of_both_persons_nothing_is_signed(house, enter, lot, proofs):
    from anlage.store.desk.models import Account

    answer = ask(enter("anna"), "complete-step", values_of(house, lot), *proofs)

    assert answer.status_code == 409
    assert house.state(Lot, f"lot/{lot}").steps[FIRST].status is StepStatus.STARTED
    Account.objects.update(failures=0, locked_until=None)


def test_both_persons_sign_through_the_interface_with_their_own_proof(house, enter, lot):
    proofs = [("anna", PASSWORD), ("ben", PASSWORD)]

    answer = ask(enter("anna"), "complete-step", values_of(house, lot), *proofs)

    assert answer.status_code == 200, answer.content
    step = house.state(Lot, f"lot/{lot}").steps[FIRST]
    assert (step.status, step.operator, step.witness) == (StepStatus.COMPLETED, "anna", "ben")
