"""EPCIS: documents of supply-chain events, checked and hashed.

Touches: custody, base.
Touched by: app, web, cli.
Start at: document.py (what a file holds), then check.py and event_hash.py.
"""

from .canonical_link import canonical_link
from .check import check
from .document import Document, canonical_lines, declares_ignored, hashes, read_bytes, read_file
from .event_hash import event_hash
from .event_match import is_served, matches
from .index import Reading, canonical_term, canonical_thing, read_capture
from .mapping import Naming, to_document, to_event

__all__ = [
    "Document",
    "Naming",
    "Reading",
    "canonical_lines",
    "check",
    "canonical_link",
    "canonical_term",
    "canonical_thing",
    "declares_ignored",
    "event_hash",
    "hashes",
    "is_served",
    "matches",
    "read_bytes",
    "read_capture",
    "read_file",
    "to_document",
    "to_event",
]
