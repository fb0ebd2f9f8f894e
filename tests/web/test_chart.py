"""The small line chart: what it shows stands in it, and nothing from outside gets into it."""

import xml.etree.ElementTree as ElementTree
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

AT = datetime(2026, 3, 1, tzinfo=UTC)


def chart(values, judgements=None, **limits):
    from anlage.web.chart import Point, line_chart

    points = [
        Point(
            at=AT + timedelta(days=day), value=value, judgement=(judgements or {}).get(day, "plain")
        )
        for day, value in enumerate(values)
    ]
    return ElementTree.fromstring(line_chart(points, name="<Density>", unit="cell/mL", **limits))


numbers = st.decimals(min_value=0, max_value=10**12, allow_nan=False, places=3)


@given(st.lists(numbers, min_size=1, max_size=20), numbers, numbers)
def test_every_point_and_limit_lies_inside_the_picture(values, one, other):
    lower, upper = sorted([one, other])

    picture = chart(values, lower=lower, upper=upper)

    marks = [(float(each.get("cx")), float(each.get("cy"))) for each in picture.iter("circle")]
    assert len(marks) == len(values)
    assert all(0 <= x <= 560 and 0 <= y <= 200 for x, y in marks)
    lines = [float(each.get("y1")) for each in picture.iter("line") if each.get("class") == "limit"]
    assert len(lines) == 2 and all(0 <= y <= 200 for y in lines)


def test_a_higher_value_stands_higher():
    low, high = chart([Decimal(1), Decimal(5)]).iter("circle")

    assert float(high.get("cy")) < float(low.get("cy"))


def test_what_is_outside_a_limit_has_a_shape_of_its_own():
    picture = chart([Decimal(1), Decimal(2), Decimal(3)], {1: "warning", 2: "hard"})

    counts = [len(list(picture.iter(kind))) for kind in ("circle", "polygon", "rect")]
    assert counts == [1, 1, 1]


def test_the_chart_is_told_in_words_for_who_cannot_see_it():
    assert chart([Decimal("1.5"), Decimal(2)]).get("aria-label") == "<Density>, cell/mL: 1.5, 2"
