"""The record itself, attacked past the application: files edited by hand, exports edited and signed anew."""

import hashlib
import io
import sqlite3
import zipfile
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from anlage.app import Installation, backup, export, settings
from anlage.base import Broken, FixedClock, Refused, canonical, parse_canonical
from anlage.library import PersonRegistered, RoleGranted
from anlage.plant import RegisterSupplier
from anlage.record import Actor, Entry, Stream, World, public_hex, unpack

AT = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def founded(tmp_path):
    """A small installation, opened again and again in the same folder."""
    chosen, held = settings(tmp_path / "site"), []

    def again():
        while held:
            held.pop().close()
        held.append(Installation.open(chosen, clock=FixedClock(AT)))
        return held[-1]

    first = Installation.create(
        chosen, world=World.SIMULATED, site="S1", site_name="Site", clock=FixedClock(AT)
    )
    held.append(first)
    kurt = Stream("person/kurt")
    granted = RoleGranted(role="store-keeper", role_version=1, requires=(), granted_by="admin")
    first.journal.append(
        [Entry(kurt, PersonRegistered(id="kurt", name="Kurt")), Entry(kurt, granted)], {},
        by=Actor(person="admin", via="api"), at=AT,
    )  # fmt: skip
    for name in ("Acme", "Bolt", "Cask"):
        first.engine.do(
            RegisterSupplier(supplier=name, name=name), actor=Actor(person="kurt", via="api")
        )
    first.checkpoint()
    yield again
    while held:
        held.pop().close()


def by_hand(path, *statements, guards_off=False):
    """Run SQL on a file as whoever owns it, with the guards taken off first if asked."""
    with sqlite3.connect(path) as connection:
        if guards_off:
            for name in ("fact_update", "fact_delete", "fact_insert"):
                connection.execute(f"DROP TRIGGER {name}")
        for one in statements:
            connection.execute(one)
    connection.close()


ATTACKS = [
    "UPDATE fact SET content = replace(content, 'Bolt', 'Evil')",
    "DELETE FROM fact WHERE number = (SELECT max(number) FROM fact)",
    "DELETE FROM fact",
    "INSERT OR REPLACE INTO fact SELECT number, stream, version, command, hash, header, x'00' FROM fact",
    "UPDATE fact SET number = number + 1000",
]


@pytest.mark.req("P11.10e")
@pytest.mark.parametrize("attack", ATTACKS)
def test_sql_on_the_journals_file_is_refused_by_the_file_itself(founded, attack):
    path = founded().folder / "journal.db"

    with pytest.raises(sqlite3.IntegrityError, match=r"never changed|only added"):
        by_hand(path, attack)


FORGERIES = {
    "body": "UPDATE fact SET content = CAST(replace(CAST(content AS TEXT), 'Bolt', 'Evil') AS BLOB)"
            " WHERE stream = 'supplier/Bolt'",
    "header": "UPDATE fact SET header = CAST(replace(CAST(header AS TEXT), 'kurt', 'evil') AS BLOB)"
              " WHERE stream = 'supplier/Bolt'",
    "hash": "UPDATE fact SET hash = zeroblob(32) WHERE stream = 'supplier/Bolt'",
    "middle": "DELETE FROM fact WHERE stream = 'supplier/Acme'",
    "swapped": "UPDATE fact SET header = (SELECT header FROM fact WHERE stream = 'supplier/Acme'),"
               " content = (SELECT content FROM fact WHERE stream = 'supplier/Acme')"
               " WHERE stream = 'supplier/Bolt'",
}  # fmt: skip


@pytest.mark.req("P11.10a")
@pytest.mark.parametrize("forgery", sorted(FORGERIES))
def test_a_journal_edited_with_its_guards_taken_off_is_found_out(founded, tmp_path, forgery):
    folder = founded().folder
    founded().close()
    by_hand(folder / "journal.db", FORGERIES[forgery], guards_off=True)

    found = []
    try:
        site = founded()
        backup(site.settings, tmp_path / "copy")
    except (Broken, Refused, sqlite3.Error) as error:
        found.append(type(error).__name__)
    try:
        verdict = unpack(export(site, "supplier/Bolt"), trust=public_hex(site.key))
        found += [one.code for one in verdict.problems]
    except (Broken, Refused, sqlite3.Error) as error:
        found.append(type(error).__name__)

    assert found


@pytest.mark.req("P11.10a")
def test_facts_cut_off_the_end_are_found_by_the_checkpoint(founded):
    site = founded()
    note, folder = site.journal.checkpoints()[-1].as_note(), site.folder
    site.close()
    by_hand(
        folder / "journal.db", "DELETE FROM fact WHERE stream = 'supplier/Cask'",
        "DELETE FROM head WHERE stream = 'supplier/Cask'", "DELETE FROM note", guards_off=True,
    )  # fmt: skip

    verdict = unpack(export(founded(), "supplier/Bolt"), checkpoint=note)

    assert not verdict.ok


def test_views_edited_by_hand_are_healed_by_a_rebuild(founded):
    site = founded()
    name = next(one for one in site.views.names if dict(site.rows(one).find()))
    before, folder = dict(site.rows(name).find()), site.folder
    site.close()
    by_hand(folder / "views.db", "DELETE FROM view_row")
    site = founded()
    assert dict(site.rows(name).find()) != before

    site.views.rebuild(site.journal, name)

    assert dict(site.rows(name).find()) == before


def test_views_that_were_thrown_away_are_built_again(founded):
    site = founded()
    name = next(one for one in site.views.names if dict(site.rows(one).find()))
    before, folder = dict(site.rows(name).find()), site.folder
    site.close()
    for path in folder.glob("views.db*"):
        path.unlink()

    assert dict(founded().rows(name).find()) == before


def test_no_decision_is_taken_from_a_view(founded):
    site = founded()
    folder = site.folder
    site.close()
    by_hand(folder / "views.db", "UPDATE view_row SET doc = CAST('{}' AS BLOB)")
    site = founded()
    with pytest.raises(Refused):
        site.engine.do(
            RegisterSupplier(supplier="Acme", name="Acme"), actor=Actor(person="kurt", via="api")
        )


@pytest.mark.req("P11.10a")
@pytest.mark.parametrize("is_own_key", [False, True], ids=["foreign-key", "stolen-key"])
def test_an_export_edited_and_signed_anew_is_found_out(founded, is_own_key):
    """Even with the site's own key: the tree under the kept checkpoint does not lie."""
    site = founded()
    packed = export(site, "supplier/Bolt")
    key = site.key if is_own_key else Ed25519PrivateKey.generate()
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    manifest = parse_canonical(members["manifest.json"])
    changed = 0
    for name in [one["member"] for one in manifest["streams"]]:
        forged = members[name].replace(b'"Bolt"', b'"Evil"')
        changed += forged != members[name]
        members[name] = forged
        manifest["members"][name] = hashlib.sha256(forged).hexdigest()
    assert changed
    manifest["key"] = public_hex(key)
    members["manifest.json"] = canonical(manifest)
    members["manifest.sig"] = key.sign(members["manifest.json"]).hex().encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(members):
            info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            info.external_attr, info.create_system = 0o644 << 16, 3
            archive.writestr(info, members[name])

    for trust in (None, public_hex(site.key)):
        verdict = unpack(buffer.getvalue(), trust=trust)

        assert not verdict.ok
        assert verdict.problems
