"""The job of LAB: analyse an instrument's file of a sample, and record what came of it."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from anlage.record import encode

from ..jobs import Work, job
from ..measuring import MeasureFile, measurement_of

ANALYST = "qc-analyst"


@job("measure-file", roles=(ANALYST,), seconds_max=600)
def _measure(work: Work, request: MeasureFile) -> Mapping[str, Any]:
    """Analyse a file of a sample by the method in force."""
    found = measurement_of(request, read=work.read, keep=work.keep, tell=work.tell)
    values = {one.name: encode(getattr(found, one.name)) for one in dataclasses.fields(found)}
    streams = work.do("take-measurement", values)
    measurement = next(one for one in streams if one.startswith("measurement/"))
    return {"measurement": measurement.partition("/")[2], "refusal": found.refusal or None}
