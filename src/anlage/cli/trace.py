"""`anlage trace SUBJECT`: genealogy both ways."""

import argparse
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .shell import Answer, Group

if TYPE_CHECKING:
    from anlage.plant import Edge, Node, RowGenealogy


def register(group: Group) -> None:
    """Add the command."""
    parser = group.itself(_trace)
    parser.add_argument("subject", help="material/ID, lot/ID or container/ID")


def with_genealogy(args: argparse.Namespace) -> "tuple[Any, RowGenealogy]":
    """Open the installation and give it with its genealogy; close it when done.

    Raises:
        Refused: There is no installation in the folder.
    """
    from anlage.app import Installation, settings
    from anlage.plant import RowGenealogy

    folder = args.data or Path(os.environ.get("ANLAGE_DATA", "anlage-data"))
    installation = Installation.open(settings(folder), may_be_beside=True)
    return installation, RowGenealogy(installation.rows("genealogy"))


def edge_values(edge: "Edge") -> dict[str, Any]:
    """Give an edge as JSON values."""
    return {
        "source": edge.source,
        "target": edge.target,
        "fact": edge.fact,
        "how": edge.how,
        "step": edge.step,
        "amount": None if edge.amount is None else str(edge.amount),
        "unit": edge.unit,
        "happened": edge.happened,
        "late": edge.is_late,
    }


def node_values(node: "Node") -> dict[str, Any]:
    """Give a thing as JSON values."""
    return {
        "id": node.id,
        "name": node.name,
        "state": node.state,
        "site": node.site,
        "patient": node.patient,
    }


def _trace(args: argparse.Namespace) -> Answer:
    from anlage.plant import trace

    installation, genealogy = with_genealogy(args)
    try:
        started = time.perf_counter()
        found = trace(args.subject, genealogy)
        seconds = round(time.perf_counter() - started, 4)
    finally:
        installation.close()
    data = {
        "subject": args.subject,
        "backward": [edge_values(edge) for edge in found.backward],
        "forward": [edge_values(edge) for edge in found.forward],
        "nodes": {name: node_values(node) for name, node in found.nodes.items()},
        "seconds": seconds,
    }
    lines = [f"{args.subject}: {len(found.backward)} acts back, {len(found.forward)} forward"]
    for title, edges in (("came from", found.backward), ("went into", found.forward)):
        lines.append(f"  {title}:")
        lines += [
            f"    {edge.source} -> {edge.target}: {edge.how}"
            f"{'' if edge.amount is None else f' {edge.amount} {edge.unit}'}"
            f"{f' at {edge.step}' if edge.step else ''} (fact {edge.fact})"
            for edge in edges
        ]
    return Answer(data, "\n".join(lines))
