"""A phone checks a passport's code with no login, and with no network at all."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from playwright.sync_api import expect

from anlage.app import offline_page
from anlage.custody import Audience, compact, issue_passport, public_name

RECORD = {
    "id": "shipment/S-1",
    "product": {"name": "CAR-T", "maker": "Zellwerk Süd"},
    "handling": ["upright", "below −150 °C"],
    "conditions": [{"shipment": "SH-1", "verdict": "quarantine", "logs": [{"excursions": 1}]}],
}


@pytest.fixture(scope="module")
def key():
    return Ed25519PrivateKey.generate()


def passport(key, **more):
    at = more.pop("at", datetime.now(UTC) - timedelta(minutes=5))
    return issue_passport(RECORD, Audience.CARRIER, key, at=at, salt="0" * 32, **more)


def judged(page, text, trust):
    page.fill("#key", trust)
    page.fill("#passport", text)
    page.get_by_role("button", name="Check").click()
    return page.locator("[data-verdict]")


def _cases(key):
    good, trust = passport(key), public_name(key.public_key())
    changed = json.loads(json.dumps(good).replace("CAR-T", "CAR-X"))
    old = passport(key, at=datetime.now(UTC) - timedelta(days=90))
    other = public_name(Ed25519PrivateKey.generate().public_key())
    return [
        (compact(good), trust, "valid"),
        (json.dumps(good), f"did:key:{trust}", "valid"),
        (compact(good), "", "unconfirmed"),
        (compact(good), other, "invalid"),
        (compact(changed), trust, "invalid"),
        (compact(old), trust, "invalid"),
        ("AP1:NOTHING", trust, "invalid"),
    ]


def test_the_page_without_a_login_judges_as_the_command_does(hospital, chromium, key):
    page = chromium.new_page()
    page.goto(f"{hospital.address}/check")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Check a passport")

    for text, trust, verdict in _cases(key):
        expect(judged(page, text, trust)).to_have_attribute("data-verdict", verdict)
    expect(judged(page, *_cases(key)[0][:2])).to_be_visible()
    expect(page.locator("#verdict")).to_contain_text("Zellwerk Süd")
    expect(page.locator("#verdict")).to_contain_text("verdict: quarantine")
    page.close()


def test_the_page_as_a_file_needs_no_server_and_no_network(chromium, key, tmp_path):
    trust = public_name(key.public_key())
    file = tmp_path / "check.html"
    file.write_text(offline_page(trust), "utf-8")
    context = chromium.new_context(offline=True)
    page = context.new_page()
    page.goto(file.as_uri())
    assert page.input_value("#key") == trust

    for text, trusted, verdict in _cases(key):
        expect(judged(page, text, trusted)).to_have_attribute("data-verdict", verdict)
    judged(page, *_cases(key)[0][:2])
    expect(page.locator("#verdict")).to_contain_text("excursions: 1")
    context.close()
