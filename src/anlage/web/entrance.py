"""Login, logout, theme, and the proof of re-authentication that a signature needs."""

from typing import Any

from django.contrib.auth import login, logout, update_session_auth_hash
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from anlage.app import check_login, telling
from anlage.base import Refused
from anlage.library import PasswordChanged, Person, stream_of_person
from anlage.store.desk.models import Account

from .here import installation

PASSWORD_MAX = 1000
DEMO_LOGINS = "demo_logins.txt"


@require_http_methods(["GET", "POST"])
def enter(request: HttpRequest) -> HttpResponse:
    """Log a person in."""
    site = installation()
    path = site.folder / DEMO_LOGINS
    demo = (
        [line.split("\t") for line in path.read_text("utf-8").splitlines()] if path.exists() else []
    )
    context: dict[str, Any] = {"demo": demo if site.settings.demo else []}
    if request.method == "POST":
        try:
            account = check_password(
                request, request.POST.get("login", ""), request.POST.get("password", "")
            )
        except Refused as refusal:
            return render(
                request, "login.html", {**context, "problems": refusal.problems}, status=409
            )
        login(request, account)
        following = request.GET.get("next", "/")
        return redirect(following if following.startswith("/") and "//" not in following else "/")
    return render(request, "login.html", context)


@require_POST
def leave(request: HttpRequest) -> HttpResponse:
    """Log the person out."""
    logout(request)
    return redirect("/login")


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Keep the person's theme: auto, light or dark."""
    wanted = request.POST.get("theme", "auto")
    user: Any = request.user  # type: ignore[attr-defined]
    user.theme = wanted if wanted in {"auto", "light", "dark"} else "auto"
    user.save(update_fields=["theme"])
    back = request.POST.get("back", "/")
    return redirect(back if back.startswith("/") and not back.startswith("//") else "/")


def check_password(request: HttpRequest, name: str, password: str) -> Account:
    """Give the account whose login name and password these are; the rule stands in
    `app.check_login`.

    Raises:
        Refused: They fit no account that may enter, or the person has left.
    """
    if not (name + password).isprintable() or len(name) > 80 or len(password) > PASSWORD_MAX:
        raise _no("login-failed", "login", "name or password does not fit", "type both again")
    door = "api" if request.path.startswith("/api/") else "page"
    person = check_login(name, password, tell=telling(installation(), via=door))
    if has_left(person):
        raise _no("account-closed", f"account of {person}", "the person has left", "ask QA")
    account: Account = Account.objects.get(person=person)
    return account


@require_http_methods(["GET", "POST"])
def change_password(request: HttpRequest) -> HttpResponse:
    """Let a person set a password of their own; the first login asks for it."""
    user: Any = request.user  # type: ignore[attr-defined]
    if request.method == "GET":
        return render(request, "password.html")
    try:
        check_password(request, user.login, request.POST.get("old", ""))
        fresh = request.POST.get("new", "")
        if fresh != request.POST.get("again", ""):
            raise Refused("password-differs", what="new password", found="two different ones")
        try:
            validate_password(fresh, user)
        except ValidationError as error:
            raise Refused(
                "password-weak",
                what="new password",
                found=" ".join(error.messages),
                limit="at least 12 characters, not a common one",
                remedy="choose another",
                rule="21 CFR 11.300",
            ) from error
    except Refused as refusal:
        return render(request, "password.html", {"problems": refusal.problems}, status=409)
    user.set_password(fresh)
    user.must_change_password = False
    user.save()
    tell = telling(installation(), via="page", by=user.person)
    tell(user.person, PasswordChanged(login=user.login))
    update_session_auth_hash(request, user)
    return redirect("/")


def has_left(person: str) -> bool:
    """Tell whether a person has left: then logins, sessions and tokens end."""
    state = installation().engine.state(Person, stream_of_person(person))
    return bool(state.name) and not state.is_active


def _no(code: str, what: str, found: str, remedy: str) -> Refused:
    return Refused(code, what=what, found=found, remedy=remedy, rule="21 CFR 11.300")
