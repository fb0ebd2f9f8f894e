"""What stands between an upload and everything else: kind, size and names, before any decoder runs.

A file is told by its first bytes, never by its name. Archives, packed tables that unpack to far
more than they are, pictures whose header promises more than can be held, and files that name a
patient are refused here.
"""

import io
import re
import struct
import zipfile
from dataclasses import dataclass

from anlage.base import Refused

FILE_MAX = 64_000_000
PIXELS_MAX = 100_000_000
UNPACKED_MAX = 200_000_000
RATIO_MAX = 200
_PNG = b"\x89PNG\r\n\x1a\n"
_EXIF_NAMES = re.compile(rb"(?i)patient|subject|dicom|birth|\bMRN\b")
RULE = "design: persons; 45 CFR 164.514(b)(2)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """A file that may be kept.

    Attributes:
        name: Its name, without a path.
        media: fcs, image or table.
        media_type: The media type.
        size: Bytes.
        told: What it says of itself, in words.
    """

    name: str
    media: str
    media_type: str
    size: int
    told: str


def examine(name: str, data: bytes) -> Intake:
    """Judge a file before anything is made of it.

    Args:
        name: What its sender calls it.
        data: Its bytes.

    Raises:
        Refused: `upload-too-large`, `file-of-another-kind`, `picture-too-large`,
            `packed-too-tightly` or `patient-named`.
    """
    plain = re.sub(r"[^\w .()+-]", "_", name.replace("\\", "/").rpartition("/")[2])[-120:] or "file"
    if not 0 < len(data) <= FILE_MAX:
        raise Refused(
            "upload-too-large",
            what=f"file {plain}",
            found=f"{len(data)} bytes",
            limit=f"1 to {FILE_MAX} bytes",
            remedy="choose one file of the instrument",
        )
    if re.match(rb"FCS\d\.\d", data):
        return _fcs(plain, data)
    if data.startswith((_PNG, b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return _picture(plain, data)
    if data.startswith(b"PK\x03\x04"):
        return _workbook(plain, data)
    if b"\0" not in data[:4096] or data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return _table(plain, data)
    raise _kind(plain, "an unknown kind of file")


def _fcs(name: str, data: bytes) -> Intake:
    from anlage.lab.flow import identifiers_of

    keywords = _keywords(data)
    if named := [one for one in identifiers_of(keywords) if one.kind == "subject"]:
        raise _named(name, ", ".join(one.keyword for one in named))
    version = data[:6].decode("ascii", "replace")
    told = f"{version}, {keywords.get('$TOT', 'unknown').strip()} events"
    return Intake(
        name=name, media="fcs", media_type="application/vnd.isac.fcs", size=len(data), told=told
    )


def _keywords(data: bytes) -> dict[str, str]:
    """Give the keywords of an FCS file's text, leniently: the analysis reads it strictly later."""
    try:
        first, last = int(data[10:18]), int(data[18:26])
    except ValueError:
        return {}
    text = data[first : last + 1].decode("latin-1")
    if len(text) < 3:
        return {}
    parts = re.sub(re.escape(text[0]) * 2, "\0", text[1:].rstrip(text[0])).split(text[0])
    keys = [one.replace("\0", text[0]).upper() for one in parts[::2]]
    return dict(zip(keys, parts[1::2], strict=False))


def _picture(name: str, data: bytes) -> Intake:
    if data.startswith(_PNG):
        kind, size = "image/png", _png_size(data)
    elif data.startswith(b"\xff\xd8\xff"):
        kind, size = "image/jpeg", _jpeg_size(data)
    else:
        kind, size = "image/tiff", _tiff_size(data)
    if size is None:
        raise _kind(name, f"a damaged {kind}")
    width, height = size
    if not 0 < width * height <= PIXELS_MAX:
        raise Refused(
            "picture-too-large",
            what=f"picture {name}",
            found=f"a header that promises {width} x {height} pixels",
            limit=f"{PIXELS_MAX} pixels",
            remedy="export one field of view",
        )
    if found := _EXIF_NAMES.search(_texts(data)):
        raise _named(name, found[0].decode("ascii", "replace"))
    return Intake(
        name=name, media="image", media_type=kind, size=len(data), told=f"{width} x {height} pixels"
    )


def _texts(data: bytes) -> bytes:
    """Give the parts of a picture's file where words stand: its first and last 64 kB."""
    if not data.startswith(_PNG):
        return data[:65536] + data[-65536:]
    words, at = b"", 8
    while at + 8 <= len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        if data[at + 4 : at + 8] in {b"tEXt", b"iTXt", b"eXIf"}:
            words += data[at + 8 : at + 8 + min(length, 65536)] + b"\n"
        at += 12 + length
    return words


def _png_size(data: bytes) -> tuple[int, int] | None:
    return struct.unpack(">II", data[16:24]) if data[12:16] == b"IHDR" else None  # type: ignore[return-value]


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 < len(data) and data[at] == 0xFF:
        mark = data[at + 1]
        if 0xC0 <= mark <= 0xCF and mark not in {0xC4, 0xC8, 0xCC}:
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return width, height
        at += 2 + struct.unpack(">H", data[at + 2 : at + 4])[0]
    return None


def _tiff_size(data: bytes) -> tuple[int, int] | None:
    import tifffile

    try:
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            pages = file.series[0].pages if file.series else file.pages
            page = file.pages.first
            return int(page.imagewidth), int(page.imagelength) * max(1, len(pages))
    except (tifffile.TiffFileError, ValueError, KeyError, IndexError, struct.error, TypeError):
        return None


def _workbook(name: str, data: bytes) -> Intake:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise _kind(name, "a damaged archive") from error
    names = {one.filename for one in members}
    unpacked = sum(one.file_size for one in members)
    if unpacked > UNPACKED_MAX or unpacked > RATIO_MAX * max(1, len(data)):
        raise Refused(
            "packed-too-tightly",
            what=f"file {name}",
            found=f"{len(data)} bytes that unpack to {unpacked}",
            limit=f"{UNPACKED_MAX} bytes, and {RATIO_MAX} times its size",
            remedy="export the table again, without empty rows",
        )
    if "[Content_Types].xml" not in names or not any(one.startswith("xl/") for one in names):
        raise _kind(name, "an archive")
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return Intake(name=name, media="table", media_type=kind, size=len(data), told="a workbook")


def _table(name: str, data: bytes) -> Intake:
    head = data[:4096].lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    if head.startswith((b"<!doctype", b"<html", b"<script", b"<svg", b"%pdf", b"#!")):
        raise _kind(name, "a document that is no table")
    lines = data.count(b"\n") + 1
    return Intake(
        name=name, media="table", media_type="text/csv", size=len(data), told=f"{lines} lines"
    )


def _kind(name: str, found: str) -> Refused:
    return Refused(
        "file-of-another-kind",
        what=f"file {name[:80]}",
        found=found,
        limit="FCS; PNG, JPEG or TIFF; CSV, TSV or XLSX",
        remedy="export it from the instrument in one of these",
    )


def _named(name: str, where: str) -> Refused:
    return Refused(
        "patient-named",
        what=f"file {name}",
        found=f"words that may name a patient, under {where[:120]}",
        limit="a pseudonym: the sample's number",
        remedy="export it again with the sample's number, or have the header cleared",
        rule=RULE,
    )
