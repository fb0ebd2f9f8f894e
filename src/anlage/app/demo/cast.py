"""The persons of the demonstration. They are invented; every password is printed, so none is a
secret.
"""

from dataclasses import dataclass
from pathlib import Path

PASSWORD = "demo demo demo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One person of the cast."""

    id: str
    login: str
    name: str
    post: str
    roles: tuple[str, ...]


_ROWS = (
    # identifier, login, name, post, roles
    ("P-0001", "administrator", "Ada Winter", "administrator", ""),
    ("P-0101", "author", "Bela Ferenc", "process development", "definition-author"),
    ("P-0102", "approver", "Chidi Okafor", "head of quality", "definition-approver trainer"),
    ("P-0103", "coordinator", "Dana Levi", "patient coordinator", "coordinator"),
    ("P-0104", "nurse", "Elif Demir", "collection nurse", "collection-nurse"),
    ("P-0114", "nurse2", "Otto Brandt", "collection nurse", "collection-nurse"),
    ("P-0105", "store", "Femi Adeyemi", "store keeper", "store-keeper"),
    ("P-0106", "operator", "Greta Lind", "operator", "operator verifier"),
    ("P-0107", "operator2", "Hugo Marin", "second operator", "operator verifier"),
    ("P-0108", "analyst", "Ines Costa", "QC analyst", "qc-analyst"),
    ("P-0109", "reviewer", "Jonas Weber", "QA reviewer", "qa-reviewer"),
    ("P-0110", "releaser", "Kaya Yilmaz", "qualified person", "releaser"),
    ("P-0111", "physician", "Lena Novak", "treating physician", "physician"),
    ("P-0112", "ward", "Mika Saari", "ward nurse", "ward-nurse"),
    ("P-0115", "ward2", "Pia Rossi", "ward nurse", "ward-nurse"),
    ("P-0113", "inspector", "Nora Quinn", "inspector", "inspector"),
    ("P-0117", "courier", "Sami Haddad", "courier", "courier"),
    ("P-0118", "planner", "Selma Aydin", "supply-chain planner", "network-planner"),
    ("P-0116", "operator3", "Ravi Menon", "operator, not yet qualified", "operator"),
)
CAST = tuple(
    Member(id=id, login=login, name=name, post=post, roles=tuple(roles.split()))
    for id, login, name, post, roles in _ROWS
)
UNQUALIFIED = frozenset({"P-0116"})
BY_LOGIN = {member.login: member.id for member in CAST}


def write_logins(folder: Path) -> None:
    """Write the demo's logins where the login page shows them."""
    lines = [f"{one.login}\t{PASSWORD}\t{one.name}\t{one.post}" for one in CAST]
    (folder / "demo_logins.txt").write_text("\n".join(lines) + "\n", "utf-8")
