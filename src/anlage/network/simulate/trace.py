"""Traces of a run as facts of a simulated world, in an Arrow table.

The columns are those of a fact (who, what, when, where, why) so that metrics and charts run on
simulated and real facts alike. A trace is never written to a journal.
"""

import datetime
from typing import TYPE_CHECKING

import numpy as np

from .layout import (
    N_TRACED,
    TRACE_ARRIVED,
    TRACE_ENDED,
    TRACE_FAILED,
    TRACE_FINISHED,
    TRACE_RECEIVED,
    TRACE_SHIPPED,
    TRACE_STARTED,
)
from .running import Run

if TYPE_CHECKING:
    import pyarrow

TRACE_VERSION = 1
KINDS = {
    TRACE_ARRIVED: "PatientReferred",
    TRACE_STARTED: "StepStarted",
    TRACE_FINISHED: "StepFinished",
    TRACE_SHIPPED: "ShipmentSent",
    TRACE_RECEIVED: "ShipmentReceived",
    TRACE_FAILED: "StepFailed",
    TRACE_ENDED: "CourseEnded",
}
OUTCOMES = ("infused", "lost", "withdrawn")


def trace_of(run: Run) -> "pyarrow.Table":
    """Give the trace of the first replication, in the order of time.

    Columns: number, stream (patient/CLASS-CLINIC-SERIAL), kind, world (always simulated),
    happened_at (UTC), patient_class, clinic, site, step, cause, outcome. The schema's metadata
    carries network, seed, the version of this layout, and how many lines did not fit.
    """
    import pyarrow

    wanted = int(run.results.run[0, N_TRACED])
    kept = min(wanted, run.results.trace.shape[0])
    lines = run.results.trace[:kept]
    lines = lines[np.isin(lines["kind"], list(KINDS))]
    lines = lines[np.argsort(lines["time"], kind="stable")]
    days, count = lines["time"], int(lines.size)
    start = datetime.datetime.combine(run.network.start_date, datetime.time(), datetime.UTC)
    moments = np.datetime64(start.replace(tzinfo=None), "us") + (days * 86_400_000_000).astype(
        "timedelta64[us]"
    )
    made = run.compiled
    kinds = lines["kind"]
    is_step = np.isin(kinds, [TRACE_STARTED, TRACE_FINISHED, TRACE_SHIPPED, TRACE_RECEIVED])
    columns = {
        "number": pyarrow.array(np.arange(1, count + 1)),
        "stream": [
            f"patient/{made.classes[row['own']]}-{made.clinics[row['clinic']]}-{row['serial']}"
            for row in lines
        ],
        "kind": [KINDS[int(kind)] for kind in kinds],
        "world": ["simulated"] * count,
        "happened_at": pyarrow.array(moments, pyarrow.timestamp("us", tz="UTC")),
        "patient_class": [made.classes[row["own"]] for row in lines],
        "clinic": [made.clinics[row["clinic"]] for row in lines],
        "site": [made.sites[row["site"]] for row in lines],
        "step": [
            made.stages[row["place"]] if step else None
            for row, step in zip(lines, is_step, strict=True)
        ],
        "cause": [
            made.causes[row["place"]] if row["kind"] == TRACE_FAILED else None for row in lines
        ],
        "outcome": [
            OUTCOMES[row["place"]] if row["kind"] == TRACE_ENDED else None for row in lines
        ],
    }
    metadata = {
        "anlage.world": "simulated",
        "anlage.trace_version": str(TRACE_VERSION),
        "anlage.network": run.network.name,
        "anlage.seed": str(run.settings.seed),
        "anlage.replication": "0",
        "anlage.left_out": str(wanted - kept),
    }
    text = pyarrow.string()
    fields = [
        pyarrow.field(name, value.type if isinstance(value, pyarrow.Array) else text)
        for name, value in columns.items()
    ]
    return pyarrow.table(columns, schema=pyarrow.schema(fields, metadata=metadata))
