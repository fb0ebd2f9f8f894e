"""The recipe of the nuclei network: targets, augmentation, loss, schedule.

The network sees a field twice (linear and logarithmic grey, both between the field's own
percentiles) and learns, per pixel, whether it belongs to a nucleus, how deep it lies in it
(0 at the rim, 1 at the deepest point), and the way to the deepest point. Needs torch.
"""

import copy
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from typing import Any

import cv2
import numpy
import torch
from numpy.typing import NDArray
from torch.nn import functional

from .grey import between_percentiles, read_grey, spread
from .model import STRIDE_PX, Network, open_network
from .network import SmallUNet, export, quantise
from .nuclei import scaled_planes
from .split import Field
from .train_width import STEPS as WIDTH_STEPS
from .train_width import train_width

STEPS = 19_000
CROP_PX = 256
BATCH = 8
RATE = 3e-3
INTEGERS = {"weight_bits": 7, "activation_bits": 8, "calibration_fields": 40}
"""How the network is stored, see `network.quantise`."""

LOG_STEPS = 500
Floats = NDArray[numpy.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Example:
    grey: Floats
    label: NDArray[numpy.int32]
    depth: Floats
    contact: Floats
    deepest: Floats  # y, x per label; row 0 unused
    radius: Floats
    diameter: float  # median over the nuclei, px


def train_outlines(
    fields: list[Field], models: Path, *, steps: int | None, seed: int, threads: int
) -> dict[str, object]:
    """Train what the nuclei method rests on: the guess of the width, then the outlines in 8 bits.

    Args:
        fields: All fields; held-out ones are left alone.
        models: Folder that `width.onnx` and `nuclei.onnx` are written to.
        steps: At most so many steps of each; None for those of the recipe.
        seed: Seed of weights and variation.
        threads: Processor threads.

    Returns:
        The recipe as it was followed, for the card.
    """
    most = STEPS if steps is None else steps
    file, guesser = models / "nuclei.onnx", models / "width.onnx"
    guess = train_width(fields, guesser, steps=min(WIDTH_STEPS, most), seed=seed, threads=threads)
    done = train_nuclei(fields, file, steps=min(STEPS, most), seed=seed, threads=threads)
    quantise(file, calibration(fields, open_network(guesser.read_bytes())))
    return done | {"width": guess, "integers": INTEGERS}


def train_nuclei(
    fields: list[Field], file: Path, *, steps: int, seed: int, threads: int
) -> dict[str, object]:
    """Train on the fields that are not held out and write the network as ONNX.

    Args:
        fields: All fields; held-out ones are left alone.
        file: The ONNX file to write; a log of steps and losses is written beside it.
        steps: Steps of the optimiser.
        seed: Seed of initial weights and augmentation.
        threads: Processor threads for torch.

    Returns:
        What was done: steps, final loss, settings.
    """
    torch.manual_seed(seed)
    torch.set_num_threads(threads)
    examples = [_example(field) for field in fields if not field.held_out]
    network: Any = SmallUNet(channels=2, maps=2, coarse_maps=2)
    network.to(memory_format=torch.channels_last)
    average = copy.deepcopy(network)
    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=1e-3)
    queue: Queue[tuple[Floats, ...]] = Queue(maxsize=6)
    source = _batches(examples, numpy.random.default_rng(seed), steps)
    threading.Thread(target=_fill, args=(queue, source), daemon=True).start()
    begun, running = time.monotonic(), 0.0
    for step in range(steps):
        warm = min(1.0, (step + 1) / 200)
        fall = 0.5 * (1 + float(numpy.cos(numpy.pi * step / steps))) + 0.003
        for group in optimiser.param_groups:
            group["lr"] = RATE * warm * fall
        image, *truth = (torch.from_numpy(part) for part in queue.get())
        with torch.autocast("cpu", dtype=torch.bfloat16):
            fine, coarse = network(image.to(memory_format=torch.channels_last))
        loss = _loss(fine.float(), coarse.float(), *truth)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 2.0)
        optimiser.step()
        _follow(average, network, keep=min(0.999, (step + 1) / (step + 10)))
        running = 0.98 * running + 0.02 * float(loss.detach())
        if step % LOG_STEPS == LOG_STEPS - 1:
            minutes = (time.monotonic() - begun) / 60
            note = {"step": step + 1, "loss": round(running, 4), "minutes": round(minutes, 1)}
            with file.with_suffix(".log").open("a", encoding="utf-8") as log:
                log.write(json.dumps(note) + "\n")
    export(average, file, channels=2, outputs=("fine", "coarse"))
    return {"steps": steps, "loss": round(running, 4), "batch": BATCH, "crop_px": CROP_PX}


def calibration(fields: list[Field], width: Network) -> list[Floats]:
    """Give what the network sees of every eighth training field, to set the ranges of integers.

    Args:
        fields: All fields; held-out ones are left alone.
        width: The network that guesses how wide the nuclei are.
    """
    seen = []
    for field in [one for one in fields if not one.held_out][::8]:
        planes = scaled_planes(between_percentiles(read_grey(field.image)), width=width)
        top, left = (max(0, (side - 512) // 2) for side in planes.shape[1:])
        window = planes[:, top : top + 512, left : left + 512]
        down, right = (side - side % STRIDE_PX for side in window.shape[1:])
        seen.append(numpy.ascontiguousarray(window[None, :, :down, :right]))
    return seen


def _fill(queue: "Queue[tuple[Floats, ...]]", source: Iterator[tuple[Floats, ...]]) -> None:
    for batch in source:
        queue.put(batch)


def _follow(average: torch.nn.Module, network: torch.nn.Module, *, keep: float) -> None:
    with torch.no_grad():
        for slow, fast in zip(average.parameters(), network.parameters(), strict=True):
            slow.lerp_(fast, 1 - keep)
        for slow, fast in zip(average.buffers(), network.buffers(), strict=True):
            if slow.dtype.is_floating_point:
                slow.lerp_(fast, 1 - keep)
            else:
                slow.copy_(fast)


def _loss(
    fine: torch.Tensor,
    coarse: torch.Tensor,
    inside: torch.Tensor,
    depth: torch.Tensor,
    weight: torch.Tensor,
    way: torch.Tensor,
    scale: torch.Tensor,
) -> torch.Tensor:
    guess = torch.sigmoid(fine[:, 0])
    cross = functional.binary_cross_entropy_with_logits(fine[:, 0], inside, reduction="none")
    overlap = (guess * inside).sum((1, 2)) + 1
    dice = 1 - 2 * overlap / (guess.sum((1, 2)) + inside.sum((1, 2)) + 2)
    deep = (weight * (fine[:, 1] - depth).abs()).mean()
    home = (coarse - way).abs().sum(1) * scale
    steer = home.sum() / (scale > 0).sum().clamp(min=1)
    return (weight * cross).mean() + 0.5 * dice.mean() + 2 * deep + 0.3 * steer


def _example(field: Field) -> _Example:
    label = read_grey(field.label).astype(numpy.int32)
    count = int(label.max())
    depth = numpy.zeros(label.shape, numpy.float32)
    deepest = numpy.zeros((count + 1, 2), numpy.float32)
    radius = numpy.ones(count + 1, numpy.float32)
    for one in range(1, count + 1):
        ys, xs = numpy.nonzero(label == one)
        if not len(ys):
            continue
        top, left = max(ys.min() - 1, 0), max(xs.min() - 1, 0)
        window = numpy.s_[top : ys.max() + 2, left : xs.max() + 2]
        own = numpy.pad((label[window] == one).astype(numpy.uint8), 1)
        # A nucleus cut by the border of the field is not a rim there: replicate, then crop.
        far = cv2.distanceTransform(own, cv2.DIST_L2, 5)[1:-1, 1:-1]
        peak = numpy.unravel_index(far.argmax(), far.shape)
        radius[one] = max(far.max(), 1)
        deepest[one] = peak[0] + top, peak[1] + left
        depth[window] = numpy.maximum(depth[window], far / radius[one])
    return _Example(
        grey=read_grey(field.image).astype(numpy.float32),
        label=label,
        depth=depth,
        contact=_contact(label),
        deepest=deepest,
        radius=radius,
        diameter=float(numpy.sqrt(numpy.median(numpy.bincount(label.ravel())[1:]) / 0.785)),
    )


def _contact(label: NDArray[numpy.int32]) -> Floats:
    """Mark pixels within 2 px of two different nuclei, where mistakes merge objects."""
    kernel = numpy.ones((5, 5), numpy.uint8)
    values = label.astype(numpy.float32)
    highest = cv2.dilate(values, kernel)
    lowest = -cv2.dilate(-numpy.where(values > 0, values, 1e6).astype(numpy.float32), kernel)
    meets = (highest != lowest) & (highest > 0) & (lowest < 1e6)
    return numpy.asarray(meets, numpy.float32)


def _batches(
    examples: list[_Example], rng: numpy.random.Generator, steps: int
) -> Iterator[tuple[Floats, ...]]:
    # Large fields hold more crops; the square root keeps small ones in the mix.
    size = numpy.array([numpy.sqrt(example.label.size) for example in examples])
    for _ in range(steps):
        chosen = rng.choice(len(examples), BATCH, p=size / size.sum())
        columns = zip(*(_crop(examples[one], rng) for one in chosen), strict=True)
        yield tuple(numpy.stack(column) for column in columns)


def _crop(example: _Example, rng: numpy.random.Generator) -> tuple[Floats, ...]:
    height, width = example.label.shape
    scale = float(numpy.exp(rng.uniform(numpy.log(0.6), numpy.log(1.6))))
    if example.diameter < 20 and rng.random() < (0.6 if example.diameter < 14 else 0.25):
        scale *= 2  # small nuclei are measured at twice their size, see nuclei.py
    stretch = float(numpy.exp(rng.normal(0, 0.06)))
    angle = rng.uniform(0, 2 * numpy.pi) if rng.random() < 0.6 else rng.integers(4) * numpy.pi / 2
    turn = numpy.array(
        [[numpy.cos(angle), -numpy.sin(angle)], [numpy.sin(angle), numpy.cos(angle)]]
    )
    flip = numpy.diag([1.0, -1.0 if rng.random() < 0.5 else 1.0])
    matrix = turn @ flip @ numpy.diag([scale * stretch, scale / stretch])
    middle = rng.uniform(0, 1, 2) * (width, height)
    shift = CROP_PX / 2 + rng.uniform(-30, 30, 2) - matrix @ middle
    affine = numpy.column_stack([matrix, shift]).astype(numpy.float32)
    size = (CROP_PX, CROP_PX)
    edge = cv2.BORDER_REFLECT_101
    label = cv2.warpAffine(
        example.label.astype(numpy.float32), affine, size, flags=cv2.INTER_NEAREST, borderMode=edge
    ).astype(numpy.int32)
    flags = cv2.INTER_AREA if scale < 0.8 else cv2.INTER_LINEAR
    grey = cv2.warpAffine(example.grey, affine, size, flags=flags, borderMode=edge)
    depth = cv2.warpAffine(example.depth, affine, size, borderMode=edge)
    contact = cv2.warpAffine(example.contact, affine, size, borderMode=edge)
    return _targets(example, label, _spoil(grey, rng), depth, contact, affine)


def _targets(
    example: _Example,
    label: NDArray[numpy.int32],
    image: Floats,
    depth: Floats,
    contact: Floats,
    affine: Floats,
) -> tuple[Floats, ...]:
    inside = (label > 0).astype(numpy.float32)
    depth = depth * inside
    goal = example.deepest[:, ::-1] @ affine[:, :2].T + affine[:, 2]
    half = label[::2, ::2]
    ys, xs = numpy.mgrid[0:CROP_PX:2, 0:CROP_PX:2].astype(numpy.float32)
    way = numpy.stack([goal[half, 1] - ys, goal[half, 0] - xs]).astype(numpy.float32) / 8
    grown = float(numpy.sqrt(abs(numpy.linalg.det(affine[:, :2]))))
    reach = example.radius[half] * grown
    # Reflected nuclei beyond the border of the field point to the wrong side: left out.
    sane = numpy.hypot(way[0], way[1]) * 8 < 4 * reach + 4
    scale = ((half > 0) & sane) * (8 / (reach + 3))
    weight = 1 + 4 * contact + inside * numpy.clip(6 / (example.radius[label] * grown), 0, 2)
    shared = (weight, way, scale)
    return image, inside, depth, *(numpy.asarray(one, numpy.float32) for one in shared)


def _spoil(grey: Floats, rng: numpy.random.Generator) -> Floats:
    """Vary what instruments vary: focus, noise, offset, gamma, uneven light, bit depth."""
    low, high = numpy.percentile(grey, (0.5, 99.8))
    values = (grey - low) / max(high - low, 1)
    if rng.random() < 0.3:
        values = cv2.GaussianBlur(values, (0, 0), rng.uniform(0.4, 1.6))
    if rng.random() < 0.5:
        values = numpy.sign(values) * numpy.abs(values) ** numpy.exp(rng.normal(0, 0.35))
    if rng.random() < 0.3:
        ys, xs = numpy.mgrid[0:1:256j, 0:1:256j]
        slope = rng.normal(0, 0.15, 2)
        values = values + slope[0] * (ys - 0.5) + slope[1] * (xs - 0.5)
    if rng.random() < 0.5:
        values = values + rng.normal(0, rng.uniform(0.003, 0.08), values.shape)
    if rng.random() < 0.15:
        levels = rng.integers(12, 60)
        values = numpy.round(values * levels) / levels
    if rng.random() < 0.2:
        values = numpy.minimum(values, rng.uniform(0.5, 1.0))
    return spread(values.astype(numpy.float32))
