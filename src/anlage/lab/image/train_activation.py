"""The recipe of the activation score: T cells told active or quiescent from one crop each.

Few hundred crops of few donors: small networks, strong variation of gain, angle, size, focus and
noise, every donor and class drawn alike, so that neither a donor's brightness nor its share of
active cells is learnt. Needs torch.
"""

import copy
import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from .crop_trait import crop_traits
from .grey import CROP_SIDE_PX, crop_planes, read_grey
from .network import export
from .quality import LEAST_SIDE_PX
from .tree import grow_trees, write_trees

BATCH = 32
EPOCHS = 30
MEMBERS = 4
LEAST_DRAWN_ALIKE = 25
GAIN_SPREAD = 0.6
"""Standard deviation of the logarithm of the brightness factor."""

SIZE_SPREAD = 0.15
"""Standard deviation of the logarithm of the size factor: cells and lenses of other donors."""

SOFT_SIGMAS_PX = (0.3, 1.0)
"""Every second crop is shown as softer as this: another focus."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellCrop:
    """One crop: the file, its donor, its grey values, and whether the cell is activated."""

    image: Path
    donor: str
    grey: NDArray[Any]
    active: bool


class CropNet(nn.Module):
    """A small convolutional network with mean and maximum pooling.

    Args:
        widths: Channels of the four stages.
        dropout: Share of pooled features left out while training.
    """

    def __init__(self, widths: tuple[int, ...] = (16, 24, 32, 48), dropout: float = 0.4) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 3
        for stage, width in enumerate(widths):
            for _ in range(1 if stage == 0 else 2):
                convolution = nn.Conv2d(before, width, 3, padding=1, bias=False)
                layers += [convolution, nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
                before = width
            if stage < len(widths) - 1:
                layers.append(nn.MaxPool2d(2))
        self.body = nn.Sequential(*layers)
        self.dropout = nn.Dropout(dropout)
        self.out = nn.Linear(2 * before, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Give one logit per crop."""
        found = self.body(x)
        pooled = torch.cat([found.mean((2, 3)), found.amax((2, 3))], 1)
        logit: torch.Tensor = self.out(self.dropout(pooled))[:, 0]
        return logit


class Several(nn.Module):
    """The mean logit of several networks, so that they ship as one file."""

    def __init__(self, members: list[CropNet]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Give one logit per crop."""
        return torch.stack([member(x) for member in self.members]).mean(0)


def cell_crops(folder: Path) -> list[CellCrop]:
    """Read the crops under the folder (`index.csv`), in the order of their names."""
    with (folder / "index.csv").open(newline="", encoding="utf-8") as lines:
        rows = sorted(csv.DictReader(lines), key=lambda row: row["file_name"])
    crops = []
    for row in rows:
        image = folder / "images" / Path(row["file_name"]).name
        crops.append(
            CellCrop(
                image=image,
                donor=row["donor"],
                grey=read_grey(image),
                active=row["activity"] == "activated",
            )
        )
    return crops


def train_activation(
    crops: list[CellCrop],
    *,
    epochs: int,
    seed: int,
    threads: int,
    left_out: frozenset[str] = frozenset(),
    widths: tuple[int, ...] = (16, 24, 32, 48),
) -> CropNet:
    """Train one network on the crops of the donors that are not left out.

    Args:
        crops: All crops.
        epochs: Passes over the crops shown.
        seed: Seed of weights, order and variation.
        threads: Processor threads.
        left_out: Donors never shown.
        widths: Channels of the four stages.
    """
    torch.manual_seed(seed)
    torch.set_num_threads(threads)
    rng = numpy.random.default_rng(seed)
    shown = [crop for crop in crops if crop.donor not in left_out]
    chance = _drawn_alike(shown)
    network = CropNet(widths).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=5e-2)
    average = copy.deepcopy(network)
    steps = epochs * len(shown) // BATCH
    for step in range(steps):
        rate = min(1, (step + 1) / 50) * (1 + numpy.cos(numpy.pi * step / steps)) * 1e-3 + 1e-6
        for group in optimiser.param_groups:
            group["lr"] = rate
        drawn = rng.choice(len(shown), BATCH, p=chance)
        image = torch.from_numpy(numpy.stack([_varied(shown[one].grey, rng) for one in drawn]))
        truth = torch.tensor([0.97 if shown[one].active else 0.03 for one in drawn])
        network.train()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logit = network(image)
        loss = functional.binary_cross_entropy_with_logits(logit.float(), truth)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        # The mean over the path forgets what single steps learnt of single donors.
        keep = min(0.99, (step + 1) / (step + 10))
        state = network.state_dict()
        with torch.no_grad():
            for name, slow in average.state_dict().items():
                if slow.dtype.is_floating_point:
                    slow.lerp_(state[name], 1 - keep)
                else:
                    slow.copy_(state[name])
    average.eval()
    finished: CropNet = average
    return finished


def export_activation(members: list[CropNet], file: Path) -> int:
    """Write the networks as one ONNX file and give its size in bytes."""
    return export(Several(members), file, channels=3, outputs=("logit",), side=CROP_SIDE_PX)


def train_trees(
    crops: list[CellCrop], file: Path, *, seed: int, left_out: frozenset[str] = frozenset()
) -> int:
    """Grow the trees on the donors that are not left out, write them, give the size in bytes."""
    shown = [crop for crop in crops if crop.donor not in left_out]
    traits = numpy.stack([crop_traits(crop.grey) for crop in shown])
    active = numpy.array([crop.active for crop in shown])
    return write_trees(grow_trees(traits, active, _drawn_alike(shown), seed=seed), file)


def _drawn_alike(crops: list[CellCrop]) -> NDArray[numpy.float64]:
    """Give every donor and class the same chance, small groups no more than their due."""
    size: dict[tuple[str, bool], int] = {}
    for crop in crops:
        size[crop.donor, crop.active] = size.get((crop.donor, crop.active), 0) + 1
    chance = numpy.array(
        [1 / max(size[crop.donor, crop.active], LEAST_DRAWN_ALIKE) for crop in crops]
    )
    return numpy.asarray(chance / chance.sum(), numpy.float64)


def _varied(grey: NDArray[Any], rng: numpy.random.Generator) -> NDArray[numpy.float32]:
    grey = grey.astype(numpy.float32)
    times = float(numpy.exp(rng.normal(0, SIZE_SPREAD)))
    if min(grey.shape) * times >= LEAST_SIDE_PX:
        grey = cv2.resize(grey, None, fx=times, fy=times, interpolation=cv2.INTER_LINEAR)
    if rng.random() < 0.5:
        grey = cv2.GaussianBlur(grey, (0, 0), rng.uniform(*SOFT_SIGMAS_PX))
    scale, angle = numpy.exp(rng.normal(0, 0.08)), rng.uniform(0, 2 * numpy.pi)
    turn = numpy.array(
        [[numpy.cos(angle), -numpy.sin(angle)], [numpy.sin(angle), numpy.cos(angle)]]
    )
    matrix = turn @ numpy.diag([scale, scale * rng.choice([-1.0, 1.0])])
    middle = numpy.array([grey.shape[1] / 2 - 0.5, grey.shape[0] / 2 - 0.5])
    shift = CROP_SIDE_PX / 2 + rng.normal(0, 1, 2) - matrix @ middle
    affine = numpy.column_stack([matrix, shift]).astype(numpy.float32)
    noisy = numpy.maximum(grey + rng.normal(0, 1.5, grey.shape), 0)
    return crop_planes(noisy, affine=affine, gain=float(numpy.exp(rng.normal(0, GAIN_SPREAD))))
