"""Whose signatures stand: a simulated person's never outside a simulated world."""

from dataclasses import replace

import pytest

from anlage.base import Refused
from anlage.plant.signing import must_sign
from anlage.record import World
from tests.builders_plant import ANNA, BEGINS, signed

SHOWN = {"lot": "L-1"}


@pytest.mark.req("U22")
@pytest.mark.parametrize("world", [World.REAL, World.TRAINING])
def test_a_simulated_person_signs_in_no_real_and_no_training_world(world):
    signature = signed(ANNA, "performed", BEGINS, **SHOWN)

    with pytest.raises(Refused) as refusal:
        must_sign(
            signature, person=replace(ANNA, world=world), meaning="performed", what="a step",
            shown=SHOWN,
        )  # fmt: skip
    assert refusal.value.code == "signature-unsound"
    assert "simulated person" in str(refusal.value)


@pytest.mark.parametrize("world", list(World))
def test_a_person_with_a_password_signs_in_every_world(world):
    signature = replace(signed(ANNA, "performed", BEGINS, **SHOWN), method="password")

    person = replace(ANNA, world=world)
    assert (
        must_sign(signature, person=person, meaning="performed", what="a step", shown=SHOWN)
        is signature
    )
