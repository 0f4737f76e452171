# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Quantization as the file spells it: numbers are rounded to integers and back, in floating point between."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import torch
from torch import Tensor

from pamtri_edge.runtime.torch.nodes.node import Build, Compute, Node, UnsupportedError


def _quantize(node: Node) -> Compute:
    axis = int(node.get("axis", 1))

    def quantize(x: Tensor, scale: Tensor, zero: Tensor | None = None) -> Tensor:
        dtype = torch.uint8 if zero is None else zero.dtype
        if dtype not in (torch.int8, torch.uint8):
            raise UnsupportedError(f"QuantizeLinear to {dtype}")
        limits = torch.iinfo(dtype)
        level = torch.round(x / _along(scale, x, axis))  # half to even, as ONNX has it
        if zero is not None:
            level = level + _along(zero, x, axis).to(level.dtype)
        return level.clamp(limits.min, limits.max).to(dtype)

    return quantize


def _dequantize(node: Node) -> Compute:
    axis = int(node.get("axis", 1))

    def dequantize(x: Tensor, scale: Tensor, zero: Tensor | None = None) -> Tensor:
        level = x.to(torch.int32)
        if zero is not None:
            level = level - _along(zero, x, axis).to(torch.int32)
        return level.to(scale.dtype) * _along(scale, x, axis)

    return dequantize


def _along(values: Tensor, x: Tensor, axis: int) -> Tensor:
    """Shape one value, or one a channel, so that it broadcasts against `x`."""
    if values.numel() == 1:
        return values.reshape([1] * x.ndim)
    if values.ndim != 1:
        raise UnsupportedError("quantization in blocks")
    shape = [1] * x.ndim
    shape[axis] = -1
    return values.reshape(shape)


OPERATORS: Final[Mapping[str, Build]] = {"DequantizeLinear": _dequantize, "QuantizeLinear": _quantize}
