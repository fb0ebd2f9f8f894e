"""The picture of a genealogy: every thing once or counted, nothing on top of another."""

from hypothesis import given
from hypothesis import strategies as st

from anlage.plant import Edge, Node, Trace
from anlage.web.pages.trace.graph import HEIGHT, WIDTH, graph

NAMES = st.integers(0, 30)


def a_trace(pairs):
    """A genealogy around lot/0: what is smaller went into it, what is larger came of it."""
    backward, forward, near, after = [], [], {"lot/0"}, {"lot/0"}
    for number, (low, high) in enumerate(pairs):
        if low == high:
            continue
        source, target = sorted((f"lot/{low}", f"lot/{high}"))
        if target in near and source not in after:
            backward.append(Edge(source=source, target=target, fact=number, how="used"))
            near.add(source)
        elif source in after and target not in near:
            forward.append(Edge(source=source, target=target, fact=number, how="used"))
            after.add(target)
    nodes = {name: Node(id=name) for name in near | after}
    return Trace(subject="lot/0", backward=tuple(backward), forward=tuple(forward), nodes=nodes)


@given(st.lists(st.tuples(NAMES, NAMES), max_size=60))
def test_no_box_lies_on_another_and_each_thing_is_shown_or_counted(pairs):
    found = a_trace(pairs)

    drawn = graph(found)

    places = [(one.x, one.y) for one in drawn.boxes]
    for index, (x, y) in enumerate(places):
        assert 0 <= x <= drawn.width - WIDTH and 0 <= y <= drawn.height - HEIGHT
        for other_x, other_y in places[index + 1 :]:
            assert abs(x - other_x) >= WIDTH or abs(y - other_y) >= HEIGHT
    shown = {one.id for one in drawn.boxes if one.id}
    counted = sum(int(one.title.split()[1]) for one in drawn.boxes if not one.id)
    assert len(shown) + counted == len(found.nodes)
    assert sum(one.style == "here" for one in drawn.boxes) == 1


def test_columns_stand_in_the_order_of_making():
    edges = [Edge(source="material/M", target="lot/0", fact=1, how="used")]
    more = [Edge(source="lot/0", target="container/B", fact=2, how="filled")]
    nodes = {name: Node(id=name) for name in ("material/M", "lot/0", "container/B")}

    drawn = graph(Trace(subject="lot/0", backward=(*edges,), forward=(*more,), nodes=nodes))

    assert [one.title for one in sorted(drawn.boxes, key=lambda one: one.x)] == ["M", "0", "B"]
    assert len(drawn.ways) == 2
