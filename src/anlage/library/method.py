"""Methods of measurement: what a method measures, what it may be used for, and what proves it.

A method is made to understand, then to develop, and only after validation to control a lot (ICH
Q14, Q2(R2)). It is a definition like any other, so the version in force is the approved one; a
result names it. A method is never offered for a decision that it is not qualified for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Self

from anlage.base import Instant, Quantity, Refused

from .definition import Definition, Version
from .fields import Content, Fields, Heading, Reference, read_with
from .specification import Stage

RULE = "ICH Q2(R2) and Q14; 21 CFR 211.194(a)(2)"


class MethodPurpose(Enum):
    """What a result may be used for, in rising order of what hangs on it."""

    UNDERSTANDING = "understanding"
    DEVELOPMENT = "development"
    CONTROL = "control"


class ValidationState(StrEnum):
    """How far a method has been shown to do what it is for."""

    NOT_VALIDATED = "not-validated"
    IN_VALIDATION = "in-validation"
    VALIDATED = "validated"
    COMPENDIAL = "compendial-verified"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """One attribute that a method measures.

    Attributes:
        attribute: The attribute of specifications ("viability").
        value: Name of the value that the analysis gives ("live percent"); empty when a person
            enters the result.
        unit: The unit it is reported in; empty for words.
        decimals: To how many decimals it is reported.
        detection: Limit of detection.
        quantitation: Limit of quantitation.
    """

    attribute: str
    value: str
    unit: str
    decimals: int
    detection: Quantity | None
    quantitation: Quantity | None

    @classmethod
    def from_fields(cls, fields: Fields) -> Self:
        """Read one attribute from a list of them."""
        return cls(
            attribute=fields.id("attribute"),
            value=fields.text("value", ""),
            unit=fields.unit("unit") if fields.has("unit") else "",
            decimals=fields.whole("decimals", 1, most=12),
            detection=fields.quantity("detection"),
            quantitation=fields.quantity("quantitation"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """What shows that a method does what it is for.

    Attributes:
        state: How far it has come.
        report: The report that says so; a validated method names one.
        summary: What was shown, in words.
    """

    state: ValidationState
    report: str
    summary: str

    @classmethod
    def from_fields(cls, fields: Fields) -> Self:
        """Read the state of validation."""
        return cls(
            state=fields.enum("state", ValidationState, ValidationState.NOT_VALIDATED),
            report=fields.text("report", ""),
            summary=fields.text("summary", ""),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """The control that a run of the method is gated by.

    Attributes:
        reference: Identifier of the reference material that is measured.
        attribute: Which of its certified properties.
        sd: Standard deviation of the method on it, from its validation.
        within: How long a good control lets results be reported.
    """

    reference: str
    attribute: str
    sd: Quantity
    within: Quantity

    @classmethod
    def from_fields(cls, fields: Fields) -> Self:
        """Read the control of a method."""
        one = cls(
            reference=fields.text("reference"),
            attribute=fields.id("attribute"),
            sd=fields.quantity("sd") or Quantity.of(1),
            within=fields.quantity("within") or Quantity.of(24, "h"),
        )
        one.within.to("h")
        if one.sd.value <= 0:
            fields.wrong("sd", str(one.sd), "above zero", "take it from the validation report")
        return one


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A method of measurement.

    Attributes:
        heading: Identifier, title and basis.
        measures: The attributes it gives results for.
        purposes: What it is made for.
        qualified_for: What it was shown fit for; control only with a validation that stands.
        validation: What shows it.
        analysis: Name of the analysis of LAB that reads the raw file; empty for manual entry.
        assay: Assay definition that an analysis of plates follows; empty for none.
        gates: Gating-ML 2.0 document that an analysis of tubes follows; empty for none.
        settings: What else the analysis is told, by name; which it takes, the analysis knows.
        domain: The material and range it was shown on.
        needs_file: Whether a result must come with the instrument's file.
        accepts_deviations: Whether a file that departs from its format is read all the same, with
            every deviation noted.
        second_reading: Whether the second person reads the value from the source again.
        procedure: The SOP it follows.
        control: The control that gates its runs; None for none.
    """

    heading: Heading
    measures: tuple[Measures, ...]
    purposes: tuple[MethodPurpose, ...]
    qualified_for: tuple[MethodPurpose, ...]
    validation: Validation
    analysis: str
    assay: str
    gates: str
    settings: Mapping[str, str]
    domain: str
    needs_file: bool
    accepts_deviations: bool
    second_reading: bool
    procedure: Reference | None
    control: Control | None = None

    @classmethod
    def read(cls, content: Content) -> Self:
        """Read a method from its content.

        Raises:
            Refused: With every problem and its path.
        """
        return read_with(content, cls._from_fields)

    @classmethod
    def _from_fields(cls, fields: Fields) -> Self:
        nothing = Validation(state=ValidationState.NOT_VALIDATED, report="", summary="")
        one = cls(
            heading=fields.heading("method"),
            measures=fields.each("measures", Measures.from_fields, least=1, unique="attribute"),
            purposes=_purposes(fields, "purposes"),
            qualified_for=_purposes(fields, "qualified-for"),
            validation=fields.group("validation", Validation.from_fields) or nothing,
            analysis=fields.id("analysis", ""),
            assay=fields.id("assay", ""),
            gates=fields.text("gates", ""),
            settings={name: str(value) for name, value in fields.table("settings").items()},
            domain=fields.text("domain", ""),
            needs_file=fields.flag("needs-file", False),
            accepts_deviations=fields.flag("accepts-deviations", False),
            second_reading=fields.flag("second-reading", False),
            procedure=fields.reference("procedure", "sop"),
            control=fields.group("control", Control.from_fields),
        )
        if not one.purposes:
            fields.wrong("purposes", "none", "at least one purpose", "say what it is made for")
        if beyond := set(one.qualified_for) - set(one.purposes):
            names = ", ".join(sorted(purpose.value for purpose in beyond))
            fields.wrong("qualified-for", names, "one of its purposes", "add it to purposes")
        is_proven = one.validation.state in {
            ValidationState.VALIDATED,
            ValidationState.COMPENDIAL,
        }
        if MethodPurpose.CONTROL in one.qualified_for and not (is_proven and one.validation.report):
            fields.wrong(
                "qualified-for",
                f"control, {str(one.validation.state).replace('-', ' ')}",
                "a validation that stands, with its report",
                "name the report under validation, or take control out",
            )
        return one

    @property
    def references(self) -> tuple[Reference, ...]:
        """The SOP it follows."""
        return () if self.procedure is None else (self.procedure,)

    def measure_of(self, attribute: str) -> Measures | None:
        """Give how an attribute is measured; None when it is not."""
        return next((one for one in self.measures if one.attribute == attribute), None)

    def may_serve(self, purpose: MethodPurpose) -> bool:
        """Tell whether a result may be used for a purpose; control needs qualification."""
        if purpose is MethodPurpose.CONTROL:
            return purpose in self.qualified_for
        return purpose in self.purposes

    def may_judge(self, attribute: str, stage: Stage) -> bool:
        """Tell whether the method may give the result of an attribute at a stage."""
        return self.measure_of(attribute) is not None and self.may_serve(purpose_at(stage))


def purpose_at(stage: Stage) -> MethodPurpose:
    """Give the purpose that a criterion's stage asks for: all but information control the lot."""
    return MethodPurpose.DEVELOPMENT if stage is Stage.INFORMATION else MethodPurpose.CONTROL


def method_in_force(
    definition: Definition, *, attribute: str, stage: Stage, at: Instant
) -> tuple[Method, Version]:
    """Give the method in force if it may give the result of an attribute.

    Args:
        definition: The method's definition.
        attribute: What is reported.
        stage: When its criterion counts.
        at: When.

    Raises:
        Refused: `definition-not-effective`, or `method-not-qualified`: it does not measure the
            attribute, or is not qualified for the purpose.
    """
    version = definition.must_have_effective(at)
    method = Method.read(version.content)
    if method.measure_of(attribute) is None:
        raise Refused(
            "method-not-qualified",
            what=f"{definition} for {attribute[:60]}",
            found=f"measures {', '.join(one.attribute for one in method.measures)}",
            limit=f"a method that measures {attribute[:60]}",
            remedy="choose another method",
            rule=RULE,
        )
    purpose = purpose_at(stage)
    if not method.may_serve(purpose):
        held = ", ".join(one.value for one in method.qualified_for) or "nothing"
        state = str(method.validation.state).replace("-", " ")
        raise Refused(
            "method-not-qualified",
            what=f"{definition} for {attribute} ({str(stage).replace('-', ' ')})",
            found=f"qualified for {held}; {state}; made for "
            + ", ".join(one.value for one in method.purposes),
            limit=f"qualified for {purpose.value}",
            remedy="use a qualified method, or validate this one and have a new version approved",
            rule=RULE,
        )
    return method, version


def _purposes(fields: Fields, key: str) -> tuple[MethodPurpose, ...]:
    known = {one.value: one for one in MethodPurpose}
    found = []
    for text in fields.texts(key):
        if text in known:
            found.append(known[text])
        else:
            fields.wrong(key, text, ", ".join(known), "choose one of these")
    return tuple(found)
