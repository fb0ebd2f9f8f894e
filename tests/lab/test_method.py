"""A method is offered only for what it was shown to do."""

import pytest

from anlage.lab import MethodCard, Purpose


def _card(purposes, qualified):
    return MethodCard(
        name="cell-count",
        version="1",
        purposes=purposes,
        qualified_for=qualified,
        trained_domain="discs",
        sources=("renderer",),
    )


def test_a_card_says_what_it_was_made_for():
    card = _card((Purpose.UNDERSTANDING, Purpose.CONTROL), ())

    assert card.as_dict()["purposes"] == ["understanding", "control"]


def test_control_needs_qualification():
    purposes = (Purpose.DEVELOPMENT, Purpose.CONTROL)

    assert not _card(purposes, ()).may_serve(Purpose.CONTROL)
    assert _card(purposes, (Purpose.CONTROL,)).may_serve(Purpose.CONTROL)
    assert not _card(purposes, ()).may_serve(Purpose.UNDERSTANDING)


def test_a_method_is_not_qualified_beyond_its_purposes():
    with pytest.raises(ValueError, match="beyond its purposes"):
        _card((Purpose.DEVELOPMENT,), (Purpose.CONTROL,))
