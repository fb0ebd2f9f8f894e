"""Accounts from outside the pages: the command line and the demo."""

from django.db import transaction


def make_account(*, login: str, person: str, password: str, must_change: bool = False) -> None:
    """Make the account of a person who is registered."""
    from anlage.store.desk.models import Account

    with transaction.atomic():
        account = Account.objects.create_account(login, person, password)
        account.must_change_password = must_change
        account.save(update_fields=["must_change_password"])


def has_account(person: str) -> bool:
    """Tell whether a person has an account that may enter."""
    from anlage.store.desk.models import Account

    return Account.objects.filter(person=person, is_active=True).exists()


def make_token(name: str, person: str) -> str:
    """Make a token in a person's name and give its text."""
    from anlage.store.desk.models import Token

    return Token.make(name, person)
