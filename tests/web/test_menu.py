"""The menu: every place opens, stands in a known group, and marks the page one is on."""

import pytest

from anlage.web.menu import GROUPS, Place, places

pytestmark = pytest.mark.usefixtures("site")  # Django is set up


def test_every_place_stands_once_in_a_known_group():
    found = places()

    assert set(found) <= set(GROUPS)
    paths = [one.path for entries in found.values() for one in entries]
    assert len(paths) == len(set(paths))
    assert {"/", "/lots", "/record"} <= set(paths)


def test_a_place_holds_the_pages_below_it_and_no_others():
    lots = Place(group="plant", order=1, path="/lots", name="Lots")
    work = Place(group="today", order=1, path="/", name="My work")

    assert lots.holds("/lots") and lots.holds("/lots/L-1/step/x")
    assert not lots.holds("/lots-of") and not lots.holds("/")
    assert work.holds("/") and not work.holds("/lots")
