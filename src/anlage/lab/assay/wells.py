"""The wells of a potency assay: sample, dose, response, and where each stood."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from anlage.base import Problem, Refused

from ..columns import PROBLEMS_MAX, Columns, read_columns

Array = NDArray[np.float64]

_SAMPLE = (
    "sample", "preparation", "name", "sample_id", "sample_name", "material", "article", "group",
    "test_article", "product", "type", "content", "treatment",
)  # fmt: skip
_DOSE = (
    "dose", "concentration", "conc", "x", "level", "amount", "dose_level", "final_concentration",
    "final_conc",
)  # fmt: skip
_RESPONSE = (
    "response", "y", "signal", "value", "od", "absorbance", "reading", "rlu", "rfu", "result",
    "fluorescence", "luminescence", "counts", "count", "intensity", "od450", "readout", "mfi",
)  # fmt: skip
# The first of these that fits exactly one name tells the reference.
_REFERENCE = (
    re.compile(r"(reference|ref|standard|std)", re.IGNORECASE),
    re.compile(r"reference|standard|(?:^|[^a-z])(?:ref|std|rs|irs|prs|wrs)(?:[^a-z]|$)", re.I),
    # LabRef, RefLot3; not "preferred" or "refrigerated".
    re.compile(r"(?<![A-Za-z])(?:[Rr]ef|REF|[Ss]td|STD)(?![a-z])|(?:Ref|Std)(?![a-z])"),
    re.compile(r"s", re.IGNORECASE),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wells:
    """Responses of samples at doses.

    Attributes:
        sample: Name of each well's sample.
        dose: Dose or concentration, zero or more.
        response: What was read.
        plate: Name of each well's plate; "" where there is none.
        path: The file.
    """

    sample: tuple[str, ...]
    dose: Array
    response: Array
    plate: tuple[str, ...]
    path: str = ""

    @property
    def samples(self) -> list[str]:
        """The samples, in the order of their first wells."""
        return list(dict.fromkeys(self.sample))

    @property
    def plates(self) -> list[str]:
        """The plates, in the order of their first wells."""
        return list(dict.fromkeys(self.plate))

    def on(self, plate: str) -> "Wells":
        """Give the wells of one plate."""
        keep = np.array([name == plate for name in self.plate])
        return Wells(
            sample=tuple(s for s, k in zip(self.sample, keep, strict=True) if k),
            dose=self.dose[keep],
            response=self.response[keep],
            plate=(plate,) * int(keep.sum()),
            path=self.path,
        )

    def of(self, sample: str) -> NDArray[np.bool_]:
        """Give the mask of a sample's wells."""
        return np.array([name == sample for name in self.sample])


def read_wells(path: Path, *, decimal: str = ".") -> Wells:
    """Read wells from a table with the columns sample, dose and response (plate, row, col).

    Raises:
        Refused: A column is missing, a cell is no number, or a dose is negative; lines are named.
    """
    return wells_of(read_columns(path, decimal=decimal, expect=(_SAMPLE, _DOSE, _RESPONSE)))


def wells_of(columns: Columns) -> Wells:
    """Give the wells of a table that is already read; see `read_wells`."""
    places = [
        columns.need(*_SAMPLE),
        columns.need(*_DOSE),
        columns.need(*_RESPONSE),
    ]
    names = columns.text(places[0])
    problems: list[Problem] = []
    for (line, _), name in zip(columns.rows, names, strict=True):
        if not name:
            problems.append(
                Problem(
                    code="value-missing",
                    what="column sample",
                    found="nothing",
                    limit="the sample's name",
                    remedy="name the sample, or remove the row",
                    path=columns.path,
                    line=line,
                )
            )
    numbers = []
    for place in places[1:]:
        try:
            numbers.append(columns.numbers(place))
        except Refused as refusal:
            problems.extend(refusal.problems)
    if problems:
        raise Refused.of(problems[:PROBLEMS_MAX])
    for (line, _), dose in zip(columns.rows, numbers[0], strict=True):
        if dose < 0:
            problems.append(
                Problem(
                    code="dose-negative",
                    what="column dose",
                    found=str(dose),
                    limit="0 or more",
                    remedy="enter the dose itself, not its logarithm",
                    path=columns.path,
                    line=line,
                )
            )
    if problems:
        raise Refused.of(problems[:PROBLEMS_MAX])
    plate = columns.find("plate", "block", "run", "assay")
    return Wells(
        sample=tuple(names),
        dose=np.array([float(v) for v in numbers[0]]),
        response=np.array([float(v) for v in numbers[1]]),
        plate=tuple(columns.text(plate)) if plate is not None else ("",) * len(names),
        path=columns.path,
    )


def reference_of(samples: Sequence[str], named: str | None, path: str = "") -> str:
    """Give the sample that is the reference: the one named, or the one whose name says so.

    Raises:
        Refused: The named one is not there, or no name (or more than one) says reference.
    """
    if named is not None:
        if named in samples:
            return named
        match = [s for s in samples if s.lower() == named.lower()]
        if len(match) == 1:
            return match[0]
        found = f"samples {', '.join(samples)}"
        what = f"reference {named}"
    else:
        for k, pattern in enumerate(_REFERENCE):
            is_whole = k in {0, len(_REFERENCE) - 1}
            look = pattern.fullmatch if is_whole else pattern.search
            match = [s for s in samples if look(s.strip())]
            if len(match) == 1:
                return match[0]
        found = f"samples {', '.join(samples)}"
        what = "reference sample"
    raise Refused(
        "reference-unclear",
        what=what,
        found=found[:300],
        limit="one sample whose name holds ref, std or standard",
        remedy="name it with --reference",
        path=path or None,
    )
