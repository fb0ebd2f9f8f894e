"""The desk: Django set up for one installation (nowhere else), its tables, accounts and tokens."""

import importlib.util
import secrets
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlparse

import anlage
from anlage.base import Refused
from anlage.library import AccountLocked, AccountMade, LoginFailed, PasswordReset

from .settings import Settings

if TYPE_CHECKING:
    from .accounts import Tell

HERE = Path(anlage.__file__).parent / "web"


def configure(settings: Settings) -> None:
    """Set Django up for an installation's folder; does nothing the second time."""
    import django
    from django.conf import settings as django_settings

    if django_settings.configured:
        return
    django_settings.configure(**_values(settings))
    django.setup()


def _values(settings: Settings) -> dict[str, Any]:
    return {
        "SECRET_KEY": _secret(settings.data / "keys" / "pages.key"),
        "DEBUG": False,
        "ALLOWED_HOSTS": [*settings.allowed_hosts, "localhost", "127.0.0.1", "[::1]", "testserver"],
        "INSTALLED_APPS": [
            "django.contrib.contenttypes",
            "django.contrib.auth",
            "django.contrib.sessions",
            "django.contrib.messages",
            "django.contrib.staticfiles",
            "django_htmx",
            "anlage.store.desk",
            "anlage.web",
        ],
        "MIDDLEWARE": [
            "django.middleware.security.SecurityMiddleware",
            "whitenoise.middleware.WhiteNoiseMiddleware",
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.locale.LocaleMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
            "django.middleware.clickjacking.XFrameOptionsMiddleware",
            "django_htmx.middleware.HtmxMiddleware",
            "anlage.web.middleware.guard",
        ],
        "ROOT_URLCONF": "anlage.web.urls",
        "AUTH_USER_MODEL": "desk.Account",
        "AUTHENTICATION_BACKENDS": ["django.contrib.auth.backends.ModelBackend"],
        "PASSWORD_HASHERS": ["anlage.store.desk.hashers.SigningArgon2"],
        "AUTH_PASSWORD_VALIDATORS": [
            {
                "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
                "OPTIONS": {"min_length": 12},
            },
            {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
        ],
        "DATABASES": {"default": _database(settings)},
        "TEMPLATES": [
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "DIRS": [HERE / "templates", HERE / "pages"],
                "OPTIONS": {
                    "context_processors": [
                        "django.template.context_processors.request",
                        "django.contrib.auth.context_processors.auth",
                        "django.contrib.messages.context_processors.messages",
                        "django.template.context_processors.i18n",
                        "anlage.web.context.shell",
                    ],
                    "builtins": ["anlage.web.tags"],
                },
            }
        ],
        "STATIC_URL": "/static/",
        "STATICFILES_DIRS": _plotly(),
        "WHITENOISE_USE_FINDERS": True,
        "WHITENOISE_MAX_AGE": 3600,
        "LANGUAGE_CODE": settings.language,
        "LOCALE_PATHS": [HERE / "locale"],
        "TIME_ZONE": settings.time_zone,
        "USE_TZ": True,
        "LOGIN_URL": "/login",
        "SESSION_COOKIE_AGE": 12 * 3600,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_EXPIRE_AT_BROWSER_CLOSE": True,
        "CSRF_COOKIE_SAMESITE": "Lax",
        "SECURE_CONTENT_TYPE_NOSNIFF": True,
        "SECURE_REFERRER_POLICY": "same-origin",
        "X_FRAME_OPTIONS": "DENY",
        "DATA_UPLOAD_MAX_MEMORY_SIZE": 64 * 1024 * 1024,
        "FILE_UPLOAD_MAX_MEMORY_SIZE": 64 * 1024 * 1024,
        "LOGGING": {
            "version": 1,
            "disable_existing_loggers": False,
            "handlers": {"stderr": {"class": "logging.StreamHandler"}},
            "root": {"handlers": ["stderr"], "level": "WARNING"},
        },
    }


def _plotly() -> list[tuple[str, str]]:
    """Give where the browser's part of Plotly lies: in the Python package, for pages offline."""
    found = importlib.util.find_spec("plotly")
    places = found.submodule_search_locations if found else None
    return [("plotly", str(Path(place) / "package_data")) for place in places or ()]


def _database(settings: Settings) -> dict[str, Any]:
    if settings.database_url is None:
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": settings.data / "desk.db",
            "CONN_MAX_AGE": None,
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 10,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
            },
        }
    url = urlparse(settings.database_url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": url.path.lstrip("/"),
        "USER": unquote(url.username or ""),
        "PASSWORD": unquote(url.password or ""),
        "HOST": url.hostname or "",
        "PORT": url.port or "",
        "CONN_MAX_AGE": None,
    }


def _secret(path: Path) -> str:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(secrets.token_urlsafe(48), "ascii")
        path.chmod(0o600)
    return path.read_text("ascii")


def prepare_desk(settings: Settings) -> None:
    """Make or update the desk's tables."""
    configure(settings)
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)


def make_account(
    *,
    login: str,
    person: str,
    password: str,
    must_change: bool = False,
    tell: "Tell | None" = None,
) -> None:
    """Make the account of a person who is registered; `tell` records it."""
    from anlage.store.desk.models import Account

    if (
        Account.objects.filter(login=login).exists()
        or Account.objects.filter(person=person).exists()
    ):
        raise Refused(
            "account-exists",
            what=f"account {login} of {person}",
            found="the login name or the person has one",
            limit="one person, one account, never reused",
            remedy="choose another login name, or reset the password",
            rule="21 CFR 11.100(a)",
        )
    account = Account.objects.create_account(login, person, password)
    if must_change:
        account.must_change_password = True
        account.save(update_fields=["must_change_password"])
    if tell is not None:
        tell(person, AccountMade(login=login))


def reset_password(person: str, password: str, *, tell: "Tell | None" = None) -> str | None:
    """Give a person's account a new first password; gives the login name, None without an
    account.
    """
    from anlage.store.desk.models import Account

    account = Account.objects.filter(person=person).first()
    if account is None:
        return None
    account.set_password(password)
    account.must_change_password, account.failures, account.locked_until = True, 0, None
    account.save()
    if tell is not None:
        tell(person, PasswordReset(login=account.login))
    return str(account.login)


def has_account(person: str) -> bool:
    """Tell whether a person has an account that may enter."""
    from anlage.store.desk.models import Account

    return bool(Account.objects.filter(person=person, is_active=True).exists())


def make_token(name: str, person: str) -> str:
    """Make a token in a person's name and give its text."""
    from anlage.store.desk.models import Token

    return Token.make(name, person)


def check_login(login: str, password: str, *, tell: "Tell | None" = None) -> str:
    """Give the person whose login name and password these are; five failures lock the account for
    15 minutes, counted together with those on the pages. `tell` records failures and locks.

    Raises:
        Refused: `account-locked` or `login-failed`.
    """
    from django.contrib.auth import authenticate
    from django.utils import timezone

    from anlage.store.desk.models import Account

    account = Account.objects.filter(login=login[:80]).first()
    if account is not None and account.locked_until and account.locked_until > timezone.now():
        raise Refused(
            "account-locked",
            what=f"account {login[:40]}",
            found="five failed attempts",
            remedy="wait 15 minutes",
            rule="21 CFR 11.300",
        )
    found = authenticate(None, login=login, password=password)
    if account is not None:
        account.failures = 0 if found else account.failures + 1
        told: list[object] = []
        if not found:
            told.append(LoginFailed(login=account.login, failures=account.failures))
        if account.failures >= FAILURES_MAX:
            account.failures, account.locked_until = 0, timezone.now() + LOCKED
            minutes = int(LOCKED.total_seconds() // 60)
            told.append(AccountLocked(login=account.login, minutes=minutes))
        account.save(update_fields=["failures", "locked_until"])
        if tell is not None:
            for one in told:
                tell(account.person, one)
    if found is None:
        raise Refused(
            "login-failed",
            what="login",
            found="name or password does not fit",
            remedy="type both again",
            rule="21 CFR 11.300",
        )
    return str(found.person)


FAILURES_MAX = 5
LOCKED = timedelta(minutes=15)
