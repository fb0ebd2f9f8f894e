"""Symbols: bar codes and matrix codes, drawn and read (zxing-cpp).

A symbol is read again before it is let out, and a GS1 symbol must read back marked as GS1: drawn
without that mark, brackets and all would stand in the bars and no scanner would say so.
"""

import io
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from anlage.base import Problem, Refused
from anlage.custody.codes import application, gs1, isbt128

if TYPE_CHECKING:
    from numpy.typing import NDArray

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp"})
_PIXELS_MAX = 60_000_000
_BYTES_MAX = 64_000_000


class Symbology(Enum):
    """The symbologies that labels of the field use."""

    DATA_MATRIX = "data-matrix"
    GS1_DATA_MATRIX = "gs1-data-matrix"
    QR = "qr"
    GS1_QR = "gs1-qr"
    CODE_128 = "code-128"
    GS1_128 = "gs1-128"

    @property
    def is_gs1(self) -> bool:
        """True when the symbol carries the GS1 mark."""
        return self in (Symbology.GS1_DATA_MATRIX, Symbology.GS1_QR, Symbology.GS1_128)

    @property
    def is_linear(self) -> bool:
        """True for bars, False for a matrix."""
        return self in (Symbology.CODE_128, Symbology.GS1_128)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """One symbol read from an image.

    Attributes:
        symbology: Name of the symbology, as the reader calls it.
        identifier: Symbology identifier of ISO/IEC 15424 ("]d2").
        text: The content as a scanner sends it, with GS as separator.
    """

    symbology: str
    identifier: str
    text: str

    @property
    def marked(self) -> str:
        """The content with its symbology identifier in front."""
        return self.identifier + self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Symbol:
    """A drawn symbol: its modules, without quiet zone; True is dark."""

    symbology: Symbology
    content: str
    modules: "NDArray[np.bool_]"

    @property
    def quiet(self) -> int:
        """Light modules needed on each side (GS1 General Specifications 5.4, 5.6, 5.7)."""
        if self.symbology.is_linear:
            return 10
        return 4 if self.symbology in (Symbology.QR, Symbology.GS1_QR) else 2


def draw(content: str, symbology: Symbology) -> Symbol:
    """Draw a symbol and read it back before giving it.

    GS1 content is the printed form, `(01)…(21)…`; other content is drawn as it stands.

    Raises:
        Refused: The content breaks a rule of its code, does not fit the symbology, or does not
            read back equal.
    """
    import zxingcpp

    _must_be_valid(content, symbology)
    kinds = {
        Symbology.DATA_MATRIX: zxingcpp.BarcodeFormat.DataMatrix,
        Symbology.GS1_DATA_MATRIX: zxingcpp.BarcodeFormat.DataMatrix,
        Symbology.QR: zxingcpp.BarcodeFormat.QRCode,
        Symbology.GS1_QR: zxingcpp.BarcodeFormat.QRCode,
        Symbology.CODE_128: zxingcpp.BarcodeFormat.Code128,
        Symbology.GS1_128: zxingcpp.BarcodeFormat.Code128,
    }
    options: dict[str, object] = {"gs1": True} if symbology.is_gs1 else {}
    if symbology in (Symbology.DATA_MATRIX, Symbology.GS1_DATA_MATRIX):
        options["force_square"] = True
    try:
        barcode = zxingcpp.create_barcode(content, kinds[symbology], **options)
        image = np.array(zxingcpp.write_barcode_to_image(barcode, scale=1, add_quiet_zones=False))
    except (ValueError, TypeError, RuntimeError) as error:
        raise Refused(
            "symbol-not-drawn",
            what=f"{symbology.value} symbol",
            found=content[:80],
            limit=f"content that a {symbology.value} symbol can hold ({error})",
            remedy="shorten the content, or choose a matrix code",
            rule="ISO/IEC 16022, 18004, 15417",
        ) from error
    dark = image < 128
    if symbology.is_linear:
        dark = dark[:1]
    symbol = Symbol(symbology=symbology, content=content, modules=_trim(dark))
    _must_read_back(symbol)
    return symbol


def qr_png(text: str) -> bytes:
    """Give a QR code as PNG, read back before it is given; for more text than a label holds.

    Raises:
        Refused: The text is too long, or does not read back.
    """
    import segno

    try:
        code = segno.make_qr(text, error="l", boost_error=False)
    except ValueError as error:
        raise Refused(
            "symbol-not-drawn",
            what="QR code",
            found=f"{len(text)} characters",
            limit="what the largest QR code holds",
            remedy="leave parts out, or hand over the file",
            rule="ISO/IEC 18004",
        ) from error
    stream = io.BytesIO()
    code.save(stream, kind="png", scale=4, border=4)
    data = stream.getvalue()
    if text not in [scan.text for scan in read_bytes(data, "qr.png")]:
        raise Refused(
            "symbol-does-not-read-back",
            what="QR code",
            found="nothing readable",
            limit="the text that was drawn",
            remedy="leave parts out, or hand over the file",
            rule="Anlage labels: every symbol is read again before it is let out",
        )
    return data


def pixels(symbol: Symbol, scale: int, height: int = 40) -> "NDArray[np.uint8]":
    """Give a symbol as grey pixels with its quiet zone; `height` in modules for bars."""
    dark = (
        np.repeat(symbol.modules, height, axis=0) if symbol.symbology.is_linear else symbol.modules
    )
    framed = np.pad(dark, symbol.quiet)
    return np.where(np.kron(framed, np.ones((scale, scale), dtype=bool)), 0, 255).astype(np.uint8)


def png(symbol: Symbol, scale: int = 4) -> bytes:
    """Give a symbol as PNG with its quiet zone, `scale` pixels a module."""
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(pixels(symbol, scale)).save(stream, format="PNG", optimize=True)
    return stream.getvalue()


def read(image: "NDArray[np.uint8]", *, printed: frozenset[Symbology] = frozenset()) -> list[Scan]:
    """Read every symbol in a grey or colour image.

    `printed` is for our own pages: upright, dark on light, of these symbologies alone.
    """
    import zxingcpp

    options: dict[str, object] = {}
    if printed:
        forms = zxingcpp.BarcodeFormat
        drawn = {
            forms.Code128
            if one.is_linear
            else forms.QRCode
            if one in (Symbology.QR, Symbology.GS1_QR)
            else forms.DataMatrix
            for one in printed
        }
        options = {
            "formats": tuple(drawn),
            "try_rotate": False,
            "try_invert": False,
            "try_downscale": False,
        }

    return [
        Scan(
            symbology=str(found.format),
            identifier=found.symbology_identifier,
            text=found.bytes.decode("utf-8", errors="replace"),
        )
        for found in zxingcpp.read_barcodes(np.ascontiguousarray(image), **options)
    ]


def read_file(path: Path) -> list[Scan]:
    """Read every symbol in an image file.

    Raises:
        Refused: The file is no image, or too large.
    """
    return read_bytes(path.read_bytes(), path.name)


def read_bytes(
    data: bytes, name: str, *, printed: frozenset[Symbology] = frozenset()
) -> list[Scan]:
    """Read every symbol in the bytes of an image, such as an uploaded photo.

    Raises:
        Refused: The bytes are no image, or too large.
    """
    import warnings

    from PIL import Image, ImageOps, UnidentifiedImageError

    problem = Refused(
        "image-unreadable",
        what=f"image {name}",
        found=f"{len(data)} bytes",
        limit=f"PNG, JPEG, GIF, BMP, TIFF or WebP of at most {_PIXELS_MAX // 1_000_000} megapixels",
        remedy="take the photo again, or scan the code",
        rule="Anlage identifiers",
        path=name,
    )
    if len(data) > _BYTES_MAX:
        raise problem
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data)) as opened:
                if opened.width * opened.height > _PIXELS_MAX:
                    raise problem
                upright = ImageOps.exif_transpose(opened) or opened
                array = np.array(_flat(upright))
    except (
        UnidentifiedImageError,
        OSError,
        ValueError,
        SyntaxError,
        EOFError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
    ) as error:
        raise problem from error
    return read(array, printed=printed)


def nothing_read(name: str) -> Problem:
    """Give the problem of an image in which no symbol was found."""
    return Problem(
        code="no-symbol-found",
        what=f"image {name}",
        found="no bar code or matrix code",
        limit="at least one symbol, sharp, with its light margin",
        remedy="take the photo nearer and without glare, or type the number with its check"
        " character",
        rule="ISO/IEC 15415",
        path=name,
    )


def _flat(image: "object") -> "object":
    from PIL import Image

    if not isinstance(image, Image.Image):
        raise ValueError("no image")
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        paper = Image.new("RGBA", rgba.size, "white")
        return Image.alpha_composite(paper, rgba).convert("L")
    return image.convert("L")


def _trim(dark: "NDArray[np.bool_]") -> "NDArray[np.bool_]":
    rows = np.flatnonzero(dark.any(axis=1))
    columns = np.flatnonzero(dark.any(axis=0))
    return dark[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _must_be_valid(content: str, symbology: Symbology) -> None:
    """Refuse to draw a GS1 or ISBT 128 code that a reader would refuse."""
    problems: list[Problem] = []
    if symbology.is_gs1:
        pairs, problems, _ = gs1.split_printed(content)
        for application, value in pairs:
            problems += gs1.check_value(application, value)
        if not pairs and not problems:
            raise Refused(
                "symbol-not-drawn",
                what=f"{symbology.value} symbol",
                found=content[:80] or "nothing",
                limit="the printed form of an element string, (01)…(21)…",
                remedy="write each application identifier in brackets",
                rule="GS1 General Specifications",
            )
    elif isbt128.looks_like(content):
        problems = list(isbt128.decode(content).problems)
    if problems:
        raise Refused.of(problems)


def _must_read_back(symbol: Symbol) -> None:
    scans = read(pixels(symbol, 3))
    expected = expected_scan(symbol.content, symbol.symbology)
    if expected not in [
        (scan.identifier[1:2], scan.text) for scan in scans if _mark_fits(scan, symbol)
    ]:
        raise Refused(
            "symbol-does-not-read-back",
            what=f"{symbol.symbology.value} symbol",
            found=", ".join(scan.marked for scan in scans) or "nothing readable",
            limit=f"{expected[1]}, marked as {symbol.symbology.value}",
            remedy="do not print it; change the content or the symbology",
            rule="Anlage labels: every symbol is read again before it is let out",
        )


def expected_scan(content: str, symbology: Symbology) -> tuple[str, str]:
    """Give the symbology letter and the text that a scanner must send for a symbol."""
    letter = {"data": "d", "qr": "Q", "code": "C", "128": "C"}[
        symbology.value.removeprefix("gs1-").split("-")[0]
    ]
    if not symbology.is_gs1:
        return letter, content
    pairs, _, _ = gs1.split_printed(content)
    text = ""
    for place, (known, value) in enumerate(pairs):
        last = place == len(pairs) - 1
        text += known.number + value
        text += "" if last or application.applications()[known.number].predefined else gs1.SEPARATOR
    return letter, text


def _mark_fits(scan: Scan, symbol: Symbol) -> bool:
    is_gs1 = scan.identifier in ("]d2", "]Q3", "]C1")
    return is_gs1 == symbol.symbology.is_gs1
