"""`anlage account ...`: how registered persons get in."""

import argparse
import secrets

from anlage.base import Refused

from .shell import Answer, Group


def register(group: Group) -> None:
    """Add the commands."""
    create_ = group.command("create", create, help="make the account of a registered person")
    create_.add_argument("--person", required=True, help="identifier, such as P-0002")
    create_.add_argument("--login", required=True, help="login name, never reused")
    reset_ = group.command("reset", reset, help="give a person a new first password")
    reset_.add_argument("--person", required=True)


def create(options: argparse.Namespace) -> Answer:
    """Make an account; its first password is printed once and has to be changed at the first
    login.
    """
    from anlage.app import make_account, opened, prepare_desk, settings, telling
    from anlage.library import Person, stream_of_person

    chosen = settings(options.data)
    prepare_desk(chosen)
    with opened(options.data) as installation:
        installation.engine.state(Person, stream_of_person(options.person)).must_be_active()
        password = secrets.token_urlsafe(12)
        make_account(
            login=options.login,
            person=options.person,
            password=password,
            must_change=True,
            tell=telling(installation, via="command-line"),
        )
    return _told(options.person, options.login, password)


def reset(options: argparse.Namespace) -> Answer:
    """Give a new first password; the old one ends at once."""
    from anlage.app import opened, prepare_desk, reset_password, settings, telling

    prepare_desk(settings(options.data))
    password = secrets.token_urlsafe(12)
    with opened(options.data) as installation:
        tell = telling(installation, via="command-line")
        login = reset_password(options.person, password, tell=tell)
    if login is None:
        raise Refused("account-unknown", what=f"person {options.person}", found="no account")
    return _told(options.person, login, password)


def _told(person: str, login: str, password: str) -> Answer:
    data = {"person": person, "login": login, "password": password}
    return Answer(data, f"{login}: first password, shown once: {password}")
