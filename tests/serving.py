"""Several installations served by one test process: each with its own desk, one at a time."""

from pathlib import Path

from anlage.app import configure, prepare_desk


def serve(installation, *, is_new=False):
    """Let pages and accounts be those of this installation from now on."""
    from anlage.web import here

    configure(installation.settings)
    from django.db import connections

    name = Path(installation.folder) / "desk.db"
    if connections["default"].settings_dict["NAME"] != name:
        connections["default"].close()
        connections["default"].settings_dict["NAME"] = name
        connections.databases["default"]["NAME"] = name
    if is_new:
        prepare_desk(installation.settings)
    here.use(installation)
