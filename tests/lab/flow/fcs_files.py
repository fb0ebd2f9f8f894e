"""FCS files written byte by byte, so that a test can break one thing at a time."""

from collections.abc import Mapping, Sequence


def an_fcs_file(
    events: Sequence[Sequence[int]] = ((1, 2), (3, 4), (5, 6)),
    *,
    bits: Sequence[int] = (16, 16),
    ranges: Sequence[int] = (1024, 1024),
    version: str = "3.1",
    big: bool = False,
    delimiter: str = "/",
    change: Mapping[str, str | None] | None = None,
    data: bytes | None = None,
    header: Mapping[int, bytes] | None = None,
    supplement: bytes = b"",
    data_type: str = "I",
) -> bytes:
    """Give a correct file of integers, then with the changes asked for.

    `change` sets keywords (None takes one away); `header` overwrites bytes by place.
    """
    if data is None:
        order = "big" if big else "little"
        data = b"".join(
            value.to_bytes(width // 8, order)
            for event in events
            for value, width in zip(event, bits, strict=True)
        )
    words: dict[str, str | None] = {
        "$BEGINANALYSIS": "0", "$ENDANALYSIS": "0",
        "$BYTEORD": "4,3,2,1" if big else "1,2,3,4", "$DATATYPE": data_type, "$MODE": "L",
        "$NEXTDATA": "0", "$PAR": str(len(bits)), "$TOT": str(len(events)), "$CYT": "Trial",
    }  # fmt: skip
    for number, (width, top) in enumerate(zip(bits, ranges, strict=True), start=1):
        words |= {
            f"$P{number}N": f"P{number}-A", f"$P{number}B": str(width),
            f"$P{number}R": str(top), f"$P{number}E": "0,0",
        }  # fmt: skip
    begin = 58
    for _ in range(5):
        last = begin + len(data) - 1
        stext = (last + 1, last + len(supplement)) if supplement else (0, 0)
        placed = {
            "$BEGINDATA": f"{begin:012d}", "$ENDDATA": f"{last:012d}",
            "$BEGINSTEXT": f"{stext[0]:012d}", "$ENDSTEXT": f"{stext[1]:012d}",
            **words, **(change or {}),
        }  # fmt: skip
        text = delimiter
        for key, value in placed.items():
            if value is not None:
                text += key.replace(delimiter, delimiter * 2) + delimiter
                text += value.replace(delimiter, delimiter * 2) + delimiter
        raw = text.encode()
        begin = 58 + len(raw)
    places = (58, begin - 1, begin, begin + len(data) - 1, 0, 0)
    head = f"FCS{version}    ".encode() + b"".join(b"%8d" % place for place in places)
    whole = bytearray(head + raw + data + supplement)
    for place, replacement in (header or {}).items():
        whole[place : place + len(replacement)] = replacement
    return bytes(whole)
