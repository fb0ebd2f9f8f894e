"""DATA of an FCS file: how events are laid out, and reading them block by block.

Source: FCS 3.1 section 3.3, doi:10.1002/cyto.a.20825.
"""

import io
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy
from numpy.typing import NDArray

from anlage.base import Refused

from .fcs_text import Deviation, Header, Ledger, whole_number
from .kernels import gather_f4, gather_f8, gather_integers

if TYPE_CHECKING:
    from .fcs import Channel

EVENT_BYTES_MAX: Final = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where the bytes are: a file, or memory."""

    name: str
    size: int
    path: Path | None = None
    held: bytes = b""

    @classmethod
    def of(cls, place: str | Path | bytes) -> "Source":
        """Name the source and find its size.

        Raises:
            Refused: The file cannot be opened.
        """
        if isinstance(place, bytes):
            return cls(name="bytes", size=len(place), held=place)
        path = Path(place)
        try:
            if not path.is_file():
                raise FileNotFoundError(2, "is no file")
            return cls(name=path.name, size=path.stat().st_size, path=path)
        except (OSError, ValueError) as error:
            raise Refused(
                "flow-file",
                what=f"file {path.name}",
                found=getattr(error, "strerror", None) or str(error),
                limit="a file that can be read",
                remedy="check the path",
                path=str(path),
            ) from error

    @contextmanager
    def opened(self) -> Iterator["Reader"]:
        """Open for reading at any place.

        Raises:
            Refused: The file cannot be opened any more.
        """
        if self.path is None:
            yield Reader(self, None)
            return
        try:
            stream = self.path.open("rb", buffering=0)
        except OSError as error:
            raise Refused(
                "flow-file", what=f"file {self.name}", found=error.strerror, path=str(self.path)
            ) from error
        with stream:
            yield Reader(self, stream)


class Reader:
    """Bytes of an opened source, by place."""

    def __init__(self, source: Source, stream: io.FileIO | None) -> None:
        """Read from the stream, or from memory when there is none."""
        self._source = source
        self._stream = stream

    def read(self, at: int, length: int) -> bytes:
        """Give at most `length` bytes from byte `at`."""
        if self._stream is None:
            return self._source.held[at : at + length]
        buffer = bytearray(max(0, min(length, self._source.size - at)))
        return bytes(buffer[: self._fill(memoryview(buffer), at)])

    def fill(self, buffer: NDArray[numpy.uint8], at: int) -> None:
        """Fill the whole buffer from byte `at`.

        Raises:
            Refused: The file became shorter since its size was taken.
        """
        if self._stream is None:
            held = numpy.frombuffer(self._source.held, numpy.uint8, buffer.size, at)
            buffer[:] = held
            return
        if self._fill(buffer.data, at) != buffer.size:
            raise Refused(
                "fcs-changed",
                what=f"file {self._source.name} (byte {at})",
                found="shorter than when it was opened",
                remedy="wait until the instrument has written it",
                path=self._source.name,
            )

    def _fill(self, view: memoryview, at: int) -> int:
        stream = self._stream
        if stream is None:
            return 0
        done = 0
        while done < len(view):
            if hasattr(os, "preadv"):
                got = os.preadv(stream.fileno(), [view[done:]], at + done)
            else:
                stream.seek(at + done)
                got = stream.readinto(view[done:]) or 0
            if not got:
                break
            done += got
        return done


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where each value of an event stands.

    Attributes:
        begin: First byte of the events in the file.
        is_big: Whether the most significant byte comes first.
        offsets: Byte of each channel within an event.
        event_bytes: Length of one event.
        uniform: "F", "D" or "I" when all channels share one kind and width, else "".
    """

    begin: int
    is_big: bool
    offsets: tuple[int, ...]
    event_bytes: int
    uniform: str

    def columns(
        self,
        reader: Reader,
        channels: "Sequence[Channel]",
        wanted: Sequence[int],
        start: int,
        stop: int,
        out: NDArray[numpy.float64] | None = None,
        buffer: NDArray[numpy.uint8] | None = None,
    ) -> NDArray[numpy.float64]:
        """Read events start to stop of the wanted channels as scale values, a row per channel.

        Memory beyond the answer stays under a few MiB, whatever the number of events.
        """
        count = max(0, stop - start)
        if out is None:
            out = numpy.empty((len(wanted), count), numpy.float64)
        step = max(1, min(count, 2**20 // self.event_bytes))
        if buffer is None:
            buffer = numpy.empty(step * self.event_bytes, numpy.uint8)
        else:
            step = max(1, buffer.size // self.event_bytes)
        for first in range(0, count, step):
            block = min(step, count - first)
            raw = buffer[: block * self.event_bytes]
            reader.fill(raw, self.begin + (start + first) * self.event_bytes)
            self._decode(raw, channels, wanted, out[:, first : first + block])
        for row, index in enumerate(wanted):
            _to_scale(out[row], channels[index])
        return out

    def _decode(
        self,
        raw: NDArray[numpy.uint8],
        channels: "Sequence[Channel]",
        wanted: Sequence[int],
        out: NDArray[numpy.float64],
    ) -> None:
        if self.uniform in ("F", "D"):
            places = numpy.asarray(wanted, numpy.int64)
            kind, gather = (
                (numpy.uint32, gather_f4) if self.uniform == "F" else (numpy.uint64, gather_f8)
            )
            words = raw.view(kind).reshape(out.shape[1], -1)
            gather(words, self.is_big, places, out)
            return
        table = raw.reshape(out.shape[1], self.event_bytes)
        if all(channels[index].kind == "I" for index in wanted):
            masks = [bit_mask(channels[index].range, channels[index].bits) for index in wanted]
            gather_integers(
                table,
                self.is_big,
                numpy.array([self.offsets[index] for index in wanted], numpy.int64),
                numpy.array([channels[index].bits // 8 for index in wanted], numpy.int64),
                numpy.array(masks, numpy.uint64),
                out,
            )
            return
        for row, index in enumerate(wanted):
            if channels[index].kind == "I":
                self._decode(raw, channels, [index], out[row : row + 1])
            else:
                out[row] = _reals(table, self.offsets[index], channels[index], self.is_big)


def _reals(
    table: NDArray[numpy.uint8], offset: int, channel: "Channel", is_big: bool
) -> NDArray[numpy.float64]:
    """Read floating point values that stand beside values of another kind."""
    width = channel.bits // 8
    kind = f"{'>' if is_big else '<'}f{width}"
    taken = numpy.ascontiguousarray(table[:, offset : offset + width])
    return taken.view(kind)[:, 0].astype(numpy.float64)


def bit_mask(scale_range: float, bits: int) -> int:
    """Give the mask of the bits that carry a value: those that the range ($PnR) needs."""
    needed = max(0, int(scale_range) - 1).bit_length() if scale_range >= 1 else bits
    return (1 << min(max(needed, 1), bits)) - 1


def _to_scale(values: NDArray[numpy.float64], channel: "Channel") -> None:
    """Turn stored values into scale values, in place: time step, logarithm, then gain."""
    if channel.time_step is not None and channel.time_step != 1.0:
        values *= channel.time_step
    if channel.decades > 0:
        values *= channel.decades
        values /= channel.range
        with numpy.errstate(over="ignore"):
            numpy.power(10.0, values, out=values)
            values *= channel.log_offset
    if channel.gain != 1.0:
        with numpy.errstate(over="ignore"):
            values /= channel.gain


def layout_of(
    keywords: dict[str, str],
    channels: "Sequence[Channel]",
    header: Header,
    at: int,
    size: int,
    ledger: Ledger,
) -> tuple[Layout, int]:
    """Lay out the events, and count them.

    Raises:
        Refused: The segment is not where, or not as long as, the file says.
    """
    is_big = _byte_order(keywords, channels, ledger)
    offsets, event_bytes = _places(channels, ledger)
    first, last = _segment(keywords, header, at, size, event_bytes, ledger)
    if last >= first and first <= header.text[1] and last >= header.text[0]:
        ledger.record(
            Deviation(
                code="fcs-offset", what="place of DATA", found=f"{first}-{last}",
                expected=f"outside TEXT, {header.text[0]}-{header.text[1]}",
                accepted="read where stated", offset=at + first,
            )
        )  # fmt: skip
    events = _event_count(keywords, first, last, at, size, event_bytes, header.version, ledger)
    kinds = {(channel.kind, channel.bits) for channel in channels}
    uniform = kinds.pop()[0] if len(kinds) == 1 else ""
    layout = Layout(
        begin=at + first,
        is_big=is_big,
        offsets=offsets,
        event_bytes=event_bytes,
        uniform=uniform if uniform != "I" else "",
    )
    return layout, events


def _byte_order(keywords: dict[str, str], channels: "Sequence[Channel]", ledger: Ledger) -> bool:
    raw = keywords.get("$BYTEORD", "").replace(" ", "")
    order = raw.split(",")
    if order == sorted(order) and raw in ("1,2,3,4", "1,2", "1", "1,2,3,4,5,6,7,8", "1,2,3"):
        return False
    if raw in ("4,3,2,1", "2,1", "8,7,6,5,4,3,2,1", "3,2,1"):
        return True
    if not raw and all(channel.bits == 8 for channel in channels):
        return False
    raise ledger.refusal(
        "fcs-unsupported" if raw in ("3,4,1,2", "2,1,4,3") else "fcs-keyword",
        "$BYTEORD",
        found=raw[:40] or "none",
        limit="1,2,3,4 or 4,3,2,1",
        remedy="export the file from the instrument's software again",
    )


def _places(channels: "Sequence[Channel]", ledger: Ledger) -> tuple[tuple[int, ...], int]:
    offsets = []
    total = 0
    for channel in channels:
        if channel.bits % 8 or not 8 <= channel.bits <= 64:
            raise ledger.refusal(
                "fcs-unsupported",
                f"$P{channel.number}B",
                found=channel.bits,
                limit="whole bytes, 8 to 64 bits",
                remedy="export the file with values of whole bytes",
            )
        offsets.append(total)
        total += channel.bits // 8
    if total > EVENT_BYTES_MAX:
        raise ledger.refusal("fcs-data-size", "one event", found=total, limit=EVENT_BYTES_MAX)
    return tuple(offsets), total


def _segment(
    keywords: dict[str, str],
    header: Header,
    at: int,
    size: int,
    event_bytes: int,
    ledger: Ledger,
) -> tuple[int, int]:
    """Settle where DATA lies; where HEADER and TEXT disagree, the one that fits the events wins."""
    named = tuple(_offset(keywords, name, ledger) for name in ("$BEGINDATA", "$ENDDATA"))
    in_text = (named[0], named[1]) if named[0] and named[1] is not None else None
    in_text = None if in_text == (0, 0) else in_text
    if header.data is None and in_text is None:
        if whole_number(keywords.get("$TOT")) == 0:
            return header.text[1] + 1, header.text[1]
        raise ledger.refusal(
            "fcs-offset", "place of DATA", found="neither in HEADER nor in TEXT", offset=at + 26
        )
    if in_text is None and header.version in ("3.0", "3.1"):
        ledger.record(
            Deviation(
                code="fcs-keyword", what="$BEGINDATA and $ENDDATA", found="none",
                expected="the place of DATA", accepted="taken from HEADER", breach=False,
            )
        )  # fmt: skip
    if header.data is None or in_text is None or header.data == in_text:
        chosen = in_text if header.data is None else header.data
        assert chosen is not None
        return chosen
    chosen = _better(header.data, (in_text[0] or 0, in_text[1] or 0), keywords, event_bytes)
    ledger.record(
        Deviation(
            code="fcs-offset",
            what="place of DATA",
            found=f"HEADER {header.data[0]}-{header.data[1]}",
            expected=f"TEXT {in_text[0]}-{in_text[1]}",
            accepted=f"{chosen[0]}-{chosen[1]} used",
            offset=at + 26,
        )
    )
    return chosen


def _offset(keywords: dict[str, str], name: str, ledger: Ledger) -> int | None:
    raw = keywords.get(name)
    if raw is None:
        return None
    value = whole_number(raw)
    if value is not None:
        return value
    ledger.record(
        Deviation(
            code="fcs-keyword", what=name, found=raw[:40], expected="digits",
            accepted="taken as not given",
        )
    )  # fmt: skip
    return None


def _better(
    header: tuple[int, int], text: tuple[int, int], keywords: dict[str, str], event_bytes: int
) -> tuple[int, int]:
    total = whole_number(keywords.get("$TOT"))
    if total is not None:
        needed = total * event_bytes
        for pair in (text, header):
            if pair[1] - pair[0] + 1 == needed:
                return pair
    return text


def _event_count(
    keywords: dict[str, str],
    first: int,
    last: int,
    at: int,
    size: int,
    event_bytes: int,
    version: str,
    ledger: Ledger,
) -> int:
    if first < 58 or last < first - 1:
        raise ledger.refusal(
            "fcs-offset", "place of DATA", found=f"{first}-{last}",
            limit="first byte after the header, last byte after it", offset=at + 26,
        )  # fmt: skip
    length = last - first + 1
    present = max(0, size - at - first)
    total = keywords.get("$TOT")
    stated = whole_number(total)
    if present == 0 and length > 0:
        raise ledger.refusal(
            "fcs-truncated", "DATA segment", found=f"file of {size} bytes",
            limit=f"at least {at + last + 1} bytes", offset=size,
        )  # fmt: skip
    if stated is None:
        ledger.record(
            Deviation(
                code="fcs-keyword", what="$TOT", found=total[:40] if total else "none",
                expected="the number of events", accepted=f"{length // event_bytes} by length",
                breach=version != "2.0" or total is not None or length % event_bytes != 0,
            )
        )  # fmt: skip
        stated = length // event_bytes
    needed = stated * event_bytes
    if length != needed:
        ledger.record(
            Deviation(
                code="fcs-data-size",
                what="DATA segment",
                found=f"{length} bytes",
                expected=f"{needed} bytes for {stated} events of {event_bytes} bytes",
                accepted="whole events that are there are read",
                offset=at + first,
            )
        )
    if present < min(length, needed):
        ledger.record(
            Deviation(
                code="fcs-truncated",
                what="DATA segment",
                found=f"file of {size} bytes",
                expected=f"at least {at + last + 1} bytes",
                accepted=f"the first {present // event_bytes} events are read",
                offset=size,
            )
        )
    # One byte too few in the declared length is the usual slip; the bytes are there.
    reachable = present if abs(length - needed) <= 1 else min(present, length)
    return min(stated, reachable // event_bytes)
