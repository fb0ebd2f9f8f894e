"""Gates found by the data, on tubes whose truth is known, and refusals where there is none."""

import json

import numpy
import pytest
from tests.lab.flow.fcs_files import an_fcs_file

from anlage.base import Refused
from anlage.cli import shell
from anlage.lab.flow import (
    TYPES,
    Controls,
    Logicle,
    Recipe,
    Writing,
    find_valley,
    gate,
    gate_t_cells,
    panel_of,
    read_fcs,
    read_gatingml,
    scale_for,
    simulate_t_cells,
    write_fcs,
    write_gatingml,
)


def f1(truth, found):
    return 2 * numpy.count_nonzero(truth & found) / (truth.sum() + found.sum())


def a_tube(recipe, seed=1):
    rng = numpy.random.default_rng(seed)
    raw, kinds, has_car = simulate_t_cells(recipe, rng)
    fmo, _, _ = simulate_t_cells(recipe, rng, with_car=False)
    return read_fcs(raw), numpy.array(TYPES)[kinds], has_car, read_fcs(fmo)


def judged(sample, fmo=None, thresholds=None, seed=1):
    controls = Controls(fmo={"car": fmo} if fmo else {}, thresholds=thresholds or {})
    rng = numpy.random.default_rng(seed)
    return gate_t_cells(sample, panel_of(sample), rng=rng, controls=controls, resamples=60)


RECIPES = {
    "as usual": Recipe(events=30_000),
    "few cells": Recipe(events=6_000),
    "closer together": Recipe(events=30_000, separation=1.3),
    "an exhausted product": Recipe(events=30_000, shares=(3, 4, 30, 12, 1, 3, 25, 12, 2, 5, 2, 1)),
    "many dead": Recipe(events=30_000, shares=(15, 12, 10, 4, 10, 6, 8, 4, 2, 8, 20, 3)),
}


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("case", RECIPES)
def test_every_memory_subset_is_found_with_f1_of_97_percent(case, seed):
    sample, truth, has_car, fmo = a_tube(RECIPES[case], seed)

    found = judged(sample, fmo)

    assert found.refused == ()
    for name in TYPES[:8]:
        assert f1(truth == name, found.gated.membership[name]) >= 0.97, name
    assert f1(has_car, found.gated.membership["CAR+"]) >= 0.97


def test_the_share_of_car_cells_is_told_above_the_controls_background():
    sample, _, _, fmo = a_tube(Recipe(events=30_000, car_share=0.2))

    found = judged(sample, fmo)

    assert found.background == pytest.approx(0.5, abs=0.15)
    assert found.car_percent == pytest.approx(20, abs=1)
    cut = next(each for each in found.thresholds if each.role == "car")
    assert cut.source == "fmo"


def test_a_poor_valley_is_refused_and_what_rests_on_it_is_not_made():
    sample, _, _, _ = a_tube(Recipe(events=20_000, ccr7_separation=0.5))

    found = judged(sample)

    (problem,) = found.refused
    assert problem.code == "auto-valley"
    assert "ccr7" in problem.what
    assert "CD4 naive" not in found.gated.membership
    assert "CD4" in found.gated.membership


def test_a_threshold_given_by_hand_stands_in_for_a_poor_valley():
    sample, truth, _, _ = a_tube(Recipe(events=20_000, ccr7_separation=0.9))

    found = judged(sample, thresholds={"ccr7": 10 ** (2.6 + 0.45)})

    assert found.refused == ()
    assert f1(truth == "CD4 naive", found.gated.membership["CD4 naive"]) > 0.9


def test_a_control_without_the_stain_stands_in_for_a_poor_valley():
    sample, truth, _, _ = a_tube(Recipe(events=20_000, ccr7_separation=1.0))
    unstained = Recipe(events=20_000, shares=(0, 0, 30, 10, 0, 0, 30, 10, 2, 8, 5, 2))
    raw, _, _ = simulate_t_cells(unstained, numpy.random.default_rng(9))
    controls = Controls(fmo={"ccr7": read_fcs(raw)})

    found = gate_t_cells(
        sample, panel_of(sample), rng=numpy.random.default_rng(1), controls=controls, resamples=60
    )

    assert found.refused == ()
    cut = next(each for each in found.thresholds if each.role == "ccr7")
    # Half a percent of cells without CCR7 lie above the threshold: 2.58 SD over their median.
    assert numpy.log10(cut.signal) == pytest.approx(2.6 + 2.576 * 0.25, abs=0.12)
    assert f1(truth == "CD4 naive", found.gated.membership["CD4 naive"]) > 0.9


def test_a_refused_first_step_leaves_nothing_guessed_below_it():
    shares = (20, 15, 12, 3, 12, 6, 10, 5, 2, 8, 0, 2)
    sample, _, _, _ = a_tube(Recipe(events=20_000, shares=shares))

    found = judged(sample)

    assert [problem.code for problem in found.refused] == ["auto-valley"]
    assert list(found.gated.membership) == ["Singlets"]


def test_the_gates_found_hold_the_same_events_when_written_and_read():
    sample, _, _, fmo = a_tube(Recipe(events=10_000))
    found = judged(sample, fmo)

    again = gate(sample, read_gatingml(write_gatingml(found.gated.strategy).encode()))

    for name, marks in found.gated.membership.items():
        assert numpy.array_equal(marks, again.membership[name]), name


def test_stability_covers_what_another_draw_of_the_same_cells_gives():
    recipe = Recipe(events=10_000, separation=1.3)
    spans = judged(a_tube(recipe, 1)[0]).stability
    held, asked = 0, 0
    for seed in range(2, 8):
        found = judged(a_tube(recipe, seed)[0])
        for name, population in found.populations.items():
            low, high = spans[name]
            width = high - low
            asked += 1
            # Two draws differ by sqrt(2) times the spread of one.
            held += low - 0.5 * width <= population.percent_of_parent <= high + 0.5 * width
    assert held / asked > 0.85


def test_the_same_seed_gives_the_same_gates():
    sample = a_tube(Recipe(events=8_000))[0]

    assert judged(sample).thresholds == judged(sample).thresholds


@pytest.mark.parametrize("distance", [1.0, 2.0, 2.5])
def test_populations_that_run_into_one_another_have_no_clear_valley(distance):
    rng = numpy.random.default_rng(4)
    values = numpy.concatenate([rng.normal(0, 1, 10_000), rng.normal(distance, 1, 10_000)])

    valley = find_valley(values, rng)

    assert valley is None or not valley.is_clear


@pytest.mark.parametrize("share", [0.5, 0.1, 0.01])
def test_the_valley_of_two_clear_populations_lies_between_them(share):
    rng = numpy.random.default_rng(4)
    size = 40_000
    few = int(size * share)
    values = numpy.concatenate([rng.normal(0, 1, size - few), rng.normal(8, 1, few)])

    valley = find_valley(values, rng)

    assert valley is not None
    assert valley.is_clear
    assert 2.5 < valley.position < 6
    low, high = valley.share_interval
    assert low <= share <= high


@pytest.mark.parametrize("levels", [40, 256, 1024])
def test_the_gaps_of_a_digitised_signal_are_no_valleys(levels):
    rng = numpy.random.default_rng(4)
    one = rng.normal(0, 1, 20_000)
    two = numpy.concatenate([one, rng.normal(7, 1, 20_000)])
    step = 16 / levels

    alone = find_valley(numpy.round(one / step) * step, rng)
    pair = find_valley(numpy.round(two / step) * step, rng)

    assert alone is None or not alone.is_clear
    assert pair is not None
    assert pair.is_clear
    assert pair.position == pytest.approx(3.5, abs=0.5)


@pytest.mark.parametrize("values", [[], [1.0] * 50, [1.0] * 500, [float("nan")] * 500])
def test_too_few_or_equal_values_have_no_valley(values):
    assert find_valley(numpy.array(values), numpy.random.default_rng(1)) is None


def test_a_panel_is_read_from_markers_and_what_two_channels_claim_must_be_chosen():
    names = ("FSC-A", "FSC-H", "V450-A", "R780-A", "B1-A", "B2-A")
    markers = ("", "", "VIVID / CD14", "CD3", "CD4 FITC", "CD4 PE")
    sample = read_fcs(write_fcs(Writing(names=names, markers=markers), numpy.ones((300, 6))))

    with pytest.raises(Refused, match="cd4"):
        panel_of(sample)
    panel = panel_of(sample, {"cd4": "B2-A"})

    assert {role: channel.name for role, channel in panel.channels.items()} == {
        "fsc_area": "FSC-A", "fsc_height": "FSC-H", "viability": "V450-A", "cd3": "R780-A",
        "cd4": "B2-A",
    }  # fmt: skip


def test_a_scale_reaches_to_the_top_of_its_channel():
    linear = read_fcs(an_fcs_file([[1, 2]] * 3)).channels[0]
    logarithmic = read_fcs(an_fcs_file([[1, 2]] * 3, change={"$P1E": "4,1"})).channels[0]

    assert scale_for(numpy.array([1.0, 500.0]), linear).T == 1_024
    assert pytest.approx(10_000) == scale_for(numpy.array([1.0, 500.0]), logarithmic).T
    assert scale_for(numpy.array([1.0, 1e6]), linear).T == 1e6


@pytest.mark.shared
def test_t_cells_of_a_real_blood_sample_are_parted_where_its_density_is_thin(shared_data):
    sample = read_fcs(shared_data / "flow_cytometry" / "gatingml" / "data1.fcs")
    panel = panel_of(sample, {"cd8": "FL4-H"})

    found = gate_t_cells(sample, panel, rng=numpy.random.default_rng(1))

    assert 900 < found.populations["T cells"].count < 1_150
    # CD3 parts at a tenth of its bright mode; a hand's cut between 25 and 45 holds the same cells.
    signals = sample.columns((panel["cd3"].number - 1,))[0]
    for cut in (25, 45):
        by_hand = numpy.count_nonzero(signals >= cut)
        assert found.populations["T cells"].count == pytest.approx(by_hand, rel=0.08)
    assert 70 < found.populations["CD4"].percent_of_parent < 85
    assert found.refused == ()


def test_a_panel_without_cd3_is_refused():
    sample = read_fcs(write_fcs(Writing(names=("FSC-A", "FSC-H")), numpy.ones((500, 2))))

    with pytest.raises(Refused) as refusal:
        judged(sample)
    assert refusal.value.code == "auto-panel"


def test_cd45ro_stands_in_turned_round_for_cd45ra():
    rng = numpy.random.default_rng(1)
    raw, kinds, _ = simulate_t_cells(Recipe(events=20_000), rng)
    sample = read_fcs(raw.replace(b"/CD45RA/", b"/CD45RO/"))
    truth = numpy.array(TYPES)[kinds]

    found = judged(sample)

    assert f1(truth == "CD4 central memory", found.gated.membership["CD4 naive"]) > 0.97


def run(capsys, *words):
    code = shell.main([*map(str, words), "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_the_command_gates_a_tube_and_compares_it_with_another(tmp_path, capsys):
    paths = []
    for seed in (1, 2):
        raw, _, _ = simulate_t_cells(Recipe(events=8_000), numpy.random.default_rng(seed))
        paths.append(tmp_path / f"tube{seed}.fcs")
        paths[-1].write_bytes(raw)
    gates = tmp_path / "found.xml"

    code, told = run(capsys, "flow", "auto", paths[0], "--write-gatingml", gates)
    assert code == 0
    assert told["gates"]["CD4 naive"]["stability_interval"][0] > 0
    assert told["panel"]["cd3"] == "FITC-A"

    code, told = run(capsys, "flow", "compare", *paths, "--gatingml", gates, "--tolerance", 8)
    assert code == 0
    assert all(each["is_within"] for each in told["gates"].values())
    code, told = run(capsys, "flow", "compare", *paths, "--gatingml", gates, "--tolerance", 0.01)
    assert code == 2
    code, told = run(capsys, "flow", "compare", paths[0], "--gatingml", gates, "--against", gates)
    assert {each["differing"] for each in told["gates"].values()} == {0}


def test_the_command_exits_2_where_a_step_is_refused(tmp_path, capsys):
    recipe = Recipe(events=8_000, ccr7_separation=0.4)
    path = tmp_path / "tube.fcs"
    path.write_bytes(simulate_t_cells(recipe, numpy.random.default_rng(1))[0])

    code, told = run(capsys, "flow", "auto", path)

    assert code == 2
    assert told["refused_steps"][0]["code"] == "auto-valley"
    assert told["gates"]["T cells"]["count"] > 0
    code, told = run(capsys, "flow", "auto", path, "--threshold", "ccr7=lots")
    assert (code, told["refused"]["code"]) == (2, "auto-panel")


MEMORY = ("naive", "central memory", "effector memory", "TEMRA")


def test_a_rare_subset_beside_a_large_one_is_cut_nearer_to_itself():
    raw, kinds, _ = simulate_t_cells(
        Recipe(events=100_000, separation=1.1), numpy.random.default_rng(1)
    )
    sample, truth = read_fcs(raw), numpy.array(TYPES)[kinds]

    found = gate_t_cells(sample, panel_of(sample), rng=numpy.random.default_rng(1))

    scores = {}
    for name in TYPES[:8]:
        marks = found.gated.membership[name]
        both = 2 * numpy.count_nonzero(marks & (truth == name))
        scores[name] = both / (marks.sum() + numpy.count_nonzero(truth == name))
    assert min(scores.values()) > 0.967, scores


@pytest.mark.parametrize("separation", [1.1, 1.3, 1.7])
def test_memory_subsets_part_their_family_without_gap_or_overlap(separation):
    raw, _, _ = simulate_t_cells(
        Recipe(events=40_000, separation=separation), numpy.random.default_rng(2)
    )
    sample = read_fcs(raw)

    gated = gate_t_cells(sample, panel_of(sample), rng=numpy.random.default_rng(2)).gated

    for family in ("CD4", "CD8"):
        held = sum(gated.membership[f"{family} {name}"].astype(int) for name in MEMORY)
        assert held.max() == 1
        missed = numpy.count_nonzero(gated.membership[family] & (held == 0))
        assert missed <= 0.002 * numpy.count_nonzero(gated.membership[family])


def test_gates_with_a_corner_taken_out_survive_gating_ml():
    raw, _, _ = simulate_t_cells(Recipe(events=40_000, separation=1.1), numpy.random.default_rng(1))
    sample = read_fcs(raw)
    found = gate_t_cells(sample, panel_of(sample), rng=numpy.random.default_rng(1)).gated

    again = gate(sample, read_gatingml(write_gatingml(found.strategy).encode()))

    for name, marks in found.membership.items():
        assert numpy.array_equal(marks, again.membership[name]), name


def a_changed_tube(change, recipe=None, seed=1):
    """Give a tube of known truth whose events were changed, by channel name."""
    rng = numpy.random.default_rng(seed)
    raw, kinds, _ = simulate_t_cells(recipe or Recipe(events=30_000), rng)
    sample = read_fcs(raw)
    names = tuple(channel.name for channel in sample.channels)
    events = {name: sample.columns((place,))[0] for place, name in enumerate(names)}
    truth = numpy.array(TYPES)[kinds]
    change(events, truth, rng)
    markers = tuple(channel.marker or "" for channel in sample.channels)
    writing = Writing(names=names, markers=markers, spillover=None)
    return read_fcs(write_fcs(writing, numpy.column_stack(list(events.values())))), truth


def with_debris(share, viability):
    def change(events, truth, rng):
        is_debris = truth == "CD3-"
        count = int(is_debris.sum())
        events["FSC-A"][is_debris] = 10 ** rng.normal(3.9, 0.25, count)
        events["FSC-H"][is_debris] = events["FSC-A"][is_debris] * rng.normal(0.94, 0.05, count)
        for name in ("FITC-A", "PE-A", "APC-A", "BV605-A", "PE-Cy7-A", "AF700-A"):
            events[name][is_debris] = 10 ** rng.normal(2.2, 0.3, count)
        events["BV421-A"][is_debris] = 10 ** rng.normal(viability, 0.2, count)

    shares = (20, 15, 12, 3, 12, 6, 10, 5, 2, share, 5, 2)
    return a_changed_tube(change, Recipe(events=40_000, shares=shares))


@pytest.mark.parametrize("viability", [1.2, 2.2])
@pytest.mark.parametrize("share", [20, 90])
def test_debris_is_neither_live_cells_nor_moves_the_cut_between_live_and_dead(share, viability):
    sample, truth = with_debris(share, viability)

    found = gate_t_cells(
        sample,
        panel_of(sample),
        rng=numpy.random.default_rng(1),
        controls=Controls(thresholds={"cd3": 2_500.0}),
        resamples=60,
    )

    is_live = ~numpy.isin(truth, ("CD3-", "dead", "doublet"))
    assert f1(is_live, found.gated.membership["Live"]) >= 0.99
    assert any(note.startswith("debris") for note in found.notes)


def test_signals_cut_off_at_zero_do_not_pass_for_a_population():
    def cut_off(events, truth, rng):
        for name in ("BV421-A", "FITC-A", "PE-A", "APC-A", "BV605-A", "PE-Cy7-A", "AF700-A"):
            events[name] = numpy.maximum(events[name] - 200 + rng.normal(0, 400, len(truth)), 0)

    sample, truth = a_changed_tube(cut_off)

    found = judged(sample)

    assert found.refused == ()
    assert f1(numpy.char.startswith(truth, "CD4 "), found.gated.membership["CD4"]) >= 0.98


def test_a_pile_at_the_end_of_the_scale_is_not_parted_from_one_population():
    rng = numpy.random.default_rng(4)
    signal = numpy.maximum(rng.normal(500, 500, 20_000), 0.0)

    valley = find_valley(Logicle(262144.0, 0.5, 4.5, 0.0).apply(signal), rng)

    assert valley is None or not valley.is_clear


def test_a_channel_with_two_places_to_cut_is_refused_with_both():
    def dim(events, truth, rng):
        some = (truth == "CD4-CD8-") | (truth == "CD8 TEMRA")
        events["APC-A"][some] = 10 ** rng.normal(3.7, 0.1, int(some.sum()))
        others = numpy.char.startswith(truth, "CD8 ") & ~some
        events["APC-A"][others] = 10 ** rng.normal(4.8, 0.15, int(others.sum()))

    sample, _ = a_changed_tube(dim, Recipe(shares=(20, 15, 12, 3, 12, 6, 10, 8, 8, 8, 5, 2)))

    found = judged(sample)

    assert [problem.code for problem in found.refused] == ["auto-valley"]
    assert "two places to cut" in str(found.refused[0])
    assert "CD8" not in found.gated.membership


def test_a_family_stained_too_poorly_for_the_common_cut_is_refused_alone():
    def poor(events, truth, rng):
        is_eight = numpy.char.startswith(truth, "CD8 ")
        is_high = numpy.isin(truth, ("CD8 naive", "CD8 central memory"))
        events["BV605-A"][is_eight] = 10 ** rng.normal(
            numpy.where(is_high, 3.3, 2.6)[is_eight], 0.3
        )

    sample, truth = a_changed_tube(poor)

    found = judged(sample)

    assert found.refused
    assert all("in CD8" in str(problem) for problem in found.refused)
    assert "CD8 naive" not in found.gated.membership
    assert f1(truth == "CD4 naive", found.gated.membership["CD4 naive"]) >= 0.97


def test_a_share_that_moves_along_the_file_is_noted():
    def drift(events, truth, rng):
        half = len(truth) // 2
        events["AF700-A"][:] = 10 ** rng.normal(2.6, 0.2, len(truth))
        events["AF700-A"][half:] *= 30

    sample, _ = a_changed_tube(drift)

    found = judged(sample)

    assert any("car above its cut goes from" in note for note in found.notes)


@pytest.mark.parametrize(
    ("factor", "stained", "said"),
    [(0.3, False, "dimmer"), (20.0, False, "brighter"), (1.0, True, "two populations")],
)
def test_a_control_of_another_tube_is_refused(factor, stained, said):
    sample, _, _, _ = a_tube(Recipe(events=20_000))
    rng = numpy.random.default_rng(7)
    raw, _, _ = simulate_t_cells(Recipe(events=20_000), rng, with_car=stained)
    control = read_fcs(raw)
    events = control.events()
    spilled = 0.04 * events[8]  # of PE-Cy7, which stays as it is
    events[9] = spilled + (events[9] - spilled) * factor
    names = tuple(channel.name for channel in control.channels)
    writing = Writing(names=names, spillover=control.spillover)
    control = read_fcs(write_fcs(writing, events.T))

    found = judged(sample, control)

    assert [problem.code for problem in found.refused] == ["auto-control"]
    assert said in str(found.refused[0])
    assert "CAR+" not in found.gated.membership
    assert found.car_percent is None
