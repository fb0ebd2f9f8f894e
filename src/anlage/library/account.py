"""What happens to the accounts of persons: made, given a new password, failed at, locked.

The account itself, with its password hash, is a row; what was done with it is a fact
(Annex 11 clause 12.3; 21 CFR 11.300(d)).
"""

from dataclasses import dataclass

from anlage.record import Recorded, Stream, fact


@fact("account-made")
@dataclass(frozen=True, slots=True, kw_only=True)
class AccountMade:
    """A person was let in under a login name."""

    login: str


@fact("password-reset")
@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordReset:
    """An administrator gave a new first password; the one before ended, and so did a lock."""

    login: str


@fact("password-changed")
@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordChanged:
    """A person chose a password."""

    login: str


@fact("login-failed")
@dataclass(frozen=True, slots=True, kw_only=True)
class LoginFailed:
    """Somebody gave the login name with a password that does not fit.

    Attributes:
        failures: How many in a row.
    """

    login: str
    failures: int


@fact("account-locked")
@dataclass(frozen=True, slots=True, kw_only=True)
class AccountLocked:
    """Too many failures: nobody gets in under the name for a while."""

    login: str
    minutes: int


def stream_of_account(person: str) -> Stream:
    """Give the stream of a person's account."""
    return Stream(f"account/{person}")


_SENTENCES = {
    "account-made": "An account was made under the login name {login}.",
    "password-reset": "A new first password was given to {login}.",
    "password-changed": "{login} chose a new password.",
    "login-failed": "A login as {login} failed ({failures} in a row).",
    "account-locked": "The account {login} was locked for {minutes} minutes.",
}


def sentence(recorded: Recorded) -> str:
    """Say what happened to an account; empty for any other fact."""
    pattern = _SENTENCES.get(recorded.kind)
    return "" if pattern is None else pattern.format(**recorded.body)
