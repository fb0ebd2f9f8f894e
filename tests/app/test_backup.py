"""Backup while it runs, restore, and the losses that must not go unseen."""

import pytest

from anlage.app import Installation, backup, restore, settings
from anlage.base import Refused
from tests.app.test_export import an_installation, weigh


@pytest.fixture
def plant(tmp_path):
    plant = an_installation(tmp_path / "plant")
    for count in range(300):
        weigh(plant, f"L{count % 9}", 1)
    yield plant
    plant.close()


@pytest.mark.req("P11.10c")
def test_a_restored_backup_is_the_same_journal_and_goes_on(plant, tmp_path):
    backup(plant.settings, tmp_path / "copy")

    found = restore(tmp_path / "copy", settings(tmp_path / "again"))

    assert found["root"] == plant.journal.root().hex()
    again = Installation.open(settings(tmp_path / "again"))
    weigh(again, "L1", 1)
    assert again.journal.size == plant.journal.size + 3
    again.close()


def test_a_backup_older_than_an_outside_checkpoint_is_refused(plant, tmp_path):
    backup(plant.settings, tmp_path / "copy")
    weigh(plant, "L1", 1)
    note = plant.checkpoint().as_note()
    (tmp_path / "note.txt").write_text(note, "utf-8")

    with pytest.raises(Refused) as refusal:
        restore(tmp_path / "copy", settings(tmp_path / "again"), checkpoint=tmp_path / "note.txt")

    assert refusal.value.code == "backup-older-than-checkpoint"


def test_a_checkpoint_from_before_the_backup_agrees_with_it(plant, tmp_path):
    (tmp_path / "note.txt").write_text(plant.checkpoint().as_note(), "utf-8")
    weigh(plant, "L1", 1)
    backup(plant.settings, tmp_path / "copy")

    assert restore(
        tmp_path / "copy", settings(tmp_path / "again"), checkpoint=tmp_path / "note.txt"
    )["ok"]


def test_a_changed_backup_is_refused_and_the_file_named(plant, tmp_path):
    backup(plant.settings, tmp_path / "copy")
    path = tmp_path / "copy" / "journal.db"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))

    with pytest.raises(Refused) as refusal:
        restore(tmp_path / "copy", settings(tmp_path / "again"))

    assert refusal.value.problem.what == "journal.db of the backup"


def test_a_folder_with_files_is_never_written_over(plant, tmp_path):
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "mine.txt").write_text("mine")

    with pytest.raises(Refused):
        backup(plant.settings, tmp_path / "copy")
