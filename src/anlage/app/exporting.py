"""Whole-record export: the closure of a subject's streams, signed and provable offline."""

import re
from collections.abc import Iterable, Mapping

from anlage import __version__
from anlage.base import Refused, SystemClock, stamp
from anlage.record import (
    Head,
    Packed,
    Recorded,
    Stream,
    Tree,
    blobs_named,
    digests_in,
    leaf_hash,
    no_collection,
    pack,
    stream_key,
    stream_leaf,
    subset_proof,
)

from .installation import Installation

# Families whose streams are about one patient's material: an export follows what they rely on, and
# shows them whole.
OWN = frozenset(
    {"lot", "journey", "container", "sample", "measurement", "deviation", "shipment", "custody"}
    | {"label-set"}
)
# All other streams show an outsider only what concerns no other patient; the rest stands as
# digests.
# Facts that begin another stream of the same patient: none relies on what did not exist before.
BEGAN = {
    "lot-sample-taken": ("sample", "sample"),
    "lot-labels-printed": ("label-set", "label_set"),
    "sample-measured": ("measurement", "measurement"),
}
LINKS_MAX = 64
_QUOTED = re.compile(r'"([^"\\]{1,140})"')


def export(
    installation: Installation, subject: str, *, documents: Mapping[str, bytes] | None = None
) -> bytes:
    """Give the bytes of the export of a subject.

    Raises:
        Refused: Nothing is recorded about the subject.
    """
    journal = installation.journal
    start = Stream(subject)
    if journal.head(start).version == 0:
        raise Refused(
            "subject-unknown",
            what=subject,
            found="nothing recorded",
            limit="lot/ID, material/ID, equipment/ID, person/ID ...",
            remedy="look the id up with `anlage trace` or on the record page",
        )
    checkpoint = installation.checkpoint()
    heads = journal.heads()
    with no_collection():
        facts = _closure(installation, start, checkpoint.size)
    ends = {
        stream: Head(version=version, hash=hash_)
        for stream, (version, hash_) in _heads_at(installation, heads, checkpoint.size).items()
    }
    leaves = sorted(stream_leaf(stream, head) for stream, head in ends.items())
    places = {leaf[:32]: index for index, leaf in enumerate(leaves)}
    map_places = {stream: places[stream_key(stream)] for stream in facts}
    hashes = [leaf_hash(leaf) for leaf in leaves]
    map_tree = Tree(lambda first, last: hashes[first:last])
    map_tree.extend(hashes)
    numbers = [one.number for each in facts.values() for one in each]
    digests = {
        digest for each in facts.values() for one in each for digest in blobs_named(one.body)
    }
    said = {digest for each in facts.values() for one in each for digest in digests_in(one.body)}
    kept = [digest for digest in sorted(said) if installation.blobs.has(digest)]
    files = {digest: installation.blobs.get(digest) for digest in kept}
    links = [
        (one.size, one.root, journal.consistency(one.size, checkpoint.size))
        for one in journal.checkpoints()[-LINKS_MAX:]
        if 0 < one.size < checkpoint.size
    ]
    return pack(
        Packed(
            subject=subject,
            facts={str(stream): each for stream, each in facts.items()},
            map_places={str(stream): place for stream, place in map_places.items()},
            tree_proof=journal.prove(numbers, checkpoint.size),
            map_proof=subset_proof(sorted(map_places.values()), len(leaves), map_tree.range_hash),
            checkpoint=checkpoint,
            links=links,
            files=files,
            documents=documents or {},
            world=journal.world,
            site=journal.site,
            software=__version__,
            erased=sorted(digests - files.keys()),
        ),
        installation.key,
        time=stamp(SystemClock().now()),
    )


def _closure(installation: Installation, start: Stream, size: int) -> dict[Stream, list[Recorded]]:
    """Give the facts of every stream that the subject's facts rely on, followed through the
    patient's own streams.
    """
    journal = installation.journal
    found: dict[Stream, list[Recorded]] = {}
    waiting = [start]
    while waiting:
        stream = waiting.pop()
        if stream in found:
            continue
        found[stream] = [one for one in journal.read_stream(stream) if one.number < size]
        if stream.family in OWN or stream == start:
            for one in found[stream]:
                # What the same command made (a vessel at a step) stood at version 0 before it.
                waiting.extend(
                    Stream(name)
                    for name, version in one.relied.items()
                    if version or Stream(name).family in OWN
                )
                family, name = BEGAN.get(one.kind, ("", ""))
                if family and not one.is_withheld:
                    waiting.append(Stream(f"{family}/{one.body[name]}"))
    foreign = {
        stream.id
        for stream in journal.heads()
        if stream.family in OWN and stream not in found and stream.family != "custody"
    }
    for name, each in found.items():
        if name.family not in OWN:
            found[name] = [_withheld(one) if _concerns(one, foreign) else one for one in each]
    # Facts of shared streams that are shown may themselves rely on more streams: their heads are
    # proven, their bodies shown unless they concern another patient.
    rest = {
        Stream(stream)
        for each in found.values()
        for one in each
        for stream, version in one.relied.items()
        if version and stream not in found
    }
    for stream in sorted(rest):
        found[stream] = [_withheld(one) for one in journal.read_stream(stream) if one.number < size]
    return {name: each for name, each in found.items() if each}


def _concerns(one: Recorded, foreign: set[str]) -> bool:
    """Tell whether a fact names another patient's lot, container, sample or journey."""
    words = _QUOTED.findall((one.content or b"").decode())
    return any(word in foreign or word.partition("/")[2] in foreign for word in words)


def _withheld(one: Recorded) -> Recorded:
    return Recorded.read(one.number, one.header, None)


def _heads_at(
    installation: Installation, heads: Mapping[Stream, Head], size: int
) -> dict[str, tuple[int, bytes]]:
    """Give the heads as they were when the journal had `size` facts; later facts are few and are
    taken off again.
    """
    ends = {str(stream): (head.version, head.hash) for stream, head in heads.items()}
    later: Iterable[Recorded] = installation.journal.read(size)
    for one in sorted(later, key=lambda one: -one.number):
        if one.version == 1:
            ends.pop(one.stream, None)
        else:
            ends[one.stream] = (one.version - 1, one.previous)
    return ends
