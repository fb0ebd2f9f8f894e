"""Running a step on its page: scan, fill in, check, sign; what is refused and what is kept."""

import re

import pytest

from anlage.plant import Lot, LotStatus, StepStatus
from anlage.record import Stream
from tests.app.test_making import begin, order, ready, step
from tests.web.conftest import PASSWORD

FIRST = "receipt-identity"
BOTH = {
    "login": "anna", "password": PASSWORD, "verified-login": "ben", "verified-password": PASSWORD,
}  # fmt: skip


@pytest.fixture
def lot(house):
    """The number of a lot whose turn is its first step, the scan of the collection bag."""
    return begin(house, order(house))


@pytest.fixture
def scanned(house, enter, lot):
    """A lot whose first step is open, with the right scan."""
    coi = house.state(Lot, f"lot/{lot}").coi
    answer = enter("anna").post(page(lot), {"part": "scan", "scan": f"&/{coi}"})
    assert answer.status_code == 302
    return lot


def page(lot, key=FIRST):
    return f"/lots/{lot}/step/{key}"


def sign(browser, answer, proof=None):
    assert answer.status_code == 302, re.sub(r"<[^>]+>", " ", answer.content.decode())[-900:]
    return browser.post(answer.headers["Location"], proof or BOTH)


@pytest.mark.req("U13")
def test_a_wrong_scan_stops_the_step_and_is_kept(house, enter, lot):
    answer = enter("anna").post(page(lot), {"part": "scan", "scan": "CHA999926999999"})

    assert answer.status_code == 409
    assert b"identity-mismatch" in answer.content
    facts = house.installation.journal.read_stream(Stream(f"lot/{lot}"))
    kept = [one.body for one in facts if one.kind == "identity-scanned"]
    assert [(one["raw"], one["is_match"]) for one in kept] == [("CHA999926999999", False)]
    assert not house.state(Lot, f"lot/{lot}").steps[FIRST].scanned


def test_the_identity_is_on_the_screen_whatever_the_step_shows(enter, house, lot):
    coi = house.state(Lot, f"lot/{lot}").coi

    for key in (FIRST, "receipt-check", "wash"):
        text = enter("anna").get(page(lot, key)).content.decode()
        band = re.search(r'<div class="identity".*?</div>', text, re.S).group(0)
        assert coi in band and lot in band


@pytest.mark.req("U5")
@pytest.mark.req("U11")
def test_two_persons_sign_over_what_was_judged_and_shown(house, enter, scanned):
    browser = enter("anna")
    answer = browser.post(page(scanned), {"part": "complete", "witness": "ben"})
    shown = browser.get(answer.headers["Location"]).content.decode()

    done = sign(browser, answer)

    assert house.state(Lot, f"lot/{scanned}").coi in shown
    assert done.headers["Location"] == f"/lots/{scanned}"
    state = house.state(Lot, f"lot/{scanned}").steps[FIRST]
    assert (state.status, state.operator, state.witness) == (StepStatus.COMPLETED, "anna", "ben")


@pytest.mark.parametrize(
    "wrong",
    [{"verified-login": "anna"}, {"verified-password": "guess"}, {"password": "guess"},
     {"verified-login": "clara"}],
)  # fmt: skip
def test_nobody_signs_for_another(house, enter, scanned, wrong):
    browser = enter("anna")
    answer = browser.post(page(scanned), {"part": "complete", "witness": "ben"})

    refused = sign(browser, answer, BOTH | wrong)

    assert refused.status_code == 409
    assert house.state(Lot, f"lot/{scanned}").steps[FIRST].status is StepStatus.STARTED
    house_forgets_failures()


def house_forgets_failures():
    """Failed proofs count towards the lock of an account; other tests start without."""
    from anlage.store.desk.models import Account

    Account.objects.update(failures=0, locked_until=None)


def test_the_second_person_is_another(enter, scanned):
    answer = enter("anna").post(page(scanned), {"part": "complete", "witness": "anna"})

    assert answer.status_code == 409
    assert b"person-not-distinct" in answer.content


def test_a_signature_page_is_good_once(enter, scanned):
    browser = enter("anna")
    answer = browser.post(page(scanned), {"part": "complete", "witness": "ben"})
    sign(browser, answer)

    again = sign(browser, answer)

    assert again.status_code == 409
    assert b"signature-token-spent" in again.content


@pytest.fixture
def reading(house, enter, scanned):
    """A lot whose second step, the inspection of the collection, is open; with its file."""
    browser = enter("anna")
    sign(browser, browser.post(page(scanned), {"part": "complete", "witness": "ben"}))
    key = house.state(Lot, f"lot/{scanned}").ready[0]
    assert key == "receipt-check"
    from anlage.plant import StartStep

    house.do(StartStep(lot=scanned, step=key), "anna")
    from django.core.files.uploadedfile import SimpleUploadedFile

    picture = SimpleUploadedFile("bag.png", b"picture", "image/png")
    assert browser.post(page(scanned, key) + "/file", {"file": picture}).status_code == 302
    return scanned


def values(**changes):
    plain = {
        "part": "complete", "reading-state": "fresh", "reading-integrity": "intact",
        "reading-volume": "200,5",
    }  # fmt: skip
    return plain | changes


def own(browser, answer):
    return sign(browser, answer, {"login": "anna", "password": PASSWORD})


def test_no_field_has_a_value_before_somebody_enters_one(enter, reading):
    text = enter("anna").get(page(reading, "receipt-check")).content.decode()
    fields = re.findall(r'<input[^>]*name="reading-[^>]*>', text)

    assert fields
    assert not [one for one in fields if "checked" in one]
    numbers = [one for one in fields if 'type="radio"' not in one]
    assert all('value=""' in one for one in numbers)


def test_unit_and_limits_stand_beside_the_field(enter, reading):
    text = enter("anna").get(page(reading, "receipt-check")).content.decode()

    assert "80 mL to 400 mL" in text and "at least 40 mL" in text
    assert '<b class="unit">mL</b>' in text


@pytest.mark.req("U34")
def test_a_decimal_comma_is_read_as_typed(house, enter, reading):
    browser = enter("anna")

    own(browser, browser.post(page(reading, "receipt-check"), values()))

    found = house.state(Lot, f"lot/{reading}").steps["receipt-check"].readings["volume"]
    assert str(found.number) == "200.5 mL"


def test_a_value_outside_the_hard_limit_is_announced_then_held(house, enter, reading):
    browser = enter("anna")
    answer = browser.post(page(reading, "receipt-check"), values(**{"reading-volume": "20"}))
    shown = browser.get(answer.headers["Location"]).content.decode()

    own(browser, answer)

    assert "volume: 20 mL" in shown and "state: fresh" in shown
    assert "outside the hard limit" in shown and "deviation is opened" in shown
    lot = house.state(Lot, f"lot/{reading}")
    assert lot.steps["receipt-check"].status is StepStatus.HELD
    after = browser.get(page(reading, "receipt-check")).content.decode()
    assert "This step is held" in after and f"/deviations/{reading}-D01" in after


@pytest.mark.parametrize("text", ["many", "20 kg", "", "1e999999", "<b>"])
def test_what_is_no_value_of_the_field_stores_nothing(house, enter, reading, text):
    before = house.installation.journal.size

    answer = enter("anna").post(page(reading, "receipt-check"), values(**{"reading-volume": text}))

    assert answer.status_code == 409
    assert house.installation.journal.size == before
    assert b"Accepted is" in answer.content


@pytest.mark.req("P11.10g")
def test_who_may_not_do_a_step_is_told_before_and_refused_after(house, enter, reading):
    browser = enter("clara")

    before = browser.get(page(reading, "receipt-check")).content.decode()
    answer = browser.post(page(reading, "receipt-check"), values())

    assert "You may not do this step" in before
    assert answer.status_code == 409
    assert b"operator-unqualified" in answer.content


def test_a_step_whose_turn_it_is_not_shows_so_and_refuses(enter, lot):
    text = enter("anna").get(page(lot, "fill")).content.decode()
    answer = enter("anna").post(page(lot, "fill"), {"part": "complete"})

    assert "not this step" in text
    assert answer.status_code == 409


def test_a_unit_that_is_not_cleared_is_refused_at_the_start(house, enter):
    lot = house.named["running"]
    state = house.state(Lot, f"lot/{lot}")
    while not state.phase_of(state.ready[0]).equipment:
        step(house, state, state.ready[0])
        state = house.state(Lot, f"lot/{lot}")
    key = state.ready[0]
    units = [f"E-{name}" for name in state.phase_of(key).equipment]
    sent = {f"equipment-{one[2:]}": one for one in units} | {"part": "start"}

    refused = enter("anna").post(page(lot, key), sent)
    for unit in units:
        ready(house, unit, lot)
    taken = enter("anna").post(page(lot, key), sent)

    assert refused.status_code == 409
    assert b"equipment-not-ready" in refused.content
    assert taken.status_code == 302
    assert house.state(Lot, f"lot/{lot}").steps[key].status is StepStatus.STARTED


def test_records_are_read_line_by_line(house, enter, lot):
    lines = "BAG-1; 20 mL; 1.4e8 cell\nBAG-2; 20 mL"
    sent = {"lot": lot, "fills": lines, "back": f"/lots/{lot}"}

    answer = enter("anna").post("/act/fill-doses", sent)
    wrong = enter("anna").post("/act/fill-doses", sent | {"fills": "BAG-3; 20 mL; 1; 2; 3"})

    assert answer.status_code == 302
    assert set(house.state(Lot, f"lot/{lot}").containers) == {"BAG-1", "BAG-2"}
    assert wrong.status_code == 409 and b"field-unreadable" in wrong.content


def test_a_lot_is_reviewed_and_released_by_others_and_told_what_stands_before(house, enter):
    made = house.named["made"]
    quality, releaser = enter("eva"), enter("fritz")
    early = releaser.get(f"/lots/{made}/review").content.decode()
    refused = releaser.post("/act/release-lot", {"lot": made, "statement": "as approved"})
    for name in ("review-batch", "review-audit-trail"):
        version = house.state(Lot, f"lot/{made}").version
        asked = {"lot": made, "through": str(version), "comment": "plain", "back": "/"}
        answer = quality.post(f"/act/{name}", asked)
        sign(quality, answer, {"login": "eva", "password": PASSWORD})
    late = releaser.get(f"/lots/{made}/review").content.decode()
    answer = releaser.post("/act/release-lot", {"lot": made, "statement": "as approved"})

    sign(releaser, answer, {"login": "fritz", "password": PASSWORD})

    assert "Release is not possible yet" in early and "/act/release-lot" not in early
    assert refused.status_code == 409 and b"lot-not-releasable" in refused.content
    assert "/act/release-lot" in late
    assert house.state(Lot, f"lot/{made}").status is LotStatus.RELEASED
