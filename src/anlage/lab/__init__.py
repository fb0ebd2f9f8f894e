"""LAB: what was measured becomes a result one can defend.

Touches: twin, custody, library, record, base.
Touched by: academy, store, wire, app, web, cli.
Start at: the corner of your kind of data: image/, flow/, assay/; method.py says what a method
may be used for.
"""

from anlage.library import Content, Defined, register_kind
from anlage.record import Recorded

from .measurement import SENTENCES as _MEASURED
from .measurement import (
    AcceptMeasurement,
    FigureKept,
    Measurement,
    MeasurementAccepted,
    MeasurementRejected,
    MeasurementStatus,
    MeasurementTaken,
    MeasurementView,
    RejectMeasurement,
    TakeMeasurement,
    Value,
    WaitingView,
    accept_measurement,
    reject_measurement,
    take_measurement,
)
from .method import MethodCard, Purpose
from .reference import (
    SENTENCES,
    CertifiedValue,
    ControlSeries,
    MeasureControl,
    ReferenceMaterial,
    ReferenceView,
    RegisterReference,
    RetireReference,
    measure_control,
    register_reference,
    retire_reference,
)

VIEWS = (MeasurementView(), WaitingView(), ReferenceView())


def _assay(content: Content) -> Defined:
    """Read an assay by its layout and rules; nothing is computed."""
    from .assay_definition import AssayDefinition

    return AssayDefinition.read(content)


register_kind("assay", _assay)


def sentence(recorded: Recorded) -> str:
    """Give a fact of the laboratory as one plain sentence; empty for other facts."""
    words = SENTENCES.get(recorded.kind) or _MEASURED.get(recorded.kind)
    return words.format_map(recorded.body) if words else ""


__all__ = [
    "VIEWS",
    "AcceptMeasurement",
    "CertifiedValue",
    "ControlSeries",
    "FigureKept",
    "MeasureControl",
    "Measurement",
    "MeasurementAccepted",
    "MeasurementRejected",
    "MeasurementStatus",
    "MeasurementTaken",
    "MeasurementView",
    "MethodCard",
    "Purpose",
    "ReferenceMaterial",
    "ReferenceView",
    "RegisterReference",
    "RejectMeasurement",
    "RetireReference",
    "TakeMeasurement",
    "Value",
    "WaitingView",
    "accept_measurement",
    "measure_control",
    "register_reference",
    "reject_measurement",
    "retire_reference",
    "sentence",
    "take_measurement",
]
