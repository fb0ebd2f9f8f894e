"""LAB: what was measured becomes a result one can defend.

Touches: twin, custody, library, record, base.
Touched by: academy, store, wire, app, web, cli.
Start at: the corner of your kind of data: image/, flow/, assay/; method.py says what a method
may be used for.
"""

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
    accept_measurement,
    reject_measurement,
    sentence,
    take_measurement,
)
from .method import MethodCard, Purpose

VIEWS = (MeasurementView(),)

__all__ = [
    "VIEWS",
    "AcceptMeasurement",
    "FigureKept",
    "Measurement",
    "MeasurementAccepted",
    "MeasurementRejected",
    "MeasurementStatus",
    "MeasurementTaken",
    "MeasurementView",
    "MethodCard",
    "Purpose",
    "RejectMeasurement",
    "TakeMeasurement",
    "Value",
    "accept_measurement",
    "reject_measurement",
    "sentence",
    "take_measurement",
]
