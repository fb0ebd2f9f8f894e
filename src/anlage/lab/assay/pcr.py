"""PCR plates: what each sample of an export holds, by a standard curve or by partitions."""

from collections.abc import Mapping
from dataclasses import dataclass

from anlage.base import Refused

from .quantify import (
    DROPLET_NL,
    Estimate,
    Partitions,
    QpcrCurve,
    copies_per_ul,
    qpcr_curve,
    vector_copy_number,
)
from .reader import NANOPLATE, Import


@dataclass(frozen=True, slots=True, kw_only=True)
class QpcrSample:
    """A sample read from the curve of its target.

    Attributes:
        sample: Its name in the export.
        wells: In how many wells it was.
        cq: Cq of those in which it was detected.
        copies: Copies per well, by the mean Cq; None where no well showed any.
    """

    sample: str
    wells: int
    cq: tuple[float, ...]
    copies: Estimate | None


@dataclass(frozen=True, slots=True, kw_only=True)
class QpcrTarget:
    """A target of a qPCR plate.

    Attributes:
        target: Its name in the export; empty where the export names none.
        curve: Cq over log10 copies of its standards.
        standards: Copies and Cq of each standard well.
        samples: The wells without a stated quantity, by sample.
    """

    target: str
    curve: QpcrCurve
    standards: tuple[tuple[float, float], ...]
    samples: tuple[QpcrSample, ...]


def qpcr_plate(plate: Import) -> tuple[QpcrTarget, ...]:
    """Give the copies of each sample from the standards of the same plate, by target.

    Args:
        plate: An export with Cq; standards are the wells with a quantity.

    Raises:
        Refused: The standards of a target give no falling line.
    """
    wells: dict[int, dict[str, float | None]] = {}
    names: dict[int, tuple[str, str]] = {}
    for one in plate.readings:
        names[one.line] = (one.sample, one.target)
        wells.setdefault(one.line, {})[one.measure] = (
            None if one.value is None else float(one.value)
        )
    return tuple(
        _qpcr_target(
            target,
            [(names[line][0], well) for line, well in wells.items() if names[line][1] == target],
        )
        for target in dict.fromkeys(target for _, target in names.values())
    )


def _qpcr_target(target: str, wells: list[tuple[str, dict[str, float | None]]]) -> QpcrTarget:
    standards = [
        (quantity, cq)
        for _, well in wells
        if (quantity := well.get("quantity")) and (cq := well.get("cq")) is not None
    ]
    curve = qpcr_curve([one for one, _ in standards], [cq for _, cq in standards])
    unknown = [(sample, well.get("cq")) for sample, well in wells if not well.get("quantity")]
    samples = []
    for sample in dict.fromkeys(name for name, _ in unknown):
        seen = [cq for name, cq in unknown if name == sample]
        cycles = tuple(one for one in seen if one is not None)
        copies = curve.copies(cycles) if cycles else None
        samples.append(QpcrSample(sample=sample, wells=len(seen), cq=cycles, copies=copies))
    return QpcrTarget(
        target=target, curve=curve, standards=tuple(standards), samples=tuple(samples)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DigitalWell:
    """One target in one well of a digital PCR plate."""

    sample: str
    well: str
    target: str
    counts: Partitions
    copies_per_ul: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class DigitalPlate:
    """A digital PCR plate.

    Attributes:
        wells: Each target in each well.
        copies_per_ul: Over all wells of a sample and target, by these two.
        vector_copies: Vector copies per cell by sample, where both targets were counted.
        refused: Samples that lack a target or whose counts allow no ratio, with the reason.
    """

    wells: tuple[DigitalWell, ...]
    copies_per_ul: Mapping[tuple[str, str], Estimate]
    vector_copies: Mapping[str, Estimate]
    refused: Mapping[str, Refused]


def digital_plate(
    plate: Import,
    *,
    vector: str = "",
    genome: str = "",
    genome_copies_per_cell: float = 2.0,
    transduced_percent: float | None = None,
    droplet_nl: float | None = None,
    dilution: float = 1.0,
) -> DigitalPlate:
    """Give the copies in each well, and per sample the vector copies per cell.

    Args:
        plate: An export with positive and accepted partitions.
        vector: The vector's target, whatever the case; empty for no ratio.
        genome: The reference gene's target.
        genome_copies_per_cell: Copies of the reference gene in a cell.
        transduced_percent: Share of transduced cells; given, the ratio is per transduced cell.
        droplet_nl: Volume of a partition in nL; None for a droplet of Bio-Rad's QX.
        dilution: How many times the sample was diluted.

    Raises:
        Refused: The export counts no partitions, more positive ones than there are, or partitions
            of an instrument whose volume must be told.
    """
    if droplet_nl is None:
        droplet_nl = _droplet_nl(plate)
    counts: dict[tuple[str, str, str], dict[str, int]] = {}
    for one in plate.readings:
        if one.measure in {"positives", "droplets"} and one.value is not None:
            key = (one.sample, one.well, one.target)
            counts.setdefault(key, {})[one.measure] = int(one.value)
    if not counts:
        raise Refused(
            "column-missing",
            what="digital PCR file",
            found=f"an export of {plate.dialect}",
            limit="columns Positives and Accepted Droplets",
            remedy="export the droplet counts",
        )
    # A plate of 96 wells ends at row H: QuantaSoft calls the sum of a sample's wells M01, M02 …
    rows = {well[:1] for _, well, _ in counts}
    merged = {w for _, w, _ in counts if w[:1] == "M"} if rows <= set("ABCDEFGHM") else set()
    single = {(sample, target) for sample, well, target in counts if well not in merged}
    wells = []
    pools: dict[tuple[str, str], Partitions] = {}
    for (sample, well, target), found in counts.items():
        part = Partitions(positives=found.get("positives", -1), total=found.get("droplets", 0))
        copies = copies_per_ul(part, droplet_nl=droplet_nl, dilution=dilution)
        wells.append(
            DigitalWell(sample=sample, well=well, target=target, counts=part, copies_per_ul=copies)
        )
        if well in merged and (sample, target) in single:
            continue
        if before := pools.get((sample, target)):
            part = Partitions(
                positives=part.positives + before.positives, total=part.total + before.total
            )
        pools[sample, target] = part
    named = {(sample, target.casefold()): part for (sample, target), part in pools.items()}
    vector_copies: dict[str, Estimate] = {}
    refused: dict[str, Refused] = {}
    for sample in dict.fromkeys(key[0] for key in counts):
        carried = named.get((sample, vector.casefold()))
        reference = named.get((sample, genome.casefold()))
        if not vector or not genome:
            continue
        if carried is None or reference is None:
            missing = [n for n, part in ((vector, carried), (genome, reference)) if part is None]
            refused[sample] = Refused(
                "target-missing",
                what=f"targets of {sample}",
                found=", ".join(sorted({key[2] for key in counts if key[0] == sample})),
                limit=f"counts of {' and '.join(missing)}",
                remedy="name the targets as the export does, or repeat the wells",
            )
            continue
        try:
            vector_copies[sample] = vector_copy_number(
                carried,
                reference,
                genome_copies_per_cell=genome_copies_per_cell,
                transduced_percent=transduced_percent,
            )
        except Refused as refusal:
            if refusal.code != "partitions-impossible":
                raise
            refused[sample] = refusal
    return DigitalPlate(
        wells=tuple(wells),
        copies_per_ul={
            key: copies_per_ul(part, droplet_nl=droplet_nl, dilution=dilution)
            for key, part in pools.items()
        },
        vector_copies=vector_copies,
        refused=refused,
    )


def _droplet_nl(plate: Import) -> float:
    if plate.dialect == NANOPLATE:
        raise Refused(
            "partition-volume-missing",
            what="volume of a partition",
            found=f"an export of {plate.dialect}, which does not state it",
            limit="the volume of the nanoplate used, in nL",
            remedy="give it with --droplet-nl, from the plate's instructions",
            path=plate.path,
        )
    return DROPLET_NL
