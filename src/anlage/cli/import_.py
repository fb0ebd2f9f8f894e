"""`anlage import FILE`: take up another site's export, verified and kept byte for byte."""

import argparse
from pathlib import Path

from anlage.base import Refused

from .shell import Answer, Group


def register(group: Group) -> None:
    """Add the command."""
    parser = group.itself(run)
    parser.add_argument("file", type=Path, help="an export of another site, or of this one")
    parser.add_argument("--trust", metavar="KEY", help="public key of that site, or its file")
    parser.add_argument(
        "--as", dest="person", required=True, metavar="PERSON", help="who takes it up"
    )


def run(options: argparse.Namespace) -> Answer:
    """Verify the export; keep it as a file and name it in one fact. A false one is refused."""
    from anlage.app import opened, verify
    from anlage.custody import ImportRecord
    from anlage.record import Actor

    verdict = verify(options.file, trust=options.trust)
    if not verdict.ok or verdict.subject is None or verdict.signer is None:
        raise Refused.of(verdict.problems)
    with opened(options.data) as installation:
        blob = installation.blobs.put(options.file.read_bytes())
        request = ImportRecord(
            blob=blob,
            subject=verdict.subject,
            signer=verdict.signer,
            is_anchored=verdict.anchored,
            facts=len(verdict.facts),
            world=str(verdict.world),
        )
        actor = Actor(person=options.person, via="command-line")
        outcome = installation.engine.do(request, actor=actor)
    data = {
        "subject": verdict.subject,
        "stream": outcome.streams[0],
        "blob": blob,
        "facts": len(verdict.facts),
        "anchored": verdict.anchored,
    }
    return Answer(
        data, f"{verdict.subject}: {len(verdict.facts)} facts, kept as {outcome.streams[0]}"
    )
