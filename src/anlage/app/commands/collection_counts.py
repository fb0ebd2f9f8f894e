"""What is counted of a collection at receipt, judged by the specification of its definition."""

from collections.abc import Mapping

from anlage.base import Instant, Refused
from anlage.library import (
    Criterion,
    Definition,
    Result,
    Specification,
    evaluate,
    stream_of,
)
from anlage.plant import CountJudged

from ..engine import Desk, Engine
from .infusion import collection_in_effect, collection_of
from .making import specification_of


def counts_asked(engine: Engine, product: str, at: Instant) -> tuple[Criterion, ...]:
    """Give the criteria of the counts that are asked for at receipt, to look at as a page does."""
    found = collection_in_effect(engine, product, at)
    if found is None or not found.acceptance:
        return ()
    version = engine.state(Definition, stream_of("specification", found.acceptance)).effective(at)
    if version is None:
        return ()
    criteria = {one.attribute: one for one in Specification.read(version.content).criteria}
    return tuple(criteria[name] for name in found.counts if name in criteria)


def counts_judged(
    desk: Desk, product: str, counts: Mapping[str, str]
) -> tuple[list[CountJudged], str]:
    """Judge each count that a product's collection asks for, and name the specification in effect.

    Raises:
        Refused: A count has no number or another unit, or is none that is asked for.
    """
    found = collection_of(desk, product)
    if found is None or not found.acceptance or not found.counts:
        return [], ""
    specification, number = specification_of(desk, found.acceptance)
    criteria = {
        one.attribute: one for one in specification.criteria if one.attribute in found.counts
    }
    if strange := sorted(counts.keys() - criteria.keys()):
        raise Refused(
            "count-unknown",
            what=f"count {strange[0][:60]} of a collection",
            found="not asked for",
            limit=", ".join(criteria),
            remedy="give the counts that the collection's definition names",
            rule=f"collection {found.heading.id}",
        )
    return [
        _judged(criteria[name], counts.get(name, "").strip())
        for name in found.counts
        if name in criteria
    ], f"{found.acceptance} version {number}"


def _judged(criterion: Criterion, reported: str) -> CountJudged:
    verdict = evaluate(criterion, Result.parse(reported)) if reported else None
    return CountJudged(
        attribute=criterion.attribute,
        reported=reported,
        limit=criterion.limit_text,
        is_acceptable=verdict is not None and verdict.is_acceptable,
        compared=verdict.compared if verdict else "",
    )
