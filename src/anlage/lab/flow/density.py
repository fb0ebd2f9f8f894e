"""Where two populations part: the valley between two modes of a smoothed histogram.

The threshold stands where events are fewest, its spread is bootstrapped, and where the valley is
too shallow there is no threshold: the density then gives no reason to part the cells there rather
than elsewhere. The approach is that of flowDensity (Malek et al. 2015,
doi:10.1093/bioinformatics/btu677), with the refusal and the bootstrap added.
"""

import itertools
from dataclasses import dataclass
from typing import Final

import numpy
from numpy.typing import NDArray

Floats = NDArray[numpy.float64]

BINS: Final = 512
EVENTS_MIN: Final = 200
DEPTH_MIN: Final = 0.5
SUPPORT_MIN: Final = 0.95
_PRUNED: Final = 0.15
_ERRORS_MIN: Final = 3.0
_SHARE_MIN: Final = 0.002
_COUNT_MIN: Final = 30
_RIVAL_SHARE_MIN: Final = 0.02
_PILED: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Valley:
    """A threshold between two modes.

    Attributes:
        position: The threshold.
        depth: 1 minus density in the valley by that of the lower mode; 0 no valley, 1 empty.
        spread: Bootstrap standard deviation of the position.
        support: Share of bootstrap samples in which the valley is deep enough.
        low_mode: Position of the mode below.
        high_mode: Position of the mode above.
        share_above: Share of events at or above the threshold.
        share_interval: Bootstrap 95 % interval of that share: chance and placement together.
        rival: Position of a second valley as deep as is asked for, with a fair share of the events
            on each side; None when there is one place to cut and no other.
    """

    position: float
    depth: float
    spread: float
    support: float
    low_mode: float
    high_mode: float
    share_above: float
    share_interval: tuple[float, float]
    rival: float | None = None

    @property
    def is_deep(self) -> bool:
        """Whether the valley is deep, and stays so when the cells are drawn again."""
        return self.depth >= DEPTH_MIN and self.support >= SUPPORT_MIN

    @property
    def is_clear(self) -> bool:
        """Whether the valley is deep, and the only one to cut at."""
        return self.is_deep and self.rival is None

    def as_dict(self) -> dict[str, object]:
        """Give the valley as a JSON object."""
        return {name: getattr(self, name) for name in self.__slots__} | {"is_clear": self.is_clear}


def find_valley(
    values: Floats, rng: numpy.random.Generator, *, resamples: int = 200
) -> Valley | None:
    """Find the deepest valley that parts a fair share of the events; None when there is none.

    Args:
        values: Positions on a display scale, 200 or more finite ones.
        rng: Source of chance for the bootstrap.
        resamples: Bootstrap draws.
    """
    values = values[numpy.isfinite(values)]
    if len(values) < EVENTS_MIN:
        return None
    exact = values
    values = _without_piles(values)
    if len(values) < EVENTS_MIN:
        return None
    values = _undigitised(values, rng)
    low, high = numpy.quantile(values, (0.0005, 0.9995))
    if high <= low:
        return None
    margin = 0.05 * (high - low)
    edges = numpy.linspace(low - margin, high + margin, BINS + 1)
    counts = numpy.histogram(values, edges)[0].astype(numpy.float64)
    width = _bandwidth(values) / (edges[1] - edges[0])
    density = smooth(counts, width)
    found = _deepest(density, counts, width)
    if found is None:
        return None
    (left, bottom, right), rival = found
    depth = _depth(density, left, bottom, right)
    places, depths, shares = _bootstrap(counts, width, left, right, rng, resamples)
    centres = (edges[:-1] + edges[1:]) / 2
    position = float(numpy.interp(_middle(density, left, bottom, right), _INDEX, centres))
    return Valley(
        position=position,
        depth=depth,
        spread=float(numpy.std(numpy.interp(places, _INDEX, centres), ddof=1)),
        support=float(numpy.mean(depths >= DEPTH_MIN)),
        low_mode=float(centres[left]),
        high_mode=float(centres[right]),
        share_above=float(numpy.mean(exact >= position)),
        share_interval=(
            float(numpy.quantile(shares, 0.025)),
            float(numpy.quantile(shares, 0.975)),
        ),
        rival=None if rival is None else float(centres[rival]),
    )


def cuts_between(values: Floats, position: float, rng: numpy.random.Generator) -> bool:
    """Tell whether a cut found elsewhere holds for these events too.

    It does where their density is thin at the cut beside what stands on both its sides, or where
    next to nothing stands on one side: the population is then not there. Too few events to judge
    by are taken as the others are.
    """
    values = values[numpy.isfinite(values)]
    if len(values) < EVENTS_MIN:
        return True
    fewer = min(numpy.count_nonzero(values >= position), numpy.count_nonzero(values < position))
    if fewer < max(_COUNT_MIN, 0.01 * len(values)):
        return True
    values = _undigitised(_without_piles(values), rng)
    if len(values) < EVENTS_MIN:
        return False
    edges = numpy.linspace(min(values.min(), position), max(values.max(), position), BINS + 1)
    counts = numpy.histogram(values, edges)[0].astype(numpy.float64)
    density = smooth(counts, _bandwidth(values) / (edges[1] - edges[0]))
    place = min(BINS - 1, int(numpy.searchsorted(edges, position, "right")) - 1)
    lower = min(float(density[: place + 1].max()), float(density[place:].max()))
    return float(density[place]) <= (1 - DEPTH_MIN) * lower


_INDEX: Final = numpy.arange(BINS, dtype=numpy.float64)


def _without_piles(values: Floats) -> Floats:
    """Leave out what is piled up at the ends of the scale, or the pile would pass for a mode.

    Instruments and exports cut off at zero and at the top: such events tell only that they lie
    beyond.
    """
    levels, counts = numpy.unique(values, return_counts=True)
    if len(levels) < 3:
        return values
    needed = max(_COUNT_MIN, _SHARE_MIN * len(values))
    kept = numpy.ones(len(values), numpy.bool_)
    for end, beside in ((0, counts[1:11]), (-1, counts[-11:-1])):
        if counts[end] >= needed and counts[end] > _PILED * beside.mean():
            kept &= values != levels[end]
    return values[kept]


def _undigitised(values: Floats, rng: numpy.random.Generator) -> Floats:
    """Spread values of few levels evenly between the levels, or the gaps would pass for valleys."""
    probe = values[:: max(1, len(values) // 5_000)]
    if 2 * len(numpy.unique(probe)) > len(probe):
        return values
    levels, place = numpy.unique(values, return_inverse=True)
    if len(levels) < 3:
        return values
    middles = (levels[1:] + levels[:-1]) / 2
    first, last = 2 * levels[0] - middles[0], 2 * levels[-1] - middles[-1]
    edges = numpy.concatenate([[first], middles, [last]])
    return numpy.asarray(rng.uniform(edges[place], edges[place + 1]), numpy.float64)


def smooth(counts: Floats, width: float) -> Floats:
    """Smooth histograms (last axis) with a Gaussian of `width` bins."""
    reach = int(numpy.ceil(4 * width))
    offsets = numpy.arange(-reach, reach + 1)
    kernel = numpy.exp(-0.5 * (offsets / width) ** 2)
    size = counts.shape[-1] + 2 * reach
    spectrum = numpy.fft.rfft(counts, size) * numpy.fft.rfft(kernel / kernel.sum(), size)
    whole = numpy.fft.irfft(spectrum, size)
    return numpy.maximum(whole[..., reach : reach + counts.shape[-1]], 0.0)


def _bandwidth(values: Floats) -> float:
    """Give half of Silverman's width: its rule assumes one mode, and two widen the spread."""
    spread = float(numpy.std(values))
    quartiles = numpy.quantile(values, (0.25, 0.75))
    middle = float(quartiles[1] - quartiles[0]) / 1.34
    scale = min(spread, middle) if middle > 0 else spread
    range_ = float(numpy.quantile(values, 0.9995) - numpy.quantile(values, 0.0005))
    silverman = 0.9 * scale * len(values) ** -0.2
    return float(max(0.5 * silverman, 0.008 * range_))


def _deepest(
    density: Floats, counts: Floats, width: float
) -> tuple[tuple[int, int, int], int | None] | None:
    """Give (mode, valley, mode) of the best valley, in bins, and the valley that rivals it.

    Modes that chance may have made are merged first: those whose valley is shallow, whose height
    over it is under three standard errors, or that hold too few events.
    """
    modes = _modes(density)
    total = float(counts.sum())
    needed = max(_COUNT_MIN, _SHARE_MIN * total)
    # A smoothed bin rests on as many events as this many plain bins hold.
    window = 2 * numpy.sqrt(numpy.pi) * width
    while len(modes) > 1:
        valleys = [
            low + int(numpy.argmin(density[low : high + 1]))
            for low, high in itertools.pairwise(modes)
        ]
        sides = list(zip(modes, valleys, modes[1:], strict=False))
        depths = [_depth(density, *side) for side in sides]
        errors = [_standard_errors(density, *side, window) for side in sides]
        masses = [
            float(counts[low:high].sum()) for low, high in itertools.pairwise([0, *valleys, BINS])
        ]
        weakest, small = int(numpy.argmin(errors)), int(numpy.argmin(masses))
        shallow = int(numpy.argmin(depths))
        if errors[weakest] < _ERRORS_MIN:
            _merge(density, modes, weakest)
        elif depths[shallow] < _PRUNED:
            _merge(density, modes, shallow)
        elif masses[small] < needed:
            beside = [place for place in (small - 1, small) if 0 <= place < len(valleys)]
            _merge(density, modes, min(beside, key=lambda place: depths[place]))
        else:
            below = numpy.cumsum(masses)[:-1]
            shares = numpy.minimum(below, total - below) / total
            best = int(numpy.argmax(numpy.array(depths) * shares**0.25))
            rivals = [
                place
                for place, depth in enumerate(depths)
                if place != best and depth >= DEPTH_MIN and shares[place] >= _RIVAL_SHARE_MIN
            ]
            rival = max(rivals, key=lambda place: depths[place], default=None)
            return sides[best], None if rival is None else valleys[rival]
    return None


def _modes(density: Floats) -> list[int]:
    padded = numpy.concatenate([[-1.0], density, [-1.0]])
    rises = padded[1:-1] > padded[:-2]
    falls = padded[1:-1] >= padded[2:]
    return [int(place) for place in numpy.nonzero(rises & falls)[0] if density[place] > 0]


def _merge(density: Floats, modes: list[int], place: int) -> None:
    """Take away the lower of the two modes beside a valley."""
    lower = place if density[modes[place]] < density[modes[place + 1]] else place + 1
    del modes[lower]


def _standard_errors(density: Floats, left: int, bottom: int, right: int, window: float) -> float:
    """Give by how many standard errors the lower mode stands above the valley."""
    lower = min(float(density[left]), float(density[right]))
    floor = float(density[bottom])
    return (lower - floor) * window / float(numpy.sqrt((lower + floor) * window))


def _depth(density: Floats, left: int, bottom: int, right: int) -> float:
    lower = min(float(density[left]), float(density[right]))
    return 1.0 - float(density[bottom]) / lower if lower > 0 else 0.0


def _middle(density: Floats, left: int, bottom: int, right: int) -> float:
    """Give the middle of the valley's floor, which is steadier than its lowest bin."""
    lower = min(float(density[left]), float(density[right]))
    level = float(density[bottom]) + 0.02 * (lower - float(density[bottom]))
    first, last = bottom, bottom
    while first > left and density[first - 1] <= level:
        first -= 1
    while last < right and density[last + 1] <= level:
        last += 1
    return (first + last) / 2


def _bootstrap(
    counts: Floats,
    width: float,
    left: int,
    right: int,
    rng: numpy.random.Generator,
    resamples: int,
) -> tuple[Floats, Floats, Floats]:
    """Draw the histogram anew, and find the valley between the same two modes again."""
    total = int(counts.sum())
    drawn = rng.multinomial(total, counts / counts.sum(), size=resamples).astype(numpy.float64)
    densities = smooth(drawn, width)
    places, depths, shares = [], [], []
    for row, density in zip(drawn, densities, strict=True):
        bottom = left + int(numpy.argmin(density[left : right + 1]))
        high = bottom + int(numpy.argmax(density[bottom : right + 1]))
        low = left + int(numpy.argmax(density[left : bottom + 1]))
        place = _middle(density, low, bottom, high)
        places.append(place)
        depths.append(_depth(density, low, bottom, high))
        shares.append(float(row[round(place) :].sum()) / total)
    return numpy.array(places), numpy.array(depths), numpy.array(shares)
