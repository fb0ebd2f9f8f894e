"""`anlage serve`: pages, API and live stream of an installation."""

import argparse
import os
import sys

from .shell import Answer, Group


def register(group: Group) -> None:
    """Add the command."""
    parser = group.itself(serve)
    parser.add_argument("--host", help="address to serve on")
    parser.add_argument("--port", type=int, help="port to serve on")


def serve(options: argparse.Namespace) -> Answer:
    """Serve until stopped."""
    from anlage.app import Installation, settings
    from anlage.app import serve as run

    overrides = {k: v for k, v in {"host": options.host, "port": options.port}.items() if v}
    chosen = settings(options.data, **overrides)
    Installation.open(chosen).close()
    os.environ["ANLAGE_DATA"] = str(chosen.data)
    print(f"Serving {chosen.data} at http://{chosen.host}:{chosen.port}/", file=sys.stderr)
    run(chosen)
    return Answer({"ok": True}, "stopped")
