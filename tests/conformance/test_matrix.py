"""Every requirement is shown by a test, or says openly that it is not."""

import re

from tests.conformance.matrix import marked_tests, requirements

# Checks that buyers make (P01, L03 ...) and rows of the roadmap (SC16) have no row of their own.
BUYERS_OR_ROWS = re.compile(r"[PLNBAX]\d{1,2}|(PA|SC|SR|WD)\d{1,2}|F[123]")


def test_every_requirement_is_shown_by_a_test_or_openly_not():
    marks = marked_tests()

    silent = [
        name for name, row in requirements().items() if name not in marks and "open" not in row
    ]

    assert silent == []


def test_no_requirement_is_called_open_that_a_test_shows():
    marks = marked_tests()

    assert [name for name, row in requirements().items() if "open" in row and name in marks] == []


def test_no_test_names_a_requirement_that_does_not_exist():
    known = requirements().keys()

    unknown = {
        name for name in marked_tests() if name not in known and not BUYERS_OR_ROWS.fullmatch(name)
    }

    assert unknown == set()
