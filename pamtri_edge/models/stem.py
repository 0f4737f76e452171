# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The first convolution of re-identification, applied without ever building the stack.

A stride-2 convolution of concatenated channels is the sum of three: over RGB, over what comes at full
resolution, and over what comes coarser and is enlarged by an even factor. Enlarging and convolving are both
linear, so for the last group they are one small convolution at the coarse resolution, computed here from the
weights: with a 7x7 kernel and an enlargement by 4 a quarter of the multiplications, and no enlarged channels
in memory. It is exact, borders included.

How, for that case. Output row o = 2q + r (r is 0 or 1) reads the picture rows 4q + 2r - 3 ... 4q + 2r + 3,
and those lie between the cells q - 2 ... q + 1: so r = 0 and r = 1 (and the same for columns) give a 4x4
convolution with four times the output channels, which are then interleaved. Bilinear enlargement repeats the
border cell, so the cells are padded by repeating the border; but the convolution expects zeros outside the
picture. What the repeated border contributes there is subtracted in the outermost cells: along each side by a
convolution of that side alone. With an enlargement by 2 there is one output row a cell, and nothing to
interleave.

Maps and segments enter as they are, from 0 to 1; that the network learned them normalized is in the weights
and the bias. A blank map then is 0 and adds nothing. Normalized it is -1.99 in nearly every pixel of every
channel: large sums that the bias takes back, and that in half precision leave their rounding errors behind
(least cosine of the trained `lite` embedding on real crops 0.9996, against 0.99998 as it is here).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor, nn
from torch.nn import functional

from pamtri_edge.geometry import EXTRA_MEAN, EXTRA_STD, HEATMAP_SIZE, IMAGE_SIZE
from pamtri_edge.models.efficientnet import SameConvolution

_STRIDE = 2


def rewritable(convolution: nn.Conv2d, factor: float) -> bool:
    """Tell whether a stem's convolution of maps enlarged by a factor can be one of the maps themselves.

    The factor must be even, and no output row but those of the outermost cells may reach outside the picture.
    """
    if factor % _STRIDE:
        return False
    rows = _Rows(convolution.kernel_size[0], _around(convolution), int(factor))
    return max(rows.around) <= factor


class FusedStem(nn.Module):
    """Convolution and normalization of [RGB | coarse, enlarged | fine], of its parts.

    The convolution takes all channels normalized; here only RGB comes so.

    Built from the weights as they are at that time; it does not follow when they change.

    Args:
        convolution: the stride-2 convolution without bias over 3 + coarse + fine channels.
        norm: the batch normalization behind it, in eval mode.
        coarse: how many channels after RGB come as (64, 64) maps.
        fine: how many channels after these come as maps of the picture's size.
        factor: how many times larger the picture is than the coarse maps; see `rewritable`.
    """

    rgb: Tensor
    bias: Tensor
    fine: Tensor | None

    def __init__(
        self,
        convolution: nn.Conv2d,
        norm: nn.BatchNorm2d,
        *,
        coarse: int,
        fine: int,
        factor: int = IMAGE_SIZE // HEATMAP_SIZE,
    ) -> None:
        super().__init__()
        weight, bias = _fold(convolution, norm)
        rgb, extra = weight[:, :3], weight[:, 3:] / EXTRA_STD
        bias = bias - EXTRA_MEAN * extra.sum(dim=(1, 2, 3))
        kind = convolution.weight.dtype
        around = _around(convolution)
        self.around = around * 2
        self.register_buffer("rgb", rgb.to(kind))
        self.register_buffer("bias", bias.to(kind))
        self.register_buffer("fine", extra[:, coarse:].to(kind) if fine else None)
        self.coarse = (
            EnlargedConvolution(extra[:, :coarse].to(kind), factor=factor, around=around, outside=EXTRA_MEAN)
            if coarse
            else None
        )

    def forward(self, rgb: Tensor, coarse: Tensor | None, fine: Tensor | None) -> Tensor:
        """Return (N, stem, S / 2, S / 2): the convolution of the whole stack, normalized.

        Args:
            rgb: (N, 3, S, S) normalized.
            coarse: (N, coarse, S / factor, S / factor) of 0..1, or None.
            fine: (N, fine, S, S) of 0..1, or None.
        """
        before, after = self.around[:2]
        if before == after:
            out = functional.conv2d(rgb, self.rgb, self.bias, stride=_STRIDE, padding=before)
        else:
            out = functional.conv2d(functional.pad(rgb, self.around), self.rgb, self.bias, stride=_STRIDE)
        if fine is not None and self.fine is not None:
            # Outside the picture the convolution knows zeros, and a normalized zero is the mean.
            framed = functional.pad(fine, self.around, value=EXTRA_MEAN)
            out = out + functional.conv2d(framed, self.fine, stride=_STRIDE)
        if coarse is not None and self.coarse is not None:
            out = out + self.coarse(coarse)
        return out


class EnlargedConvolution(nn.Module):
    """Bilinear enlargement of (64, 64), then a stride-2 convolution, as one.

    Args:
        weight: (S, K, kernel, kernel) of the convolution.
        factor: of the enlargement: 2, 4, ...
        around: rows of zeros that the convolution adds before and behind.
        outside: what the convolution finds outside the picture.
    """

    inner: Tensor
    left: Tensor | None
    right: Tensor | None
    top: Tensor | None
    bottom: Tensor | None
    marks: Tensor

    def __init__(
        self,
        weight: Tensor,
        *,
        factor: int = IMAGE_SIZE // HEATMAP_SIZE,
        around: tuple[int, int] = (3, 3),
        outside: float = 0.0,
    ) -> None:
        super().__init__()
        self.outside = outside
        self._rows = rows = _Rows(weight.shape[-1], around, factor)
        exact = weight.to(torch.float64)
        inner = rows.sampling.to(exact.device)
        sides = [side.to(exact.device) for side in rows.outside]
        ends = (inner, *map(rows.centered, sides))
        for names, side in zip((("left", "top"), ("right", "bottom")), sides, strict=True):
            across, along = None, None
            if side.any():
                across = _combine(exact, inner, side)
                along = torch.cat([_combine(exact, side, end) for end in ends], dim=1)
            self.register_buffer(names[0], across)
            self.register_buffer(names[1], along)
        self.register_buffer("inner", _combine(exact, inner, inner))
        marks = torch.zeros(3, rows.before + HEATMAP_SIZE + rows.after)
        marks[0], marks[1, rows.before], marks[2, -rows.after - 1] = 1.0, 1.0, 1.0
        self.register_buffer("marks", marks.view(1, 3, 1, 1, -1))
        for name, buffer in self.named_buffers():
            setattr(self, name, buffer.to(weight.dtype))

    def forward(self, cells: Tensor) -> Tensor:
        """Map (N, K, 64, 64) to (N, S, 32 * factor, 32 * factor)."""
        before, after = self._rows.before, self._rows.after
        first, last = slice(before, before + 1), slice(-after - 1, -after)
        padded = functional.pad(cells, (before, after, before, after), mode="replicate")
        out = functional.conv2d(padded, self.inner)
        if self.top is not None:
            top = functional.conv2d(self._marked(padded[:, :, first]), self.top)
            out = torch.cat([out[:, :, :1] + top, out[:, :, 1:]], dim=2)
        if self.bottom is not None:
            bottom = functional.conv2d(self._marked(padded[:, :, last]), self.bottom)
            out = torch.cat([out[:, :, :-1], out[:, :, -1:] + bottom], dim=2)
        if self.left is not None:
            left = functional.conv2d(padded[..., first] - self.outside, self.left)
            out = torch.cat([out[..., :1] + left, out[..., 1:]], dim=3)
        if self.right is not None:
            right = functional.conv2d(padded[..., last] - self.outside, self.right)
            out = torch.cat([out[..., :-1], out[..., -1:] + right], dim=3)
        return functional.pixel_shuffle(out, self._rows.phases) if self._rows.phases > 1 else out

    def _marked(self, row: Tensor) -> Tensor:
        """Return a row (N, K, 1, W) and behind it its first and its last cell alone: (N, 3K, 1, W).

        The corners are subtracted with the upper and with the left side, so once too often; the single
        cells let the convolution of the upper side add them again.
        """
        return ((row - self.outside).unsqueeze(1) * self.marks).flatten(1, 2)


@dataclass(frozen=True)
class _Rows:
    """How the output rows of one cell depend on cells; the same holds for columns.

    Attributes:
        kernel: side of the convolution.
        around: rows of zeros that it adds before and behind.
        factor: of the enlargement.
    """

    kernel: int
    around: tuple[int, int]
    factor: int

    @property
    def phases(self) -> int:
        """Output rows of a cell."""
        return self.factor // _STRIDE

    @cached_property
    def reach(self) -> range:
        """Cells that an output row of cell q may depend on, relative to q."""
        places = [self._place(row, tap) for row in range(self.phases) for tap in range(self.kernel)]
        return range(math.floor(min(places)), math.floor(max(places)) + 2)

    @property
    def before(self) -> int:
        """Cells in front of the first that its output rows ask for."""
        return -self.reach.start

    @property
    def after(self) -> int:
        """Cells behind the last that its output rows ask for."""
        return self.reach.stop - 1

    @property
    def sampling(self) -> Tensor:
        """(phases, kernel, cells): the weight of each cell of `reach` in each tap, borders aside."""
        weights = torch.zeros(self.phases, self.kernel, len(self.reach), dtype=torch.float64)
        for row in range(self.phases):
            for tap in range(self.kernel):
                for index, cell in enumerate(self.reach):
                    weights[row, tap, index] = max(0.0, 1.0 - abs(self._place(row, tap) - cell))
        return weights

    @property
    def outside(self) -> tuple[Tensor, Tensor]:
        """(phases, kernel, 1) twice: -1 where a tap of the first, the last cell lies outside the picture."""
        pixels = [[self._pixel(row, tap) for tap in range(self.kernel)] for row in range(self.phases)]
        inside = torch.tensor(pixels).unsqueeze(2)
        return -(inside < 0).double(), -(inside >= self.factor).double()

    def centered(self, single: Tensor) -> Tensor:
        """Return (phases, kernel, 1) weights of the cell itself as weights over the whole reach."""
        weights = single.new_zeros(*single.shape[:2], len(self.reach))
        weights[..., self.before] = single[..., 0]
        return weights

    def _pixel(self, row: int, tap: int) -> int:
        """Return which row of the picture a tap reads, counted from the first of the cell."""
        return _STRIDE * row + tap - self.around[0]

    def _place(self, row: int, tap: int) -> float:
        """Return the same in cells, relative to the cell's middle."""
        return (self._pixel(row, tap) + 0.5) / self.factor - 0.5


def _around(convolution: nn.Conv2d) -> tuple[int, int]:
    """Return the rows of zeros that a convolution adds before and behind."""
    if isinstance(convolution, SameConvolution):
        return convolution.around
    padding = convolution.padding
    assert isinstance(padding, tuple)
    return padding[0], padding[0]


def _fold(convolution: nn.Conv2d, norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Return weight and bias (S,) of a convolution with its batch normalization, as float64."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    with torch.no_grad():
        scale = norm.weight.double() / torch.sqrt(norm.running_var.double() + norm.eps)
        weight = convolution.weight.double() * scale.view(-1, 1, 1, 1)
        return weight, norm.bias.double() - norm.running_mean.double() * scale


def _combine(weight: Tensor, down: Tensor, across: Tensor) -> Tensor:
    """Return (S * phases**2, K, rows, columns): taps summed into cells, in `pixel_shuffle`'s order.

    Args:
        weight: (S, K, kernel, kernel) of the convolution.
        down: (phases, kernel, rows) weights of the cells in the taps, for each output row of a cell.
        across: (phases, kernel, columns), the same for columns.
    """
    cells = torch.einsum("okyx,pyd,qxe->opqkde", weight, down, across)
    return cells.flatten(0, 2)
