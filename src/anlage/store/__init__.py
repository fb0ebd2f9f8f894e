"""STORE: engines that keep: journal, views, vault, files.

Touches: record and base (and the packages whose types it keeps).
Touched by: app, web, cli.
Start at: journal.py (the one writer), then views.py.
"""

from .blobs import FolderBlobs
from .copying import Copied, copy_journal
from .dialect import Dialect, Postgres, Sqlite, transaction
from .journal import SqlJournal, fsync_rate
from .vault import Vault
from .views import SqlViews

__all__ = [
    "Copied",
    "Dialect",
    "FolderBlobs",
    "Postgres",
    "SqlJournal",
    "SqlViews",
    "Sqlite",
    "Vault",
    "copy_journal",
    "fsync_rate",
    "transaction",
]
