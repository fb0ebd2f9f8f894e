"""Commands of the laboratory: reference materials and the controls that gate a method."""

from anlage.base import Refused
from anlage.lab import (
    ControlSeries,
    MeasureControl,
    ReferenceMaterial,
    RegisterReference,
    RetireReference,
    measure_control,
    register_reference,
    retire_reference,
)
from anlage.library import Method, Person
from anlage.record import Entry, Stream

from ..engine import Desk, command
from .making import definition_of, who

ANALYST = "qc-analyst"


def _analyst(desk: Desk) -> Person:
    person = who(desk)
    person.must_be_qualified(ANALYST, desk.at)
    return person


@command("register-reference")
def _register(desk: Desk, request: RegisterReference) -> list[Entry]:
    reference = desk.read(ReferenceMaterial, Stream(f"reference/{request.reference}"))
    return register_reference(reference, request, by=_analyst(desk).id, at=desk.at)


@command("retire-reference")
def _retire(desk: Desk, request: RetireReference) -> list[Entry]:
    reference = desk.read(ReferenceMaterial, Stream(f"reference/{request.reference}"))
    return retire_reference(reference, request, by=_analyst(desk).id)


@command("measure-control")
def _control(desk: Desk, request: MeasureControl) -> list[Entry]:
    person = _analyst(desk)
    version = definition_of(desk, "method", request.method).must_have_effective(desk.at)
    control = Method.read(version.content).control
    if control is None:
        raise Refused(
            "control-not-asked",
            what=f"control of method {request.method[:60]}",
            found="its definition names none",
            limit="a method with a control",
            remedy="have a version approved that names reference, property and standard deviation",
        )
    series = desk.read(ControlSeries, Stream(f"control/{request.method}"))
    reference = desk.read(ReferenceMaterial, Stream(f"reference/{control.reference}"))
    return measure_control(series, reference, control, request, by=person.id, at=desk.at)
