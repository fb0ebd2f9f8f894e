"""Databases to run the one contract suite on."""

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

from anlage.store import Postgres, Sqlite


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory, worker_id):
    """A PostgreSQL server of our own in a temporary folder."""
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not binaries:
        if os.environ.get("ANLAGE_REQUIRE_ENGINES"):
            pytest.fail("PostgreSQL is required here and is not installed")
        pytest.skip("PostgreSQL is not installed")
    home = binaries[-1].parent
    folder = Path(f"/tmp/anlage-pg-{os.getpid()}-{worker_id}")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o777)
    folder.chmod(0o777)
    as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    run = {"check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": "/"}
    data = folder / "data"
    subprocess.run([*as_user, home / "initdb", "-D", data, "-A", "trust", "-U", "anlage"], **run)
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c shared_buffers=64MB"
    subprocess.run(
        [*as_user, home / "pg_ctl", "-D", data, "-w", "-o", options, "-l", folder / "log", "start"],
        **run,
    )
    yield f"postgresql://anlage@127.0.0.1:{port}/postgres"
    subprocess.run([*as_user, home / "pg_ctl", "-D", data, "-m", "immediate", "stop"], **run)
    time.sleep(0.1)
    shutil.rmtree(folder, ignore_errors=True)


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
