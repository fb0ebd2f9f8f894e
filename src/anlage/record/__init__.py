"""RECORD: what happened, for ever.

Touches: base.
Touched by: library and above.
Start at: fact.py (the envelope), then journal.py (the face every engine keeps), then export.py.
"""

from .checkpoint import (
    Checkpoint,
    is_signature,
    public_hex,
    read_checkpoint,
    sign_checkpoint,
)
from .clockwork import SIGNING_LIMIT, ClockConfirmed, ClockSteppedBack, Clockwork
from .collection import no_collection
from .fact import (
    NOTHING_BEFORE,
    Actor,
    Entry,
    Recorded,
    Stream,
    Unknown,
    decode,
    encode,
    fact,
    fact_classes,
    known_kinds,
    rebuild,
    upcaster,
    write,
)
from .journal import (
    JOURNAL_STREAM,
    Conflict,
    Head,
    Journal,
    JournalOpened,
    Receipt,
    World,
    stream_key,
    stream_leaf,
)
from .merkle import (
    Tree,
    is_consistent,
    leaf_hash,
    node_hash,
    root_from_subset,
    root_of,
    subset_proof,
)
from .package import Packed, Verdict, blobs_named, digests_in, pack, unpack
from .sentence import sentence
from .signature import METHODS, Signature, SignatureWanted, sign
from .state import State
from .view import Rows, View

__all__ = [
    "JOURNAL_STREAM",
    "METHODS",
    "NOTHING_BEFORE",
    "SIGNING_LIMIT",
    "Actor",
    "Checkpoint",
    "ClockConfirmed",
    "ClockSteppedBack",
    "Clockwork",
    "Conflict",
    "Entry",
    "Head",
    "Journal",
    "JournalOpened",
    "Packed",
    "Receipt",
    "Recorded",
    "Rows",
    "Signature",
    "SignatureWanted",
    "State",
    "Stream",
    "Tree",
    "Unknown",
    "Verdict",
    "View",
    "World",
    "blobs_named",
    "digests_in",
    "decode",
    "encode",
    "fact",
    "fact_classes",
    "is_consistent",
    "is_signature",
    "known_kinds",
    "leaf_hash",
    "no_collection",
    "node_hash",
    "pack",
    "public_hex",
    "read_checkpoint",
    "rebuild",
    "root_from_subset",
    "root_of",
    "sentence",
    "sign",
    "sign_checkpoint",
    "stream_key",
    "stream_leaf",
    "subset_proof",
    "unpack",
    "upcaster",
    "write",
]
