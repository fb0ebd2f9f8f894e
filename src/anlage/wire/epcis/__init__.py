"""EPCIS: documents of supply-chain events, checked and hashed.

Touches: custody, base.
Touched by: app, web, cli.
Start at: document.py (what a file holds), then check.py and event_hash.py.
"""

from .canonical_link import canonical_link
from .check import check
from .document import Document, canonical_lines, declares_ignored, hashes, read_bytes, read_file
from .event_hash import event_hash
from .mapping import Naming, to_document, to_event

__all__ = [
    "Document",
    "Naming",
    "canonical_lines",
    "check",
    "canonical_link",
    "declares_ignored",
    "event_hash",
    "hashes",
    "read_bytes",
    "read_file",
    "to_document",
    "to_event",
]
