"""`anlage network`: check, simulate, compare designs, find bottlenecks; on files, no server."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anlage.base import Refused

from .shell import Answer, Group

if TYPE_CHECKING:
    from anlage.network import Network
    from anlage.network.simulate import Settings

_BYTES_MAX = 4_000_000


def register(group: Group) -> None:
    """Add the commands of the group."""
    command = group.command("check", _check, help="explain every defect of a network file")
    command.add_argument("file", metavar="FILE", help="a network in YAML; - for standard input")
    command = group.command("simulate", _simulate, help="run a network and print its figures")
    command.add_argument("file", metavar="FILE", help="a network in YAML; - for standard input")
    _add_run(command)
    command.add_argument(
        "--trace", type=Path, metavar="FILE", help="write an Arrow trace of one run"
    )


def _add_run(command: argparse.ArgumentParser) -> None:
    """Add how long, how often and from which seed."""
    command.add_argument("--years", metavar="Y", help="length of a run, warm-up included")
    command.add_argument("--warmup", metavar="W", help="part not measured, in years or '30 days'")
    command.add_argument("--replications", metavar="R", type=int, help="number of runs")
    command.add_argument("--seed", metavar="S", type=int, help="seed of all chance")
    command.add_argument("--workers", metavar="N", type=int, default=1, help="threads")
    command.add_argument("--time-limit", metavar="S", type=float, help="seconds, then stop early")


def _check(args: argparse.Namespace) -> Answer:
    from anlage.network import check

    path, text = _text(args.file)
    checked = check(text, path=path)
    data = {"ok": checked.ok, "problems": [problem.as_dict() for problem in checked.problems]}
    if checked.ok:
        return Answer({**data, "file": path}, f"{path}: a sound network")
    count = len(checked.problems)
    lines = [f"{path}: {count} problem{'s' if count > 1 else ''}"]
    lines += [f"  {problem}" for problem in checked.problems]
    return Answer({**data, "file": path}, "\n".join(lines), ok=False)


def _simulate(args: argparse.Namespace) -> Answer:
    network = _network(args.file)
    from anlage.network.simulate import outcome_of, run

    settings = _settings(network, args)
    bar = _Bar("simulating")
    made = run(network, settings, progress=bar, tell=_say)
    bar.close()
    data = outcome_of(made)
    return Answer(data, _summary(data), ok=made.stopped is None)


def _network(path: str) -> "Network":
    from anlage.network import read

    name, text = _text(path)
    return read(text, path=name)


def _settings(network: "Network", args: argparse.Namespace) -> "Settings":
    from dataclasses import replace

    from anlage.network.simulate import settings_for

    settings = settings_for(
        network,
        years=_years("--years", args.years),
        warmup_years=_years("--warmup", args.warmup),
        replications=args.replications,
        seed=args.seed,
        workers=args.workers,
    )
    return replace(settings, seconds_max=args.time_limit)


def _years(option: str, text: str | None) -> float | None:
    from anlage.network import read_years

    return None if text is None else read_years(text, option)


def _text(path: str) -> tuple[str, str]:
    """Give a file's name and text, read only when it is of a size that a network can have.

    Raises:
        Refused: There is no such file, it is too large, or it is no UTF-8.
    """
    try:
        if path == "-":
            raw = sys.stdin.buffer.read(_BYTES_MAX + 1)
        else:
            with Path(path).open("rb") as file:
                raw = file.read(_BYTES_MAX + 1)
        if len(raw) > _BYTES_MAX:
            raise _unreadable(path, "a file of more than 4 MB", "at most 4 MB")
        return path, raw.decode("utf-8-sig")
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error), "a file that can be read") from None
    except UnicodeDecodeError as error:
        raise _unreadable(path, f"byte {error.start} is no UTF-8", "text in UTF-8") from None


def _unreadable(path: str, found: str, limit: str) -> Refused:
    return Refused(
        "network-unreadable",
        what=f"the network file {path}",
        found=found,
        limit=limit,
        remedy="name a network file; docs/reference/network-file.md shows a first one",
        path=path,
    )


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


class _Bar:
    """Progress on standard error: a bar for a person, silence for a pipe."""

    def __init__(self, what: str) -> None:
        self._what, self._shown = what, False

    def __call__(self, done: int, of: int) -> None:
        if sys.stderr.isatty():
            filled = 30 * done // of
            bar = "#" * filled + "." * (30 - filled)
            print(f"\r{self._what} [{bar}] {done}/{of}", end="", file=sys.stderr, flush=True)
            self._shown = True

    def close(self) -> None:
        if self._shown:
            print(file=sys.stderr)


def _summary(data: dict[str, Any]) -> str:
    """Give the figures of a run for a person."""
    time = data["vein_to_vein_days"]
    lines = [
        f"{data['network']}: {data['replications']} runs of {data['years']:g} years, the first "
        f"{data['warmup_years']:g} not measured, seed {data['seed']}",
        f"patients      {data['patients']}",
        f"vein to vein  mean {_days(time['mean'])}{_between(time['ci95'])}, median "
        f"{_days(time['median'])}, 90 % within {_days(time['p90'])}",
        f"infused       {_percent(data['infused_fraction'])}   lost "
        f"{_percent(data['lost_fraction'])}   withdrawn {_percent(data['withdrawn_fraction'])}",
    ]
    if data["cost_per_infused"]:
        lines.append(f"cost/infused  {data['cost_per_infused']:,.0f}")
    lines.append("")
    lines.append(f"{'resource':<28}{'used':>9}{'mean wait':>14}")
    for name, row in data["resources"].items():
        lines.append(
            f"{name:<28}{_percent(row['utilisation']):>9}{_days(row['mean_wait_days']):>14}"
        )
    lines.append("")
    lines.append(f"{data['events']} events in {data['seconds']:.2f} s")
    if "stopped" in data:
        problem = data["stopped"]
        lines.append(
            f"STOPPED: {problem['what']}: {problem['found']} (limit {problem['limit']}). "
            f"{problem['remedy']}. What is shown had finished."
        )
    return "\n".join(lines)


def _days(days: float | None) -> str:
    if days is None:
        return "-"
    return f"{days:.2f} d" if days >= 1 else f"{days * 24:.2f} h"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"


def _between(interval: list[float] | None) -> str:
    return "" if interval is None else f" ({_days(interval[0])} to {_days(interval[1])})"
