"""The demonstration's bench: files of instruments taken in for one lot's sample and analysed.

Real files come from packages that carry them with their licence; what is simulated says so in its
name. Without the extra `lab` nothing is analysed, and the demonstration does without.
"""

import importlib.util
import math
import random
from datetime import timedelta

from anlage.base import Quantity
from anlage.lab import CertifiedValue, RegisterReference
from anlage.plant import Lot, Sample, SampleStatus

from ..measuring import keep_file, measure, measure_request
from .cast import BY_LOGIN
from .instrument import instrument_files
from .player import Player

SEED = 20260301
COUNTER = b"""Cell counter (simulated)
Sample ID;Total (cells/mL);Live (cells/mL);Viability (%)
T-1;1,52E6;1,40E6;92,1
"""
DROPLETS = b"""Digital PCR (simulated)
Well,Sample,Target,Positives,Accepted Droplets
A01,T-1,WPRE,3012,15480
A02,T-1,WPRE,2987,15322
A01,T-1,RPP30,3655,15480
A02,T-1,RPP30,3597,15322
A03,NTC,WPRE,0,15201
A03,NTC,RPP30,1,15201
"""
_DOSES = (64.0, 32.0, 16.0, 8.0, 4.0, 2.0, 1.0, 0.5)
# Columns of the relative-potency plate: reference, control and four samples, each twice.
_POTENCIES = (1.0, 1.0, 1.02, 1.02, 1.12, 1.12, 0.94, 0.94, 1.05, 1.05, 0.88, 0.88)


def bench(player: Player, lot: str) -> int:
    """Have files analysed for the release sample of a lot; give how many.

    What they give waits to be judged, so that a visitor may accept or reject it.

    Args:
        player: Who plays.
        lot: A lot whose sample is in the laboratory.
    """
    if importlib.util.find_spec("numba") is None or importlib.util.find_spec("cv2") is None:
        return 0
    site = player.installation
    samples = player.state(Lot, f"lot/{lot}").samples.values()
    sample = next((one.id for one in samples if "viability" in one.tests), None)
    if sample is None:
        return 0
    if player.state(Sample, f"sample/{sample}").status is not SampleStatus.RECEIVED:
        return 0
    _reference(player)
    count = 0
    for name, data, method in _files():
        file = keep_file(site, name, data)
        asked = measure_request(site, sample=sample, method=method, file=file)
        measure(site, asked, person=BY_LOGIN["analyst"])
        count += 1
    return count


def _reference(player: Player) -> None:
    """Take a simulated reference material into the inventory."""
    value = CertifiedValue(
        attribute="viability",
        value=Quantity.parse("92.0 %"),
        uncertainty=Quantity.parse("1.2 %"),
    )
    asked = RegisterReference(
        reference="RM-0007",
        name="Fixed lymphocytes (simulated)",
        lot="0412",
        producer="Simulated metrology institute",
        certificate="C-0412 (simulated)",
        properties=(value,),
        expires=player.clock.now() + timedelta(days=300),
        traceable_to="ISO 20391-2 by three laboratories (simulated)",
    )
    player.do(asked, by=BY_LOGIN["analyst"])


def _files() -> list[tuple[str, bytes, str]]:
    """Give name, bytes and method of each file."""
    import numpy

    from anlage.lab.flow import Recipe, simulate_t_cells

    tube, _, _ = simulate_t_cells(Recipe(events=20_000), numpy.random.default_rng(SEED))
    files = [
        ("simulated-tube.fcs", tube, "t-cell-gating-auto"),
        ("simulated-plate.csv", simulated_plate(), "potency-by-plate"),
        ("simulated-counter.csv", COUNTER, "counter-export"),
        ("simulated-droplets.csv", DROPLETS, "vector-copies-by-export"),
        ("simulated-field.png", simulated_field(), "nuclei-by-image"),
    ]
    media = {"application/vnd.isac.fcs": "cell-events", "image/png": "nuclei-by-image"}
    files += [(name, data, media[kind]) for name, data, kind in instrument_files() if kind in media]
    return files


def simulated_plate() -> bytes:
    """Give a plate reader's export of a relative-potency plate, with noise, as CSV."""
    chance = random.Random(SEED)
    lines = ["Plate reader (simulated)", "", "," + ",".join(str(n) for n in range(1, 13))]
    for row, dose in enumerate(_DOSES):
        cells = []
        for potency in _POTENCIES:
            share = 1 / (1 + math.exp(-1.4 * (math.log(dose * potency) - math.log(8))))
            cells.append(f"{(0.08 + 1.6 * share) * chance.gauss(1, 0.025):.4f}")
        lines.append("ABCDEFGH"[row] + "," + ",".join(cells))
    return ("\n".join(lines) + "\n").encode()


def simulated_field() -> bytes:
    """Give a fluorescence field of nuclei, blurred and with camera noise, as PNG."""
    import cv2
    import numpy

    chance = numpy.random.default_rng(SEED)
    field = numpy.zeros((360, 480), numpy.float32)
    for x, y in chance.uniform((20, 20), (460, 340), (46, 2)):
        axes = tuple(int(one) for one in chance.integers(9, 15, 2))
        nucleus = numpy.zeros_like(field)
        turn = float(chance.uniform(0, 180))
        cv2.ellipse(
            nucleus, (int(x), int(y)), axes, turn, 0, 360, float(chance.uniform(70, 170)), -1
        )
        field = numpy.maximum(field, nucleus)
    field = cv2.GaussianBlur(field, (0, 0), 2.0) + 12 + chance.normal(0, 3, field.shape)
    return cv2.imencode(".png", numpy.clip(field, 0, 255).astype(numpy.uint8))[1].tobytes()
