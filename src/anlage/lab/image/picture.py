"""A picture as read from a file: planes, channels, pixel size, and the digest of its bytes.

PNG, JPEG, TIFF and OME-TIFF. A file is read strictly: a PNG with a wrong checksum, a JPEG that
ends early and a TIFF whose strips lie beyond its end are refused, because decoders fill what is
missing with grey and a grey band counts as an empty field.
"""

import hashlib
import io
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import cv2
import numpy
from numpy.typing import NDArray

from anlage.base import Refused

MAX_FILE_BYTES = 2 << 30
ONE_CHANNEL = 0.75
"""Share of the light of a colour picture above which one channel is the picture."""

MAX_PIXELS = 1 << 29
"""Largest sum of pixels over all planes of one file."""

_PNG = b"\x89PNG\r\n\x1a\n"
_UNITS_UM = {"µm": 1.0, "um": 1.0, "nm": 1e-3, "mm": 1e3, "cm": 1e4, "m": 1e6, "pm": 1e-6}
_FORMATS = "PNG, JPEG, TIFF or OME-TIFF of 8 or 16 bit"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Picture:
    """One picture.

    Attributes:
        name: Name of the file.
        pixels: Unsigned 8- or 16-bit values, axes (time, depth, channel, y, x).
        channel_names: One name per channel; empty strings where the file names none.
        colour: True when the channels are the red, green and blue of one exposure.
        pixel_size_um: Width and height of a pixel in micrometres; None when not stated.
        digest: SHA-256 of the bytes of the file; empty when built from an array.
    """

    name: str
    pixels: NDArray[Any]
    channel_names: tuple[str, ...]
    colour: bool = False
    pixel_size_um: tuple[float, float] | None = None
    digest: str = ""

    def __post_init__(self) -> None:
        """Check axes and depth."""
        if self.pixels.ndim != 5 or 0 in self.pixels.shape:
            raise ValueError("pixels have the axes (time, depth, channel, y, x), none empty")
        if self.pixels.dtype not in (numpy.uint8, numpy.uint16):
            raise ValueError(f"pixels are unsigned 8 or 16 bit, not {self.pixels.dtype}")
        if len(self.channel_names) != self.pixels.shape[2]:
            raise ValueError("one name per channel")

    @classmethod
    def of(
        cls, array: NDArray[Any], *, name: str = "array", colour: bool | None = None
    ) -> "Picture":
        """Build a picture from an array with axes (y, x) or (y, x, channel).

        Args:
            array: Unsigned 8- or 16-bit values.
            name: What to call it in results.
            colour: Whether three channels are red, green, blue; by default they are.
        """
        planes = array[..., None] if array.ndim == 2 else array
        if planes.ndim != 3:
            raise ValueError("an array has the axes (y, x) or (y, x, channel)")
        if planes.shape[2] in (2, 4) and colour is not False:
            planes = planes[..., :-1]  # the last of grey+alpha or RGBA says nothing of the sample
        channels = planes.shape[2]
        is_colour = channels == 3 if colour is None else colour
        if is_colour and channels == 3 and bool((planes == planes[..., :1]).all()):
            planes, channels, is_colour = planes[..., :1], 1, False
        pixels = numpy.ascontiguousarray(numpy.moveaxis(planes, -1, 0))[None, None]
        return cls(name=name, pixels=pixels, channel_names=("",) * channels, colour=is_colour)

    @property
    def height(self) -> int:
        """Rows."""
        return int(self.pixels.shape[3])

    @property
    def width(self) -> int:
        """Columns."""
        return int(self.pixels.shape[4])

    @property
    def frames(self) -> int:
        """Points in time."""
        return int(self.pixels.shape[0])

    @property
    def depth_planes(self) -> int:
        """Planes along the optical axis."""
        return int(self.pixels.shape[1])

    @property
    def full_scale(self) -> int:
        """The highest value that the pixels can hold.

        Cameras of 10, 12 and 14 bit store their values in 16: the smallest such range that
        holds the brightest pixel is taken.
        """
        if self.pixels.dtype == numpy.uint8:
            return 255
        top = int(self.pixels.max())
        return next(limit for limit in (1023, 4095, 16383, 65535) if top <= limit)

    def moments(self) -> tuple["Picture", ...]:
        """Give the picture of each point in time, in order; a picture of one gives itself."""
        if self.frames == 1:
            return (self,)
        return tuple(
            replace(self, name=f"{self.name} at {place}", pixels=self.pixels[place : place + 1])
            for place in range(self.frames)
        )

    def grey(self, *, frame: int = 0, channel: int | None = None) -> NDArray[Any]:
        """Give one plane (y, x): the brightest over depth, one channel, or the grey of a colour.

        The grey of a colour is the mean of its channels; where one channel alone carries the
        picture (a dye shown in false colour), it is that channel.

        Args:
            frame: Point in time.
            channel: Which channel; by default the grey of a colour picture, else the first.
        """
        stack = self.pixels[frame]
        plane: NDArray[Any] = stack[0] if stack.shape[0] == 1 else stack.max(axis=0)
        if channel is None and self.colour:
            return _grey_of_colour(plane)
        return numpy.ascontiguousarray(plane[channel or 0])

    def channel_named(self, *words: str) -> int | None:
        """Give the first channel whose name holds one of the words, whatever the case."""
        for index, name in enumerate(self.channel_names):
            if any(word in name.casefold() for word in words):
                return index
        return None


def _grey_of_colour(planes: NDArray[Any]) -> NDArray[Any]:
    means = planes.mean(axis=(1, 2), dtype=numpy.float64)
    if means.max() >= ONE_CHANNEL * max(float(means.sum()), 1e-9):
        return numpy.ascontiguousarray(planes[int(means.argmax())])
    mean: NDArray[Any] = planes.mean(axis=0, dtype=numpy.float32).round()
    return mean.astype(planes.dtype)


def read_picture(path: Path) -> Picture:
    """Read a picture file.

    Raises:
        Refused: The file is missing, of another format, damaged, cut short or too large.
    """
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise _refusal("image-too-large", path, f"{size} bytes", f"{MAX_FILE_BYTES} bytes")
        data = path.read_bytes()
    except OSError as error:
        raise Refused(
            "image-unreadable",
            what="the image file cannot be opened",
            found=error.strerror,
            remedy="check the name and the rights of the file",
            path=str(path),
        ) from error
    digest = hashlib.sha256(data).hexdigest()
    if data[:8] == _PNG:
        _check_png(data, path)
        array = _decode(data, path)
    elif data[:2] == b"\xff\xd8":
        _check_jpeg(data, path)
        array = _decode(data, path)
    elif data[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return _read_tiff(data, path, digest)
    else:
        found = "an empty file" if not data else f"a file that begins {data[:4].hex(' ')}"
        raise _refusal("image-format-unknown", path, found, _FORMATS)
    picture = Picture.of(array, name=path.name)
    return Picture(
        name=path.name,
        pixels=picture.pixels,
        channel_names=picture.channel_names,
        colour=picture.colour,
        pixel_size_um=_png_pixel_size(data) if data[:8] == _PNG else None,
        digest=digest,
    )


def _refusal(code: str, path: Path, found: str, limit: str) -> Refused:
    return Refused(
        code,
        what="the image file cannot be judged",
        found=found,
        limit=limit,
        remedy="export the image again from the instrument",
        path=str(path),
    )


def _damaged(path: Path, found: str) -> Refused:
    return _refusal("image-damaged", path, found, "a whole file")


def _check_png(data: bytes, path: Path) -> None:
    """Walk the chunks: each must be whole with its checksum, from IHDR to IEND."""
    place, ended = 8, False
    while place < len(data) and not ended:
        if place + 12 > len(data):
            raise _damaged(path, f"a PNG cut short at byte {len(data)}")
        (length,) = struct.unpack_from(">I", data, place)
        kind = data[place + 4 : place + 8]
        end = place + 12 + length
        if end > len(data):
            raise _damaged(path, f"a PNG cut short in chunk {kind!r} at byte {len(data)}")
        (stated,) = struct.unpack_from(">I", data, end - 4)
        if zlib.crc32(data[place + 4 : end - 4]) != stated:
            raise _damaged(path, f"a PNG with a wrong checksum in chunk {kind!r}")
        if kind == b"IHDR" and length == 13:
            width, height = struct.unpack_from(">II", data, place + 8)
            _check_size(path, width * height)
        place, ended = end, kind == b"IEND"
    if not ended:
        raise _damaged(path, "a PNG without its end")


def _png_pixel_size(data: bytes) -> tuple[float, float] | None:
    place = data.find(b"pHYs", 8, 4096)
    if place < 0 or data[place + 12] != 1:  # 1: pixels per metre
        return None
    across, down = struct.unpack_from(">II", data, place + 4)
    # Densities of screens and printers (up to 1,200 dpi = 47,244 per metre) are no microscope's.
    if min(across, down) <= 50_000:
        return None
    return 1e6 / across, 1e6 / down


def _check_jpeg(data: bytes, path: Path) -> None:
    """Walk the segments and the scans: no unknown marker inside, and an end."""
    place, limit = 2, len(data)
    while place + 4 <= limit:
        if data[place] != 0xFF:
            raise _damaged(path, f"a JPEG with no marker at byte {place}")
        kind = data[place + 1]
        if kind == 0xD9:
            return
        if kind == 0xFF:
            place += 1
            continue
        (length,) = struct.unpack_from(">H", data, place + 2)
        if kind in (0xC0, 0xC1, 0xC2) and length >= 8 and place + 9 <= limit:
            height, width = struct.unpack_from(">HH", data, place + 5)
            _check_size(path, height * width)
        place += 2 + length
        if kind != 0xDA:
            continue
        while True:  # entropy-coded data: 0xFF is followed by 0 or a restart marker
            place = data.find(b"\xff", place)
            if place < 0 or place + 1 >= limit:
                raise _damaged(path, "a JPEG cut short")
            if data[place + 1] != 0 and not 0xD0 <= data[place + 1] <= 0xD7:
                break
            place += 2
    if data[place : place + 2] != b"\xff\xd9":
        raise _damaged(path, "a JPEG cut short")


def _check_size(path: Path, pixels: int) -> None:
    if pixels > MAX_PIXELS:
        raise _refusal("image-too-large", path, f"{pixels} pixels", f"{MAX_PIXELS} pixels")


def _decode(data: bytes, path: Path) -> NDArray[Any]:
    array = cv2.imdecode(numpy.frombuffer(data, numpy.uint8), cv2.IMREAD_UNCHANGED)
    if array is None:
        raise _damaged(path, "pixels that cannot be decoded")
    if array.dtype not in (numpy.uint8, numpy.uint16):
        raise _refusal("image-format-unknown", path, f"{array.dtype} pixels", _FORMATS)
    if array.ndim == 3 and array.shape[2] >= 3:
        array[..., :3] = array[..., 2::-1]
    return numpy.asarray(array)


def _read_tiff(data: bytes, path: Path, digest: str) -> Picture:
    import tifffile

    try:
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            series = file.series[0]
            _check_size(path, int(numpy.prod(series.shape, dtype=numpy.int64)))
            for page in series.pages:
                _check_strips(page, len(data), path)
            array, axes = _as_light(_pixels_of(series, data, path), series, path)
            names, size_um = _meaning(file)
    except (
        tifffile.TiffFileError,
        ElementTree.ParseError,
        ValueError,
        KeyError,
        IndexError,
        TypeError,
        AttributeError,
        RuntimeError,
        OverflowError,
        MemoryError,
        struct.error,
        zlib.error,
    ) as error:
        raise _damaged(path, f"a TIFF that cannot be decoded ({str(error)[:120]})") from error
    pixels, colour = _five_axes(array, axes, path)
    channels = pixels.shape[2]
    return Picture(
        name=path.name,
        pixels=pixels,
        channel_names=names if len(names) == channels else ("",) * channels,
        colour=colour,
        pixel_size_um=size_um,
        digest=digest,
    )


def _as_light(array: NDArray[Any], series: Any, path: Path) -> tuple[NDArray[Any], str]:
    """Give values that rise with the light, and the axes: a palette and a negative are undone."""
    page = series.pages[0]
    match page.photometric.name:
        case "PALETTE":
            colours = (page.colormap >> 8).astype(numpy.uint8)
            return numpy.moveaxis(colours[:, array], 0, -1), series.axes + "S"
        case "MINISWHITE" if array.dtype in (numpy.uint8, numpy.uint16):
            return numpy.iinfo(array.dtype).max - array, series.axes
        case "MINISWHITE" if array.dtype == numpy.bool_:
            return ~array, series.axes
        case "MINISBLACK" | "RGB" | "YCBCR":
            return array, series.axes
        case other:
            found = f"pixels of the kind {other.lower()}"
            raise _refusal("image-format-unknown", path, found, "grey, red-green-blue or a palette")


def _pixels_of(series: Any, data: bytes, path: Path) -> NDArray[Any]:
    """Decode a series; compressions that tifffile leaves to a further package go to OpenCV."""
    try:
        array: NDArray[Any] = series.asarray()
        return array
    except ValueError as error:
        if "imagecodecs" not in str(error):
            raise
    done, pages = cv2.imdecodemulti(numpy.frombuffer(data, numpy.uint8), cv2.IMREAD_UNCHANGED)
    if not done or len(pages) < len(series.pages):
        raise _damaged(path, "a TIFF whose planes cannot be decoded")
    shown = [page[..., 2::-1] if page.ndim == 3 else page for page in pages[: len(series.pages)]]
    return numpy.stack(shown).reshape(series.shape)


def _check_strips(page: Any, length: int, path: Path) -> None:
    if page is None:
        raise _damaged(path, "a TIFF without one of its planes")
    for place, size in zip(page.dataoffsets, page.databytecounts, strict=True):
        if size and place + size > length:
            raise _damaged(path, f"a TIFF cut short at byte {length}")


def _five_axes(array: NDArray[Any], axes: str, path: Path) -> tuple[NDArray[Any], bool]:
    if array.dtype == numpy.bool_:
        array = array.astype(numpy.uint8) * 255
    if array.dtype not in (numpy.uint8, numpy.uint16):
        raise _refusal("image-format-unknown", path, f"{array.dtype} pixels", _FORMATS)
    # Pages of a plain TIFF have no named axis (I, Q): they are taken as depth.
    named = "".join({"I": "Z", "Q": "Z"}.get(axis, axis) for axis in axes)
    if len(set(named)) != len(named) or set(named) - set("TZCYXS") or "X" not in named:
        raise _refusal("image-axes-unknown", path, f"axes {axes}", "time, depth, channel, y, x")
    colour = "S" in named
    if colour and "C" in named:
        array = array.take(0, axis=named.index("C"))
        named = named.replace("C", "")
    named = named.replace("S", "C")
    for axis in "TZCYX":
        if axis not in named:
            array, named = array[None], axis + named
    pixels = numpy.ascontiguousarray(array.transpose([named.index(axis) for axis in "TZCYX"]))
    if colour:
        pixels = pixels[:, :, :3] if pixels.shape[2] >= 3 else pixels[:, :, :1]
        if bool((pixels == pixels[:, :, :1]).all()):
            pixels = pixels[:, :, :1]
        colour = pixels.shape[2] == 3
    return numpy.ascontiguousarray(pixels), colour


def _meaning(file: Any) -> tuple[tuple[str, ...], tuple[float, float] | None]:
    """Give channel names and pixel size: OME metadata first, then ImageJ's, then the tags."""
    if file.ome_metadata:
        return _ome(file.ome_metadata)
    labels: tuple[str, ...] = ()
    imagej: Mapping[str, Any] = file.imagej_metadata or {}
    tags = file.pages[0].tags
    unit = str(imagej.get("unit", "")).replace("\\u00B5", "µ").replace("micron", "µm")
    if "XResolution" not in tags or "YResolution" not in tags:
        return labels, None
    across, down = (
        pair[0] / pair[1] if pair[1] else 0.0
        for pair in (tags["XResolution"].value, tags["YResolution"].value)
    )
    stated = int(tags["ResolutionUnit"].value) if "ResolutionUnit" in tags else 1
    scale = _UNITS_UM.get(unit) or {2: 25_400.0, 3: 10_000.0}.get(stated)
    if not scale or across <= 0 or down <= 0:
        return labels, None
    size = scale / across, scale / down
    # A pixel above 20 µm is the density of a printer, not of a microscope.
    return labels, size if max(size) <= 20 else None


def _ome(document: str) -> tuple[tuple[str, ...], tuple[float, float] | None]:
    root = ElementTree.fromstring(document)
    space = root.tag.partition("}")[0] + "}" if root.tag.startswith("{") else ""
    pixels = root.find(f".//{space}Pixels")
    if pixels is None:
        return (), None
    names = tuple(channel.get("Name", "") for channel in pixels.iter(f"{space}Channel"))
    sizes = []
    for axis in "XY":
        value = pixels.get(f"PhysicalSize{axis}")
        scale = _UNITS_UM.get(pixels.get(f"PhysicalSize{axis}Unit", "µm"))
        if not value or scale is None or not 0 < float(value) < numpy.inf:
            return names, None
        sizes.append(float(value) * scale)
    return names, (sizes[0], sizes[1])
