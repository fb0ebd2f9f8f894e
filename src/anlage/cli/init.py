"""`anlage init`: a site's own installation, with its keys and first administrator."""

import argparse
import secrets

from anlage.base import Refused

from .shell import Answer, Group


def register(group: Group) -> None:
    """Add the command."""
    parser = group.itself(init)
    parser.add_argument("--site", required=True, help="short code of the site, such as HAM")
    parser.add_argument("--name", required=True, help="name of the site as printed")
    parser.add_argument("--administrator", required=True, help="name of the first administrator")
    parser.add_argument("--login", required=True, help="login name of the first administrator")
    parser.add_argument("--world", choices=["real", "training"], default="real")


def init(options: argparse.Namespace) -> Answer:
    """Make the installation; the administrator's first password is printed once."""
    from anlage.app import (
        Installation,
        first_administrator,
        make_account,
        prepare_desk,
        settings,
    )
    from anlage.record import World

    chosen = settings(options.data)
    if chosen.database_url is None and (chosen.data / "journal.db").exists():
        raise Refused(
            "installation-exists",
            what=f"installation in {chosen.data}",
            found="a journal",
            remedy="name an empty folder with --data",
        )
    installation = Installation.create(
        chosen, world=World(options.world), site=options.site, site_name=options.name
    )
    try:
        person = first_administrator(installation, name=options.administrator)
        prepare_desk(chosen)
        password = secrets.token_urlsafe(12)
        make_account(login=options.login, person=person, password=password, must_change=True)
        key = (chosen.data / "keys" / "site.pub").read_text("ascii").strip()
    finally:
        installation.close()
    data = {
        "data": str(chosen.data.resolve()),
        "site": options.site,
        "key": key,
        "login": options.login,
        "password": password,
    }
    text = (
        f"Installed in {chosen.data.resolve()}\nPublic key of the site: {key}\n"
        f"First login: {options.login}\nPassword, shown once: {password}\n"
        "Copy keys/ and the checkpoints to a place that the database's owner cannot reach."
    )
    return Answer(data, text)
