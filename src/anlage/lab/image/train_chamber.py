"""The recipe of the chamber network: cells in brightfield, each live or dead.

Boxes become soft spots, one map for living and one for dead cells. Chamber pictures are mostly
even background, so cells are cut out of one picture and set into another by the ratio to the
background, which varies density, overlap and light far beyond the few series there are. Needs
torch.
"""

import copy
import csv
import json
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy
import torch
from numpy.typing import NDArray
from torch.nn import functional

from .grey import chamber_planes, read_grey
from .network import SmallUNet, export

SIDE_PX = 224
BATCH = 8
STEPS = 2500
CROSS_STEPS = 1500
WIDTHS = (16, 16, 32, 32)
Floats = NDArray[numpy.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChamberCrop:
    """One chamber picture with its boxes.

    Attributes:
        image: The file.
        series: Acquisition series.
        grey: Pixels over the median of the picture, 1 is background.
        boxes: x, y, width, height, and 0 for a living or 1 for a dead cell.
    """

    image: Path
    series: str
    grey: Floats
    boxes: Floats


def chamber_crops(folder: Path) -> list[ChamberCrop]:
    """Read the crops under the folder (`index.csv`, `boxes.csv`), in the order of their names."""
    boxes: dict[str, list[list[float]]] = {}
    with (folder / "boxes.csv").open(newline="", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            left, top, right, bottom = (float(row[k]) for k in ("xmin", "ymin", "xmax", "ymax"))
            middle = [(left + right) / 2, (top + bottom) / 2, right - left, bottom - top]
            dead = float("dead" in row["label"].casefold())
            boxes.setdefault(row["image"], []).append([*middle, dead])
    with (folder / "index.csv").open(newline="", encoding="utf-8") as lines:
        rows = sorted(csv.DictReader(lines), key=lambda row: row["image"])
    crops = []
    for row in rows:
        values = read_grey(folder / row["image"]).astype(numpy.float32)
        found = numpy.array(boxes.get(row["image"], []), numpy.float32).reshape(-1, 5)
        crops.append(
            ChamberCrop(
                image=folder / row["image"],
                series=row["series"],
                grey=values / max(float(numpy.median(values)), 1.0),
                boxes=found,
            )
        )
    return crops


def train_chamber(
    crops: list[ChamberCrop],
    file: Path,
    *,
    steps: int,
    seed: int,
    threads: int,
    left_out: frozenset[str] = frozenset(),
) -> dict[str, object]:
    """Train on the crops outside the series left out and write the network as ONNX.

    Args:
        crops: All crops.
        file: The ONNX file to write.
        steps: Steps of the optimiser.
        seed: Seed of weights and augmentation.
        threads: Processor threads.
        left_out: Series never shown.
    """
    torch.manual_seed(seed)
    torch.set_num_threads(threads)
    rng = numpy.random.default_rng(seed)
    shown = [crop for crop in crops if crop.series not in left_out]
    by_series = {one: [c for c in shown if c.series == one] for one in {c.series for c in shown}}
    groups = [by_series[name] for name in sorted(by_series)]
    network = SmallUNet(channels=2, maps=1, coarse_maps=2, widths=WIDTHS)
    torch.nn.init.constant_(network.head.bias, -2.5)  # type: ignore[arg-type]
    network = network.to(memory_format=torch.channels_last)
    average = copy.deepcopy(network)
    optimiser = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=1e-2)
    begun, running = time.monotonic(), 0.0
    for step in range(steps):
        part = step / steps
        rate = 2e-3 * min(1, (step + 1) / 100) * (0.5 * (1 + numpy.cos(numpy.pi * part)) + 0.003)
        for group in optimiser.param_groups:
            group["lr"] = rate
        samples = [_sample(groups, rng) for _ in range(BATCH)]
        image, spots, inside, valid = (
            torch.from_numpy(numpy.stack(one)) for one in zip(*samples, strict=True)
        )
        with torch.autocast("cpu", dtype=torch.bfloat16):
            fine, coarse = network(image.to(memory_format=torch.channels_last))
        loss = _loss(fine.float(), coarse.float(), spots, inside, valid)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 2.0)
        optimiser.step()
        running = 0.98 * running + 0.02 * float(loss.detach())
        with torch.no_grad():
            keep = min(0.998, (step + 1) / (step + 10))
            state = network.state_dict()
            for name, slow in average.state_dict().items():
                if slow.dtype.is_floating_point:
                    slow.lerp_(state[name], 1 - keep)
                else:
                    slow.copy_(state[name])
        if step % 200 == 199:
            note = {"step": step + 1, "loss": round(running, 4), "s": time.monotonic() - begun}
            file.with_suffix(".log").open("a").write(json.dumps(note) + "\n")
            export(copy.deepcopy(average), file, channels=2, outputs=("fine", "coarse"))
    export(average, file, channels=2, outputs=("fine", "coarse"))
    return {"steps": steps, "batch": BATCH, "widths": list(WIDTHS), "loss": round(running, 4)}


def _loss(
    fine: torch.Tensor,
    coarse: torch.Tensor,
    spots: torch.Tensor,
    inside: torch.Tensor,
    valid: torch.Tensor,
) -> torch.Tensor:
    """Penalty-reduced focal loss on the spots (arXiv 1904.07850, eq. 1), cross-entropy inside."""
    half = valid[:, None, ::2, ::2]
    chance = torch.sigmoid(coarse).clamp(1e-4, 1 - 1e-4)
    peak = (spots > 0.98).float()
    hit = peak * (1 - chance) ** 2 * torch.log(chance)
    miss = (1 - peak) * (1 - spots) ** 4 * chance**2 * torch.log(1 - chance)
    focal = -((hit + miss) * half).sum() / peak.sum().clamp(min=1)
    area = functional.binary_cross_entropy_with_logits(fine[:, 0], inside, reduction="none")
    return focal + 2 * (area * valid).mean()


def _sample(groups: list[list[ChamberCrop]], rng: numpy.random.Generator) -> tuple[Floats, ...]:
    group = groups[rng.integers(len(groups))]
    crop = group[rng.integers(len(group))]
    grey, boxes = crop.grey.copy(), [list(box) for box in crop.boxes]
    if rng.random() < 0.6:
        for _ in range(rng.integers(1, 5)):
            donor_group = groups[rng.integers(len(groups))]
            _set_in(grey, boxes, donor_group[rng.integers(len(donor_group))], rng)
    height, width = grey.shape
    scale = float(numpy.exp(rng.uniform(-0.35, 0.35)))
    angle = rng.uniform(0, 2 * numpy.pi) if rng.random() < 0.4 else rng.integers(4) * numpy.pi / 2
    turn = numpy.array(
        [[numpy.cos(angle), -numpy.sin(angle)], [numpy.sin(angle), numpy.cos(angle)]]
    )
    matrix = scale * turn @ numpy.diag([1.0, rng.choice([-1.0, 1.0])])
    shift = SIDE_PX / 2 + rng.uniform(-25, 25, 2) - matrix @ (width / 2, height / 2)
    affine = numpy.column_stack([matrix, shift]).astype(numpy.float32)
    size = (SIDE_PX, SIDE_PX)
    flags = cv2.INTER_AREA if scale < 0.9 else cv2.INTER_LINEAR
    picture = cv2.warpAffine(grey - 1, affine, size, flags=flags)
    valid = cv2.warpAffine(numpy.ones_like(grey), affine, size, flags=cv2.INTER_NEAREST)
    spots = numpy.zeros((2, SIDE_PX // 2, SIDE_PX // 2), numpy.float32)
    inside = numpy.zeros(size, numpy.float32)
    for x, y, w, h, dead in boxes:
        at = affine[:, :2] @ (x, y) + affine[:, 2]
        _mark(spots[int(dead)], inside, at, scale * w, scale * h, angle)
    return chamber_planes(_spoil(picture, valid, rng)), spots, inside, valid


def _mark(
    spot: Floats, inside: Floats, at: NDArray[numpy.float64], w: float, h: float, angle: float
) -> None:
    if not (0 <= at[0] < SIDE_PX and 0 <= at[1] < SIDE_PX):
        return
    sigma = float(numpy.clip(0.12 * (w + h) / 2, 1.2, 3.0))
    ys, xs = numpy.mgrid[0 : spot.shape[0], 0 : spot.shape[1]]
    # The nearest cell of the half-resolution grid is the peak, worth exactly 1.
    cx, cy = (min(round(float(one) / 2), spot.shape[0] - 1) for one in at)
    bump = numpy.exp(-((ys - cy) ** 2 + (xs - cx) ** 2) / (2 * sigma**2))
    numpy.maximum(spot, bump, out=spot, casting="unsafe")
    centre = (float(at[0]), float(at[1]))
    cv2.ellipse(inside, (centre, (max(w, 2), max(h, 2)), float(numpy.degrees(angle))), 1.0, -1)


def _set_in(
    grey: Floats, boxes: list[list[float]], giver: ChamberCrop, rng: numpy.random.Generator
) -> None:
    """Set one cell of another picture into this one, by its ratio to the background."""
    if not len(giver.boxes):
        return
    x, y, w, h, dead = giver.boxes[rng.integers(len(giver.boxes))]
    reach_x, reach_y = int(w * 0.75) + 3, int(h * 0.75) + 3
    x, y = int(x), int(y)
    height, width = giver.grey.shape
    if x < reach_x or y < reach_y or x + reach_x >= width or y + reach_y >= height:
        return
    patch = giver.grey[y - reach_y : y + reach_y + 1, x - reach_x : x + reach_x + 1]
    rim = numpy.concatenate([patch[0], patch[-1], patch[:, 0], patch[:, -1]])
    if rim.std() > 0.12:  # a neighbour or a grid line crosses the rim
        return
    patch = patch / max(float(numpy.median(rim)), 0.05)
    ys, xs = numpy.mgrid[-1 : 1 : patch.shape[0] * 1j, -1 : 1 : patch.shape[1] * 1j]
    soft = numpy.clip((1.0 - numpy.sqrt(ys**2 + xs**2)) / 0.15, 0, 1)
    turns, flip = int(rng.integers(4)), bool(rng.integers(2))
    patch, soft = numpy.rot90(patch, turns), numpy.rot90(soft, turns)
    if flip:
        patch, soft = patch[:, ::-1], soft[:, ::-1]
    tall, wide = patch.shape
    if tall >= grey.shape[0] or wide >= grey.shape[1]:
        return
    top, left = rng.integers(grey.shape[0] - tall), rng.integers(grey.shape[1] - wide)
    middle_x, middle_y = left + wide / 2, top + tall / 2
    near = [b for b in boxes if abs(b[0] - middle_x) < 14 and abs(b[1] - middle_y) < 14]
    if near:
        return
    window = grey[top : top + tall, left : left + wide]
    window *= 1 + soft * (patch - 1)
    side_x, side_y = (h, w) if turns % 2 else (w, h)
    boxes.append([float(middle_x), float(middle_y), float(side_x), float(side_y), float(dead)])


def _spoil(picture: Floats, valid: Floats, rng: numpy.random.Generator) -> Floats:
    """Vary contrast, light, focus and noise around a background of 0."""
    values = picture * numpy.exp(rng.normal(0, 0.25))
    if rng.random() < 0.3:
        values = numpy.where(values > 0, values * numpy.exp(rng.normal(0, 0.3)), values)
    if rng.random() < 0.3:
        values = cv2.GaussianBlur(values, (0, 0), rng.uniform(0.4, 1.3))
    if rng.random() < 0.3:
        ys, xs = numpy.mgrid[-0.5 : 0.5 : SIDE_PX * 1j, -0.5 : 0.5 : SIDE_PX * 1j]
        slope = rng.normal(0, 0.2, 2)
        values = values + slope[0] * ys + slope[1] * xs
    if rng.random() < 0.5:
        values = values + rng.normal(0, rng.uniform(0.003, 0.04), values.shape)
    if rng.random() < 0.3:  # a bright background leaves little room above it
        values = numpy.minimum(values, rng.uniform(0.05, 1.5))
    return numpy.asarray(numpy.clip(values, -1, 3) * valid, numpy.float32)
