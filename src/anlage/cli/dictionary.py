"""`anlage dictionary -o DIR`: JSON Schemas of every fact, command and kind of definition."""

import argparse
from pathlib import Path

from .shell import Answer, Group


def register(group: Group) -> None:
    """Add the command."""
    parser = group.itself(dictionary)
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR")


def dictionary(options: argparse.Namespace) -> Answer:
    """Write the data dictionary of this build."""
    from anlage.app import write_dictionary

    counts = write_dictionary(options.output)
    told = ", ".join(f"{count} {part}" for part, count in counts.items())
    return Answer({"folder": str(options.output), **counts}, f"{options.output}: {told}")
