"""The starter definitions: they check, they hang together, and they say where values come from."""

import pytest

from anlage.base import Quantity
from anlage.library import (
    Calculation,
    Checked,
    Checklist,
    MaterialClass,
    Outcome,
    Product,
    Result,
    Specification,
    dangling,
    difference,
    evaluate,
    starter,
    starters,
    used_by,
)

ALL = starters()


def test_there_are_starters_of_every_kind_and_each_once():
    kinds = {one.kind for one in ALL}

    assert kinds >= {
        "product",
        "specification",
        "calculation",
        "material-class",
        "equipment-class",
        "role",
        "checklist",
        "label",
        "sop",
        "vocabulary",
    }
    assert len({(one.kind, one.id) for one in ALL}) == len(ALL)


def test_every_definition_that_a_starter_names_is_there():
    missing = [one for one in dangling(ALL) if "recipe" not in (one.found or "")]

    assert missing == []


def test_every_starter_says_where_its_values_come_from():
    assert all(str(one.content["basis"]).strip() for one in ALL)


@pytest.mark.parametrize("id", ["cd19-car-t", "msc-microcarrier", "ipsc-bank"])
def test_every_quality_attribute_of_a_product_has_its_criterion(id):
    product = starter("product", id).defined
    assert isinstance(product, Product)

    for attribute in product.attributes:
        specification = starter("specification", attribute.specification.id).defined
        assert isinstance(specification, Specification)
        assert specification.criterion(attribute.id)


def test_where_a_role_is_used_can_be_asked():
    places = used_by("role", "operator", ALL)

    assert ("product", "cd19-car-t", "roles[3]") in places
    assert any(kind == "sop" for kind, _, _ in places)


def value_of(calculation, **inputs):
    defined = starter("calculation", calculation).defined
    assert isinstance(defined, Calculation)
    return str(defined.compute({name: Quantity.parse(text) for name, text in inputs.items()}))


# Figures worked by hand; the endotoxin pair is that of USP <85> (70 kg, 100 mL/h, lambda 0.05).
@pytest.mark.parametrize(
    ("calculation", "inputs", "expected"),
    [
        ("endotoxin-limit", {"weight": "70 kg", "rate": "100 mL/h"}, "3.50 [EU]/mL"),
        (
            "maximum-valid-dilution",
            {"limit": "3.5 [EU]/mL", "sensitivity": "0.05 [EU]/mL"},
            "70",
        ),
        (
            "vector-volume",
            {"cells": "1.2 10*9.cell", "moi": "3 TU/cell", "titre": "1.2e8 TU/mL"},
            "30.00 mL",
        ),
        ("viable-recovery", {"cells_before": "3e9 cell", "cells_after": "2e9 cell"}, "66.7 %"),
        (
            "cryoprotectant-volume",
            {"volume": "0.1 L", "stock": "20 %", "target": "10 %"},
            "100.0 mL",
        ),
        (
            "doses-from-harvest",
            {
                "cells": "1e9 cell",
                "reserve": "2e9 cell",
                "recovery": "90 %",
                "dose": "1e8 cell/dose",
            },
            "0 dose",
        ),
        (
            "population-doublings",
            {
                "doublings_before": "4",
                "cells_seeded": "1e6 cell",
                "cells_harvested": "1.024e9 cell",
            },
            "14.0",
        ),
        ("dose-bags", {"volume": "20.1 mL", "bag": "20 mL/bag"}, "2 bag"),
    ],
)
def test_the_calculations_of_the_trade_give_the_figures_worked_by_hand(
    calculation, inputs, expected
):
    assert value_of(calculation, **inputs) == expected


def test_the_release_specification_judges_a_car_t_lot():
    release = starter("specification", "cd19-car-t-release").defined
    assert isinstance(release, Specification)

    found = {
        "viability": "78.2 %",
        "vector-copy-number": "5.0 copy/cell",
        "endotoxin": "<0.5 [EU]/mL",
        "residual-beads": "1200 bead/10*8.cell",
        "mycoplasma": "not detected",
    }
    outcome = {
        name: evaluate(release.criterion(name), Result.parse(text)).outcome
        for name, text in found.items()
    }

    assert outcome["viability"] is Outcome.WARNING
    assert outcome["vector-copy-number"] is Outcome.FAIL
    assert outcome["endotoxin"] is Outcome.PASS
    assert outcome["residual-beads"] is Outcome.PASS


def test_a_word_that_looks_like_a_bound_is_judged_as_a_word():
    release = starter("specification", "cd19-car-t-release").defined

    verdict = evaluate(release.criterion("mycoplasma"), Result.parse("not detected"))

    assert verdict.outcome is Outcome.PASS


def test_a_checklist_names_what_stops_the_work():
    bedside = starter("checklist", "before-infusion").defined
    assert isinstance(bedside, Checklist)

    problems = bedside.judge({"band": "no", "bag": "yes", "in-time": "maybe", "x": "yes"})

    assert {(one.path, one.code) for one in problems} == {
        ("band", "checklist-stops"),
        ("in-time", "checklist-answer"),
        ("rescue", "checklist-open"),
        ("x", "checklist-answer"),
    }
    assert bedside.judge(dict.fromkeys(("band", "bag", "in-time", "rescue"), "yes")) == ()


def test_vectors_carry_titre_and_containment_class():
    vector = starter("material-class", "cd19-car-vector").defined
    assert isinstance(vector, MaterialClass)

    assert (vector.titre_unit, vector.gmo_class) == ("TU/mL", 2)


def test_a_difference_is_found_by_name_and_not_by_place():
    old = starter("specification", "cd19-car-t-release").content
    criteria = [dict(one) for one in old["criteria"]]
    criteria.insert(0, {"attribute": "colour", "unit": "1", "lower": 1})
    criteria[3]["lower"] = 75
    new = {**old, "criteria": criteria}

    changes = difference(old, new)

    assert [one.path for one in changes] == ["criteria[colour]", "criteria[viability].lower"]
    assert (changes[1].old, changes[1].new) == (70, 75)
    assert difference(old, old) == ()


def test_every_starter_round_trips_through_its_own_content():
    from anlage.library import check_content

    for one in ALL:
        again = check_content(one.content)
        assert isinstance(again, Checked)
        assert again.digest == one.digest
