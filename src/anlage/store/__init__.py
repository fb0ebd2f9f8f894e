"""STORE: engines that keep: journal, views, vault, files.

Touches: record and base (and the packages whose types it keeps).
Touched by: app, web, cli.
Start at: journal.py (the one writer), then views.py.
"""

from .blobs import FolderBlobs
from .copying import Copied, copy_journal
from .dialect import Dialect, Postgres, Sqlite, transaction
from .guest import GuestJournal, LineClock
from .journal import SqlJournal, fsync_rate
from .line import Line, Switchboard, call
from .vault import Vault
from .views import SqlViews

__all__ = [
    "Copied",
    "Dialect",
    "FolderBlobs",
    "GuestJournal",
    "Line",
    "LineClock",
    "Postgres",
    "SqlJournal",
    "SqlViews",
    "Sqlite",
    "Switchboard",
    "Vault",
    "call",
    "copy_journal",
    "fsync_rate",
    "transaction",
]
