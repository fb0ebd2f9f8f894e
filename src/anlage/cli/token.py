"""`anlage token create`: a token for an interface."""

import argparse

from anlage.base import Refused

from .shell import Answer, Group


def register(group: Group) -> None:
    """Add the command."""
    parser = group.command("create", create, help="make a token; it is shown once")
    parser.add_argument("--name", required=True, help="what the token is for")
    parser.add_argument("--person", required=True, help="the person in whose name it acts")


def create(options: argparse.Namespace) -> Answer:
    """Make a token in the name of a person who has an account."""
    from anlage.app import has_account, make_token, prepare_desk, settings

    prepare_desk(settings(options.data))
    if not has_account(options.person):
        raise Refused(
            "account-unknown",
            what=f"person {options.person}",
            found="no account",
            remedy="name a person who can log in",
        )
    token = make_token(options.name, options.person)
    return Answer({"token": token, "person": options.person}, token)
