"""The shell around every command: parsing, `--json`, the problem shape and the exit codes.

Exit 0 done; 2 refused, or a check found something invalid; 64 usage; 70 broken. A group is a
module of this folder with a function `register(group)`; it is imported only when its name is
called, so that a command starts fast.
"""

import argparse
import contextlib
import importlib
import importlib.util
import json
import math
import os
import sys
import traceback
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from keyword import iskeyword
from pathlib import Path
from typing import Any, NoReturn

from anlage import __version__
from anlage.base import Broken, Refused

DONE, INVALID, USAGE, BROKEN = 0, 2, 64, 70

GROUPS: dict[str, str] = {
    "account": "how registered persons get in",
    "assay": "assays: fit, potency, validity, readers' files",
    "backup": "copy an installation while it runs, and check the copy",
    "count": "cell counting quality",
    "custody": "who held what, where, without a gap",
    "define": "definitions: check, compute, classify, submit, approve, retire",
    "demo": "a seeded facility on the twin",
    "dictionary": "the data dictionary: JSON Schemas of facts, commands and definitions",
    "epcis": "documents of supply-chain events: check and event hash",
    "export": "the whole record of a subject",
    "fhir": "exchange with the hospital's systems",
    "fleet": "shippers: qualified, cleaned, used, due",
    "flow": "flow cytometry: read, gate, compare",
    "image": "count, viability, activation and more from images",
    "import": "take up an export",
    "init": "make a site's own installation",
    "jobs": "long work done beside the pages: look, cancel, put in",
    "label": "labels, each symbol read back before it is let out",
    "lane": "lanes: qualification, rules of country pairs, the shared pool",
    "logger": "condition logs of shipments and stores",
    "metrics": "measures of the way, with their definitions and the facts behind them",
    "monitor": "batch monitoring",
    "network": "simulate and optimise the way from vein to vein",
    "passport": "signed passports of a product: issue and verify",
    "patient": "what names a patient: keep, show, hold, erase, each on record",
    "plan": "put work on the calendar",
    "recall": "every lot, patient and site that a material lot reached",
    "rebuild": "fold the views anew from the journal",
    "recipe": "check recipes",
    "restore": "take an installation up from a backup",
    "rfid": "an RFID gate, simulated: reads sent in bulk to a served installation",
    "scan": "what a code says: ISBT 128, SEC, GS1, EPC",
    "schedule": "schedule lots on units and people",
    "serve": "serve pages, interface and live stream",
    "shipment": "shipments: conditions, verdicts, papers",
    "spc": "control charts and capability",
    "stability": "shelf life from stability data",
    "store": "where everything stands, to the position",
    "token": "tokens of interfaces",
    "trace": "genealogy of a lot, both ways",
    "train": "curricula and drills",
    "verify": "check an export offline: nothing changed, added or left out",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command found.

    Attributes:
        data: One JSON object, printed with `--json`; NaN and infinities become null.
        text: What a person reads without `--json`; the JSON, indented, when empty.
        ok: False when a check, gate or verification found something invalid (exit code 2).
    """

    data: dict[str, Any] = field(default_factory=dict)
    text: str = ""
    ok: bool = True


Run = Callable[[argparse.Namespace], Answer]


class Group:
    """One command group under construction: `anlage GROUP` or `anlage GROUP COMMAND`."""

    def __init__(self, parser: "_Parser") -> None:
        """Wrap the parser of the group."""
        self._parser = parser
        self._commands: Any = None

    def itself(self, run: Run) -> argparse.ArgumentParser:
        """Make the group a single command and give its parser for arguments."""
        return _finish(self._parser, run)

    def command(self, name: str, run: Run, *, help: str) -> argparse.ArgumentParser:
        """Add `anlage GROUP NAME` and give its parser for arguments."""
        if self._commands is None:
            self._commands = self._parser.add_subparsers(
                metavar="COMMAND", required=True, parser_class=_Parser
            )
        return _finish(self._commands.add_parser(name, help=help, description=help), run)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code."""
    argv = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    as_json = "--json" in argv
    try:
        options = _parse(argv)
        return _print(options.run(options), as_json)
    except _UsageError as error:
        print(error, file=sys.stderr)
        return USAGE
    except SystemExit as leave:  # --help and --version
        return leave.code if isinstance(leave.code, int) else DONE
    except Refused as refusal:
        first = refusal.problem.as_dict()
        problems = [problem.as_dict() for problem in refusal.problems]
        data: dict[str, Any] = {"refused": first, "problems": problems}
        lines = "\n".join(f"  {problem}" for problem in refusal.problems)
        _print(Answer(data, f"Refused [{refusal.code}]\n{lines}", ok=False), as_json)
        return INVALID
    except BrokenPipeError:
        # Whoever read has enough; what is still buffered has nowhere to go at the exit.
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except KeyboardInterrupt:
        print("stopped by the keyboard", file=sys.stderr)
        return 130
    except Exception as error:
        incident = uuid.uuid4().hex[:12]
        shown = (
            error
            if isinstance(error, Broken)
            else Broken("the command to finish", seen=repr(error))
        )
        print(f"{shown} [incident {incident}]", file=sys.stderr)
        traceback.print_exc(file=sys.stderr)
        if as_json:
            print(json.dumps({"broken": {"incident": incident, "what": str(shown)}}))
        return BROKEN


class _UsageError(Exception):
    pass


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise _UsageError(f"{self.format_usage()}{self.prog}: {message}")


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = _Parser(prog="anlage", description="The open platform for manufacturing cells.")
    parser.add_argument("--version", action="version", version=f"anlage {__version__}")
    groups = parser.add_subparsers(metavar="GROUP", required=True, parser_class=_Parser)
    called = next((word for word in argv if not word.startswith("-")), None)
    for name, summary in sorted(GROUPS.items()):
        module_name = f"anlage.cli.{name}{'_' if iskeyword(name) else ''}"
        if module_name not in sys.modules and importlib.util.find_spec(module_name) is None:
            continue
        group = groups.add_parser(name, help=summary, description=summary)
        if name == called:
            module = importlib.import_module(module_name)
            module.register(Group(group))
    return parser.parse_args(argv)


def _finish(parser: argparse.ArgumentParser, run: Run) -> argparse.ArgumentParser:
    parser.set_defaults(run=run)
    parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="the installation's folder (or ANLAGE_DATA)"
    )
    return parser


def _print(answer: Answer, as_json: bool) -> int:
    if as_json:
        print(json.dumps(_finite(answer.data), ensure_ascii=False, allow_nan=False, default=_plain))
    else:
        print(
            answer.text
            or json.dumps(_finite(answer.data), ensure_ascii=False, indent=2, default=_plain)
        )
    sys.stdout.flush()
    return DONE if answer.ok else INVALID


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    if hasattr(value, "tolist") and not isinstance(value, str | bytes):  # NumPy scalars and arrays
        return _finite(value.tolist())
    return value


def _plain(value: Any) -> str:
    return str(value)
