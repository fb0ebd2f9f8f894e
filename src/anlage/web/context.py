"""What every page shows around its own matter."""

from typing import Any

from django.http import HttpRequest

from anlage.record import SIGNING_LIMIT, World

from .here import installation
from .menu import GROUPS, places


def shell(request: HttpRequest) -> dict[str, Any]:
    """Give menu, site, world, clock and theme."""
    site = installation()
    user: Any = getattr(request, "user", None)
    is_known = bool(user and user.is_authenticated)
    return {
        "user": user,
        "menu": _menu(request.path) if is_known else [],
        "site_name": site.journal.opened.site_name if site.journal.is_opened else "",
        "world": site.journal.opened.world if site.journal.is_opened else "",
        "is_real": site.journal.is_opened and site.journal.opened.world is World.REAL,
        "behind": site.views.behind() if is_known else {},
        "signing_stopped": is_known and site.journal.clock_behind() > SIGNING_LIMIT,
        "is_demo": site.settings.demo,
        "plant_time": site.clock.now(),
        "zone": site.settings.time_zone,
        "theme": getattr(user, "theme", "auto") if is_known else "auto",
    }


def _menu(path: str) -> list[dict[str, Any]]:
    """Give the groups of the menu with their places, the one of this page marked."""
    return [
        {
            "name": GROUPS[group],
            "places": [(one.path, one.name, one.holds(path)) for one in entries],
        }
        for group, entries in places().items()
    ]
