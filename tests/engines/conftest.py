"""Databases to run the one contract suite on."""

import os

import pytest

from anlage.store import Postgres, Sqlite
from tests.postgres_server import binaries, server


@pytest.fixture(scope="session")
def postgres_url(worker_id):
    """A PostgreSQL server of our own in a temporary folder."""
    if binaries() is None:
        if os.environ.get("ANLAGE_REQUIRE_ENGINES"):
            pytest.fail("PostgreSQL is required here and is not installed")
        pytest.skip("PostgreSQL is not installed")
    with server(worker_id) as url:
        yield url


@pytest.fixture(scope="session")
def worker_id(request):
    """The worker of pytest-xdist, or `main`."""
    return os.environ.get("PYTEST_XDIST_WORKER", "main")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def make_dialect(request, tmp_path):
    """A function that opens the same empty database again and again, on each engine."""
    if request.param == "sqlite":
        return lambda part="journal": Sqlite(tmp_path / f"{part}.db", durable=True)
    url = request.getfixturevalue("postgres_url")
    name = f"t{abs(hash(str(tmp_path))) % 10**12}"
    return lambda part="journal": Postgres(
        url, schema=f"{name}_{part}", lock=abs(hash((name, part))) % 2**60
    )
