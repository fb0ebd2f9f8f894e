"""`anlage network`: check, simulate, compare designs, find bottlenecks; on files, no server."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anlage.base import Problem, Refused

from .network_drawn import TRACE_MAX, ask_for_drawings, drawn, wants_drawings
from .shell import Answer, Group

if TYPE_CHECKING:
    from anlage.network import Network
    from anlage.network.simulate import Run, Settings

_BYTES_MAX = 4_000_000
_TRACE_MAX = 2_000_000


def register(group: Group) -> None:
    """Add the commands of the group."""
    command = group.command("check", _check, help="explain every defect of a network file")
    command.add_argument("file", metavar="FILE", help="a network in YAML; - for standard input")
    command = group.command("simulate", _simulate, help="run a network and print its figures")
    command.add_argument("file", metavar="FILE", help="a network in YAML; - for standard input")
    _add_run(command)
    command.add_argument("--trace", type=Path, metavar="FILE", help="write an Arrow trace of a run")
    command = group.command("compare", _compare, help="compare designs under common random numbers")
    command.add_argument("files", metavar="FILE", nargs="+", help="networks; the first is the base")
    command.add_argument(
        "--value-of-information",
        action="store_true",
        help="also compare the first file with every integration, and with loads shared or not",
    )
    command.add_argument(
        "--lose", metavar="NAME", action="append", default=[], help="also compare with this lost"
    )
    command.add_argument(
        "--lose-for", metavar="TIME", default="60 days", help="how long it is lost"
    )
    _add_run(command)
    command = group.command(
        "bottleneck", _bottleneck, help="rank resources by what one more of each would bring"
    )
    command.add_argument("file", metavar="FILE", help="a network in YAML; - for standard input")
    _add_run(command)
    command = group.command(
        "optimise", _optimise, help="find the cheapest sites, sizes and lane modes, with proof"
    )
    command.add_argument("file", metavar="FILE", help="a design in YAML; - for standard input")
    command.add_argument(
        "--simulate",
        action="store_true",
        help="for a network file: also simulate the design beside the network as it is",
    )
    command.add_argument(
        "--gap", type=float, default=1e-4, metavar="G", help="gap at which to stop (1e-4)"
    )
    command.add_argument(
        "--time-limit", type=float, default=60.0, metavar="S", help="seconds, then stop early (60)"
    )
    command = group.command(
        "learn", _learn, help="forecasts, drift and promise dates out of a CSV of demand or times"
    )
    command.add_argument("file", metavar="FILE", help="clinic,date[,count] or stage,days in CSV")
    command.add_argument(
        "--weeks", type=int, default=4, metavar="N", help="weeks ahead of the forecast (4)"
    )


def _add_run(command: argparse.ArgumentParser) -> None:
    """Add how long, how often and from which seed."""
    command.add_argument("--years", metavar="Y", help="length of a run, warm-up included")
    command.add_argument("--warmup", metavar="W", help="part not measured, in years or '30 days'")
    command.add_argument("--replications", metavar="R", type=int, help="number of runs")
    command.add_argument("--seed", metavar="S", type=int, help="seed of all chance")
    command.add_argument("--workers", metavar="N", type=int, default=1, help="threads")
    command.add_argument("--time-limit", metavar="S", type=float, help="seconds, then stop early")
    ask_for_drawings(command)


def _check(args: argparse.Namespace) -> Answer:
    from anlage.network import Checked, check

    path = str(args.file)
    try:
        text = _text(path)[1]
        from anlage.network.optimise import check_design, is_design

        if is_design(text):
            return _checked(path, check_design(text, path=path).problems, "design")
        checked = check(text, path=path)
    except Refused as refusal:
        checked = Checked(network=None, problems=refusal.problems)
    return _checked(path, checked.problems, "network")


def _checked(path: str, problems: Sequence[Problem], kind: str) -> Answer:
    data = {"ok": not problems, "problems": [problem.as_dict() for problem in problems]}
    if not problems:
        return Answer({**data, "file": path}, f"{path}: a sound {kind}")
    count = len(problems)
    lines = [f"{path}: {count} problem{'s' if count > 1 else ''}"]
    lines += [f"  {problem}" for problem in problems]
    return Answer({**data, "file": path}, "\n".join(lines), ok=False)


def _optimise(args: argparse.Namespace) -> Answer:
    if not 0 <= args.gap < 1 or not args.time_limit > 0:
        raise Refused(
            "network-run-impossible",
            what="optimise",
            found=f"--gap {args.gap:g} --time-limit {args.time_limit:g}",
            limit="a gap from 0 to 1 and a time above zero",
            remedy="write --gap 1e-4 --time-limit 60",
        )
    from anlage.network.optimise import design_problem_of, is_design, optimise, read_design

    name, text = _text(str(args.file))
    network = None
    if is_design(text):
        problem = read_design(text, path=name)
    else:
        from anlage.network import read

        network = read(text, path=name)
        problem = design_problem_of(network)
    data: dict[str, Any] = optimise(problem, gap=args.gap, seconds=args.time_limit)
    if network is not None and args.simulate:
        data["simulated"] = _resimulated(network, data)
    return Answer(data, _design(data), ok=data["status"] == "optimal")


def _resimulated(network: "Network", data: dict[str, Any]) -> dict[str, Any]:
    """Give the differences of the design from the network as it is, under the same chance."""
    from anlage.network.optimise import network_of
    from anlage.network.simulate import Design, compare, settings_for

    chosen = {clinic: row["site"] for clinic, row in data["design"]["clinics"].items()}
    made = network_of(network, chosen)
    designs = [Design(name=one.name, network=one) for one in (network, made)]
    _warn_of_compilation()
    told = compare(designs, settings_for(network), progress=_Bar("simulating"))
    return {"differences": told["differences"], "baseline": told["baseline"]}


def _learn(args: argparse.Namespace) -> Answer:
    from anlage.network.learning import learn, read_table

    name, text = _text(str(args.file))
    data = learn(read_table(text, path=name), weeks=args.weeks)
    return Answer(data)


def _design(data: dict[str, Any]) -> str:
    """Give a design for a person."""
    design = data["design"]
    lines = [
        f"{data['design_problem']}: {data['objective']:,.0f} a year, {data['status']}; no design "
        f"costs less than {data['bound']:,.0f} (gap {data['gap']:.1e}), {data['seconds']:.2f} s",
        "",
        f"{'open site':<24}{'size':<12}{'patients':>10}{'used':>9}",
    ]
    for name, row in design["sites"].items():
        lines.append(
            f"{name:<24}{row['size'] or '-':<12}{row['patients']:>10.6g}{_percent(row['used']):>9}"
        )
    lines += ["", f"{'clinic':<24}{'site':<24}{'mode':<12}{'patients':>10}"]
    for name, row in design["clinics"].items():
        lines.append(f"{name:<24}{row['site']:<24}{row['mode'] or '-':<12}{row['patients']:>10.6g}")
    return "\n".join(lines)


def _simulate(args: argparse.Namespace) -> Answer:
    network = _network(args.file)
    from dataclasses import replace

    from anlage.network.simulate import outcome_of, run

    settings = _settings(network, args)
    bar = _Bar("simulating")
    if args.trace is not None:
        settings = replace(settings, trace_max=_TRACE_MAX)
    elif wants_drawings(args):
        settings = replace(settings, trace_max=TRACE_MAX)
    made = run(network, settings, progress=bar, tell=_say)
    bar.close()
    data = outcome_of(made)
    data |= drawn(args, "simulate-network", data, network=network, run=made)
    if args.trace is not None:
        data["trace"] = _write_trace(made, args.trace)
    return Answer(data, _summary(data), ok=made.stopped is None)


def _write_trace(made: "Run", path: Path) -> dict[str, Any]:
    import pyarrow.feather

    from anlage.network.simulate import trace_of

    table = trace_of(made)
    try:
        pyarrow.feather.write_feather(table, str(path), compression="zstd")
    except OSError as error:
        raise _unreadable(str(path), error.strerror or str(error), "a file to write to") from None
    left_out = int(table.schema.metadata[b"anlage.left_out"])
    return {"file": str(path), "facts": table.num_rows, "left_out": left_out, "world": "simulated"}


def _compare(args: argparse.Namespace) -> Answer:
    networks = [_network(path) for path in args.files]
    if len(networks) < 2 and not args.value_of_information and not args.lose:
        raise Refused(
            "network-run-impossible",
            what="compare",
            found="one design",
            limit="two files, or --value-of-information, or --lose NAME",
            remedy="name a second file",
        )
    from anlage.network.simulate import Design, compare, information_designs, with_loss

    settings = _settings(networks[0], args)
    designs = [Design(name=network.name, network=network) for network in networks]
    if args.value_of_information:
        designs += information_designs(networks[0])
    lost_days = _years("--lose-for", args.lose_for) or 0.0
    for name in args.lose:
        start = (settings.warmup_years + 0.05) * 365.25
        designs.append(with_loss(networks[0], name, start_day=start, days=lost_days * 365.25))
    _warn_of_compilation()
    bar = _Bar("comparing")
    data = compare(designs, settings, progress=bar)
    bar.close()
    data |= drawn(args, "compare-networks", data)
    return Answer(data, _differences(data), ok="problems" not in data)


def _bottleneck(args: argparse.Namespace) -> Answer:
    network = _network(args.file)
    from anlage.network.simulate import bottleneck

    settings = _settings(network, args)
    _warn_of_compilation()
    bar = _Bar("one more of each")
    data = bottleneck(network, settings, progress=bar)
    data |= drawn(args, "rank-bottlenecks", data)
    rows: list[dict[str, Any]] = data["resources"]  # type: ignore[assignment] # by its contract
    bar.close()
    head = f"{'one more':<28}{'patients/year':>26}{'money/day':>14}{'used':>9}"
    lines = [head]
    for row in rows:
        saved = row["patients_saved_per_year"]
        shown = f"{saved['difference']:+.2f}" if saved["difference"] is not None else "-"
        if saved["ci95"]:
            shown += f" ({saved['ci95'][0]:+.2f} to {saved['ci95'][1]:+.2f})"
        money = row["money_saved_per_day"]["difference"]
        lines.append(
            f"{row['resource']:<28}{shown:>26}{money or 0:>14,.0f}{_percent(row['utilisation']):>9}"
        )
    return Answer(data, "\n".join(lines))


def _warn_of_compilation() -> None:
    from anlage.network.simulate import compilation_is_due

    if compilation_is_due():
        _say("compiling the simulation kernel, once on this machine (about half a minute) ...")


def _differences(data: dict[str, Any]) -> str:
    """Give the differences from the first design as a table."""
    lines = [f"differences from {data['baseline']}, paired, with 95 % intervals"]
    for name, rows in data["differences"].items():
        lines.append(f"\n{name}")
        for key, row in rows.items():
            if row["difference"] is None:
                continue
            between = row["ci95"]
            span = f"  ({between[0]:+.4g} to {between[1]:+.4g})" if between else ""
            lines.append(f"  {key:<22}{row['difference']:>+14.4g}{span}")
    return "\n".join(lines)


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
