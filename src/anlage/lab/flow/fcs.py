"""Reading FCS 2.0, 3.0, 3.1 and 3.2 list-mode files: strict by default, lenient on demand.

A strict reading refuses whatever could change a number. A lenient one writes down each deviation
it accepted. Events stay in the file: they are read by blocks, so that a file larger than memory
can be gated.

Source: FCS 3.1, doi:10.1002/cyto.a.20825; FCS 3.2, doi:10.1002/cyto.a.24225.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy
from numpy.typing import NDArray

from anlage.base import Problem, Refused

from ..processors import processors
from .compensation import Matrix, spillover_of
from .fcs_data import Layout, Source, layout_of
from .fcs_text import (
    HEADER_BYTES,
    Deviation,
    Header,
    Ledger,
    ReadAt,
    read_header,
    read_keywords,
    whole_number,
)
from .identifiers import Identifier, identifiers_of

CHANNELS_MAX: Final = 4_096
DATASETS_MAX: Final = 1_000
CHAIN_BYTES_MAX: Final = 64 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One measured parameter.

    Attributes:
        number: Place in the file, counted from 1.
        name: Short name ($PnN), unique in the file.
        marker: Long name ($PnS), such as "CD3 PerCP"; None when not given.
        bits: Width of one stored value.
        kind: "I" integer, "F" 32-bit or "D" 64-bit floating point.
        range: Upper end of the scale ($PnR).
        decades: Decades of a logarithmic amplifier; 0 for a linear channel.
        log_offset: Value of channel 0 on a logarithmic scale.
        gain: Amplification by which linear values are divided; 1 when not given.
        time_step: Seconds per unit for the time channel, else None.
    """

    number: int
    name: str
    marker: str | None
    bits: int
    kind: str
    range: float
    decades: float = 0.0
    log_offset: float = 1.0
    gain: float = 1.0
    time_step: float | None = None

    @property
    def label(self) -> str:
        """The marker where there is one, else the short name."""
        return self.marker or self.name

    def as_dict(self) -> dict[str, str | int | float | None]:
        """Give the channel as a JSON object."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One data set of an FCS file.

    Attributes:
        name: File name, or "bytes".
        version: Version of the standard that the file claims.
        keywords: Keywords in upper case with their values, supplemental TEXT included.
        channels: The parameters in file order.
        event_count: Number of events.
        spillover: The file's own compensation matrix, if it has a usable one.
        deviations: What departs from the standard, breaches and notes alike.
        dataset: Which data set of the file this is, from 0.
        dataset_count: How many data sets the file holds.
        is_lenient: Whether breaches were accepted.
    """

    name: str
    version: str
    keywords: dict[str, str]
    channels: tuple[Channel, ...]
    event_count: int
    spillover: Matrix | None
    deviations: tuple[Deviation, ...]
    dataset: int
    dataset_count: int
    is_lenient: bool
    layout: Layout
    source: Source

    @property
    def instrument(self) -> str | None:
        """The cytometer as the file names it ($CYT), with its serial number where given."""
        name = self.keywords.get("$CYT", "").strip()
        serial = self.keywords.get("$CYTSN", "").strip()
        return f"{name} ({serial})" if name and serial else name or None

    @property
    def identifiers(self) -> tuple[Identifier, ...]:
        """The keywords that may name a patient or a person."""
        return identifiers_of(self.keywords)

    def channel(self, name: str) -> Channel:
        """Find a channel by short name, else by marker.

        Raises:
            Refused: No channel, or more than one, answers to the name.
        """
        for key in ("name", "marker"):
            found = [channel for channel in self.channels if getattr(channel, key) == name]
            if len(found) == 1:
                return found[0]
            if found:
                break
        raise Refused(
            "fcs-channel",
            what=f"channel {name} of {self.name}",
            found="more than one" if found else "none",
            limit="one of " + ", ".join(channel.name for channel in self.channels[:64]),
            remedy="name a channel of the file",
            path=self.name,
        )

    def columns(
        self, channels: tuple[int, ...], start: int = 0, stop: int | None = None
    ) -> NDArray[numpy.float64]:
        """Read scale values of some channels: one row per channel, one column per event.

        Args:
            channels: Places of the channels, counted from 0.
            start: First event.
            stop: Event after the last; all when None.
        """
        end = self.event_count if stop is None else min(stop, self.event_count)
        with self.source.opened() as reader:
            return self.layout.columns(reader, self.channels, channels, start, end)

    def events(self) -> NDArray[numpy.float64]:
        """Read everything: one row per channel, one column per event, as scale values."""
        return self.columns(tuple(range(len(self.channels))))


def read_fcs(path: str | Path | bytes, *, lenient: bool = False, dataset: int = 0) -> Sample:
    """Read the header and keywords of an FCS file, and lay out its events.

    Args:
        path: A file, or its bytes.
        lenient: Accept breaches and write them down instead of refusing.
        dataset: Which data set to read, from 0.

    Raises:
        Refused: The file is damaged, or breaks the standard in a way that could change a number.

    Example:
        >>> from anlage.lab.flow import Writing, read_fcs, write_fcs
        >>> import numpy
        >>> sample = read_fcs(write_fcs(Writing(names=("FSC-A",)), numpy.array([[1.0], [2.0]])))
        >>> sample.event_count, sample.columns((0,)).tolist()
        (2, [[1.0, 2.0]])
    """
    source = Source.of(path)
    ledger = Ledger(path=source.name, is_lenient=lenient)
    with source.opened() as reader:
        at, count = _find_dataset(reader.read, source.size, dataset, ledger)
        header = read_header(reader.read, at, source.size, ledger)
        keywords = _keywords(reader.read, at, header, source.size, ledger)
    channels = _channels(keywords, header.version, ledger)
    layout, events = layout_of(keywords, channels, header, at, source.size, ledger)
    spillover = spillover_of(
        keywords,
        tuple(channel.name for channel in channels),
        tuple(channel.marker or "" for channel in channels),
        ledger,
    )
    return Sample(
        name=source.name,
        version=header.version,
        keywords=keywords,
        channels=channels,
        event_count=events,
        spillover=spillover,
        deviations=tuple(ledger.found),
        dataset=dataset,
        dataset_count=count,
        is_lenient=lenient,
        layout=layout,
        source=source,
    )


def _find_dataset(read: ReadAt, size: int, wanted: int, ledger: Ledger) -> tuple[int, int]:
    """Walk the chain of $NEXTDATA; give the byte of the wanted data set, and how many there are."""
    places = [0]
    budget = CHAIN_BYTES_MAX
    while len(places) < DATASETS_MAX and budget > 0:
        at = places[-1]
        silent = Ledger(path=ledger.path, is_lenient=True)
        try:
            header = read_header(read, at, size, silent)
            keywords = read_keywords(read, at, header.text, header.version, silent)
        except Refused as refusal:
            if len(places) - 1 <= wanted:
                raise
            places.pop()
            ledger.record(_unreachable(refusal.problem.what, at))
            break
        budget -= header.text[1] - header.text[0]
        raw = keywords.get("$NEXTDATA", "0").strip()
        step = whole_number(raw)
        if step == 0:
            break
        if step is None or step < HEADER_BYTES or at + step + HEADER_BYTES > size:
            ledger.record(_unreachable(f"$NEXTDATA of data set {len(places) - 1}", at, raw[:40]))
            break
        places.append(at + step)
    if wanted >= len(places) or wanted < 0:
        raise ledger.refusal(
            "fcs-dataset", "data set", found=wanted, limit=f"0 to {len(places) - 1}",
            remedy="ask for a data set that the file holds",
        )  # fmt: skip
    return places[wanted], len(places)


def _unreachable(what: str, at: int, found: str = "not readable") -> Deviation:
    return Deviation(
        code="fcs-offset",
        what=what,
        found=found,
        expected="0, or the place of a data set within the file",
        accepted="taken as the end of the data sets",
        offset=at,
    )


def _keywords(read: ReadAt, at: int, header: Header, size: int, ledger: Ledger) -> dict[str, str]:
    keywords = read_keywords(read, at, header.text, header.version, ledger)
    first, last = (_whole(keywords.get(name)) for name in ("$BEGINSTEXT", "$ENDSTEXT"))
    if not first or not last or last <= first or (first, last) == header.text:
        return keywords
    if at + last >= size:
        ledger.record(
            Deviation(
                code="fcs-truncated",
                what="supplemental TEXT",
                found=f"file of {size} bytes",
                expected=f"at least {at + last + 1} bytes",
                accepted="left out",
                offset=size,
            )
        )
        return keywords
    # Some instruments park binary settings here: that touches no number, so it is only noted.
    apart = Ledger(path=ledger.path, is_lenient=True)
    try:
        more = read_keywords(read, at, (first, last), header.version, apart)
    except Refused as refusal:
        more = {}
        apart.found.append(_note_of(refusal.problem))
    if any(found.code == "fcs-text" for found in apart.found):
        ledger.record(
            Deviation(
                code="fcs-text",
                what="supplemental TEXT",
                found="not a list of keywords",
                expected="keywords and values",
                accepted="left out",
                offset=at + first,
                breach=False,
            )
        )
        return keywords
    for key, value in more.items():
        keywords.setdefault(key, value)
    return keywords


def _note_of(problem: Problem) -> Deviation:
    return Deviation(code="fcs-text", what=problem.what, found=problem.found, breach=False)


def _whole(text: str | None) -> int | None:
    """Give a non-negative whole number, written plainly or as 1024.0; None when it is not one."""
    if text is None:
        return None
    plain = whole_number(text)
    if plain is not None:
        return plain
    value = _number(text)
    return int(value) if value is not None and 0 <= value < 1e18 and value == int(value) else None


def _number(text: str | None) -> float | None:
    if text is None or len(text) > 64:
        return None
    try:
        value = float(text.strip())
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _needed(keywords: dict[str, str], name: str, ledger: Ledger) -> int:
    value = _whole(keywords.get(name))
    if value is None:
        raise ledger.refusal(
            "fcs-keyword", f"keyword {name}", found=keywords.get(name, "none"),
            limit="a whole number",
        )  # fmt: skip
    return value


def _channels(keywords: dict[str, str], version: str, ledger: Ledger) -> tuple[Channel, ...]:
    count = _needed(keywords, "$PAR", ledger)
    if not 1 <= count <= CHANNELS_MAX:
        raise ledger.refusal("fcs-keyword", "$PAR", found=count, limit=f"1 to {CHANNELS_MAX}")
    default = keywords.get("$DATATYPE", "").strip().upper()
    if default not in ("I", "F", "D"):
        raise ledger.refusal(
            "fcs-unsupported" if default == "A" else "fcs-keyword",
            "$DATATYPE",
            found=default or "none",
            limit="I, F or D",
            remedy="export the file as integers or floating point",
        )
    mode = keywords.get("$MODE", "L" if version == "3.2" else "").strip().upper()
    if mode in ("C", "U"):
        raise ledger.refusal(
            "fcs-unsupported", "$MODE", found=mode, limit="L (list mode)",
            remedy="export the events, not a histogram",
        )  # fmt: skip
    if mode != "L":
        ledger.record(
            Deviation(
                code="fcs-keyword", what="$MODE", found=mode[:40] or "none", expected="L",
                accepted="read as list mode",
            )
        )  # fmt: skip
    channels = [
        _channel(keywords, number, default, version, ledger) for number in range(1, count + 1)
    ]
    return _uniquely_named(channels, ledger)


def _channel(
    keywords: dict[str, str], number: int, default: str, version: str, ledger: Ledger
) -> Channel:
    prefix = f"$P{number}"
    name = keywords.get(f"{prefix}N", "").strip()
    if not name:
        ledger.record(
            Deviation(
                code="fcs-keyword", what=f"{prefix}N", found="none", expected="a short name",
                accepted=f"called P{number}", breach=version != "2.0",
            )
        )  # fmt: skip
        name = f"P{number}"
    kind = keywords.get(f"{prefix}DATATYPE", default).strip().upper()
    if kind not in ("I", "F", "D") or (kind != default and version != "3.2"):
        raise ledger.refusal(
            "fcs-keyword", f"{prefix}DATATYPE", found=kind, limit="I, F or D, in FCS 3.2"
        )
    bits = _needed(keywords, f"{prefix}B", ledger)
    if kind != "I" and bits != (32 if kind == "F" else 64):
        ledger.record(
            Deviation(
                code="fcs-keyword", what=f"{prefix}B", found=str(bits),
                expected="32 for F, 64 for D", accepted="width taken from the data type",
            )
        )  # fmt: skip
        bits = 32 if kind == "F" else 64
    is_time = name.casefold() == "time"
    decades, log_offset = _amplifier(keywords.get(f"{prefix}E"), prefix, kind, version, ledger)
    return Channel(
        number=number,
        name=name,
        marker=keywords.get(f"{prefix}S", "").strip() or None,
        bits=bits,
        kind=kind,
        range=_range(keywords.get(f"{prefix}R"), prefix, kind, bits, decades, ledger),
        decades=decades,
        log_offset=log_offset,
        gain=_gain(keywords.get(f"{prefix}G"), prefix, decades, is_time, ledger),
        time_step=_time_step(keywords, ledger) if is_time else None,
    )


def _range(
    raw: str | None, prefix: str, kind: str, bits: int, decades: float, ledger: Ledger
) -> float:
    value = _number(raw)
    if value is not None and value > 0:
        return value
    ledger.record(
        Deviation(
            code="fcs-keyword",
            what=f"{prefix}R",
            found=raw[:40] if raw is not None else "none",
            expected="a number above 0",
            accepted="no bit mask and no logarithmic scale",
            breach=kind == "I" or decades > 0,
        )
    )
    return 2.0 ** min(bits, 64) if kind == "I" else 1.0


def _amplifier(
    raw: str | None, prefix: str, kind: str, version: str, ledger: Ledger
) -> tuple[float, float]:
    if raw is None:
        ledger.record(
            Deviation(
                code="fcs-keyword", what=f"{prefix}E", found="none", expected="two numbers",
                accepted="linear scale", breach=kind == "I",
            )
        )  # fmt: skip
        return 0.0, 1.0
    parts = [_number(part) for part in raw.split(",", 2)]
    decades, offset = (parts[0], parts[1]) if len(parts) == 2 else (None, None)
    if decades is None or offset is None or min(decades, offset) < 0:
        ledger.record(
            Deviation(
                code="fcs-keyword", what=f"{prefix}E", found=raw[:40],
                expected="two numbers of 0 or more", accepted="linear scale",
            )
        )  # fmt: skip
        return 0.0, 1.0
    if decades > 0 and offset == 0:
        # Widespread, and settled by the 3.0 standard: an offset of 0 is to be read as 1.
        ledger.record(
            Deviation(
                code="fcs-keyword", what=f"{prefix}E", found=raw[:40],
                expected="an offset above 0 on a logarithmic scale", accepted="offset read as 1",
                breach=False,
            )
        )  # fmt: skip
        offset = 1.0
    if decades > 0 and kind != "I":
        ledger.record(
            Deviation(
                code="fcs-keyword", what=f"{prefix}E", found=raw[:40],
                expected="0,0 for floating point", accepted="scaled as stated",
                breach=version in ("3.1", "3.2"),
            )
        )  # fmt: skip
    if decades > 300:
        raise ledger.refusal("fcs-keyword", f"{prefix}E", found=raw[:40], limit="300 decades")
    return decades, offset or 1.0


def _gain(raw: str | None, prefix: str, decades: float, is_time: bool, ledger: Ledger) -> float:
    if raw is None or not raw.strip():
        return 1.0
    gain = _number(raw)
    if gain is None or gain < 0:
        ledger.record(
            Deviation(
                code="fcs-keyword", what=f"{prefix}G", found=raw[:40],
                expected="a number above 0", accepted="gain read as 1",
            )
        )  # fmt: skip
        return 1.0
    if is_time and gain not in (0.0, 1.0):
        # Time is not amplified; instruments repeat $TIMESTEP here, which must not count twice.
        ledger.record(
            Deviation(
                code="fcs-keyword", what=f"{prefix}G", found=raw[:40],
                expected="no gain on the time channel", accepted="gain left out", breach=False,
            )
        )  # fmt: skip
        return 1.0
    if decades > 0 and gain not in (0.0, 1.0):
        ledger.record(
            Deviation(
                code="fcs-keyword", what=f"{prefix}G", found=raw[:40],
                expected="no gain on a logarithmic channel", accepted="gain left out",
            )
        )  # fmt: skip
        return 1.0
    return gain or 1.0


def _time_step(keywords: dict[str, str], ledger: Ledger) -> float | None:
    raw = keywords.get("$TIMESTEP")
    if raw is None or not raw.strip():
        return None
    step = _number(raw)
    if step is None or step <= 0:
        ledger.record(
            Deviation(
                code="fcs-keyword", what="$TIMESTEP", found=raw[:40],
                expected="seconds above 0", accepted="time left in its own unit", breach=False,
            )
        )  # fmt: skip
        return None
    return step


def _uniquely_named(channels: list[Channel], ledger: Ledger) -> tuple[Channel, ...]:
    seen: set[str] = set()
    named = []
    for channel in channels:
        name = channel.name
        if name in seen:
            name = f"{name} (channel {channel.number})"
            ledger.record(
                Deviation(
                    code="fcs-channel", what=f"$P{channel.number}N", found=channel.name,
                    expected="a name used once", accepted=f"called {name}",
                )
            )  # fmt: skip
        seen.add(name)
        fields = {slot: getattr(channel, slot) for slot in Channel.__slots__}
        named.append(Channel(**{**fields, "name": name}))
    return tuple(named)


def default_workers() -> int:
    """Give the number of threads for reading: the processors there are, at most 8."""
    return min(8, processors())
