"""`anlage fleet`: shippers, what they keep, and what is due."""

import argparse

from anlage.cli.shell import Answer, Group

ROWS_MAX = 10_000


def register(group: Group) -> None:
    """Add the commands of the group."""
    parser = group.command("list", listed, help="every shipper, its state and what is due")
    parser.add_argument("--ready", action="store_true", help="only those that may go out today")


def listed(options: argparse.Namespace) -> Answer:
    """List the fleet."""
    from anlage.app import opened
    from anlage.base import Refused
    from anlage.custody.transport import Shipper
    from anlage.record import Stream

    found = []
    with opened(options.data) as site:
        now = site.clock.now()
        for name, row in site.rows("fleet").find(limit=ROWS_MAX):
            state = site.engine.state(Shipper, Stream(f"shipper/{name}"))
            try:
                state.must_be_ready(until=now, hours=0)
                against = []
            except Refused as refusal:
                against = [str(one.found) for one in refusal.problems]
            if not (options.ready and against):
                found.append(row | {"against": against})
    lines = [
        f"{row['shipper']:<12} {row['model']:<14} {row['state']:<14}"
        f" {row['cycles']}/{row['cycles_max']} uses, qualified until {row['due'][:10] or 'never'}"
        + (f": {'; '.join(row['against'])}" if row["against"] else "")
        for row in found
    ]
    return Answer({"shippers": found}, "\n".join(lines) or "no shipper")
