"""Erasure as the vault does it: after the fact is on disk, and again wherever a key came back."""

from collections.abc import Sequence

from anlage.record import Recorded, Rows
from anlage.store import Vault

ERASED = "personal-data-erased"
PATIENTS_MAX = 1_000_000


def erase_told(vault: Vault, facts: Sequence[Recorded]) -> None:
    """Destroy key and salt of the patients whose erasure is on disk; called at each commit."""
    for one in facts:
        if one.kind == ERASED:
            vault.erase(one.stream.id)


def erase_missed(vault: Vault, rows: Rows) -> int:
    """Destroy what a stopped process or a restored backup left of erased patients.

    Args:
        vault: Where the keys are.
        rows: The view `personal-data`.

    Returns:
        How many there were.
    """
    missed = [
        coi for coi, _ in rows.find(facet="erased", limit=PATIENTS_MAX) if not vault.is_erased(coi)
    ]
    for coi in missed:
        vault.erase(coi)
    return len(missed)
