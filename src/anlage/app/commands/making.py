"""What the commands of making share: people, definitions and things, read through the desk."""

from collections.abc import Iterable, Mapping

from anlage.base import Refused
from anlage.custody import Container
from anlage.library import Calculation, Criterion, Definition, Person, Result, Specification
from anlage.library import evaluate as judge_result
from anlage.plant import Deviation, Journey, Lot, MaterialLot, Phase, Rule, Sample
from anlage.record import Signature, Stream

from ..engine import Desk
from ..staff import person_of

READERS = frozenset({"inspector"})


def who(desk: Desk) -> Person:
    """Give the person at the desk, who must hold a role that acts.

    Raises:
        Refused: `operator-unqualified`: nobody is named, the person has left, or may only read.
    """
    if desk.actor.person is None:
        raise Refused(
            "operator-unqualified",
            what=f"{desk.actor.via} without a person",
            found="nobody named",
            limit="a registered person",
            remedy="log in",
            rule="21 CFR 211.25",
        )
    found = person(desk, desk.actor.person)
    if not set(found.roles) - READERS:
        raise Refused(
            "operator-unqualified",
            what=f"{found.id} at the desk",
            found=", ".join(sorted(found.roles)) or "no role",
            limit="a role that acts; who holds none may only read",
            remedy="have a role granted, or ask who holds one",
            rule="21 CFR 11.10(g)",
        )
    return found


def person(desk: Desk, id: str) -> Person:
    """Give a person who works here.

    Raises:
        Refused: `operator-unqualified`.
    """
    found = person_of(desk, id)
    found.must_be_active()
    return found


def signer(desk: Desk, signature: Signature | None, named: str | None = None) -> Person | None:
    """Give the person who signed, or else who is named to sign; None without either."""
    id = named if signature is None else signature.person
    return None if id is None else person(desk, id)


def lot_of(desk: Desk, id: str) -> Lot:
    """Give a lot."""
    return desk.read(Lot, Stream(f"lot/{id}"))


def journey_of(desk: Desk, coi: str) -> Journey:
    """Give a patient's journey."""
    return desk.read(Journey, Stream(f"journey/{coi}"))


def container_of(desk: Desk, id: str) -> Container:
    """Give a container in custody."""
    return desk.read(Container, Stream(f"container/{id}"))


def containers_of(desk: Desk, ids: Iterable[str]) -> dict[str, Container]:
    """Give containers in custody by their number."""
    return {id: container_of(desk, id) for id in ids}


def sample_of(desk: Desk, id: str) -> Sample:
    """Give a sample."""
    return desk.read(Sample, Stream(f"sample/{id}"))


def deviation_of(desk: Desk, id: str) -> Deviation:
    """Give a deviation."""
    return desk.read(Deviation, Stream(f"deviation/{id}"))


def material_of(desk: Desk, id: str) -> MaterialLot:
    """Give a material lot."""
    return desk.read(MaterialLot, Stream(f"material/{id}"))


def definition_of(desk: Desk, kind: str, reference: str) -> Definition:
    """Give a definition by its reference (`id` or `id@version`)."""
    return desk.read(Definition, Stream(f"definition/{kind}:{reference.partition('@')[0]}"))


def calculations_of(desk: Desk, lot: Lot, phase: Phase, step: str) -> Mapping[str, Calculation]:
    """Give the effective calculations of a phase; one that is not effective needs the one door.

    Raises:
        Refused: `definition-not-effective`.
    """
    found = {}
    for parameter in phase.parameters:
        if parameter.calculation is None:
            continue
        definition = definition_of(desk, "calculation", parameter.calculation)
        subject = f"calculation:{definition.id}"
        allowed = lot.authorisation(Rule.DEFINITION, step, subject, desk.at) is not None
        if allowed and definition.latest is not None:
            version = definition.latest
        else:
            _, _, number = parameter.calculation.partition("@")
            version = (
                definition.must_be_effective(int(number), desk.at)
                if number
                else definition.must_have_effective(desk.at)
            )
        found[parameter.calculation] = Calculation.read(version.content)
    return found


def recipe_must_stand(desk: Desk, lot: Lot, step: str) -> None:
    """See that the lot's recipe was not retired; a superseded one is followed to its end.

    Raises:
        Refused: `definition-not-effective`.
    """
    if not lot.recipe_id:
        return
    definition = definition_of(desk, "recipe", lot.recipe_id)
    since = definition.retired_since
    subject = f"recipe:{lot.recipe_id}"
    if since is None or since > desk.at:
        return
    if lot.authorisation(Rule.DEFINITION, step, subject, desk.at) is None:
        raise Refused(
            "definition-not-effective",
            what=f"recipe {lot.recipe_id} version {lot.recipe_version} of lot {lot.id}",
            found=f"retired on {since:%Y-%m-%d}",
            limit="a recipe that is not retired",
            remedy="hold the lot and ask QA",
            rule="EU GMP Part IV 6.10",
        )


def specification_of(desk: Desk, reference: str) -> tuple[Specification, int]:
    """Give the effective specification and its version.

    Raises:
        Refused: `definition-not-effective`.
    """
    version = definition_of(desk, "specification", reference).must_have_effective(desk.at)
    return Specification.read(version.content), version.number


class LotJudge:
    """Judges reported results by the version of the specification that the lot was begun with."""

    def __init__(self, desk: Desk, lot: Lot) -> None:
        """Read the specification of a lot."""
        definition = definition_of(desk, "specification", lot.specification)
        version = definition.version(lot.specification_version)
        self._criteria: dict[str, Criterion] = {
            one.attribute: one for one in Specification.read(version.content).criteria
        }

    def criterion(self, attribute: str) -> Criterion:
        """Give the criterion of an attribute.

        Raises:
            Refused: The attribute is not in the specification.
        """
        criterion = self._criteria.get(attribute)
        if criterion is None:
            raise Refused(
                "specification-unknown",
                what=f"attribute {attribute[:60]}",
                found="not in the specification",
                limit=", ".join(self._criteria),
                remedy="choose an attribute of the specification",
            )
        return criterion

    def __call__(
        self, attribute: str, reported: str, detection: object, quantitation: object
    ) -> tuple[str, str, tuple[str, ...]]:
        """Give outcome, what was compared, and the reasons.

        Raises:
            Refused: The attribute is not in the specification, or the unit does not convert.
        """
        from anlage.base import Quantity

        criterion = self.criterion(attribute)
        result = Result.parse(
            reported,
            detection=detection if isinstance(detection, Quantity) else None,
            quantitation=quantitation if isinstance(quantitation, Quantity) else None,
        )
        verdict = judge_result(criterion, result)
        return str(verdict.outcome), verdict.compared, verdict.reasons
