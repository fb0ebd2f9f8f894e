"""The pages in process: one installation for a module, and browsers without a browser."""

from datetime import UTC, datetime, timedelta

import pytest

from anlage.app import (
    Installation,
    first_administrator,
    make_account,
    settings,
)
from anlage.base import FixedClock
from anlage.record import World
from tests.serving import serve

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
PASSWORD = "correct horse battery"


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """One served installation for all web tests of this worker: Django is set up once in a process."""
    chosen = settings(tmp_path_factory.mktemp("site"), demo=True)
    installation = Installation.create(
        chosen, world=World.SIMULATED, site="S1", site_name="Trial Hospital", clock=FixedClock(AT)
    )
    serve(installation, is_new=True)
    first_administrator(installation, name="Ada Lovelace")
    make_account(login="ada", person="P-0001", password=PASSWORD)
    yield installation
    installation.close()


@pytest.fixture(autouse=True)
def served(request):
    """Whatever another test served, here it is the installation of this folder."""
    if "site" in request.fixturenames:
        serve(request.getfixturevalue("site"))


@pytest.fixture
def client(site):
    """A browser without a browser, not logged in."""
    from django.test import Client

    return Client(enforce_csrf_checks=False)


@pytest.fixture
def ada(client):
    """The administrator, logged in."""
    answer = client.post("/login", {"login": "ada", "password": PASSWORD})
    assert answer.status_code == 302
    return client


@pytest.fixture(scope="session")
def house(site):
    """The trial hospital furnished: people of each role, stock, lots at several stages."""
    serve(site)
    from tests.app.test_making import Plant
    from tests.web.facility import furnish

    site.clock.advance(timedelta(days=2))
    plant = Plant(site, site.clock)
    plant.named = furnish(plant)
    return plant


@pytest.fixture(scope="session")
def enter(house):
    """Log somebody in: gives a browser without a browser for each login name, once."""
    from django.test import Client

    browsers = {}

    def browser(login):
        if login not in browsers:
            browsers[login] = Client()
            answer = browsers[login].post("/login", {"login": login, "password": PASSWORD})
            assert answer.status_code == 302
        return browsers[login]

    return browser
