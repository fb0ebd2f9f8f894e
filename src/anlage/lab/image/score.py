"""How well objects agree with a reference: matched pairs, average precision, count error."""

from dataclasses import dataclass

import numpy
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Objects of one image against the reference at one overlap threshold.

    Attributes:
        matched: Objects whose intersection over union with a reference object is enough.
        spurious: Objects without a partner.
        missed: Reference objects without a partner.
    """

    matched: int
    spurious: int
    missed: int

    @property
    def precision(self) -> float:
        """TP / (TP + FP + FN), the measure of the 2018 Data Science Bowl; 1 when both are empty."""
        whole = self.matched + self.spurious + self.missed
        return self.matched / whole if whole else 1.0


def agreement(
    found: NDArray[numpy.int32], truth: NDArray[numpy.int32], *, overlap: float = 0.5
) -> Agreement:
    """Match the objects of two label images.

    Above one half, an object has at most one partner, so that no assignment problem arises.

    Args:
        found: Label image to be judged.
        truth: Reference label image of the same shape.
        overlap: Intersection over union that makes a match, 0.5 to 1.
    """
    wide = int(truth.max()) + 1
    joint = numpy.bincount((found.astype(numpy.int64) * wide + truth).ravel())
    joint = numpy.pad(joint, (0, -len(joint) % wide)).reshape(-1, wide)
    each, reference = joint.sum(1), joint.sum(0)
    rows, columns = numpy.nonzero(joint[1:, 1:])
    rows, columns = rows + 1, columns + 1
    shared = joint[rows, columns]
    ratio = shared / (each[rows] + reference[columns] - shared)
    matched = int((ratio > overlap).sum())
    return Agreement(
        matched=matched,
        spurious=int((each[1:] > 0).sum()) - matched,
        missed=int((reference[1:] > 0).sum()) - matched,
    )
