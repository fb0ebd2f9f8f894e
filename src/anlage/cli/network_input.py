"""What the network commands read: files, facts, settings of a run; and the progress they show."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from anlage.base import Refused

if TYPE_CHECKING:
    from anlage.custody import Happening
    from anlage.network import Network, Task
    from anlage.network.simulate import Settings

BYTES_MAX = 4_000_000
FACTS_BYTES_MAX = 2_000_000_000


def add_run(command: argparse.ArgumentParser) -> None:
    """Add how long, how often and from which seed."""
    command.add_argument("--years", metavar="Y", help="length of a run, warm-up included")
    command.add_argument("--warmup", metavar="W", help="part not measured, in years or '30 days'")
    command.add_argument("--replications", metavar="R", type=int, help="number of runs")
    command.add_argument("--seed", metavar="S", type=int, help="seed of all chance")
    command.add_argument("--workers", metavar="N", type=int, default=1, help="threads")
    command.add_argument("--time-limit", metavar="S", type=float, help="seconds, then stop early")


def text_of(path: str) -> tuple[str, str]:
    """Give a file's name and text, read only when it is of a size that a network can have.

    Raises:
        Refused: There is no such file, it is too large, or it is no UTF-8.
    """
    try:
        if path == "-":
            raw = sys.stdin.buffer.read(BYTES_MAX + 1)
        else:
            with Path(path).open("rb") as file:
                raw = file.read(BYTES_MAX + 1)
        if len(raw) > BYTES_MAX:
            raise unreadable(path, "a file of more than 4 MB", "at most 4 MB")
        return path, raw.decode("utf-8-sig")
    except OSError as error:
        raise unreadable(path, error.strerror or str(error), "a file that can be read") from None
    except UnicodeDecodeError as error:
        raise unreadable(path, f"byte {error.start} is no UTF-8", "text in UTF-8") from None


def network_of(path: str) -> "Network":
    """Give the network of a file.

    Raises:
        Refused: It cannot be read, or is not sound.
    """
    from anlage.network import read

    name, text = text_of(path)
    return read(text, path=name, recipes=recipes)


def recipes(name: str) -> "tuple[Task, ...] | None":
    """Give the tasks of a recipe; the plant is loaded only when a file names one."""
    from anlage.app import recipe_tasks

    return recipe_tasks(name)


def facts_in(path: Path) -> "list[Happening] | None":
    """Give the facts of a plant's export (ZIP) or of a trace (Arrow); None for any other file.

    Raises:
        Refused: It is neither read nor sound, or too large.
    """
    from anlage.custody import Happening, happening_of

    try:
        with path.open("rb") as file:
            start = file.read(8)
        if not start.startswith((b"PK\x03\x04", b"ARROW1")):
            return None
        if path.stat().st_size > FACTS_BYTES_MAX:
            raise unreadable(str(path), "facts of more than 2 GB", "at most 2 GB")
        if start.startswith(b"PK"):
            from anlage.record import unpack

            verdict = unpack(path.read_bytes())
            if not verdict.ok:
                raise Refused.of(verdict.problems)
            return [happening_of(one) for one in verdict.facts if not one.is_withheld]
        import orjson
        import pyarrow.feather

        wanted = ["stream", "kind", "happened", "body", "site"]
        table = pyarrow.feather.read_table(str(path))
        if not set(wanted) <= set(table.column_names):
            raise unreadable(
                str(path), ", ".join(table.column_names)[:100], "the columns " + ", ".join(wanted)
            )
        columns = [table[name].to_pylist() for name in wanted]
        return [
            Happening(
                stream=stream, kind=kind, happened=at, body=orjson.loads(body), site=site or ""
            )
            for stream, kind, at, body, site in zip(*columns, strict=True)
        ]
    except OSError as error:
        raise unreadable(
            str(path), error.strerror or str(error), "a file that can be read"
        ) from None


def settings_of(network: "Network", args: argparse.Namespace) -> "Settings":
    """Give the settings of a run from the file and from the command.

    Raises:
        Refused: A value that cannot be.
    """
    from dataclasses import replace

    from anlage.network.simulate import settings_for

    settings = settings_for(
        network,
        years=years_of("--years", args.years),
        warmup_years=years_of("--warmup", args.warmup),
        replications=args.replications,
        seed=args.seed,
        workers=args.workers,
    )
    return replace(settings, seconds_max=args.time_limit)


def years_of(option: str, text: str | None) -> float | None:
    """Give a length in years, or None when nothing was said.

    Raises:
        Refused: It is no length.
    """
    from anlage.network import read_years

    return None if text is None else read_years(text, option)


def unreadable(path: str, found: str, limit: str) -> Refused:
    """Give the refusal of a file that cannot be read."""
    return Refused(
        "network-unreadable",
        what=f"the network file {path}",
        found=found,
        limit=limit,
        remedy="name a network file; docs/reference/network-file.md shows a first one",
        path=path,
    )


def say(text: str) -> None:
    """Say something to the person at the terminal, on standard error."""
    print(text, file=sys.stderr, flush=True)


def warn_of_compilation() -> None:
    """Say that the first run compiles, when it will."""
    from anlage.network.simulate import compilation_is_due

    if compilation_is_due():
        say("compiling the simulation kernel, once on this machine (about half a minute) ...")


class Bar:
    """Progress on standard error: a bar for a person, silence for a pipe."""

    def __init__(self, what: str) -> None:
        """Begin a bar for one kind of work."""
        self._what, self._shown = what, False

    def __call__(self, done: int, of: int) -> None:
        """Show how many of how many are done."""
        if sys.stderr.isatty():
            filled = 30 * done // of
            bar = "#" * filled + "." * (30 - filled)
            print(f"\r{self._what} [{bar}] {done}/{of}", end="", file=sys.stderr, flush=True)
            self._shown = True

    def close(self) -> None:
        """End the line of the bar."""
        if self._shown:
            print(file=sys.stderr)
