"""The preservation models reproduce what was published of them."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from anlage.base import Refused
from anlage.twin.preservation import (
    CARDS,
    ClinicalSpread,
    CoolWarm,
    DelayedDeath,
    DmsoExposure,
    FrozenStore,
    LiquidLoss,
    Preservation,
)

WARMING = (1.6, 6.2, 45.0, 113.0)
WEEK = 168.0


@pytest.mark.parametrize("cooling", [0.1, 0.5, 1.0])
def test_warming_does_not_matter_after_slow_cooling(cooling):
    # Baboo 2019, PMC6399228: no effect of 1.6 to 113 degrees/min.
    alive = [CoolWarm().alive(cooling, warming) for warming in WARMING]

    assert max(alive) - min(alive) < 0.02


def test_fast_cooling_costs_cells_only_when_warming_is_slow():
    # Baboo 2019, PMC6399228: cooled at 10 degrees/min, loss at 6.2 and slower, none at 45 to 113.
    best = CoolWarm().alive(1.0, 113.0)
    slowest, slow, fast, fastest = (CoolWarm().alive(10.0, warming) for warming in WARMING)

    assert best - slowest > 0.1
    assert best - slow > 0.1
    assert best - fast < 0.03
    assert best - fastest < 0.03


def test_one_degree_a_minute_is_near_the_best_cooling_rate():
    rates = np.geomspace(0.01, 100, 200)

    alive = [CoolWarm().alive(rate, 6.2) for rate in rates]

    assert 0.2 < rates[int(np.argmax(alive))] < 3.0


def test_parking_at_minus_80_costs_little_for_four_weeks_and_more_at_five():
    # No significant loss to 4 weeks, loss of viability at 5 weeks.
    store = FrozenStore()

    assert 1 - store.alive([(-80, 4 * WEEK)]) < 0.05
    assert 1 - store.alive([(-80, 5 * WEEK)]) > 0.05


def test_years_in_vapour_cost_nothing():
    assert FrozenStore().alive([(-150, 10 * 52 * WEEK)]) == 1.0


def test_transient_warming_costs_what_was_published():
    # Viability of PBMC 97.4 % without and 94.6 % with temperature cycling.
    lost = 0.974 * (1 - FrozenStore().alive([], cycles=10))

    assert lost == pytest.approx(0.974 - 0.946, abs=0.005)


def test_dmso_is_harmless_cold_and_harms_warm():
    dmso = DmsoExposure()

    assert 1 - dmso.alive(10, 4, 60) < 0.01
    assert 0.003 < 1 - dmso.alive(10, 22, 10) < 0.02
    assert 0.01 < 1 - dmso.alive(10, 37, 10) <= 0.02


def test_liquid_cells_last_longer_cold_and_thin():
    liquid = LiquidLoss()
    cold, warm = liquid.alive(4, 96), liquid.alive(22, 96)
    thin, dense = (liquid.alive(22, 48, density=count) for count in (5, 200))

    assert cold > warm
    assert thin > dense
    assert 0.6 < cold < 0.95


def test_the_falling_ph_is_integrated_exactly():
    liquid, hours, steps = LiquidLoss(), 60.0, 20_000
    fall = liquid.acid_per_hour_4c * liquid.faster(22) * 80
    middle = (np.arange(steps) + 0.5) * hours / steps
    rates = [liquid.rate_per_hour(22, density=80, ph=7.3 - fall * t) for t in middle]

    assert liquid.alive(22, hours, density=80, ph=7.3) == pytest.approx(
        math.exp(-sum(rates) * hours / steps), rel=1e-6
    )


def test_ten_degrees_more_double_to_triple_the_loss():
    # Q10 of 2 to 3 for 50 to 90 kJ/mol.
    for energy, low, high in ((50, 1.9, 2.4), (90, 3.0, 4.5)):
        liquid = LiquidLoss(activation_kj_mol=energy)

        assert low < liquid.faster(14) / liquid.faster(4) < high


def test_the_next_day_shows_what_the_thaw_did():
    delayed = DelayedDeath()

    seen = [delayed.seen_alive(0.9, 0.3, hours) for hours in (0, 6, 24, 1000)]

    assert seen == sorted(seen, reverse=True)
    assert seen[0] == 0.9
    assert seen[-1] == pytest.approx(0.63)


def test_donors_differ_as_published():
    # 311 products: recovery 92 +/- 17 %, CD3 recovery 76 +/- 19 %, viability 84 +/- 6 %.
    spread, chance = ClinicalSpread(), np.random.default_rng(1)
    viability = chance.beta(*spread.viability_beta(), 200_000)
    total = chance.gamma(*spread.recovery_gamma(), 200_000)
    t_cells = chance.gamma(*spread.recovery_gamma(t_cells=True), 200_000)

    for drawn, mean, sd in ((viability, 0.84, 0.06), (total, 0.92, 0.17), (t_cells, 0.76, 0.19)):
        assert drawn.mean() == pytest.approx(mean, abs=0.002)
        assert drawn.std() == pytest.approx(sd, abs=0.002)


@given(
    celsius=some.floats(0, 37),
    one=some.floats(0, 200),
    two=some.floats(0, 200),
    density=some.floats(0, 500),
)
def test_more_time_never_revives_cells(celsius, one, two, density):
    early, late = sorted((one, two))
    liquid = LiquidLoss()
    alive = [liquid.alive(celsius, hours, density=density) for hours in (early, late)]

    assert 0 <= alive[1] <= alive[0] <= 1


def test_a_curve_for_a_network_begins_whole_and_falls():
    curve = Preservation().liquid_curve(4, 72)

    assert curve[0] == (0.0, 1.0)
    assert curve[-1][0] == 3.0
    assert [part for _, part in curve] == sorted((part for _, part in curve), reverse=True)


@pytest.mark.parametrize(
    "made",
    [
        lambda: LiquidLoss(rate_4c_per_hour=-1),
        lambda: LiquidLoss().alive(math.nan, 1),
        lambda: LiquidLoss().alive(4, -1),
        lambda: CoolWarm().alive(0, 1),
        lambda: DelayedDeath(hours_mean=0),
        lambda: DelayedDeath().seen_alive(1.2, 0, 1),
        lambda: DmsoExposure().alive(10, 400, 1),
        lambda: FrozenStore(shape=0),
        lambda: Preservation().liquid_curve(4, 10, points=1),
    ],
)
def test_values_that_cannot_be_are_refused_with_a_remedy(made):
    with pytest.raises(Refused) as refusal:
        made()

    assert refusal.value.code == "twin-value-impossible"
    assert refusal.value.problem.remedy


def test_every_model_has_a_whole_card():
    for card in CARDS:
        assert all((card.name, card.formula, card.sources, card.must_reproduce, card.valid))
