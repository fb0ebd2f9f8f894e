"""EPCIS single events over a real socket: a served installation, clients in processes of their own.

`SECONDS` sets how long each number of clients sends (8 when not given). Beside it: the same number
of commits of the same bytes by bare SQLite with full synchronisation in the same folder, one at a
time, which is what a client alone waits for at best.
"""

import http.client
import json
import multiprocessing
import os
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from .epcis import an_event

CLIENTS = (1, 8, 32)


def main() -> None:
    """Print events per second for one client and for many at once."""
    seconds = float(os.environ.get("SECONDS", "8"))
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        print(f"{'bare SQLite, commits of one event':<44}{_bare(place):>10,.0f} /s", flush=True)
        data = str(place / "site")
        names = ["--site", "S1", "--name", "Benchmark", "--administrator", "Ada", "--login", "ada"]
        _anlage("init", "--data", data, *names)
        token = _anlage("token", "create", "--data", data, "--name", "b", "--person", "P-0001")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        serving = [sys.executable, "-m", "anlage", "serve", "--data", data, "--port", str(port)]
        server = subprocess.Popen(serving, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        try:
            _wait_for(f"http://127.0.0.1:{port}/health")
            first = 0
            for clients in CLIENTS:
                before = _processor_seconds(server.pid)
                done, rate, first = _sent(port, token.strip(), clients, seconds, first)
                each = (_processor_seconds(server.pid) - before) / done * 1000
                what = f"single events over HTTP, {clients} client{'s' if clients > 1 else ''}"
                print(f"{what:<44}{rate:>10,.0f} /s {each:>8.2f} ms of the processor", flush=True)
        finally:
            server.terminate()
            server.wait(20)


def _sent(
    port: int, token: str, clients: int, seconds: float, first: int
) -> tuple[int, float, int]:
    with multiprocessing.Pool(min(clients, 4)) as pool:
        threads = [len(range(n, clients, pool._processes)) for n in range(pool._processes)]  # type: ignore[attr-defined]
        jobs = [
            (port, token, count, seconds, first + 1_000_000 * n) for n, count in enumerate(threads)
        ]
        started = time.perf_counter()
        done = sum(pool.starmap(_client, jobs))
        spent = time.perf_counter() - started
    return done, done / spent, first + 1_000_000 * len(jobs)


def _client(port: int, token: str, threads: int, seconds: float, first: int) -> int:
    import threading

    counts = [0] * threads
    until = time.monotonic() + seconds

    def send(mine: int) -> None:
        link = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        while time.monotonic() < until:
            number = first + 10_000 * mine + counts[mine]
            link.request("POST", "/epcis/events", json.dumps(an_event(number, number)), headers)
            answer = link.getresponse()
            said = answer.read()
            if answer.status != 201:
                raise SystemExit(f"{answer.status}: {said[:300]!r}")
            counts[mine] += 1

    running = [threading.Thread(target=send, args=(n,)) for n in range(threads)]
    for one in running:
        one.start()
    for one in running:
        one.join()
    return sum(counts)


def _processor_seconds(process: int) -> float:
    """Give the processor time of a process and its children (Linux)."""
    total = 0.0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if process in (int(folder.name), int(fields[1])):
            total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


def _bare(folder: Path, tries: int = 150) -> float:
    link = sqlite3.connect(folder / "bare.db", isolation_level=None)
    link.execute("PRAGMA journal_mode=WAL")
    link.execute("PRAGMA synchronous=FULL")
    link.execute("CREATE TABLE event (id INTEGER PRIMARY KEY, text TEXT)")
    started = time.perf_counter()
    for number in range(tries):
        link.execute("INSERT INTO event (text) VALUES (?)", (json.dumps(an_event(number, number)),))
    spent = time.perf_counter() - started
    link.close()
    return tries / spent


def _anlage(*arguments: str) -> str:
    command = [sys.executable, "-m", "anlage", *arguments]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    return ran.stdout


def _wait_for(address: str) -> None:
    for _ in range(300):
        try:
            urllib.request.urlopen(address, timeout=2).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
        else:
            return
    raise SystemExit("the server did not come up")


if __name__ == "__main__":
    main()
