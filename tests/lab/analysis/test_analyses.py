"""Analyses that methods name: what each gives of a file, and what it will not take."""

import json
import math

import numpy
import pytest
import tifffile

from anlage.base import Refused
from anlage.lab.analysis import ANALYSES, Source, analyse, card_of
from anlage.library import Method, starters

from ..image.scene import add_fibre, carrier_scene, colony_series
from ..image.test_viability import chamber_scene

WELLS = "Well,Sample,Target,Positives,AcceptedDroplets\n"
DROPLETS = (
    f"{WELLS}A01,S1,WPRE,3000,15000\nA01,S1,RPP30,2500,15000\n"
    "A02,NTC,WPRE,2,15000\nA02,NTC,RPP30,0,15000\n"
)
CYCLES = (
    "Well,Sample Name,Target Name,CT,Quantity\n"
    + "".join(f"A{k},STD{k},T,{30 - 3.3219 * k},{10 ** (k + 1)}\n" for k in (1, 2, 3, 4))
    + "B1,S1,T,23.356,\nB2,S1,T,23.356,\nB3,NTC,T,Undetermined,\n"
)


def a_method(analysis, value="x", **more):
    return Method.read(
        {
            "kind": "method", "id": "trial", "title": "Trial", "basis": "trial",
            "measures": [{"attribute": "trial", "value": value, "decimals": 2}],
            "purposes": ["development"], "analysis": analysis, **more,
        }
    )  # fmt: skip


def found_in(path, analysis, sample="S1", **settings):
    return analyse(Source(path=path, method=a_method(analysis, settings=settings), sample=sample))


def numbers(found):
    return {one.name: one.value for one in found.numbers}


@pytest.fixture
def keep(tmp_path):
    def write(name, content):
        path = tmp_path / name
        path.write_text(content)
        return path

    return write


def test_vector_copies_are_counted_from_an_export(keep):
    found = found_in(keep("d.csv", DROPLETS), "digital-pcr", vector="wpre", genome="RPP30")

    ratio = found.numbers[0]
    assert ratio.name == "vector copies per cell"
    assert ratio.value == pytest.approx(2 * math.log(0.8) / math.log(12500 / 15000))
    assert ratio.low < ratio.value < ratio.high
    assert numbers(found)["copies per uL WPRE"] == pytest.approx(-math.log(0.8) / 0.85e-3)
    assert any("NTC" in flag and "positive partitions 2" in flag for flag in found.flags)
    assert json.loads(found.figures[0].data)["data"][0]["error_y"]["array"]


def test_copies_are_read_off_a_qpcr_curve(keep):
    found = found_in(keep("q.csv", CYCLES), "qpcr")

    assert numbers(found)["copies T"] == pytest.approx(1000, rel=0.01)
    assert numbers(found)["efficiency T"] == pytest.approx(100, abs=0.1)
    assert not [flag for flag in found.flags if "blank" in flag]


def test_a_poor_efficiency_and_a_blank_with_copies_are_flagged(keep):
    poor = CYCLES.replace("Undetermined", "24.0")
    for k in (1, 2, 3, 4):
        poor = poor.replace(str(30 - 3.3219 * k), str(30 - 4.2 * k))

    flags = " ".join(found_in(keep("q.csv", poor), "qpcr").flags)

    assert "efficiency of T outside 90 to 110 %" in flags
    assert "blank NTC shows T in 1 of 1 wells" in flags


@pytest.mark.parametrize(
    ("results", "told", "flag"),
    [
        (("Negative", "Negative"), "no growth", "bottles 2"),
        (("Negative", "POSITIVE"), "growth", "bottles 2"),
        (("Negative", "Negative to date"), "", "line 3: Negative to date is not final"),
        (("Positive", "In progress"), "growth", "line 3: In progress is not final"),
    ],
)
def test_bottles_tell_growth_only_once_they_are_final(keep, results, told, flag):
    rows = "".join(f"S1,BPA,{one},\n" for one in results)
    path = keep("b.csv", f"Accession,Bottle type,Result,Time to detection (days)\n{rows}")

    found = found_in(path, "reader")

    (value,) = found.values_for(a_method("reader", value="growth"))
    assert (value.text, value.attribute) == (told, "trial")
    assert flag in found.flags


@pytest.mark.parametrize(
    ("analysis", "content", "settings", "code"),
    [
        ("digital-pcr", DROPLETS, {"vector": "GAG", "genome": "RPP30"}, "target-missing"),
        ("qpcr", CYCLES, {"target": "GAG"}, "target-missing"),
        ("digital-pcr", DROPLETS, {"colour": "red"}, "method-setting-unknown"),
        ("digital-pcr", DROPLETS, {"dilution": "much"}, "method-setting-wrong"),
        ("digital-pcr", DROPLETS, {"dilution": "-1"}, "method-setting-wrong"),
        ("digital-pcr", DROPLETS.replace("NTC", "S2"), {}, None),
        ("qpcr", "Well,Sample,Cq\nA1,S1,22\n", {}, "too-few-doses"),
    ],
)  # fmt: skip
def test_what_does_not_fit_the_method_is_refused(keep, analysis, content, settings, code):
    path = keep("f.csv", content)
    if code is None:
        assert found_in(path, analysis, sample="S2", **settings).numbers
        with pytest.raises(Refused, match="S9"):
            found_in(path, analysis, sample="S9", **settings)
        return
    with pytest.raises(Refused) as caught:
        found_in(path, analysis, **settings)
    assert caught.value.problem.remedy
    assert caught.value.code == code


def test_objects_carriers_and_colonies_are_told_with_their_overlay(tmp_path):
    rng = numpy.random.default_rng(3)
    objects = add_fibre(chamber_scene(rng, live=4, dead=0).grey(), (8, 200))
    carriers, counts = carrier_scene(rng, mean_cells=2.0)
    series = colony_series(rng, founders=[(170, 180)])
    for name, pixels in (("o", objects), ("m", carriers), ("c", numpy.stack(series))):
        axes = "TYX" if pixels.ndim == 3 else "YX"
        tifffile.imwrite(tmp_path / f"{name}.tif", pixels, imagej=True, metadata={"axes": axes})

    seen = found_in(tmp_path / "o.tif", "inspection")
    held = found_in(tmp_path / "m.tif", "microcarriers")
    grown = found_in(tmp_path / "c.tif", "colonies")

    assert numbers(seen)["particulate"] == 1
    assert numbers(held)["carriers"] == 9
    assert numbers(held)["cells per carrier"] == pytest.approx(numpy.mean(counts), abs=0.5)
    assert (numbers(grown)["colonies"], numbers(grown)["clonal"]) == (1, 1)
    for one in (seen, held, grown):
        assert one.figures[0].data.startswith(b"\x89PNG")


@pytest.mark.parametrize(("frames", "told"), [(1, "1 picture"), (3, "3 planes of depth")])
def test_what_is_no_series_in_time_has_no_colonies(tmp_path, rng, frames, told):
    series = colony_series(rng, founders=[(170, 180)], frames=frames)
    path = tmp_path / "c.tif"
    tifffile.imwrite(path, numpy.squeeze(numpy.stack(series)), photometric="minisblack")

    with pytest.raises(Refused, match=told) as caught:
        found_in(path, "colonies")

    assert caught.value.problem.remedy


def test_every_analysis_that_a_starter_names_has_its_card_and_takes_its_settings():
    methods = [one.defined for one in starters() if one.kind == "method"]
    named = [one for one in methods if one.analysis]

    assert len(named) >= 12
    for one in named:
        assert set(one.settings) <= set(ANALYSES[one.analysis].settings)
        assert one.analysis == "plate" or card_of(one) is not None
