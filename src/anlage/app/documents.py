"""Printed documents: batch record and certificate of analysis, as PDF/A-3 with the machine record
attached.

The numbers on paper are those of the record: nothing is typed again, and the attachment is the
JSON they were printed from.
"""

import json
from collections.abc import Mapping
from importlib.resources import as_file, files
from typing import Any

from anlage.base import Refused
from anlage.plant import Lot, LotStatus, before_release, certificate, not_plain
from anlage.record import Recorded, Stream

from .installation import Installation
from .sentences import told

PAPERS = "papers"
PEOPLE_MAX = 5000


def documents_of(installation: Installation, lot: str) -> dict[str, bytes]:
    """Give the batch record and the certificate of a lot, by file name."""
    return {
        f"batch-record-{lot}.pdf": batch_record(installation, lot),
        f"certificate-{lot}.pdf": certificate_of_analysis(installation, lot),
    }


def batch_record(installation: Installation, lot: str) -> bytes:
    """Print the batch record of a lot as it stands.

    Raises:
        Refused: There is no such lot.
    """
    state, facts = _read(installation, lot)
    names = _names(installation)
    data = _common(installation, state)
    data["exceptions"] = [[one.what, one.step or "", str(one.rank)] for one in not_plain(state)] + [
        [one.id, f"{one.title} ({one.severity})", "open" if one.is_open else "closed"]
        for one in state.deviations.values()
    ]
    data["steps"] = _steps(state, facts, names)
    data["results"] = [
        [one.attribute.replace("-", " "), one.reported, one.compared, one.outcome]
        for one in sorted(state.results.values(), key=lambda one: one.attribute)
    ]
    data["reviews"] = [told(one, names) for one in facts if one.kind in _REVIEWS]
    data["facts_told"] = [
        [str(one.number), one.happened_text[:16].replace("T", " "), told(one, names)]
        for one in facts
    ]
    return print_paper("batch-record", data)


def certificate_of_analysis(installation: Installation, lot: str) -> bytes:
    """Print the certificate of analysis of a lot; before release it says what stands in the way.

    Raises:
        Refused: There is no such lot.
    """
    state, facts = _read(installation, lot)
    data = _common(installation, state)
    said = certificate(state)
    data["results"] = [
        [
            one["attribute"].replace("-", " "),
            one["reported"],
            one["compared"],
            one["method"],
            one["outcome"],
        ]
        for one in said["results"]
    ]
    data["certificate"] = said
    released = [one for one in facts if one.kind == "lot-released"]
    data["signed"] = told(released[-1], _names(installation)) if released else None
    data["pending"] = [
        f"{one.what} ({one.owner})" for one in before_release(state, installation.clock.now())
    ]
    return print_paper("certificate", data)


_REVIEWS = frozenset({"batch-reviewed", "audit-trail-reviewed", "lot-released", "lot-rejected"})


def _read(installation: Installation, lot: str) -> tuple[Lot, list[Recorded]]:
    stream = Stream(f"lot/{lot}")
    state = installation.engine.state(Lot, stream)
    if state.status is LotStatus.UNKNOWN:
        raise Refused("subject-unknown", what=f"lot {lot}", found="nothing recorded")
    return state, installation.journal.read_stream(stream)


def _common(installation: Installation, lot: Lot) -> dict[str, Any]:
    opened = installation.journal.opened
    size = installation.journal.size
    recipe = f"{lot.recipe_id} version {lot.recipe_version}, digest {lot.digest[:16]}"
    head = [
        ["Product", f"{lot.product}, version {lot.product_version}"],
        ["Lot", lot.id],
        ["Chain of identity", lot.coi or "allogeneic: no single patient"],
        ["Control recipe", recipe],
        ["Specification", f"{lot.specification} version {lot.specification_version}"],
        ["Site", opened.site_name],
        ["State", str(lot.status).replace("-", " ")],
        ["Made", _moment(lot.made)],
        ["Released", _moment(lot.released)],
    ]
    for one in lot.containers.values():
        cells = f", {one.fill.cells}" if one.fill.cells else ""
        head.append(["Container", f"{one.fill.container}: {one.fill.amount}{cells}"])
    return {
        "lot": lot.id,
        "coi": lot.coi,
        "product": lot.product,
        "site": opened.site_name,
        "world": str(opened.world),
        "facts": size,
        "root": installation.journal.root(size).hex()[:32],
        "head": head,
    }


def _steps(lot: Lot, facts: list[Recorded], names: Mapping[str, str]) -> list[dict[str, Any]]:
    corrected: dict[str, list[str]] = {}
    for one in facts:
        if one.kind == "entry-corrected":
            corrected.setdefault(one.body["step"], []).append(told(one, names))
    found = []
    for step in lot.steps.values():
        phase = lot.phase_of(step.key)
        readings = [
            [
                name.replace("-", " "),
                str(one.number if one.number is not None else one.text),
                str(one.judgement) if str(one.judgement) != "plain" else "",
            ]
            for name, one in step.readings.items()
        ]
        signed = [f"{names.get(step.operator, step.operator)} performed"] + (
            [f"{names.get(step.witness, step.witness)} verified"] if step.witness else []
        )
        found.append(
            {
                "key": step.key,
                "name": phase.name if phase else step.key,
                "where": f"{phase.unit} / {phase.operation}" if phase else "",
                "when": f"{_moment(step.started)} to {_moment(step.completed)}",
                "readings": readings,
                "materials": [f"{one.material} {one.amount}" for one in step.materials],
                "equipment": list(step.equipment),
                "corrections": corrected.get(step.key, []),
                "signed": signed,
            }
        )
    return found


def _names(installation: Installation) -> dict[str, str]:
    """Give what is printed for each person: the name (21 CFR 11.50(a)(1)) and the number."""
    rows = installation.rows("people").find(limit=PEOPLE_MAX)
    return {id: f"{row['name'] or id} ({id})" for id, row in rows}


def _moment(at: Any) -> str:
    return at.strftime("%Y-%m-%d %H:%M UTC") if at else "not yet"


def print_paper(name: str, data: dict[str, Any]) -> bytes:
    """Print a template of `papers` with its data, as PDF/A-3."""
    import typst

    with as_file(files(__package__).joinpath(PAPERS)) as folder:
        printed: bytes = typst.compile(
            str(folder / f"{name}.typ"),
            format="pdf",
            pdf_standards=["a-3b"],
            sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
        )
    return printed
