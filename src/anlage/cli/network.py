"""`anlage network`: check, simulate, compare designs, find bottlenecks; on files, no server."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anlage.base import Problem, Refused

from . import network_study
from .network_drawn import TRACE_MAX, ask_for_drawings, drawn, wants_drawings
from .network_input import (
    Bar,
    add_run,
    facts_in,
    network_of,
    recipes,
    say,
    settings_of,
    text_of,
    unreadable,
    warn_of_compilation,
    years_of,
)
from .shell import Answer, Group

if TYPE_CHECKING:
    from anlage.network import Network
    from anlage.network.optimise import DesignProblem
    from anlage.network.simulate import Run

_TRACE_MAX = 2_000_000


def register(group: Group) -> None:
    """Add the commands of the group."""
    command = group.command("check", _check, help="explain every defect of a network file")
    command.add_argument("file", metavar="FILE", help="a network in YAML; - for standard input")
    command = group.command("simulate", _simulate, help="run a network and print its figures")
    command.add_argument("file", metavar="FILE", help="a network in YAML; - for standard input")
    add_run(command)
    ask_for_drawings(command)
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
    command.add_argument(
        "--invest",
        metavar="DESIGN=MONEY",
        action="append",
        default=[],
        help="money per year that a design costs beside its file; gives its return",
    )
    command.add_argument(
        "--patient-value", type=float, default=0.0, metavar="MONEY", help="of a patient infused"
    )
    add_run(command)
    ask_for_drawings(command)
    command = group.command(
        "bottleneck", _bottleneck, help="rank resources by what one more of each would bring"
    )
    command.add_argument("file", metavar="FILE", help="a network in YAML; - for standard input")
    add_run(command)
    ask_for_drawings(command)
    command = group.command(
        "optimise", _optimise, help="find the cheapest sites, sizes and lane modes, with proof"
    )
    command.add_argument("file", metavar="FILE", help="a design in YAML; - for standard input")
    command.add_argument(
        "--simulate",
        action="store_true",
        help="for a network file: also simulate its designs and choose among them",
    )
    command.add_argument(
        "--patient-value",
        type=float,
        default=0.0,
        metavar="MONEY",
        help="of a patient treated, for the choice by simulation",
    )
    command.add_argument(
        "--robust",
        action="store_true",
        help="weigh the worst years of outages (CVaR); sites need outage: {every, lasts}",
    )
    for name, default, text in (
        ("--penalty", 1e6, "money for a patient who cannot be served in a year (1e6)"),
        ("--weight", 0.5, "part of the blend that is the worst years (0.5)"),
        ("--tail", 0.1, "part of the years that are the worst (0.1)"),
    ):
        command.add_argument(name, type=float, default=default, metavar="X", help=text)
    command.add_argument(
        "--years-drawn", type=int, default=40, metavar="N", help="years of outages drawn (40)"
    )
    command.add_argument(
        "--gap", type=float, default=1e-4, metavar="G", help="gap at which to stop (1e-4)"
    )
    command.add_argument(
        "--time-limit", type=float, default=60.0, metavar="S", help="seconds, then stop early (60)"
    )
    command = group.command(
        "learn", _learn, help="forecasts, drift and promise dates out of a table or of facts"
    )
    command.add_argument(
        "file",
        metavar="FILE",
        help="clinic,date[,count] or stage,days in CSV; or facts: an export or a trace",
    )
    command.add_argument(
        "--weeks", type=int, default=4, metavar="N", help="weeks ahead of the forecast (4)"
    )
    command.add_argument(
        "--into", type=Path, metavar="NETWORK", help="write what was learnt into a network file"
    )
    network_study.register(group)


def _check(args: argparse.Namespace) -> Answer:
    from anlage.network import Checked, check

    path = str(args.file)
    try:
        text = text_of(path)[1]
        from anlage.network.optimise import check_design, is_design

        if is_design(text):
            return _checked(path, check_design(text, path=path).problems, "design")
        checked = check(text, path=path, recipes=recipes)
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
    from anlage.network.optimise import design_problem_of, is_design, read_design

    name, text = text_of(str(args.file))
    network = None
    if is_design(text):
        problem = read_design(text, path=name)
    else:
        from anlage.network import read

        network = read(text, path=name, recipes=recipes)
        problem = design_problem_of(network)
    from anlage.network.optimise import optimise

    if args.robust:
        data = _robust(problem, args)
        return Answer(data, ok=data["status"] == "optimal")
    data = optimise(problem, gap=args.gap, seconds=args.time_limit)
    if network is not None and args.simulate:
        data["simulated"] = _resimulated(network, data, args)
    return Answer(data, _design(data), ok=data["status"] == "optimal")


def _robust(problem: "DesignProblem", args: argparse.Namespace) -> dict[str, Any]:
    """Give the robust design, and beside it what the design for good years would do."""
    from anlage.network.optimise import Risk, optimise, optimise_robust

    risk = Risk(penalty=args.penalty, weight=args.weight, tail=args.tail, years=args.years_drawn)
    try:
        plain: dict[str, Any] = optimise(problem, gap=args.gap, seconds=args.time_limit)
        sites = plain["design"]["sites"]
        against = {name: row["size"] or "" for name, row in sites.items()}
    except Refused:
        against = None
    made: dict[str, Any] = optimise_robust(
        problem, risk, against=against, gap=args.gap, seconds=args.time_limit
    )
    return made


def _resimulated(
    network: "Network", data: dict[str, Any], args: argparse.Namespace
) -> dict[str, Any]:
    """Give the differences of the design from the network as it is, under the same chance, and the
    best of the designs for each number of open sites, chosen by simulation.
    """
    from anlage.network.optimise import designs_of, served_by
    from anlage.network.optimise import network_of as as_designed
    from anlage.network.simulate import Design, compare, select, settings_for

    made = as_designed(network, served_by(data))
    designs = [Design(name=one.name, network=one) for one in (network, made)]
    warn_of_compilation()
    how = settings_for(network)
    told = compare(designs, how, progress=Bar("simulating"))
    found: dict[str, Any] = {"differences": told["differences"], "baseline": told["baseline"]}
    rivals = [designs[0]]
    bounds: dict[str, Any] = {}
    for one in designs_of(network, gap=args.gap, seconds=args.time_limit):
        design: dict[str, Any] = one["design"]  # type: ignore[assignment] # by its contract
        name = "sites " + " + ".join(design["sites"])
        bounds[name] = {key: one[key] for key in ("objective", "bound", "gap")}
        rivals.append(Design(name=name, network=as_designed(network, served_by(one))))
    if len(rivals) > 1 and how.replications >= 20:
        found["selection"] = select(rivals, how, patient_value=args.patient_value)
        found["planned"] = bounds
    return found


def _learn(args: argparse.Namespace) -> Answer:
    from anlage.network.learning import learn, promises_of, read_table, table_of, written_into

    happenings = facts_in(Path(args.file))
    if happenings is None:
        name, text = text_of(str(args.file))
        data = learn(read_table(text, path=name), weeks=args.weeks)
    else:
        data = learn(table_of(happenings), weeks=args.weeks)
        data["promises"] = promises_of(happenings)
    if args.into is not None:
        name, text = text_of(str(args.into))
        made, changes = written_into(text, data, path=name)
        args.into.write_text(made, "utf-8")
        data["written"] = [
            {"what": one.what, "line": one.line, "was": one.was, "now": one.written}
            for one in changes
        ]
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
    network = network_of(args.file)
    from dataclasses import replace

    from anlage.network.simulate import outcome_of, run

    settings = settings_of(network, args)
    bar = Bar("simulating")
    if args.trace is not None:
        settings = replace(settings, trace_max=_TRACE_MAX)
    elif wants_drawings(args):
        settings = replace(settings, trace_max=TRACE_MAX)
    made = run(network, settings, progress=bar, tell=say)
    bar.close()
    data = outcome_of(made)
    data |= drawn(args, "simulate-network", data, network=network, run=made)
    if args.trace is not None:
        data["trace"] = _write_trace(made, args.trace)
    return Answer(data, _summary(data), ok=made.stopped is None)


def _write_trace(made: "Run", path: Path) -> dict[str, Any]:
    import pyarrow.feather

    from anlage.network.simulate import facts_of

    table = facts_of(made)
    try:
        pyarrow.feather.write_feather(table, str(path), compression="zstd")
    except OSError as error:
        raise unreadable(str(path), error.strerror or str(error), "a file to write to") from None
    left_out = int(table.schema.metadata[b"anlage.left_out"])
    return {"file": str(path), "facts": table.num_rows, "left_out": left_out, "world": "simulated"}


def _compare(args: argparse.Namespace) -> Answer:
    networks = [network_of(path) for path in args.files]
    if len(networks) < 2 and not args.value_of_information and not args.lose:
        raise Refused(
            "network-run-impossible",
            what="compare",
            found="one design",
            limit="two files, or --value-of-information, or --lose NAME",
            remedy="name a second file",
        )
    from anlage.network.simulate import Design, compare, information_designs, with_loss

    settings = settings_of(networks[0], args)
    designs = [Design(name=network.name, network=network) for network in networks]
    if args.value_of_information:
        designs += information_designs(networks[0])
    lost_days = years_of("--lose-for", args.lose_for) or 0.0
    for name in args.lose:
        start = (settings.warmup_years + 0.05) * 365.25
        designs.append(with_loss(networks[0], name, start_day=start, days=lost_days * 365.25))
    warn_of_compilation()
    bar = Bar("comparing")
    data = compare(
        designs,
        settings,
        progress=bar,
        investments=_investments(args.invest),
        patient_value=args.patient_value,
    )
    bar.close()
    data |= drawn(args, "compare-networks", data)
    return Answer(data, _differences(data), ok="problems" not in data)


def _investments(said: Sequence[str]) -> dict[str, float]:
    """Read DESIGN=MONEY per year."""
    made = {}
    for one in said:
        name, sign, money = one.rpartition("=")
        try:
            made[name] = float(money)
        except ValueError:
            sign = ""
        if not sign or not made[name] > 0:
            raise Refused(
                "network-run-impossible",
                what="--invest",
                found=repr(one),
                limit="DESIGN=MONEY, money per year above zero",
                remedy="write --invest 'loads shared=200000'",
            )
    return made


def _bottleneck(args: argparse.Namespace) -> Answer:
    network = network_of(args.file)
    from anlage.network.simulate import bottleneck

    settings = settings_of(network, args)
    warn_of_compilation()
    bar = Bar("one more of each")
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


def _differences(data: dict[str, Any]) -> str:
    """Give the differences from the first design as a table."""
    lines = [f"differences from {data['baseline']}, paired, with 95 % intervals"]
    for name, rows in data["differences"].items():
        lines.append(f"\n{name}")
        for key, row in rows.items():
            if key == "return_on_investment":
                between = row["ci95"]
                span = f"  ({between[0]:+.1%} to {between[1]:+.1%})" if between else ""
                lines.append(f"  {'return on investment':<22}{row['return']:>+14.1%}{span}")
                continue
            if row["difference"] is None:
                continue
            between = row["ci95"]
            span = f"  ({between[0]:+.4g} to {between[1]:+.4g})" if between else ""
            lines.append(f"  {key:<22}{row['difference']:>+14.4g}{span}")
    return "\n".join(lines)


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
