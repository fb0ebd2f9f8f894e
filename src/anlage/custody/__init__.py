"""IDENTITY and CUSTODY: which thing is which, where it is and who answers for it.

Touches: library, record, base.
Touched by: twin and above.
Start at: codes/ (what a label says), then excursion.py (what a temperature
record means) and passport.py (what each reader may know).
"""

from .credential import base58, combined_hash, proof_problems, public_name, read_public
from .credential import sign as sign_credential
from .excursion import RULES as EXCURSION_RULES
from .excursion import (
    Band,
    Excursion,
    ExcursionRule,
    Holds,
    Judgement,
    Kinetic,
    Reading,
    Verdict,
    judge,
    mean_kinetic_temperature,
    rule_for,
    worst_kinetic,
)
from .passport import PARTS as PASSPORT_PARTS
from .passport import Audience, compact, expand, is_revoked, record_digest, status_list
from .passport import issue as issue_passport
from .passport import verify as verify_passport

__all__ = [
    "EXCURSION_RULES",
    "PASSPORT_PARTS",
    "Audience",
    "Band",
    "Excursion",
    "ExcursionRule",
    "Holds",
    "Judgement",
    "Kinetic",
    "Reading",
    "Verdict",
    "base58",
    "combined_hash",
    "compact",
    "expand",
    "is_revoked",
    "issue_passport",
    "judge",
    "mean_kinetic_temperature",
    "proof_problems",
    "public_name",
    "read_public",
    "record_digest",
    "rule_for",
    "sign_credential",
    "status_list",
    "verify_passport",
    "worst_kinetic",
]
