"""What names a patient, between the vault and the record: nothing is kept or shown without a fact
of it.
"""

from collections.abc import Mapping

from anlage.base import clean_line
from anlage.plant import KeepPersonalData, ReadPersonalData
from anlage.record import Actor

from .installation import Installation


def keep_personal(
    installation: Installation, coi: str, values: Mapping[str, str], *, actor: Actor
) -> None:
    """Seal values under the patient's key, and record their salted digests.

    Raises:
        Refused: The person may not, or no such journey; then nothing is kept either.
    """
    clean = {
        clean_line(name, "item", limit=40): clean_line(value, name, limit=200)
        for name, value in values.items()
        if value.strip()
    }
    unsalted = dict.fromkeys(clean, "0" * 64)
    installation.engine.judge(KeepPersonalData(coi=coi, items=unsalted), actor=actor)
    digests = {name: installation.vault.put(coi, name, value) for name, value in clean.items()}
    installation.engine.do(KeepPersonalData(coi=coi, items=digests), actor=actor)


def read_personal(
    installation: Installation, coi: str, purpose: str, *, actor: Actor
) -> dict[str, str]:
    """Record who is shown a patient's data and why, then give it.

    Raises:
        Refused: The person has no need to know, or nothing is kept.
    """
    done = installation.engine.do(ReadPersonalData(coi=coi, purpose=purpose), actor=actor)
    items = done.facts[-1].body["items"]
    return {name: str(installation.vault.get_json(coi, name)) for name in items}
