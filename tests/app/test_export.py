"""An export proves itself; any change is found and named."""

import io
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from anlage.app import Installation, export, settings
from anlage.base import FixedClock, Refused
from anlage.record import Actor, World, public_hex, sign, unpack
from tests.app_trial import Weigh

AT = datetime(2026, 3, 1, tzinfo=UTC)
ME = Actor(person="P-1", via="api")


def an_installation(folder: Path) -> Installation:
    return Installation.create(
        settings(folder), world=World.SIMULATED, site="S1", site_name="Site", clock=FixedClock(AT)
    )


def weigh(plant, lot, grams, **more):
    return plant.engine.do(Weigh(lot=lot, grams=grams, **more), actor=ME)


@pytest.fixture(scope="module")
def plant(tmp_path_factory):
    plant = an_installation(tmp_path_factory.mktemp("plant"))
    signature = sign(
        {"grams": 4},
        person="P-1",
        name="A. Ito",
        meaning="weighed",
        template="w/1",
        method="password",
        at=AT,
    )
    blob = plant.blobs.put(b"instrument file")
    for grams in (1, 2):
        weigh(plant, "A", grams)
        weigh(plant, "B", grams + 5)
    plant.checkpoint()
    weigh(plant, "A", 4, signature=signature, blob=blob)
    yield plant
    plant.close()


@pytest.fixture(scope="module")
def packed(plant):
    return export(plant, "lot/A")


def rewrite(data, change, key=None):
    """Give the export with its members changed; signed again when a key is given."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(members):
            info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            info.external_attr = 0o644 << 16
            info.create_system = 3
            archive.writestr(info, members[name])
    return buffer.getvalue()


def names(data):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.namelist()


@pytest.mark.req("P11.10b")
def test_an_export_proves_itself_with_and_without_an_anchor(plant, packed):
    loose = unpack(packed)
    trusted = unpack(packed, trust=public_hex(plant.key))

    assert (loose.ok, loose.anchored, loose.sentence()) == (
        True,
        False,
        "consistent, signer unconfirmed",
    )
    assert (trusted.ok, trusted.anchored) == (True, True)
    assert trusted.subject == "lot/A"


def test_a_kept_checkpoint_anchors_and_a_foreign_one_does_not(plant, packed):
    earlier = plant.journal.checkpoints()[0]

    assert unpack(packed, checkpoint=earlier.as_note()).anchored
    note = earlier.as_note().replace(f"\n{earlier.size}\n", f"\n{earlier.size + 1}\n")
    assert not unpack(packed, checkpoint=note).ok


def test_another_lots_facts_on_shared_streams_are_digests_only(packed):
    verdict = unpack(packed)

    scale = [one for one in verdict.facts if one.stream == "equipment/E-1"]
    assert [one.is_withheld for one in scale] == [False, True, False, True, False]
    assert b"lot/B" not in packed and b'"grams":6' not in packed


def test_a_foreign_key_is_not_trusted(packed):
    verdict = unpack(packed, trust=public_hex(Ed25519PrivateKey.generate()))

    assert not verdict.ok
    assert verdict.problems[0].code == "signer-untrusted"


@pytest.mark.req("P11.10a")
def test_any_changed_byte_of_any_member_is_found_and_the_member_is_named(packed):
    for name in names(packed):
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            size = len(archive.read(name))
        for place in sorted({0, 1, size // 3, size // 2, size - 1}):

            def flip(members, name=name, place=place):
                data = bytearray(members[name])
                data[place] ^= 0x01
                members[name] = bytes(data)

            verdict = unpack(rewrite(packed, flip))

            assert not verdict.ok, (name, place)
            assert name in {one.path for one in verdict.problems} or any(
                one.path in {"manifest.json", "manifest.sig"} for one in verdict.problems
            )


def test_a_member_added_removed_or_doubled_is_named(packed):
    added = unpack(rewrite(packed, lambda members: members.update({"extra.txt": b"x"})))
    assert [(one.code, one.path) for one in added.problems] == [("member-added", "extra.txt")]
    for name in names(packed):
        removed = unpack(rewrite(packed, lambda members, name=name: members.pop(name)))
        assert not removed.ok
        assert name in {one.path for one in removed.problems}
    buffer = io.BytesIO(packed)
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("tree.bin", b"")
    doubled = unpack(buffer.getvalue())
    assert ("member-twice", "tree.bin") in {(one.code, one.path) for one in doubled.problems}


def test_bytes_around_the_members_are_part_of_the_form(packed):
    assert not unpack(packed + b"x").ok
    assert not unpack(b"x" + packed).ok


def test_an_export_signed_again_with_another_key_is_found(plant, packed):
    """An attacker changes a fact, mends every digest and signs with a key of their own."""
    import hashlib

    from anlage.base import canonical, parse_canonical

    key = Ed25519PrivateKey.generate()

    def forge(members):
        manifest = parse_canonical(members["manifest.json"])
        name = next(one["member"] for one in manifest["streams"] if one["stream"] == "lot/A")
        members[name] = members[name].replace(b'"grams":4', b'"grams":5')
        manifest["members"][name] = hashlib.sha256(members[name]).hexdigest()
        manifest["key"] = public_hex(key)
        members["manifest.json"] = canonical(manifest)
        members["manifest.sig"] = key.sign(members["manifest.json"]).hex().encode()

    verdict = unpack(rewrite(packed, forge))

    assert not verdict.ok
    assert {"fact-changed"} <= {one.code for one in verdict.problems}


@pytest.mark.parametrize("data", [b"", b"PK", b"PK\x03\x04" + bytes(100), bytes(1000)])
def test_a_file_that_is_no_export_is_a_problem_not_a_traceback(data):
    verdict = unpack(data)

    assert not verdict.ok and verdict.problems


def test_nothing_recorded_is_refused(plant):
    with pytest.raises(Refused) as refusal:
        export(plant, "lot/none")

    assert refusal.value.code == "subject-unknown"


def test_numbers_of_a_series_have_no_gaps_and_are_never_given_twice(tmp_path):
    plant = an_installation(tmp_path)
    weigh(plant, "A", 1)
    before = plant.journal.size
    with pytest.raises(Refused):
        weigh(plant, "A", 1000)
    assert plant.journal.size == before

    outcome = weigh(plant, "C", 1)
    facts = plant.journal.read_stream(outcome.facts[-1].stream)
    plant.close()

    assert [one.body["number"] for one in facts] == [1, 2]
