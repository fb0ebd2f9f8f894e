"""`anlage rebuild`: fold the views anew from the journal."""

import argparse

from .shell import Answer, Group


def register(group: Group) -> None:
    """Add the command."""
    group.itself(run)


def run(options: argparse.Namespace) -> Answer:
    """Rebuild every view beside the live one, then switch."""
    import time

    from anlage.app import opened

    with opened(options.data, may_be_beside=False) as installation:
        started = time.perf_counter()
        folded = {
            name: installation.views.rebuild(installation.journal, name)
            for name in installation.views.names
        }
        seconds = time.perf_counter() - started
    return Answer(
        {"views": folded, "seconds": round(seconds, 3)}, f"{len(folded)} views in {seconds:.1f} s"
    )
