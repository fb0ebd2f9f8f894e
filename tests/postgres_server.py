"""A PostgreSQL server of one's own in a temporary folder, from the binaries that Debian installs."""

import contextlib
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path


def binaries():
    """Give the folder of the newest server's programs; None when there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


@contextlib.contextmanager
def server(name):
    """Run a server; give the URL of its first database."""
    home = binaries()
    folder = Path(f"/tmp/anlage-pg-{os.getpid()}-{name}")
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
    try:
        yield f"postgresql://anlage@127.0.0.1:{port}/postgres"
    finally:
        stop = [*as_user, home / "pg_ctl", "-D", data, "-m", "immediate", "stop"]
        subprocess.run(stop, **run)
        time.sleep(0.1)
        shutil.rmtree(folder, ignore_errors=True)
