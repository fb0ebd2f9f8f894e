"""What stands before every page: login, one policy for content, refusals and breakages shown in
one shape.
"""

import logging
import time
import uuid
from collections.abc import Callable
from typing import Any

from django.contrib.auth import logout
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect, render

from anlage.base import Broken, Refused

from .entrance import has_left
from .here import installation

log = logging.getLogger(__name__)
SEEN_SECONDS = 30  # a session is not written at every request
OPEN_PATHS = ("/login", "/static/", "/api/", "/epcis/", "/health", "/courier/", "/check")
POLICY = (
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; script-src 'self';"
    " object-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)


class Guard:
    """The middleware."""

    def __init__(self, following: Callable[[HttpRequest], HttpResponse]) -> None:
        """Wrap the next handler."""
        self._following = following

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, or send to the login page."""
        user: Any = request.user  # type: ignore[attr-defined]
        if user.is_authenticated and (has_left(user.person) or _was_idle(request)):
            logout(request)
            user = request.user  # type: ignore[attr-defined]
        if not user.is_authenticated and not request.path.startswith(OPEN_PATHS):
            return redirect(f"/login?next={request.path}")
        is_free = request.path.startswith(("/static/", "/logout", "/password"))
        if user.is_authenticated and user.must_change_password and not is_free:
            return redirect("/password")
        response = self._following(request)
        response.setdefault("Content-Security-Policy", POLICY)
        response.setdefault("Cache-Control", "no-store")
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Show a refusal in full; stop at a breakage to protect the record."""
        is_api = request.path.startswith(("/api/", "/epcis/"))
        status = 409
        if isinstance(error, SuspiciousOperation):  # more fields, or longer ones, than are taken
            status, error = 400, _malformed(request, error)
        if isinstance(error, Refused):
            if is_api:
                problems = [one.as_dict() for one in error.problems]
                data = {"refused": error.problem.as_dict(), "problems": problems}
                return JsonResponse(data, status=status)
            return render(request, "refused.html", {"problems": error.problems}, status=status)
        incident = uuid.uuid4().hex[:12]
        log.error("incident %s", incident, exc_info=error)
        seen = str(error) if isinstance(error, Broken) else "an unexpected fault"
        if is_api:
            return JsonResponse({"broken": {"incident": incident}}, status=500)
        return render(request, "broken.html", {"incident": incident, "seen": seen}, status=500)


def _malformed(request: HttpRequest, error: SuspiciousOperation) -> Refused:
    request.GET = QueryDict()  # the page that tells it must not stumble over it again
    return Refused(
        "request-malformed",
        what=f"request for {request.path[:80]}",
        found=str(error)[:200],
        limit="what the form sends",
        remedy="choose less at a time, or send the form again",
    )


def _was_idle(request: HttpRequest) -> bool:
    """Tell whether nothing was asked in this session for longer than the site allows."""
    at, seen = time.time(), request.session.get("seen_at")
    if seen is not None and at - seen > 60 * installation().settings.idle_minutes:
        return True
    if seen is None or at - seen > SEEN_SECONDS:
        request.session["seen_at"] = at
    return False


guard = Guard
