"""Protocols of preservation: losses by step, uncertainty, DMSO, and fits to published points."""

import pytest

from anlage.base import Refused
from anlage.twin.protocol import (
    STARTERS,
    Freezing,
    Kept,
    Protocol,
    compare_protocols,
    fit_liquid,
    kept_after,
)

# Viable CD34+ cells lost in fresh harvests at 2-8 and at 18-24 degrees after 24, 48 and 72 h
# (Antonenas and others, Cytotherapy 8:158, 2006, doi:10.1080/14653240600620994, abstract).
ANTONENAS = [
    Kept(celsius=celsius, hours=hours, alive=1 - lost / 100)
    for celsius, row in ((5, (9.4, 19.4, 28.0)), (21, (21.9, 30.7, 43.3)))
    for hours, lost in zip((24, 48, 72), row, strict=True)
]


def test_the_liquid_model_goes_through_the_published_losses():
    liquid, error = fit_liquid(ANTONENAS)

    assert error < 0.025
    assert 0.003 < liquid.rate_4c_per_hour < 0.006
    for one in ANTONENAS:
        assert liquid.alive(one.celsius, one.hours) == pytest.approx(one.alive, abs=0.05)


def test_a_fit_finds_the_parameters_that_made_the_points():
    from anlage.twin.preservation import LiquidLoss

    true = LiquidLoss(rate_4c_per_hour=0.004, activation_kj_mol=65, acid_per_hour_4c=0)
    points = [
        Kept(celsius=celsius, hours=hours, alive=true.alive(celsius, hours))
        for celsius in (4, 15, 25)
        for hours in (12, 48)
    ]

    liquid, error = fit_liquid(points)

    assert liquid.rate_4c_per_hour == pytest.approx(0.004, rel=1e-4)
    assert liquid.activation_kj_mol == pytest.approx(65, rel=1e-4)
    assert error < 1e-6


def test_points_of_one_temperature_cannot_be_fitted():
    with pytest.raises(Refused) as refused:
        fit_liquid([one for one in ANTONENAS if one.celsius == 5])

    assert "two temperatures" in str(refused.value.problem.limit)


def test_the_grid_of_cooling_and_warming_is_the_published_one():
    # Baboo and others 2019, PMC6399228: cooled at 1 degree/min or slower warming does not matter
    # from 1.6 to 113 degrees/min; cooled at 10, 1.6 and 6.2 lose cells, 45 and 113 do not.
    def alive(cooling, warming):
        how = Freezing(cooling=cooling, warming=warming, dmso_percent=0)
        return kept_after(Protocol(name="grid", freezing=how))

    for cooling in (0.1, 1.0):
        row = [alive(cooling, warming) for warming in (1.6, 6.2, 45, 113)]
        assert max(row) - min(row) < 0.02
    fast = {warming: alive(10, warming) for warming in (1.6, 6.2, 45, 113)}
    assert min(fast[45], fast[113]) > 0.97 * alive(1.0, 113)
    assert max(fast[1.6], fast[6.2]) < 0.8 * alive(1.0, 113)


def test_differences_between_protocols_are_surer_than_the_protocols():
    told = compare_protocols(STARTERS, draws=500)

    ten, five = (told["protocols"][f"cryo, {percent} % DMSO"] for percent in (10, 5))
    difference = told["differences"]["cryo, 5 % DMSO"]
    base = compare_protocols(STARTERS[3:5], draws=500)["differences"]["cryo, 5 % DMSO"]
    wide = five["viability"]["high"] - five["viability"]["low"]
    assert base["high"] - base["low"] < wide / 5
    assert base["better"] == 1.0
    assert five["dmso_g"] == pytest.approx(ten["dmso_g"] / 2)
    assert difference["median"] < 0 or difference["better"] > 0.5


def test_the_parts_of_a_protocol_multiply_to_its_viability():
    told = compare_protocols([STARTERS[3]], draws=2_000, seed=4)["protocols"][STARTERS[3].name]
    product = 1.0

    for lost in told["lost_at"].values():
        product *= 1 - lost

    assert product == pytest.approx(told["viability"]["mean"], abs=0.01)
    assert told["viability"]["low"] < told["viability"]["median"] < told["viability"]["high"]


def test_a_small_patient_may_get_too_much_dmso():
    large = Protocol(name="large", freezing=Freezing(), volume_ml=200.0)

    told = compare_protocols([large], weight_kg=12, draws=20)["protocols"]["large"]

    assert told["dmso_g_per_kg"] == pytest.approx(200 * 0.1 * 1.10 / 12)
    assert told["dmso_within_limit"] is False


def test_no_protocol_is_refused():
    with pytest.raises(Refused):
        compare_protocols([])
