"""The tests of a sample, and which methods may give the result of each."""

from typing import Any
from urllib.parse import urlencode

from anlage.lab.analysis import ANALYSES
from anlage.library import Definition, Method, Stage
from anlage.plant import Lot, Sample
from anlage.record import Stream
from anlage.web.here import installation
from anlage.web.reading import now

METHODS_MAX = 500


def methods_in_force() -> list[tuple[Method, int]]:
    """Give every method in force with its version."""
    site, at = installation(), now()
    found = []
    for key, _ in site.rows("definitions").find(facet="method", limit=METHODS_MAX):
        definition = site.engine.state(Definition, Stream(f"definition/{key}"))
        version = definition.effective(at)
        if version is not None:
            found.append((Method.read(version.content), version.number))
    return sorted(found, key=lambda one: one[0].heading.title)


def file_methods() -> list[dict[str, Any]]:
    """Give the methods that analyse files, with what they read."""
    return [
        {
            "id": method.heading.id,
            "title": method.heading.title,
            "reads": ", ".join(ANALYSES[method.analysis].media),
            "state": str(method.validation.state),
        }
        for method, _ in methods_in_force()
        if method.analysis in ANALYSES
    ]


def tests_of(sample: Sample, *, is_analyst: bool, back: str) -> list[dict[str, Any]]:
    """Give each planned test: its result, or the methods that may give one.

    Methods that are not qualified for the stage of the criterion are never offered.
    """
    stages = stages_of(sample)
    methods = methods_in_force()
    tests = []
    for attribute in sample.tests:
        known = sample.results.get(attribute)
        stage = stages.get(attribute, Stage.RELEASE)
        allowed = [one for one, _ in methods if one.may_judge(attribute, stage)]
        is_open = known is None or known.is_invalidated
        asked = {"sample": sample.id, "attribute": attribute, "back": back}
        by_hand = [
            {"title": one.heading.title, "id": one.heading.id,
             "link": "/act/enter-result?" + urlencode({**asked, "method": one.heading.id})}
            for one in allowed if not one.needs_file
        ]  # fmt: skip
        tests.append(
            {
                "attribute": attribute,
                "stage": str(stage),
                "result": known,
                "approve": "/act/approve-result?" + urlencode(asked)
                if known and not known.is_approved and not known.is_invalidated
                else "",
                "by_hand": by_hand if is_open and is_analyst else [],
                "by_file": [one.heading.title for one in allowed if one.analysis]
                if is_open
                else [],
                "has_none": is_open and not allowed,
            }
        )
    return tests


def stages_of(sample: Sample) -> dict[str, Stage]:
    """Give the stage of each criterion of the sample's lot."""
    from anlage.library import Specification

    site = installation()
    lot = site.engine.state(Lot, Stream(f"lot/{sample.lot}"))
    if not lot.specification:
        return {}
    stream = Stream(f"definition/specification:{lot.specification}")
    definition = site.engine.state(Definition, stream)
    content = definition.version(lot.specification_version).content
    return {one.attribute: one.stage for one in Specification.read(content).criteria}
