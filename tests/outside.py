"""Other people's programs from npm: installed once beside the tests' cache, skipped where absent.

On the machine that must have every engine (`ANLAGE_REQUIRE_ENGINES`) a missing node or npm fails
instead; a registry that does not answer skips everywhere, and says so.
"""

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

CACHE = Path(__file__).resolve().parents[1] / ".cache" / "npm"
SECONDS = 240


def npm_folder(name, packages, overrides=None):
    """Give a folder in which these packages (`name@version`) are installed."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        _absent("node and npm are not installed")
    wanted = {"private": True, "overrides": overrides or {}}
    mark = hashlib.sha256(json.dumps([*packages, wanted]).encode()).hexdigest()[:12]
    folder = CACHE / f"{name}-{mark}-{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"
    done = folder / "installed"
    if done.exists():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "package.json").write_text(json.dumps(wanted), "utf-8")
    options = ["--silent", "--no-audit", "--no-fund", "--prefer-offline"]
    try:
        installed = subprocess.run(
            ["npm", "install", *options, *packages],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        pytest.skip("the npm registry does not answer")
    if installed.returncode:
        if subprocess.run(["npm", "ping"], capture_output=True, timeout=60, check=False).returncode:
            pytest.skip("the npm registry does not answer")
        pytest.fail(f"npm install {' '.join(packages)}: {installed.stderr[-400:]}")
    done.write_text("yes", "ascii")
    return folder


def node(folder, script, *arguments):
    """Run a script in the folder and give the words that it printed."""
    path = folder / f"run-{hashlib.sha256(script.encode()).hexdigest()[:8]}.mjs"
    path.write_text(script, "utf-8")
    ran = subprocess.run(
        ["node", path.name, *map(str, arguments)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    return ran.stdout.split()


def _absent(why):
    if os.environ.get("ANLAGE_REQUIRE_ENGINES"):
        pytest.fail(why)
    pytest.skip(why)
