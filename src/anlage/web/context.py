"""What every page shows around its own matter."""

from typing import Any

from django.http import HttpRequest

from anlage.record import World

from .here import installation

MENU = (
    ("/", "My work"),
    ("/floor", "Floor"),
    ("/journeys", "Patients"),
    ("/lots", "Lots"),
    ("/materials", "Materials"),
    ("/equipment", "Equipment"),
    ("/deviations", "Deviations"),
    ("/definitions", "Definitions"),
    ("/networks", "Networks"),
    ("/people", "People"),
    ("/record", "Record"),
)


def shell(request: HttpRequest) -> dict[str, Any]:
    """Give menu, site, world, clock and theme."""
    site = installation()
    user: Any = getattr(request, "user", None)
    is_known = bool(user and user.is_authenticated)
    place = "/" + request.path.strip("/").split("/")[0]
    return {
        "user": user,
        "menu": [(path, name, path == place) for path, name in MENU] if is_known else [],
        "site_name": site.journal.opened.site_name if site.journal.is_opened else "",
        "world": site.journal.opened.world if site.journal.is_opened else "",
        "is_real": site.journal.is_opened and site.journal.opened.world is World.REAL,
        "is_demo": site.settings.demo,
        "plant_time": site.clock.now(),
        "zone": site.settings.time_zone,
        "theme": getattr(user, "theme", "auto") if is_known else "auto",
    }
