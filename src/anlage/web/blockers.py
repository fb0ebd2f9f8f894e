"""What stands before a release, each with the page where it is taken away."""

from collections.abc import Iterable

from anlage.plant import Blocker

_PAGES = {
    "step": "/lots/{lot}/step/{subject}",
    "deviation": "/deviations/{subject}",
    "sample": "/samples/{subject}",
    "labels": "/labels/{subject}",
}


def with_pages(lot: str, blockers: Iterable[Blocker]) -> list[tuple[Blocker, str]]:
    """Give each blocker with the address of its page; empty where it has none."""
    return [
        (one, _PAGES.get(one.code.partition("-")[0], "").format(lot=lot, subject=one.subject))
        for one in blockers
    ]
