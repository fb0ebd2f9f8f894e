"""Acting at the command line: who does it, and the signature under it.

In a simulated world a person is named by `--as`; in a training or real one the person logs in with
`--login` and a password, typed or read from standard input.
"""

import argparse
import getpass
import sys
from typing import TYPE_CHECKING

from anlage.base import Refused

if TYPE_CHECKING:
    from anlage.app import Installation, Outcome
    from anlage.record import Actor, Signature

TEMPLATE = "command-line@1"


def ask_person(parser: argparse.ArgumentParser) -> None:
    """Add the options that name a person."""
    parser.add_argument("--as", dest="person", metavar="PERSON", help="in a simulated world")
    parser.add_argument("--login", help="login name; the password is asked for, or read from stdin")


class Acting:
    """One person at the command line of one installation, who has proved to be that person."""

    def __init__(self, options: argparse.Namespace, installation: "Installation") -> None:
        """Find out who acts.

        Raises:
            Refused: Nobody is named, or the password does not fit.
        """
        from anlage.app import prepare_desk
        from anlage.record import World

        self._site = installation
        if options.person and installation.journal.world is World.SIMULATED:
            self.person, self._method = str(options.person), "simulated-person"
        elif options.login:
            prepare_desk(installation.settings)
            self.person, self._method = login_of(options, installation), "password"
        else:
            raise Refused(
                "person-missing",
                what="who does it",
                found="--as outside a simulated world" if options.person else "nobody",
                limit="--login NAME, or --as PERSON in a simulated world",
                remedy="say who does it",
                rule="21 CFR 11.10(d)",
            )

    def sign(self, meaning: str, shown: dict[str, str]) -> "Signature":
        """Give the person's signature under what is shown."""
        from anlage.library import Person, stream_of_person
        from anlage.record import sign

        person = self._site.engine.state(Person, stream_of_person(self.person))
        for name, value in shown.items():
            print(f"{name}: {value}", file=sys.stderr)
        return sign(
            shown,
            person=self.person,
            name=person.signs_as or self.person,
            meaning=meaning,
            template=TEMPLATE,
            method=self._method,
            at=self._site.clock.now(),
        )

    @property
    def actor(self) -> "Actor":
        """The person as the record names who did something."""
        from anlage.record import Actor

        return Actor(person=self.person, via="command-line")

    def do(self, request: object) -> "Outcome":
        """Do a command in the person's name."""
        return self._site.engine.do(request, actor=self.actor)


def login_of(options: argparse.Namespace, site: "Installation | None" = None) -> str:
    """Give the person who logs in with `--login`; the desk must be prepared. An installation that
    is open records failures.

    Raises:
        Refused: `account-locked` or `login-failed`.
    """
    from anlage.app import check_login, telling

    tell = None if site is None else telling(site, via="command-line")
    prompt = f"Password of {options.login}: "
    password = getpass.getpass(prompt) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    return check_login(options.login, password, tell=tell)
