"""What every test may use: the real data beside the checkout, and the builders."""

import os
import random
from pathlib import Path

import hypothesis
import numpy
import pytest

ROOT = Path(__file__).resolve().parents[1]
# The browser driver of the journeys keeps an event loop on the test thread; Django, called from the
# same thread by other tests of the worker, is synchronous all the same.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
# A busy machine is no counter-example: properties are judged by what they find, not by the clock.
hypothesis.settings.register_profile("anlage", deadline=None)
hypothesis.settings.load_profile("anlage")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real third-party data, or a skip where it is absent."""
    place = Path(os.environ.get("ANLAGE_SHARED", ROOT.parent / "shared")) / "data"
    if not place.is_dir():
        pytest.skip("the real data are not beside this checkout")
    return place


@pytest.fixture
def rng() -> numpy.random.Generator:
    """A seeded source of chance; the seed is pytest-randomly's, so a failure can be repeated."""
    return numpy.random.default_rng(random.randrange(2**32))
