"""`anlage restore`: take an installation up from a backup."""

import argparse
from pathlib import Path

from .shell import Answer, Group


def register(group: Group) -> None:
    """Add the command."""
    parser = group.itself(run)
    parser.add_argument("source", type=Path, help="the folder of the backup")
    parser.add_argument("--checkpoint", type=Path, help="the newest checkpoint kept outside")


def run(options: argparse.Namespace) -> Answer:
    """Restore into the folder of --data, which must be empty; every fact is checked."""
    from anlage.app import restore, settings

    found = restore(options.source, settings(options.data), checkpoint=options.checkpoint)
    return Answer(found, f"{found['facts']} facts, checked, in {found['data']}")
