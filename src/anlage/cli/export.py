"""`anlage export SUBJECT -o FILE`: the whole record of a subject, for verification anywhere."""

import argparse
from pathlib import Path

from .shell import Answer, Group


def register(group: Group) -> None:
    """Add the command."""
    parser = group.itself(export)
    parser.add_argument("subject", help="lot/ID, material/ID, equipment/ID, person/ID ...")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE")


def export(options: argparse.Namespace) -> Answer:
    """Write the export of a subject."""
    from anlage.app import export as make
    from anlage.app import opened

    with opened(options.data) as installation:
        data = make(installation, options.subject)
    options.output.write_bytes(data)
    found = {"file": str(options.output), "bytes": len(data), "subject": options.subject}
    return Answer(found, f"{options.output}: {len(data)} bytes; check it with `anlage verify`")
