"""Serving an installation: granian loads `anlage.web.server`, which opens the folder named by
ANLAGE_DATA.
"""

import socket

from anlage.base import Refused

from .desk import prepare_desk
from .settings import Settings


def must_be_free(chosen: Settings) -> None:
    """See that nobody serves at the address yet.

    The server shares a port with whoever shares it too; two installations at one address would
    answer each other's people at random.

    Raises:
        Refused: `address-taken`.
    """
    family = socket.AF_INET6 if ":" in chosen.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((chosen.host, chosen.port))
        except OSError as error:
            raise Refused(
                "address-taken",
                what=f"address {chosen.host}, port {chosen.port}",
                found=error.strerror or "it cannot be used",
                limit="an address of this machine and a port that nobody serves at",
                remedy="stop the other server, or choose another with --port",
            ) from error


def serve(chosen: Settings) -> None:
    """Serve until stopped.

    Raises:
        Refused: `address-taken`.
    """
    must_be_free(chosen)
    from granian import Granian
    from granian.constants import Interfaces

    prepare_desk(chosen)
    Granian(
        "anlage.web.server:application",
        address=chosen.host,
        port=chosen.port,
        interface=Interfaces.ASGI,
        workers=1,
        log_access=False,
        log_enabled=False,
        factory=True,
    ).serve()
