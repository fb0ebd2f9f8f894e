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


CAST = (
    Member(id="P-0001", login="administrator", name="Ada Winter", post="administrator", roles=()),
    Member(id="P-0101", login="author", name="Bela Ferenc", post="process development", roles=("definition-author",)),
    Member(id="P-0102", login="approver", name="Chidi Okafor", post="head of quality", roles=("definition-approver", "trainer")),
    Member(id="P-0103", login="coordinator", name="Dana Levi", post="patient coordinator", roles=("coordinator",)),
    Member(id="P-0104", login="nurse", name="Elif Demir", post="collection nurse", roles=("collection-nurse",)),
    Member(id="P-0114", login="nurse2", name="Otto Brandt", post="collection nurse", roles=("collection-nurse",)),
    Member(id="P-0105", login="store", name="Femi Adeyemi", post="store keeper", roles=("store-keeper",)),
    Member(id="P-0106", login="operator", name="Greta Lind", post="operator", roles=("operator", "verifier")),
    Member(id="P-0107", login="operator2", name="Hugo Marin", post="second operator", roles=("operator", "verifier")),
    Member(id="P-0108", login="analyst", name="Ines Costa", post="QC analyst", roles=("qc-analyst",)),
    Member(id="P-0109", login="reviewer", name="Jonas Weber", post="QA reviewer", roles=("qa-reviewer",)),
    Member(id="P-0110", login="releaser", name="Kaya Yilmaz", post="qualified person", roles=("releaser",)),
    Member(id="P-0111", login="physician", name="Lena Novak", post="treating physician", roles=("physician",)),
    Member(id="P-0112", login="ward", name="Mika Saari", post="ward nurse", roles=("ward-nurse",)),
    Member(id="P-0115", login="ward2", name="Pia Rossi", post="ward nurse", roles=("ward-nurse",)),
    Member(id="P-0113", login="inspector", name="Nora Quinn", post="inspector", roles=("inspector",)),
    Member(id="P-0116", login="operator3", name="Ravi Menon", post="operator, not yet qualified", roles=("operator",)),
)  # fmt: skip
UNQUALIFIED = frozenset({"P-0116"})
BY_LOGIN = {member.login: member.id for member in CAST}


def write_logins(folder: Path) -> None:
    """Write the demo's logins where the login page shows them."""
    lines = [f"{one.login}\t{PASSWORD}\t{one.name}\t{one.post}" for one in CAST]
    (folder / "demo_logins.txt").write_text("\n".join(lines) + "\n", "utf-8")
