"""Buttons: what can be done with the thing on a page, for the roles of who is asking.

A button that is not shown forbids nothing: the decision judges every command. It keeps the page
calm.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest
from django.utils.translation import gettext

from .reading import me


@dataclass(frozen=True, slots=True)
class Action:
    """A command that a page offers.

    Attributes:
        label: What the button says.
        command: The command.
        roles: Who may do it, by the roles that its decision asks for; empty for everybody.
        is_main: Whether it is what is most likely wanted.
        page: The address of its own page, with the fields in braces; its form when None.
    """

    label: str
    command: str
    roles: tuple[str, ...] = ()
    is_main: bool = False
    page: str | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """A button ready to be shown."""

    label: str
    address: str
    is_main: bool = False


def links(
    request: HttpRequest, actions: Iterable[Action], values: Mapping[str, object]
) -> list[Link]:
    """Give the buttons of the actions that the person's roles allow; they lead back here."""
    held = me(request).roles
    return [
        Link(
            gettext(one.label),
            one.page.format_map(values) if one.page else address(request, one.command, values),
            one.is_main,
        )
        for one in actions
        if not one.roles or held & set(one.roles)
    ]


def address(request: HttpRequest, command: str, values: Mapping[str, object]) -> str:
    """Give the address of a command's form with these fields filled in."""
    asked = {**{key: str(value) for key, value in values.items()}, "back": request.path}
    return f"/act/{command}?{urlencode(asked)}"
