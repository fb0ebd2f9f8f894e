"""Writing FCS 3.1 files of 32-bit floating point events.

Source: FCS 3.1, doi:10.1002/cyto.a.20825.
"""

from dataclasses import dataclass, field

import numpy
from numpy.typing import NDArray

from .compensation import Matrix


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """What stands in the header of a file to be written.

    Attributes:
        names: Short name of each channel.
        markers: Long name of each channel; none where "".
        top: Upper end of the scale ($PnR).
        spillover: The matrix to write as $SPILLOVER.
        keywords: Further keywords.
        is_big: Whether the most significant byte comes first.
    """

    names: tuple[str, ...]
    markers: tuple[str, ...] = ()
    top: float = 262144.0
    spillover: Matrix | None = None
    keywords: dict[str, str] = field(default_factory=dict)
    is_big: bool = False


def write_fcs(writing: Writing, events: NDArray[numpy.float64]) -> bytes:
    """Give the bytes of an FCS 3.1 file.

    Args:
        writing: The header's content.
        events: A row per event, a column per channel.

    Raises:
        ValueError: The events do not have one column per name.
    """
    if events.ndim != 2 or events.shape[1] != len(writing.names):
        raise ValueError(f"{events.shape} events for {len(writing.names)} channels")
    data = numpy.ascontiguousarray(events, ">f4" if writing.is_big else "<f4").tobytes()
    words = {
        "$BEGINANALYSIS": "0", "$ENDANALYSIS": "0", "$BEGINSTEXT": "0", "$ENDSTEXT": "0",
        "$BYTEORD": "4,3,2,1" if writing.is_big else "1,2,3,4", "$DATATYPE": "F", "$MODE": "L",
        "$NEXTDATA": "0", "$PAR": str(len(writing.names)), "$TOT": str(len(events)),
    }  # fmt: skip
    for number, name in enumerate(writing.names, start=1):
        words[f"$P{number}N"] = name
        words[f"$P{number}B"] = "32"
        words[f"$P{number}E"] = "0,0"
        words[f"$P{number}R"] = f"{writing.top:.10g}"
        marker = writing.markers[number - 1] if number <= len(writing.markers) else ""
        if marker:
            words[f"$P{number}S"] = marker
    if writing.spillover is not None:
        matrix = writing.spillover
        numbers = [f"{value:.17g}" for row in matrix.values for value in row]
        parts = [str(len(matrix.detectors)), *matrix.detectors, *numbers]
        words["$SPILLOVER"] = ",".join(parts)
    words.update(writing.keywords)
    return _assembled(words, data)


def _assembled(words: dict[str, str], data: bytes) -> bytes:
    begin = 58
    text = b""
    for _ in range(4):  # the offsets' own length settles after a few rounds
        last = begin + len(data) - 1
        placed = {"$BEGINDATA": f"{begin:020d}", "$ENDDATA": f"{max(last, 0):020d}", **words}
        text = b"/" + b"/".join(
            part.replace("/", "//").encode() for pair in placed.items() for part in pair
        )
        text += b"/"
        begin = 58 + len(text)
    last = begin + len(data) - 1
    fits = last < 99_999_999
    offsets = (58, begin - 1, begin if fits else 0, last if fits else 0, 0, 0)
    header = b"FCS3.1    " + b"".join(b"%8d" % offset for offset in offsets)
    return header + text + data
