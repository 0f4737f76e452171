# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The first convolution of re-identification, applied without ever building the stack.

A 7x7 stride-2 convolution of concatenated channels is the sum of three: over RGB, over what comes at full
resolution, and over what comes at a quarter of it and is enlarged by 4. Enlarging and convolving are both
linear, so for the last group they are one small convolution at the quarter resolution, computed here from the
weights: a quarter of the multiplications, and no enlarged channels in memory. It is exact, borders included.

How. Output row o = 2q + r (r is 0 or 1) reads the picture rows 4q + 2r - 3 ... 4q + 2r + 3, and those lie
between the cells q - 2 ... q + 1: so r = 0 and r = 1 (and likewise for columns) give a 4x4 convolution
with four times the output channels, which are then interleaved. Bilinear enlargement repeats the border cell,
so the cells are padded by repeating the border; but the convolution expects zeros outside the picture. What
the repeated border contributes there is subtracted in the outermost cells: along each side by a convolution
of that side alone.

Maps and segments enter as they are, from 0 to 1; that the network learned them normalised is in the weights
and the bias. A blank map then is 0 and adds nothing. Normalised it is -1.99 in nearly every pixel of every
channel: large sums that the bias takes back, and that in half precision leave their rounding errors behind
(least cosine of the trained `lite` embedding on real crops 0.9996, against 0.99998 as it is here).
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from pamtri_edge.geometry import EXTRA_MEAN, EXTRA_STD, HEATMAP_SIZE, IMAGE_SIZE

_KERNEL: Final = 7
_PADDING: Final = 3
_FACTOR: Final = IMAGE_SIZE // HEATMAP_SIZE
_REACH: Final = (-2, -1, 0, 1)  # cells that an output row of cell q depends on, relative to q
_BEFORE, _AFTER = 2, 1  # the border cells that this reach asks for


class FusedStem(nn.Module):
    """Convolution and normalisation of [RGB | coarse enlarged by 4 | fine], of its parts.

    The convolution takes all channels normalised; here only RGB comes so.

    Built from the weights as they are at that time; it does not follow when they change.

    Args:
        convolution: the 7x7, stride 2, padding 3 convolution without bias over 3 + coarse + fine channels.
        norm: the batch normalisation behind it, in eval mode.
        coarse: how many channels after RGB come as (64, 64) maps.
        fine: how many channels after these come as (256, 256) maps.
    """

    rgb: Tensor
    bias: Tensor
    fine: Tensor | None

    def __init__(self, convolution: nn.Conv2d, norm: nn.BatchNorm2d, *, coarse: int, fine: int) -> None:
        super().__init__()
        weight, bias = _fold(convolution, norm)
        rgb, extra = weight[:, :3], weight[:, 3:] / EXTRA_STD
        bias = bias - EXTRA_MEAN * extra.sum(dim=(1, 2, 3))
        kind = convolution.weight.dtype
        self.register_buffer("rgb", rgb.to(kind))
        self.register_buffer("bias", bias.to(kind))
        self.register_buffer("fine", extra[:, coarse:].to(kind) if fine else None)
        self.coarse = EnlargedConvolution(extra[:, :coarse].to(kind), outside=EXTRA_MEAN) if coarse else None

    def forward(self, rgb: Tensor, coarse: Tensor | None, fine: Tensor | None) -> Tensor:
        """Return (N, S, 128, 128): the convolution of the whole stack, normalised.

        Args:
            rgb: (N, 3, 256, 256) normalised.
            coarse: (N, coarse, 64, 64) of 0..1, or None.
            fine: (N, fine, 256, 256) of 0..1, or None.
        """
        out = functional.conv2d(rgb, self.rgb, self.bias, stride=2, padding=_PADDING)
        if fine is not None and self.fine is not None:
            # Outside the picture the convolution knows zeros, and a normalised zero is the mean.
            framed = functional.pad(fine, (_PADDING,) * 4, value=EXTRA_MEAN)
            out = out + functional.conv2d(framed, self.fine, stride=2)
        if coarse is not None and self.coarse is not None:
            out = out + self.coarse(coarse)
        return out


class EnlargedConvolution(nn.Module):
    """Bilinear enlargement from (64, 64) to (256, 256), then a 7x7 stride-2 convolution, as one.

    Args:
        weight: (S, K, 7, 7) of the convolution.
        outside: what the convolution finds outside the picture.
    """

    inner: Tensor
    left: Tensor
    right: Tensor
    top: Tensor
    bottom: Tensor
    marks: Tensor

    def __init__(self, weight: Tensor, *, outside: float = 0.0) -> None:
        super().__init__()
        self.outside = outside
        exact = weight.to(torch.float64)
        inner = _sampling().to(exact.device)
        first, last = (side.to(exact.device) for side in _outside())
        self.register_buffer("inner", _combine(exact, inner, inner))
        self.register_buffer("left", _combine(exact, inner, first))
        self.register_buffer("right", _combine(exact, inner, last))
        ends = (inner, _centred(first), _centred(last))
        self.register_buffer("top", torch.cat([_combine(exact, first, end) for end in ends], dim=1))
        self.register_buffer("bottom", torch.cat([_combine(exact, last, end) for end in ends], dim=1))
        marks = torch.zeros(3, _BEFORE + HEATMAP_SIZE + _AFTER)
        marks[0], marks[1, _BEFORE], marks[2, -_AFTER - 1] = 1.0, 1.0, 1.0
        self.register_buffer("marks", marks.view(1, 3, 1, 1, -1))
        for name, buffer in self.named_buffers():
            setattr(self, name, buffer.to(weight.dtype))

    def forward(self, cells: Tensor) -> Tensor:
        """Map (N, K, 64, 64) to (N, S, 128, 128)."""
        padded = functional.pad(cells, (_BEFORE, _AFTER, _BEFORE, _AFTER), mode="replicate")
        out = functional.conv2d(padded, self.inner)
        top = functional.conv2d(self._marked(padded[:, :, _BEFORE : _BEFORE + 1]), self.top)
        bottom = functional.conv2d(self._marked(padded[:, :, -_AFTER - 1 : -_AFTER]), self.bottom)
        left = functional.conv2d(padded[..., _BEFORE : _BEFORE + 1] - self.outside, self.left)
        right = functional.conv2d(padded[..., -_AFTER - 1 : -_AFTER] - self.outside, self.right)
        out = torch.cat([out[:, :, :1] + top, out[:, :, 1:-1], out[:, :, -1:] + bottom], dim=2)
        out = torch.cat([out[..., :1] + left, out[..., 1:-1], out[..., -1:] + right], dim=3)
        return functional.pixel_shuffle(out, 2)

    def _marked(self, row: Tensor) -> Tensor:
        """Return a row (N, K, 1, 67) and behind it its first and its last cell alone: (N, 3K, 1, 67).

        The corners are subtracted with the upper and with the left side, so once too often; the single
        cells let the convolution of the upper side add them again.
        """
        return ((row - self.outside).unsqueeze(1) * self.marks).flatten(1, 2)


def _fold(convolution: nn.Conv2d, norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Return weight (S, K, 7, 7) and bias (S,) of a convolution with its batch normalisation, as float64."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    with torch.no_grad():
        scale = norm.weight.double() / torch.sqrt(norm.running_var.double() + norm.eps)
        weight = convolution.weight.double() * scale.view(-1, 1, 1, 1)
        return weight, norm.bias.double() - norm.running_mean.double() * scale


def _sampling() -> Tensor:
    """Return (2, 7, 4): the weight of cell q + _REACH[d] in tap k of output row 2q + r, borders aside."""
    weights = torch.zeros(2, _KERNEL, len(_REACH), dtype=torch.float64)
    for row in range(2):
        for tap in range(_KERNEL):
            place = (2 * row + tap - _PADDING + 0.5) / _FACTOR - 0.5  # in cells, relative to q
            for index, cell in enumerate(_REACH):
                weights[row, tap, index] = max(0.0, 1.0 - abs(place - cell))
    return weights


def _outside() -> tuple[Tensor, Tensor]:
    """Return (2, 7, 1) twice: -1 where a tap of the first, of the last cell lies outside the picture."""
    first = torch.zeros(2, _KERNEL, 1, dtype=torch.float64)
    last = torch.zeros(2, _KERNEL, 1, dtype=torch.float64)
    for row in range(2):
        for tap in range(_KERNEL):
            pixel = 2 * row + tap - _PADDING
            first[row, tap] = -1.0 if pixel < 0 else 0.0
            last[row, tap] = -1.0 if pixel >= _FACTOR else 0.0
    return first, last


def _centred(single: Tensor) -> Tensor:
    """Return (2, 7, 1) weights of the cell itself as (2, 7, 4) weights over the whole reach."""
    weights = torch.zeros(*single.shape[:2], len(_REACH), dtype=single.dtype, device=single.device)
    weights[..., _REACH.index(0)] = single[..., 0]
    return weights


def _combine(weight: Tensor, down: Tensor, across: Tensor) -> Tensor:
    """Return (4S, K, rows, columns): taps summed into cells, output channels in `pixel_shuffle`'s order.

    Args:
        weight: (S, K, 7, 7) of the convolution.
        down: (2, 7, rows) weights of the cells in the taps, for both output rows of a cell.
        across: (2, 7, columns) likewise for columns.
    """
    cells = torch.einsum("okyx,pyd,qxe->opqkde", weight, down, across)
    return cells.flatten(0, 2)
