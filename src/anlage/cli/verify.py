"""`anlage verify PATH`: the offline check of an export."""

import argparse
from pathlib import Path

from .shell import Answer, Group


def register(group: Group) -> None:
    """Add the command."""
    parser = group.itself(verify)
    parser.add_argument("path", type=Path, help="the export file")
    parser.add_argument("--trust", metavar="KEY", help="public key, or its file")
    parser.add_argument("--checkpoint", type=Path, metavar="FILE", help="one kept elsewhere")


def verify(options: argparse.Namespace) -> Answer:
    """Check an export: bytes, proof, signatures, and each package's own judgement."""
    from anlage.app import custody_shown
    from anlage.app import verify as check

    verdict = check(options.path, trust=options.trust, checkpoint=options.checkpoint)
    custody = custody_shown(verdict)
    lines = [
        f"{options.path}: {verdict.sentence()}",
        f"  subject {verdict.subject}, {verdict.numbers['facts']} facts"
        f" ({verdict.numbers['withheld']} withheld) in {verdict.numbers['streams']} streams,"
        f" journal of {verdict.numbers['journal_size']} facts, world {verdict.world}",
        f"  signed by {verdict.signer}",
        *(f"  {problem}" for problem in verdict.problems),
    ]
    if custody is not None:
        lines.append(
            f"  custody of {len(custody.containers)} containers: {custody.coverage_percent:g} %"
            f" with one place and one holder, {custody.read_percent:g} % of it read, "
            f"{len(custody.gaps)} gaps"
        )
    data = verdict.as_dict() | {"custody": custody.as_dict() if custody else None}
    return Answer(data, "\n".join(lines), ok=verdict.ok)
