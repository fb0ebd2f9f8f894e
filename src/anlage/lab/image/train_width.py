"""The recipe of the width network: how wide the nuclei of a field are. Needs torch.

It sees a field at half its size and answers with the logarithm of the median width; every place
answers for what it sees, and says how much it counts. Measuring then brings the field to the one
scale that the nuclei network knows.
"""

import copy
from pathlib import Path
from typing import Any

import cv2
import numpy
import torch
from numpy.typing import NDArray
from torch import nn

from .grey import percentile_range, read_grey, two_planes
from .network import convolution, export
from .nuclei import CANONICAL_PX
from .split import Field

STEPS = 2_500
BATCH = 16
SIDE_PX = 128
WIDEST, NARROWEST = 100.0, 5.0
Floats = NDArray[numpy.float32]


class WidthNet(nn.Module):
    """A small network of strides; gives one logarithm of width over `CANONICAL_PX` per field."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            convolution(2, 16, size=4, stride=2),
            convolution(16, 32, stride=2),
            convolution(32, 32),
            convolution(32, 48, stride=2),
            convolution(48, 48),
            convolution(48, 48),
        )
        self.head = nn.Conv2d(48, 2, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Give the weighted mean over all places."""
        found = self.head(self.body(x))
        counts = torch.sigmoid(found[:, 1]) + 1e-3
        answer: torch.Tensor = (found[:, 0] * counts).sum((1, 2)) / counts.sum((1, 2))
        return answer


def train_width(
    fields: list[Field], file: Path, *, steps: int, seed: int, threads: int
) -> dict[str, object]:
    """Train on the fields that are not held out and write the network as ONNX.

    Args:
        fields: All fields; held-out ones are left alone.
        file: The ONNX file to write.
        steps: Steps of the optimiser.
        seed: Seed of weights and variation.
        threads: Processor threads.
    """
    torch.manual_seed(seed)
    torch.set_num_threads(threads)
    shown = [one for field in fields if not field.held_out and (one := _shown(field)) is not None]
    network: Any = WidthNet().to(memory_format=torch.channels_last)
    average = copy.deepcopy(network)
    optimiser = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=1e-2)
    running = 0.0
    for step in range(steps):
        for group in optimiser.param_groups:
            fall = 0.5 * (1 + float(numpy.cos(numpy.pi * step / steps))) + 0.003
            group["lr"] = 2e-3 * min(1.0, (step + 1) / 100) * fall
        rng = numpy.random.default_rng((seed, step))
        drawn = [_sample(shown[one], rng) for one in rng.integers(len(shown), size=BATCH)]
        image = torch.from_numpy(numpy.stack([one for one, _ in drawn]))
        truth = torch.tensor([one for _, one in drawn], dtype=torch.float32)
        guess = network(image.to(memory_format=torch.channels_last))
        loss = torch.nn.functional.smooth_l1_loss(guess, truth, beta=0.1)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        running = 0.98 * running + 0.02 * float((guess - truth).abs().mean().detach())
        with torch.no_grad():
            state = network.state_dict()
            for name, slow in average.state_dict().items():
                if slow.dtype.is_floating_point:
                    slow.lerp_(state[name], 1 - min(0.995, (step + 1) / (step + 10)))
                else:
                    slow.copy_(state[name])
    export(average, file, channels=2, outputs=("width",))
    return {"steps": steps, "batch": BATCH, "error": round(running, 4)}


def _shown(field: Field) -> tuple[Floats, float] | None:
    label = read_grey(field.label)
    areas = numpy.bincount(label.ravel())[1:]
    areas = areas[areas > 0]
    if not len(areas):
        return None
    grey = read_grey(field.image)
    low, high = percentile_range(grey)
    relative = (grey.astype(numpy.float32) - low) / max(high - low, 1e-6)
    return relative, 1.128 * float(numpy.sqrt(numpy.median(areas)))


def _sample(shown: tuple[Floats, float], rng: numpy.random.Generator) -> tuple[Floats, float]:
    """Cut a window, seen at half size, of a field made larger or smaller."""
    relative, width = shown
    times = float(numpy.exp(rng.normal(0, 0.6)))
    times = float(numpy.clip(times, NARROWEST / width, WIDEST / width))
    # A window at least as large as a few nuclei; a reduced field is smoothed as by a camera.
    scale = times / 2
    if scale < 0.75:
        relative = cv2.GaussianBlur(relative, (0, 0), 0.4 / scale)
    turn = rng.integers(4) * numpy.pi / 2
    matrix = scale * numpy.array(
        [[numpy.cos(turn), -numpy.sin(turn)], [numpy.sin(turn), numpy.cos(turn)]]
    )
    if rng.random() < 0.5:
        matrix = matrix @ numpy.diag([1.0, -1.0])
    height, wide = relative.shape
    middle = numpy.array([wide, height]) * rng.uniform(0.25, 0.75, 2)
    affine = numpy.column_stack([matrix, SIDE_PX / 2 - matrix @ middle]).astype(numpy.float32)
    seen = cv2.warpAffine(
        relative, affine, (SIDE_PX, SIDE_PX), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    )
    if rng.random() < 0.5:
        power = float(numpy.exp(rng.normal(0, 0.3)))
        seen = numpy.copysign(cv2.pow(numpy.abs(seen), power), seen)
    if rng.random() < 0.3:
        seen = cv2.GaussianBlur(seen, (0, 0), rng.uniform(0.3, 1.0))
    if rng.random() < 0.5:
        drawn = rng.standard_normal(seen.shape, dtype=numpy.float32)
        seen = seen + numpy.float32(rng.uniform(0.003, 0.06)) * drawn
    gain, offset = numpy.exp(rng.normal(0, 0.15)), rng.normal(0, 0.02)
    planes = two_planes(numpy.asarray(seen * gain + offset, numpy.float32))
    return planes, float(numpy.log(times * width / CANONICAL_PX))
