"""`anlage backup`: copy an installation while it runs, and check the copy."""

import argparse
from pathlib import Path

from .shell import Answer, Group


def register(group: Group) -> None:
    """Add the command."""
    parser = group.itself(run)
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR")


def run(options: argparse.Namespace) -> Answer:
    """Make the backup; every fact is checked on the way."""
    from anlage.app import backup, settings

    found = backup(settings(options.data), options.output)
    return Answer(found, f"{found['facts']} facts, checked, in {options.output}")
