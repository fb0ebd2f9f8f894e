"""`--figures DIR` and `--report FILE` of `anlage network`: drawings and a report, no server."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anlage.base import Refused

if TYPE_CHECKING:
    from anlage.network import Network
    from anlage.network.simulate import Run

TRACE_MAX = 400_000
PAGE = "figures.html"
_TITLES = {
    "simulate-network": "Simulation of",
    "compare-networks": "Designs side by side",
    "rank-bottlenecks": "Bottlenecks of",
}


def ask_for_drawings(command: argparse.ArgumentParser) -> None:
    """Add the options."""
    command.add_argument(
        "--figures", type=Path, metavar="DIR", help="write drawings: one page, and each as SVG"
    )
    command.add_argument(
        "--report", type=Path, metavar="FILE", help="write a report as PDF, with its drawings"
    )


def wants_drawings(args: argparse.Namespace) -> bool:
    """Tell whether drawings or a report are asked for."""
    return args.figures is not None or args.report is not None


def drawn(
    args: argparse.Namespace,
    name: str,
    data: Mapping[str, Any],
    *,
    network: "Network | None" = None,
    run: "Run | None" = None,
) -> dict[str, Any]:
    """Write what is asked for and give where it lies, as keys for the answer.

    Args:
        args: The command's options.
        name: The kind of run, as the jobs of the pages name it.
        data: What it found.
        network: The network, for its map.
        run: A simulation, followed patient by patient, for the moving day.

    Raises:
        Refused: `network-unwritable`: nothing can be written there.
    """
    if not wants_drawings(args):
        return {}
    from anlage.app import drawings_of, network_report

    whole = {**data, **_followed(network, run)}
    model: Any = network or ""
    written: dict[str, Any] = {}
    if args.figures is not None:
        from anlage.network.figure import page_of

        drawings = drawings_of(name, whole, network=model)
        files = {PAGE: page_of(drawings, title=f"{_TITLES[name]} {data.get('network', '')}")}
        files |= {f"{one.name}.svg": one.svg() for one in drawings}
        _write({args.figures / file: text.encode() for file, text in files.items()})
        written["figures"] = [str(args.figures / file) for file in files]
    if args.report is not None:
        _write({args.report: network_report(name, whole, network=model)})
        written["report"] = str(args.report)
    return written


def _followed(network: "Network | None", run: "Run | None") -> dict[str, Any]:
    if network is None or run is None:
        return {}
    from anlage.network.figure import day_of, distribution_of, load_of
    from anlage.network.simulate import trace_of

    trace = trace_of(run)
    return {
        "distribution": distribution_of(run),
        "day": day_of(network, trace),
        "load": load_of(trace),
    }


def _write(files: Mapping[Path, bytes]) -> None:
    for path, content in files.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        except OSError as error:
            raise Refused(
                "network-unwritable",
                what=f"file {path}",
                found=error.strerror or str(error),
                limit="a place that can be written to",
                remedy="name another folder or file",
                path=str(path),
            ) from None
