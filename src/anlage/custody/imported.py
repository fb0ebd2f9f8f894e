"""Another site's record, taken up whole: kept as it came, never mixed with our own facts."""

from dataclasses import dataclass

from anlage.record import fact


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRecord:
    """Take up an export that was verified.

    Attributes:
        blob: SHA-256 of the export, which is kept as a file.
        subject: What it is about.
        signer: The key that signed it, in hexadecimal.
        is_anchored: Whether an outside key or checkpoint vouched for the signer.
        facts: How many facts it holds.
        world: The world it is about.
    """

    blob: str
    subject: str
    signer: str
    is_anchored: bool
    facts: int
    world: str


@fact("record-imported")
@dataclass(frozen=True, slots=True, kw_only=True)
class RecordImported:
    """An export of another site was taken up, byte for byte."""

    blob: str
    subject: str
    signer: str
    is_anchored: bool
    facts: int
    world: str
