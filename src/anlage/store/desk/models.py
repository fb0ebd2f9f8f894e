"""Accounts and tokens of interfaces. A person is facts; the account is only how the person gets
in.
"""

import hashlib
import secrets
from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models


class AccountManager(BaseUserManager["Account"]):
    """Makes accounts."""

    def create_account(self, login: str, person: str, password: str) -> "Account":
        """Make the account of a person; one person has one account, for ever (21 CFR 11.100)."""
        account: Account = self.model(login=login, person=person)
        account.set_password(password)
        account.save(using=self._db)
        return account


class Account(AbstractBaseUser):
    """How a person gets in: login name and password hash.

    Attributes:
        login: What is typed; unique, never reused.
        person: Identifier of the person whose facts decide what may be done.
        failures: Failed logins since the last good one.
        locked_until: No login before this instant.
        version: Raised when roles or state change, so that other sessions look again.
    """

    login = models.CharField(max_length=80, unique=True)
    person = models.CharField(max_length=80, unique=True)
    is_active = models.BooleanField(default=True)
    must_change_password = models.BooleanField(default=False)
    failures = models.PositiveIntegerField(default=0)
    locked_until = models.DateTimeField(null=True, blank=True)
    theme = models.CharField(max_length=8, default="auto")

    USERNAME_FIELD = "login"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["person"]

    objects = AccountManager()

    class Meta:
        """One table."""

        db_table = "account"


class Token(models.Model):
    """A token of an interface; only its digest is kept."""

    name = models.CharField(max_length=80)
    person = models.CharField(max_length=80)
    digest = models.CharField(max_length=64, unique=True)
    created = models.DateTimeField(auto_now_add=True)
    is_active = models.BooleanField(default=True)

    class Meta:
        """One table."""

        db_table = "token"

    @classmethod
    def make(cls, name: str, person: str) -> str:
        """Make a token and give its text; it is shown once."""
        text = f"anlage_{secrets.token_urlsafe(32)}"
        cls.objects.create(name=name, person=person, digest=token_digest(text))
        return text

    @classmethod
    def holder(cls, text: str) -> tuple[str, Account] | None:
        """Give the name of a token and the account it stands for; None when either is closed.

        One plain query: it stands before every request of a program.
        """
        found = Account.objects.raw(
            "SELECT account.*, token.name AS door FROM token"
            " JOIN account ON account.person = token.person"
            " WHERE token.digest = %s AND token.is_active AND account.is_active",
            [token_digest(text)],
        )
        return next(((one.door, one) for one in found), None)


def token_digest(text: str) -> str:
    """Give the digest under which a token is kept."""
    return hashlib.sha256(text.encode()).hexdigest()
