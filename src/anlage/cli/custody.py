"""`anlage custody`: who held what, where, without a gap."""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from anlage.base import Instant
from anlage.cli.shell import Answer, Group

if TYPE_CHECKING:
    from anlage.custody import Dated


def register(group: Group) -> None:
    """Add the commands of the group."""
    parser = group.command("prove", prove, help="coverage, grades and gaps of a subject's custody")
    parser.add_argument("subject", metavar="SUBJECT", help="lot/ID, container/ID or shipment/ID")


def prove(options: argparse.Namespace) -> Answer:
    """Prove the custody of a lot's containers, or of one container."""
    from anlage.custody import Evidence
    from anlage.custody import prove as prove_custody

    histories, chosen, now = custody_of(options)
    proof = prove_custody(histories, now=now, subjects=chosen)
    data = {"subject": options.subject, **proof.as_dict()}
    lines = [
        f"{options.subject}: {proof.coverage_percent:g} % of"
        f" {proof.total.total_seconds():.0f} container-seconds in {len(proof.containers)}"
        " containers with one place and one holder"
    ]
    lines += [f"  {grade.value:<15}{proof.grade_percent(grade):8.3f} %" for grade in Evidence]
    lines += [
        f"  gap of {gap['container']}: {gap['start']} to {gap['end']}, {gap['why']}"
        for gap in data["gaps"]
    ]
    return Answer(data, "\n".join(lines), ok=not proof.gaps)


def custody_of(
    options: argparse.Namespace,
) -> "tuple[dict[str, list[Dated]], list[str], Instant]":
    """Give the facts of every container, the containers of the subject, and the time there."""
    from anlage.app import custody_on_record, open_clocked, settings
    from anlage.record import Stream

    folder = options.data or Path(os.environ.get("ANLAGE_DATA", "anlage-data"))
    subject = Stream(options.subject)
    installation = open_clocked(settings(folder), may_be_beside=True)
    try:
        histories, chosen = custody_on_record(installation, subject)
        now = installation.clock.now()
    finally:
        installation.close()
    return histories, chosen, now
