"""Shape features equal those of scikit-image, whatever the objects look like."""

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.measure import label, regionprops_table

from anlage.lab.image import measure_objects

PAIRS = {
    "AreaShape_Area": "area",
    "AreaShape_BoundingBoxArea": "area_bbox",
    "AreaShape_Center_Y": "centroid-0",
    "AreaShape_Center_X": "centroid-1",
    "AreaShape_ConvexArea": "area_convex",
    "AreaShape_Eccentricity": "eccentricity",
    "AreaShape_EquivalentDiameter": "equivalent_diameter_area",
    "AreaShape_EulerNumber": "euler_number",
    "AreaShape_Extent": "extent",
    "AreaShape_MajorAxisLength": "axis_major_length",
    "AreaShape_MaxFeretDiameter": "feret_diameter_max",
    "AreaShape_MinorAxisLength": "axis_minor_length",
    "AreaShape_Perimeter": "perimeter",
    "AreaShape_Solidity": "solidity",
}


def _agree(labels):
    ours = measure_objects(labels)
    wanted = {name.partition("-")[0] for name in PAIRS.values()} | {"label", "orientation"}
    theirs = regionprops_table(labels, properties=sorted(wanted))
    assert (ours["ObjectNumber"] == theirs["label"]).all()
    for mine, other in PAIRS.items():
        assert ours[mine] == pytest.approx(theirs[other], rel=1e-6, abs=1e-6), mine
    # The axis of a shape is a direction without an arrow: compared on the doubled angle.
    clear = ours["AreaShape_Eccentricity"] > 1e-3
    ahead = numpy.radians(2 * ours["AreaShape_Orientation"])[clear]
    other = 2 * theirs["orientation"][clear]
    assert numpy.cos(ahead - other) == pytest.approx(numpy.ones(clear.sum()), abs=1e-6)


@given(seed=st.integers(0, 2**31), smooth=st.integers(0, 3), share=st.floats(0.3, 0.6))
@settings(max_examples=30, deadline=None)
@pytest.mark.filterwarnings("ignore")
def test_features_equal_those_of_scikit_image(seed, smooth, share):
    from scipy.ndimage import gaussian_filter

    noise = gaussian_filter(numpy.random.default_rng(seed).normal(size=(60, 70)), smooth)

    _agree(label(noise > numpy.quantile(noise, 1 - share), connectivity=2))


def test_touching_objects_are_measured_apart():
    labels = numpy.zeros((20, 20), numpy.int32)
    labels[2:12, 2:9] = 7
    labels[2:12, 9:15] = 3
    labels[4:6, 4:6] = 0

    _agree(labels)


def test_a_disc_is_round_and_a_bar_is_not():
    y, x = numpy.mgrid[:41, :41]
    disc = (((y - 20) ** 2 + (x - 20) ** 2) <= 15**2).astype(numpy.int32)
    bar = numpy.zeros((41, 41), numpy.int32)
    bar[18:22, 2:39] = 1

    round_, long_ = measure_objects(disc), measure_objects(bar)

    assert round_["AreaShape_FormFactor"][0] > 0.85
    assert long_["AreaShape_FormFactor"][0] < 0.4
    assert long_["AreaShape_Eccentricity"][0] > 0.99
    assert abs(long_["AreaShape_Orientation"][0]) == pytest.approx(90)


def test_intensities_are_those_of_the_pixels(rng):
    labels = numpy.zeros((10, 12), numpy.int32)
    labels[2:5, 3:9] = 2
    grey = rng.integers(0, 65535, (10, 12)).astype(numpy.uint16)
    under = grey[2:5, 3:9]

    table = measure_objects(labels, grey)

    assert table["Intensity_IntegratedIntensity"][0] == under.sum()
    assert table["Intensity_MeanIntensity"][0] == pytest.approx(under.mean())
    assert table["Intensity_StdIntensity"][0] == pytest.approx(under.std())
    assert (table["Intensity_MinIntensity"][0], table["Intensity_MaxIntensity"][0]) == (
        under.min(),
        under.max(),
    )


def test_an_empty_label_image_has_no_rows():
    assert len(measure_objects(numpy.zeros((5, 5), numpy.uint16))["ObjectNumber"]) == 0
