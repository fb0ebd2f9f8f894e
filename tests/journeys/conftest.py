"""A real server on a furnished installation, and a real browser that talks to nobody else."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from tests.web.facility import PASSWORD

ROOT = Path(__file__).resolve().parents[2]
SIZES = {"tablet": (820, 1180), "desktop": (1360, 900)}
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
UP_SECONDS = 120.0


@pytest.fixture(scope="session")
def chromium():
    """The browser, or a skip where there is none."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        if os.environ.get("ANLAGE_REQUIRE_ENGINES"):
            pytest.fail("chromium is required and not installed")
        pytest.skip("chromium is not installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


class Hospital:
    """The served installation: its address and the numbers of its lots."""

    def __init__(self, address, named):
        self.address, self.named = address, named


@pytest.fixture(scope="session")
def hospital(tmp_path_factory, chromium):
    """A furnished installation, served; stopped at the end."""
    folder = tmp_path_factory.mktemp("hospital") / "data"
    environment = os.environ | {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
    seeding = [sys.executable, "-m", "tests.journeys.seed", str(folder)]
    done = subprocess.run(
        seeding, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "anlage", "serve", "--data", str(folder), "--port", str(port)]
    log = folder.parent / "server.log"
    with log.open("w") as writing:
        server = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=writing, stderr=subprocess.STDOUT
        )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait(address, server, log)
        yield Hospital(address, json.loads(done.stdout.splitlines()[-1]))
    finally:
        server.terminate()
        server.wait(20)


def _wait(address, server, log):
    until = time.monotonic() + UP_SECONDS
    while time.monotonic() < until:
        assert server.poll() is None, log.read_text()[-2000:]
        try:
            with urllib.request.urlopen(f"{address}/health", timeout=2) as answer:
                json.load(answer)
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"the server did not come up: {log.read_text()[-2000:]}")


@pytest.fixture
def come(hospital, chromium):
    """Let a person come to a screen: logged in, with every request watched."""
    contexts, strangers, broken = [], [], []

    def person(login, *, theme="light", size="tablet"):
        width, height = SIZES[size]
        context = chromium.new_context(
            viewport={"width": width, "height": height}, color_scheme=theme
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("request", lambda asked: _watch(asked.url, hospital.address, strangers))
        page.on("response", lambda told: broken.append(told.url) if told.status >= 500 else None)
        page.goto(f"{hospital.address}/login")
        page.fill("#login", login)
        page.fill("#password", PASSWORD)
        page.click("button.main")
        page.wait_for_url(f"{hospital.address}/")
        return page

    yield person
    for context in contexts:
        context.close()
    assert strangers == [], "a page asked another host"
    assert broken == []


def _watch(url, address, strangers):
    if not url.startswith((address, "data:")):
        strangers.append(url)
