"""Studies of a network: losses and their worst years, scale, supply of a material, preservation."""

import argparse
from typing import Any

from anlage.base import Refused

from .network_input import (
    Bar,
    add_run,
    network_of,
    settings_of,
    text_of,
    warn_of_compilation,
    years_of,
)
from .shell import Answer, Group


def register(group: Group) -> None:
    """Add the commands of the studies to `anlage network`."""
    command = group.command(
        "risk", _risk, help="time to survive and to recover from each loss, and the worst years"
    )
    command.add_argument("file", metavar="FILE", help="a network in YAML; - for standard input")
    command.add_argument(
        "--lose", metavar="NAME", action="append", default=[], help="only this; may be repeated"
    )
    command.add_argument(
        "--lose-for", metavar="TIME", default="60 days", help="how long each is lost (60 days)"
    )
    command.add_argument(
        "--tail", type=float, default=0.1, metavar="P", help="part of runs that is worst (0.1)"
    )
    add_run(command)
    command = group.command("scale", _scale, help="larger sites beside more of them")
    command.add_argument("file", metavar="FILE", help="a network in YAML; - for standard input")
    command.add_argument(
        "--factors", default="1,2,4", metavar="N,N", help="times as many patients (1,2,4)"
    )
    command.add_argument(
        "--exponent", type=float, default=0.6, metavar="E", help="of a site's fixed cost (0.6)"
    )
    add_run(command)
    _register_stock(group)
    command = group.command("preserve", _preserve, help="compare protocols of preservation")
    command.add_argument(
        "file", metavar="FILE", nargs="?", help="protocols in YAML; six starters without it"
    )
    command.add_argument(
        "--draws", type=int, default=1000, metavar="N", help="draws of what is not known (1000)"
    )
    command.add_argument(
        "--network", metavar="FILE", help="also simulate this network under each protocol"
    )
    command.add_argument(
        "--as", dest="condition", metavar="NAME", help="the preservation of it that they replace"
    )
    add_run(command)


def _register_stock(group: Group) -> None:
    command = group.command(
        "stock", _stock, help="order point, order size, suppliers and plan of each bought material"
    )
    command.add_argument("file", metavar="FILE", help="a network in YAML; - for standard input")
    command.add_argument(
        "--material", metavar="NAME", action="append", default=[], help="only this material"
    )
    for name, default, text in (
        ("--order-cost", 500.0, "money for one order (500)"),
        ("--waiting-cost", 1000.0, "money for a patient's day of waiting (1000)"),
        ("--supplier-cost", 30_000.0, "money per year for a qualified supplier (30000)"),
    ):
        command.add_argument(name, type=float, default=default, metavar="MONEY", help=text)
    command.add_argument(
        "--plan-years", type=int, default=3, metavar="N", help="years of the plan (3)"
    )
    command.add_argument(
        "--growth", type=float, default=0.0, metavar="PART", help="growth in a year, such as 0.1"
    )
    add_run(command)


def _risk(args: argparse.Namespace) -> Answer:
    if not 0 < args.tail <= 1:
        raise _impossible("--tail", args.tail, "above 0 and at most 1", "write --tail 0.1")
    network = network_of(args.file)
    from anlage.network.simulate import losses, run, tails, what_can_be_lost

    settings = settings_of(network, args)
    days = 365.25 * (years_of("--lose-for", args.lose_for) or 0.0)
    warn_of_compilation()
    bar = Bar("losing")
    data: dict[str, Any] = {"network": network.name, "losses": []}
    if args.lose or what_can_be_lost(network):
        data = losses(network, settings, names=args.lose, days=days, progress=bar)
    bar.close()
    data["worst_runs"] = tails(run(network, settings), part=args.tail)
    lines = [
        f"{'lost for ' + args.lose_for:<28}{'survives':>12}{'recovers':>12}{'not treated':>14}"
    ]
    for row in data["losses"]:
        survives, back = row["time_to_survive_days"], row["time_to_recover_days"]
        lines.append(
            f"{row['lost']:<28}{'-' if survives is None else f'{survives:.0f} d':>12}"
            f"{'-' if back is None else f'{back:.0f} d':>12}"
            f"{row['patients_not_treated']['difference']:>14.1f}"
        )
    for name, row in data["worst_runs"].items():
        lines.append(
            f"{name}: mean {row['mean']:,.1f}, worst {row['part']:.0%} of runs "
            f"{row['conditional_value_at_risk']:,.1f}"
        )
    return Answer(data, "\n".join(lines))


def _scale(args: argparse.Namespace) -> Answer:
    network = network_of(args.file)
    from anlage.network.simulate import scale

    try:
        factors = tuple(int(one) for one in args.factors.split(","))
    except ValueError:
        raise _impossible(
            "--factors", args.factors, "whole numbers, such as 1,2,4", "write --factors 1,2,4"
        ) from None
    settings = settings_of(network, args)
    warn_of_compilation()
    bar = Bar("scaling")
    data: dict[str, Any] = scale(
        network, settings, factors=factors, exponent=args.exponent, progress=bar
    )
    bar.close()
    lines = [f"{'patients':<10}{'cost, larger sites':>22}{'cost, more sites':>22}{'days':>16}"]
    for factor, row in data["factors"].items():
        up, out = row["scale_up"], row["scale_out"]
        days = f"{up['vein_to_vein_days']['mean']:.1f} / {out['vein_to_vein_days']['mean']:.1f}"
        lines.append(
            f"x {factor:<8}{up['cost_per_infused'] or 0:>22,.0f}"
            f"{out['cost_per_infused'] or 0:>22,.0f}{days:>16}"
        )
    return Answer(data, "\n".join(lines))


def _stock(args: argparse.Namespace) -> Answer:
    network = network_of(args.file)
    from anlage.network.optimise import Prices, plan_supply, with_policy
    from anlage.network.simulate import Design, compare, outcome_of, run

    settings = settings_of(network, args)
    names = args.material or [one.name for one in network.materials if one.lead_time is not None]
    if not names:
        raise _impossible(
            "materials", network.name, "a material with a lead time", "add materials:"
        )
    prices = Prices(order=args.order_cost, waiting=args.waiting_cost, supplier=args.supplier_cost)
    warn_of_compilation()
    told = outcome_of(run(network, settings))
    used: dict[str, Any] = told["materials"]  # type: ignore[assignment] # by its contract
    years = settings.replications * (settings.years - settings.warmup_years)
    plans: dict[str, Any] = {}
    planned = network
    for name in names:
        rows = [row for key, row in used.items() if key.partition("@")[0] == name]
        per_year = sum(row["used"] for row in rows) / years / max(1, len(rows))
        found = plan_supply(
            network, name, per_year, prices, years=args.plan_years, growth=args.growth
        )
        plans[name] = found
        policy: dict[str, Any] = found["policy"]  # type: ignore[assignment] # by its contract
        planned = with_policy(planned, name, policy)
    designs = [Design(name=one.name, network=one) for one in (network, planned)]
    data = {
        "network": network.name,
        "materials": plans,
        "simulated": compare(designs, settings)["differences"],
    }
    lines = [
        f"{'material':<20}{'order at':>10}{'order':>8}{'safety':>9}{'cost/year':>14}  suppliers"
    ]
    for name, plan in plans.items():
        rule = plan["policy"]
        lines.append(
            f"{name:<20}{rule['reorder_at']:>10}{rule['order']:>8}{rule['safety_stock']:>9.1f}"
            f"{rule['cost_per_year']:>14,.0f}  {', '.join(rule['suppliers']) or '-'}"
        )
    return Answer(data, "\n".join(lines))


def _preserve(args: argparse.Namespace) -> Answer:
    from anlage.network import ProtocolFile, read_protocols, with_protocol
    from anlage.twin.protocol import STARTERS, compare_protocols

    said = ProtocolFile(protocols=STARTERS)
    if args.file is not None:
        name, text = text_of(args.file)
        said = read_protocols(text, path=name)
    data: dict[str, Any] = compare_protocols(
        said.protocols,
        weight_kg=said.weight_kg,
        viability_min=said.viability_min,
        draws=args.draws,
    )
    if args.network is not None:
        from anlage.network.simulate import Design, compare

        network = network_of(args.network)
        designs = [Design(name="as it is", network=network)]
        designs += [
            Design(name=one.name, network=with_protocol(network, args.condition or "", one))
            for one in said.protocols
        ]
        warn_of_compilation()
        data["simulated"] = compare(designs, settings_of(network, args))
    lines = [f"{'protocol':<38}{'viability (90 %)':>26}{'below limit':>13}{'DMSO g/kg':>11}"]
    for name, row in data["protocols"].items():
        alive = row["viability"]
        span = f"{alive['median']:.1%} ({alive['low']:.0%} to {alive['high']:.0%})"
        lines.append(
            f"{name:<38}{span:>26}{row['below_limit']:>13.0%}{row['dmso_g_per_kg']:>11.3f}"
        )
    return Answer(data, "\n".join(lines))


def _impossible(what: str, found: object, limit: str, remedy: str) -> Refused:
    return Refused(
        "network-run-impossible", what=what, found=str(found), limit=limit, remedy=remedy
    )
