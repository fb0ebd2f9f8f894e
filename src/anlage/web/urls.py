"""Every address of the pages."""

import importlib
import pkgutil
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path

from . import act, entrance, pages
from .api import api
from .here import installation


def health(request: HttpRequest) -> HttpResponse:
    """Answer that the server is up, how long the journal is, and which views stand still."""
    del request
    behind = {name: number for name, (number, _) in installation().views.behind().items()}
    return JsonResponse({"ok": not behind, "facts": installation().journal.size, "behind": behind})


def _job_addresses() -> list[Any]:
    """Give the addresses of each job at hand: `ADDRESSES` of every `pages/<job>/view.py`."""
    found: list[Any] = []
    for module in pkgutil.iter_modules(pages.__path__):
        view = importlib.import_module(f"{pages.__name__}.{module.name}.view")
        found += getattr(view, "ADDRESSES", [])
    return found


urlpatterns = [
    path("login", entrance.enter),
    path("logout", entrance.leave),
    path("theme", entrance.theme),
    path("password", entrance.change_password),
    path("health", health),
    path("api/", api.urls),
    path("act/<slug:name>", act.act),
    path("sign/<str:token>", act.sign_page),
    *_job_addresses(),
]
