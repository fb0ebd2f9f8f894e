"""The two commands of Anlage: `python3 run.py demo` and `python3 run.py test`.

Also check, bench, journeys, serve, lock and `anlage ...`. Standard library only. Makes `.venv`,
installs the pinned requirements by their hashes, then does the verb. It talks on stderr only, so
that a command's own output stays clean.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
REQUIREMENTS = ROOT / "requirements" / "dev.txt"
USAGE = """python3 run.py VERB
  demo [--port N] [--speed X] [--headless] [--fresh]   a seeded facility to click through
  test [pytest options]                                set up and run the tests
  check                                                every static check, and the documents
  bench [NAME ...]                                     measure, beside the best peer
  journeys                                             the days of people in a real browser
  serve [options]                                      the installation in ANLAGE_DATA
  lock                                                 pin the requirements again
  anlage ...                                           any command of Anlage"""


def main(arguments: list[str]) -> int:
    """Do one verb and give its exit code."""
    if not arguments or arguments[0] in {"-h", "--help", "help"}:
        say(USAGE)
        return 0 if arguments else 64
    verb, rest = arguments[0], arguments[1:]
    if verb not in VERBS:
        say(f"run.py: no verb {verb!r}\n{USAGE}")
        return 64
    if sys.version_info < (3, 11):  # noqa: UP036 - an older Python may start this file
        say(f"Anlage needs Python 3.11 or newer; {sys.executable} is {sys.version.split()[0]}.")
        return 64
    prepare()
    return VERBS[verb](rest)


def prepare() -> None:
    """Make `.venv` and install the pinned requirements, unless done for these very pins."""
    stamp_path = VENV / ".anlage-requirements"
    stamp = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    if stamp_path.exists() and stamp_path.read_text() == stamp:
        return
    started = time.monotonic()
    if not PYTHON.exists():
        say("Making .venv ...")
        made = subprocess.run(
            [sys.executable, "-m", "venv", str(VENV)], stdout=sys.stderr, check=False
        )
        if made.returncode:
            shutil.rmtree(VENV, ignore_errors=True)
            raise SystemExit(
                "run.py: Python could not make a virtual environment.\n"
                "On Debian or Ubuntu: apt install python3-venv"
            )
    say("Installing the pinned requirements (once; about a gigabyte on disk) ...")
    pip = [str(PYTHON), "-m", "pip", "--disable-pip-version-check"]
    quiet = ["--quiet", "--no-warn-script-location"]
    subprocess.run([*pip, "install", *quiet, "uv"], stdout=sys.stderr, check=False)
    exact = ["--no-deps", "--require-hashes", "-r", str(REQUIREMENTS)]
    uv = BIN / ("uv.exe" if os.name == "nt" else "uv")
    if uv.exists():
        fast = [str(uv), "pip", "install", "--quiet", "--python", str(PYTHON), *exact]
        if subprocess.run(fast, stdout=sys.stderr, check=False).returncode == 0:
            stamp_path.write_text(stamp)
            say(f"Ready after {time.monotonic() - started:.0f} s.")
            return
    if subprocess.run([*pip, "install", *quiet, *exact], stdout=sys.stderr, check=False).returncode:
        raise SystemExit("run.py: the requirements could not be installed; see the lines above.")
    stamp_path.write_text(stamp)
    say(f"Ready after {time.monotonic() - started:.0f} s.")


def demo(rest: list[str]) -> int:
    """Serve a seeded facility, or walk one lot without a browser."""
    return call("-m", "anlage", "demo", *rest)


def anlage(rest: list[str]) -> int:
    """Do any command of Anlage."""
    return call("-m", "anlage", *rest)


def serve(rest: list[str]) -> int:
    """Serve the installation in ANLAGE_DATA."""
    return call("-m", "anlage", "serve", *rest)


def test(rest: list[str]) -> int:
    """Run the tests; two at a time unless told otherwise."""
    workers = (
        [] if any(word.startswith("-n") for word in rest) else ["-n", "2", "--dist", "loadgroup"]
    )
    return call("-m", "pytest", "-q", *workers, *rest)


def journeys(rest: list[str]) -> int:
    """Run the browser journeys."""
    return call("-m", "pytest", "-q", "tests/journeys", *rest)


def check(rest: list[str]) -> int:
    """Run every static check, and say all that is wrong rather than the first thing."""
    del rest
    places = [
        name
        for name in ("src", "tests", "benchmarks", "examples", "run.py")
        if (ROOT / name).exists()
    ]
    checks = [
        ("format", ["-m", "ruff", "format", "--check", "--quiet", *places]),
        ("lint", ["-m", "ruff", "check", "--quiet", *places]),
        (
            "import contracts",
            ["-c", "from importlinter.cli import lint_imports; raise SystemExit(lint_imports())"],
        ),
        (
            "spelling",
            ["-m", "codespell_lib", "src", "tests", "docs", "README.md", "CONTRIBUTING.md"],
        ),
        ("types", ["-m", "mypy"]),
    ]
    if (ROOT / "mkdocs.yml").exists():
        checks.append(
            (
                "documents",
                ["-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", ".cache/site"],
            )
        )
    failed = []
    for name, command in checks:
        started = time.monotonic()
        if call(*command, to_stderr=True):
            failed.append(name)
        say(f"{name}: {'FAILED' if name in failed else 'ok'} ({time.monotonic() - started:.1f} s)")
    return 1 if failed else 0


def bench(rest: list[str]) -> int:
    """Run the benchmarks, all of them or those named."""
    return call("-m", "benchmarks", *rest)


def lock(rest: list[str]) -> int:
    """Pin the requirements again, with hashes and without addresses."""
    flags = "--universal --generate-hashes --no-emit-index-url --no-header --quiet"
    extras = "--extra server --extra plant --extra lab --extra network --group dev"
    where = f"pyproject.toml {extras} -o {REQUIREMENTS}"
    options = f"{flags} --python-version 3.11 {where}".split()
    command = [str(BIN / "uv"), "pip", "compile", *options, *rest]
    return subprocess.run(command, cwd=ROOT, stdout=sys.stderr, check=False).returncode


def call(*arguments: str, to_stderr: bool = False) -> int:
    """Run the environment's Python on `src`, and give the exit code."""
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    environment = dict(os.environ, PYTHONPATH=path)
    try:
        return subprocess.run(
            [str(PYTHON), *arguments],
            cwd=ROOT if arguments[:2] != ("-m", "anlage") else None,
            env=environment,
            stdout=sys.stderr if to_stderr else None,
            check=False,
        ).returncode
    except KeyboardInterrupt:
        return 130


def say(text: str) -> None:
    """Talk to the person; never on stdout."""
    print(text, file=sys.stderr, flush=True)


VERBS = {
    "demo": demo,
    "test": test,
    "check": check,
    "bench": bench,
    "journeys": journeys,
    "serve": serve,
    "lock": lock,
    "anlage": anlage,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
