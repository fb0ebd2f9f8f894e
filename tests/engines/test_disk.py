"""Full disks and locked databases: what was acknowledged is kept, the rest is refused whole, and work goes on."""

import contextlib
import os
import shutil
import sqlite3
import subprocess
import uuid
from datetime import UTC, datetime
from pathlib import Path

import pytest

from anlage.app import Installation, settings
from anlage.base import FixedClock, Refused
from anlage.record import Actor, World, root_of
from anlage.store import FolderBlobs
from tests.app_trial import Weigh
from tests.engines.test_journal import add

AT = datetime(2026, 3, 1, tzinfo=UTC)
ME = Actor(person="P-1", via="api")
TRIES_MAX = 20_000


@contextlib.contextmanager
def small_disk(owner=None):
    """A file system of its own with little room, really full when it is full."""
    if os.name == "nt" or os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("a file system of its own is mounted by root")
    folder = Path(f"/tmp/anlage-disk-{uuid.uuid4().hex[:8]}")
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", folder], capture_output=True, check=False
    )
    if made.returncode:
        folder.rmdir()
        pytest.skip("this machine lets nobody mount a file system")
    try:
        if owner is not None:
            shutil.chown(folder, owner, owner)
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)
        folder.rmdir()


def enlarge(folder):
    subprocess.run(["mount", "-o", "remount,size=60m", folder], check=True)


def fill_up(plant):
    """Do commands until the disk is full; give the facts acknowledged and the refusal."""
    acknowledged = []
    for number in range(TRIES_MAX):
        request = Weigh(lot=f"L-{number}", grams=1, blob="x" * 4000)
        try:
            acknowledged += [one.number for one in plant.engine.do(request, actor=ME).facts]
        except Refused as refusal:
            return acknowledged, refusal
    raise AssertionError("the disk is never full")


def must_be_whole(plant, acknowledged):
    facts = list(plant.journal.read())
    assert set(acknowledged) <= {one.number for one in facts}
    assert plant.journal.root() == root_of([one.hash for one in facts])
    by_command = {}
    for one in facts:
        by_command.setdefault(one.command, []).append(one)
    assert {len(each) for command, each in by_command.items() if command} == {3}


def must_survive_a_full_disk(chosen, disk):
    plant = Installation.create(
        chosen, world=World.SIMULATED, site="S1", site_name="Site", clock=FixedClock(AT)
    )
    try:
        acknowledged, refusal = fill_up(plant)

        assert refusal.code == "disk-full"
        assert len(acknowledged) > 30
        must_be_whole(plant, acknowledged)

        enlarge(disk)
        more = plant.engine.do(Weigh(lot="L-after", grams=1), actor=ME)
        acknowledged += [one.number for one in more.facts]
        assert plant.views.behind() == {}
    finally:
        plant.close()
    plant = Installation.open(chosen, clock=FixedClock(AT))
    try:
        must_be_whole(plant, acknowledged)
    finally:
        plant.close()


@pytest.mark.req("P11.10c")
@pytest.mark.req("ANNEX11.16")
def test_a_full_disk_refuses_the_command_whole_and_work_goes_on_when_there_is_room():
    with small_disk() as disk:
        must_survive_a_full_disk(settings(disk / "plant"), disk)


@pytest.mark.postgres
@pytest.mark.req("ANNEX11.16")
def test_a_full_disk_under_postgresql_refuses_the_command_whole(postgres_url, tmp_path):
    import psycopg

    with small_disk(owner="postgres" if os.geteuid() == 0 else None) as disk:
        name = f"full_{uuid.uuid4().hex[:8]}"
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            connection.execute(f"CREATE TABLESPACE {name} LOCATION '{disk}'")
            enlarge(disk)  # a database takes 7 MB before it holds anything
            connection.execute(f"CREATE DATABASE {name} TABLESPACE {name}")
            used = int(shutil.disk_usage(disk).used / 2**20) + 4
            subprocess.run(["mount", "-o", f"remount,size={used}m", disk], check=True)
        url = f"{postgres_url.rpartition('/')[0]}/{name}"
        try:
            must_survive_a_full_disk(settings(tmp_path / "plant", database_url=url), disk)
        finally:
            with psycopg.connect(postgres_url, autocommit=True) as connection:
                connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
                connection.execute(f"DROP TABLESPACE {name}")


def test_a_file_that_finds_no_room_leaves_nothing_behind():
    with small_disk() as disk:
        blobs = FolderBlobs(disk / "blobs")
        kept = blobs.put(b"a" * 100_000)

        with pytest.raises(Refused) as refusal:
            blobs.put(b"b" * 8_000_000)

        assert refusal.value.code == "disk-full"
        assert blobs.get(kept) == b"a" * 100_000
        assert [one for one in (disk / "blobs").rglob("*") if one.is_file()] == [
            next((disk / "blobs").rglob(f"*{kept}*"))
        ]


@pytest.fixture
def open_journal(make_dialect):
    """The journal on each engine."""
    from anlage.store import SqlJournal
    from tests.engines.test_journal import opened

    journal = opened(SqlJournal(make_dialect(), clock=FixedClock(AT)))
    yield journal
    journal.close()


@pytest.mark.req("ANNEX11.16")
def test_a_locked_database_refuses_the_command_whole_and_work_goes_on(
    request, open_journal, make_dialect
):
    journal, dialect = open_journal, make_dialect()
    add(journal, "lot/A", 1, 0)
    if dialect.name == "sqlite":
        journal.run_in_writer(lambda connection: connection.execute("PRAGMA busy_timeout=200"))
        foreign, lock = sqlite3.connect(dialect.path, isolation_level=None), "BEGIN IMMEDIATE"
    else:
        import psycopg

        journal.run_in_writer(lambda connection: connection.execute("SET lock_timeout='200ms'"))
        foreign = psycopg.connect(request.getfixturevalue("postgres_url"))
        lock = f'LOCK TABLE "{dialect._schema}".fact IN ACCESS EXCLUSIVE MODE'
    foreign.execute(lock)

    with pytest.raises(Refused) as refusal:
        add(journal, "lot/A", 2, 1)

    foreign.rollback()
    foreign.close()
    assert refusal.value.code == "journal-locked"
    assert add(journal, "lot/A", 2, 1).facts[0].version == 2
    assert [one.body["count"] for one in journal.read(1)] == [1, 2]
