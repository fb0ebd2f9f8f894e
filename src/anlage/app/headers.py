"""What a file says of a patient before it goes to the open store: pictures and cytometry as the
analyses judge them, and DICOM, which they do not take.

Source: DICOM PS3.15 Annex E, the attributes of the patient to be removed.
"""

import struct
from importlib.util import find_spec

from anlage.base import Refused

HEAD_BYTES = 262_144
_JUDGED = (b"FCS", b"\x89PNG", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_DICOM = {
    (0x0008, 0x0050): "AccessionNumber",
    (0x0010, 0x0010): "PatientName",
    (0x0010, 0x0020): "PatientID",
    (0x0010, 0x0030): "PatientBirthDate",
    (0x0010, 0x1000): "OtherPatientIDs",
    (0x0010, 0x1040): "PatientAddress",
}
_LONG = frozenset({b"OB", b"OW", b"OF", b"SQ", b"UT", b"UN"})


def must_name_nobody(name: str, data: bytes) -> None:
    """See that a file names no patient in its header; what it holds otherwise is not judged.

    Raises:
        Refused: `patient-named`, with the fields that do; their values are not repeated.
    """
    if data.startswith(_JUDGED) and find_spec("tifffile") is not None:
        from anlage.lab.analysis import examine

        try:
            examine(name, data)
        except Refused as refused:
            if refused.code == "patient-named":
                raise
    if data[128:132] == b"DICM" and (found := _named_in_dicom(data[132:HEAD_BYTES])):
        raise Refused(
            "patient-named",
            what=f"file {name[:80]}",
            found=", ".join(found),
            limit="no field that names a patient",
            remedy="export it again without these fields, under the chain-of-identity id",
            rule="DICOM PS3.15 Annex E; 45 CFR 164.514(b)(2)",
        )


def _named_in_dicom(data: bytes) -> list[str]:
    """Walk the elements of an explicit little-endian data set to the end of the patient group."""
    found, at = [], 0
    while at + 12 <= len(data):
        group, element = struct.unpack_from("<HH", data, at)
        if data[at + 4 : at + 6] in _LONG:
            (length,) = struct.unpack_from("<I", data, at + 8)
            at += 12
        else:
            (length,) = struct.unpack_from("<H", data, at + 6)
            at += 8
        if group > 0x0010 or length == 0xFFFFFFFF:
            break
        if (name := _DICOM.get((group, element))) and data[at : at + length].strip(b" \0"):
            found.append(name)
        at += length
    return found
