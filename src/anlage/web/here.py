"""The installation that this process serves."""

from anlage.app import Installation, Jobs

_HELD: list[Installation] = []


def use(installation: Installation) -> None:
    """Serve this installation from now on."""
    _HELD[:] = [installation]


def installation() -> Installation:
    """Give the installation that is served."""
    return _HELD[0]


def jobs() -> Jobs:
    """Give the jobs of the installation that is served."""
    return Jobs(installation())
