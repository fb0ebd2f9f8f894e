"""Keywords of an FCS file that may name a patient or a person.

An FCS file has no field set aside for the patient; instruments write names and record numbers
under many keywords. They are reported, never silently kept.
Source: 45 CFR 164.514(b)(2), the identifiers to be removed, matched to the keywords of FCS 3.1
(doi:10.1002/cyto.a.20825) and those that cytometers are seen to write.
"""

import re
from dataclasses import dataclass
from typing import Final

_SUBJECT: Final = re.compile(
    r"PATIENT|SUBJECT|DONOR|\bMRN\b|MEDICAL.?RECORD|\bDOB\b|BIRTH|CASE.?(NUMBER|ID|NO)\b|\bSEX\b"
    r"|GENDER|SURNAME|FIRST.?NAME|LAST.?NAME|ACCESSION|PHYSICIAN|\bSSN\b|HOSPITAL.?(ID|NO|NUMBER)"
)
_SAMPLE: Final = re.compile(
    r"^\$(SRC|SMNO|CELLS|COM|EXP|PROJ|FIL|UNSTAINEDINFO|SPECIMEN.*)$|SAMPLE.?(ID|NAME)|SPECIMEN"
    r"|TUBE.?NAME|FILENAME|DATASETNAME|^SMNO$|TESTFILE|COMMENT|NOTES?$|^\$CARRIERID$"
)
_STAFF: Final = re.compile(
    r"^\$(OP|LAST_MODIFIER|INST)$|USER.?NAME|OPERATOR|^EXPORT USER|FULLUSER|INVESTIGATOR"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identifier:
    """A keyword that may name someone.

    Attributes:
        keyword: The keyword.
        kind: "subject" (made to name a patient or donor), "sample" (free text that often does)
            or "staff".
        length: Characters of its value; the value itself is not repeated.
    """

    keyword: str
    kind: str
    length: int

    def as_dict(self) -> dict[str, str | int]:
        """Give the identifier as a JSON object."""
        return {"keyword": self.keyword, "kind": self.kind, "length": self.length}


def identifiers_of(keywords: dict[str, str]) -> tuple[Identifier, ...]:
    """Find the keywords with a value that may name a patient, a sample or a member of staff."""
    found = []
    for keyword, value in keywords.items():
        if not value.strip():
            continue
        for kind, pattern in (("subject", _SUBJECT), ("staff", _STAFF), ("sample", _SAMPLE)):
            if pattern.search(keyword.upper()):
                found.append(Identifier(keyword=keyword, kind=kind, length=len(value)))
                break
    return tuple(found)
