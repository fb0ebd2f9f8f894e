"""Serving an installation: granian loads `anlage.web.server`, which opens the folder named by
ANLAGE_DATA.
"""

from .desk import prepare_desk
from .settings import Settings


def serve(chosen: Settings) -> None:
    """Serve until stopped."""
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
