"""The shape of our networks, and how they become an ONNX file; needs torch, used by training only.

One small residual U-Net serves nuclei and chamber cells. It works at half resolution from its
first layer (a 4 x 4 convolution with stride 2) and gives full-resolution maps by pixel shuffle,
because speed on a CPU is set by the work at the finest level. Widths are multiples of 16 so that
the vector units are full.
"""

from pathlib import Path
from typing import Any

import numpy
import torch
from numpy.typing import NDArray
from torch import nn


class _Block(nn.Module):
    """Two 3 x 3 convolutions around a shortcut."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = convolution(width, width)
        self.second = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(x + self.second(self.first(x)))


def convolution(before: int, after: int, *, size: int = 3, stride: int = 1) -> nn.Sequential:
    """Give a convolution with its normalisation and rectifier."""
    return nn.Sequential(
        nn.Conv2d(before, after, size, stride=stride, padding=(size - 1) // 2, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(inplace=True),
    )


class SmallUNet(nn.Module):
    """A residual U-Net at half resolution.

    Args:
        channels: Input channels.
        maps: Output maps at full resolution (given by pixel shuffle).
        coarse_maps: Output maps at half resolution.
        widths: Channels at 1/2, 1/4, 1/8 and 1/16 of the resolution.
    """

    def __init__(
        self,
        *,
        channels: int = 2,
        maps: int = 2,
        coarse_maps: int = 2,
        widths: tuple[int, int, int, int] = (16, 32, 64, 64),
    ) -> None:
        super().__init__()
        self.maps, self.coarse_maps = maps, coarse_maps
        fine, middle, coarse, deep = widths
        self.stem = convolution(channels, fine, size=4, stride=2)
        self.at_2 = convolution(fine, fine)
        self.to_4 = convolution(fine, middle, stride=2)
        self.at_4 = convolution(middle, middle)
        self.to_8 = convolution(middle, coarse, stride=2)
        self.at_8 = _Block(coarse)
        self.to_16 = convolution(coarse, deep, stride=2)
        self.at_16 = _Block(deep)
        self.up_8 = nn.Conv2d(deep, coarse, 1)
        self.back_8 = convolution(coarse, coarse)
        self.up_4 = nn.Conv2d(coarse, middle, 1)
        self.back_4 = convolution(middle, middle)
        self.up_2 = nn.Conv2d(middle, fine, 1)
        self.back_2 = nn.Sequential(convolution(fine, fine), convolution(fine, fine))
        self.head = nn.Conv2d(fine, 4 * maps + coarse_maps, 1)
        self.grow = nn.Upsample(scale_factor=2, mode="nearest")

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Give the full-resolution maps and the half-resolution maps, both as logits."""
        a = self.at_2(self.stem(x))
        b = self.at_4(self.to_4(a))
        c = self.at_8(self.to_8(b))
        d = self.at_16(self.to_16(c))
        c = self.back_8(c + self.grow(self.up_8(d)))
        b = self.back_4(b + self.grow(self.up_4(c)))
        a = self.back_2(a + self.grow(self.up_2(b)))
        y = self.head(a)
        return torch.pixel_shuffle(y[:, : 4 * self.maps], 2), y[:, 4 * self.maps :]


def export(
    network: nn.Module, file: Path, *, channels: int, outputs: tuple[str, ...], side: int = 128
) -> int:
    """Write the network as ONNX with half-precision weights and give its size in bytes.

    With a side of 128 the height and width stay free; any other side is fixed.

    Weights are kept as float16 behind a cast, which the runtime folds away when it loads: the
    file is half the size and the arithmetic stays float32.
    """
    import onnx

    network.eval()
    example = torch.zeros(1, channels, side, side)
    free = {0: "n", 2: "y", 3: "x"}
    given = {name: free if side == 128 else {0: "n"} for name in outputs}
    torch.onnx.export(
        network,
        (example,),
        str(file),
        input_names=["image"],
        output_names=list(outputs),
        dynamic_axes={"image": free if side == 128 else {0: "n"}} | given,
        opset_version=17,
        dynamo=False,
    )
    model = onnx.load(str(file))
    _halve(model)
    onnx.checker.check_model(model)
    onnx.save(model, str(file))
    return file.stat().st_size


def _halve(model: Any) -> None:
    from onnx import TensorProto, helper, numpy_helper

    casts = []
    for index, weight in enumerate(model.graph.initializer):
        values = numpy_helper.to_array(weight)
        if values.dtype != numpy.float32 or values.size < 64:
            continue
        short = numpy_helper.from_array(values.astype(numpy.float16), weight.name + "_half")
        casts.append(helper.make_node("Cast", [short.name], [weight.name], to=TensorProto.FLOAT))
        model.graph.initializer[index].CopyFrom(short)
    for cast in reversed(casts):
        model.graph.node.insert(0, cast)


def quantise(file: Path, shown: list[NDArray[numpy.float32]]) -> int:
    """Turn a network of convolutions into one of 8-bit integers and give its size in bytes.

    Weights keep 7 bits, so that processors without the newer instructions do not overflow and
    give the same numbers. The first and the last convolution stay as they are: the grey of the
    field and the logits need their steps.

    Args:
        file: The ONNX file, replaced.
        shown: Inputs of the network, shape (1, channel, y, x), that set the ranges.
    """
    import onnx
    from onnxruntime.quantization import (
        CalibrationDataReader,
        CalibrationMethod,
        QuantFormat,
        QuantType,
        quantize_static,
    )
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Shown(CalibrationDataReader):  # type: ignore[misc]  # the package is not typed
        def __init__(self) -> None:
            self._left = iter(shown)

        def get_next(self) -> dict[str, Any] | None:
            one = next(self._left, None)
            return None if one is None else {"image": one}

    plain = file.with_suffix(".plain.onnx")
    quant_pre_process(str(file), str(plain), skip_symbolic_shape=True)
    nodes = [one.name for one in onnx.load(str(plain)).graph.node if one.op_type == "Conv"]
    quantize_static(
        str(plain),
        str(file),
        Shown(),
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        reduce_range=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        calibrate_method=CalibrationMethod.MinMax,
        nodes_to_exclude=[nodes[0], nodes[-1]],
    )
    plain.unlink()
    return file.stat().st_size
