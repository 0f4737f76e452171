# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Shapes, types and places: what moves or views elements without computing on them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from pamtri_edge.runtime.torch.nodes.node import Build, Compute, Node, UnsupportedError, plain, together

TYPES: Final[Mapping[int, torch.dtype]] = {
    1: torch.float32,
    2: torch.uint8,
    3: torch.int8,
    6: torch.int32,
    7: torch.int64,
    9: torch.bool,
    10: torch.float16,
}
"""Element types by their number in ONNX's `TensorProto.DataType`."""


def _cast(node: Node) -> Compute:
    dtype = TYPES[node.expect("to", None, *TYPES)]
    return lambda x: x.to(dtype)


def _concat(node: Node) -> Compute:
    axis = int(node.get("axis", 0))
    return lambda *tensors: torch.cat(together(*tensors), dim=axis)


def _constant(node: Node) -> Compute:
    for name, value in node.attributes.items():
        if name == "value":
            tensor: Tensor = value
        elif name in ("value_float", "value_floats"):
            tensor = torch.tensor(value, dtype=torch.float32)
        elif name in ("value_int", "value_ints"):
            tensor = torch.tensor(value, dtype=torch.int64)
        else:
            continue
        return lambda: tensor
    raise UnsupportedError(f"Constant with {', '.join(node.attributes) or 'nothing'}")


def _constant_of_shape(node: Node) -> Compute:
    value = node.get("value", torch.zeros(1))
    shape_of = node.integers(0)
    return lambda shape: value.flatten()[0].expand(shape_of(shape) or []).clone()


def _depth_to_space(node: Node) -> Compute:
    size, mode = int(node.get("blocksize")), node.expect("mode", "DCR", "DCR", "CRD")

    def rearrange(x: Tensor) -> Tensor:
        if mode == "CRD":
            return functional.pixel_shuffle(x, size)
        count, channels, height, width = x.shape
        blocks = x.reshape(count, size, size, channels // size**2, height, width)
        return blocks.permute(0, 3, 4, 1, 5, 2).reshape(
            count, channels // size**2, height * size, width * size
        )

    return rearrange


def _expand(node: Node) -> Compute:
    shape_of = node.integers(1)

    def expand(x: Tensor, shape: Tensor) -> Tensor:
        # Both ways: a size of 1 in `shape` keeps the tensor's own.
        wanted = shape_of(shape) or []
        sizes = [1] * (len(wanted) - x.ndim) + list(x.shape)
        wanted = [1] * (x.ndim - len(wanted)) + wanted
        return x.expand([own if size == 1 else size for own, size in zip(sizes, wanted, strict=True)])

    return expand


def _flatten(node: Node) -> Compute:
    axis = int(node.get("axis", 1))

    def flatten(x: Tensor) -> Tensor:
        split = axis if axis >= 0 else axis + x.ndim
        return x.reshape(math.prod(x.shape[:split]), math.prod(x.shape[split:]))

    return flatten


def _gather(node: Node) -> Compute:
    axis = int(node.get("axis", 0))

    def gather(x: Tensor, indices: Tensor) -> Tensor:
        along = axis if axis >= 0 else axis + x.ndim
        flat = indices.to(x.device).flatten()
        flat = torch.where(flat < 0, flat + x.shape[along], flat)
        shape = (*x.shape[:along], *indices.shape, *x.shape[along + 1 :])
        return x.index_select(along, flat).reshape(shape)

    return gather


def _gather_elements(node: Node) -> Compute:
    axis = int(node.get("axis", 0))

    def gather(x: Tensor, indices: Tensor) -> Tensor:
        indices = indices.to(device=x.device, dtype=torch.int64)
        return torch.gather(x, axis, torch.where(indices < 0, indices + x.shape[axis], indices))

    return gather


def _gather_nd(node: Node) -> Compute:
    node.expect("batch_dims", 0, 0)
    return lambda x, indices: x[tuple(indices.to(device=x.device, dtype=torch.int64).unbind(-1))]


def _grid_sample(node: Node) -> Compute:
    mode = node.expect("mode", "linear", "linear", "bilinear", "nearest")
    options = {
        "mode": "nearest" if mode == "nearest" else "bilinear",
        "padding_mode": node.get("padding_mode", "zeros"),
        "align_corners": bool(node.get("align_corners", 0)),
    }
    return lambda x, grid: functional.grid_sample(x, grid, **options)


def _pad(node: Node) -> Compute:
    mode = {"constant": "constant", "reflect": "reflect", "edge": "replicate"}[
        node.expect("mode", "constant", "constant", "reflect", "edge")
    ]
    pads_of, value_of, axes_of = node.integers(1), node.floats(2), node.integers(3)

    def pad(x: Tensor, pads: Tensor, value: Tensor | None = None, axes: Tensor | None = None) -> Tensor:
        given, over = pads_of(pads) or [], axes_of(axes) or list(range(x.ndim))
        sides = [(0, 0)] * x.ndim
        for place, axis in enumerate(over):
            sides[axis] = (given[place], given[place + len(over)])
        turned = [side for pair in reversed(sides) for side in pair]
        if mode == "constant":
            return functional.pad(x, turned, value=(value_of(value) or [0.0])[0])
        while len(turned) > 2 and turned[-2:] == [0, 0]:  # these modes pad the last axes alone
            turned = turned[:-2]
        return functional.pad(x, turned, mode=mode)

    return pad


def _range(start: Tensor, limit: Tensor, delta: Tensor) -> Tensor:
    return torch.arange(start.item(), limit.item(), delta.item(), dtype=start.dtype)


def _reshape(node: Node) -> Compute:
    shape_of, literal = node.integers(1), bool(node.get("allowzero", 0))

    def reshape(x: Tensor, shape: Tensor) -> Tensor:
        wanted = shape_of(shape) or []
        if not literal:
            wanted = [x.shape[at] if size == 0 else size for at, size in enumerate(wanted)]
        return x.reshape(wanted)

    return reshape


def _shape(node: Node) -> Compute:
    start, end = int(node.get("start", 0)), node.get("end")
    return lambda x: torch.tensor(list(x.shape)[start:end], dtype=torch.int64)


def _slice(node: Node) -> Compute:
    starts_of, ends_of, axes_of, steps_of = (node.integers(index) for index in range(1, 5))

    def slice_(
        x: Tensor, starts: Tensor, ends: Tensor, axes: Tensor | None = None, steps: Tensor | None = None
    ) -> Tensor:
        first, last = starts_of(starts) or [], ends_of(ends) or []
        over = axes_of(axes) or list(range(len(first)))
        stride = steps_of(steps) or [1] * len(first)
        for start, end, axis, step in zip(first, last, over, stride, strict=True):
            chosen = range(x.shape[axis])[start:end:step]
            if step > 0:
                x = x[(slice(None),) * (axis % x.ndim) + (slice(start, end, step),)]
            else:
                x = x.index_select(axis, torch.tensor(chosen, dtype=torch.int64, device=x.device))
        return x

    return slice_


def _split(node: Node) -> Compute:
    axis, sizes_of, count = int(node.get("axis", 0)), node.integers(1), node.outputs

    def split(x: Tensor, sizes: Tensor | None = None) -> Sequence[Tensor]:
        given = sizes_of(sizes)
        if given is None:
            each = -(-x.shape[axis] // count)  # rounded up: the last piece may be smaller
            given = [each] * (count - 1) + [x.shape[axis] - each * (count - 1)]
        return torch.split(x, given, dim=axis)

    return split


def _squeeze(node: Node) -> Compute:
    axes_of = node.integers(1)

    def squeeze(x: Tensor, axes: Tensor | None = None) -> Tensor:
        over = axes_of(axes)
        return x.squeeze() if over is None else x.squeeze(tuple(over))

    return squeeze


def _tile(node: Node) -> Compute:
    repeats_of = node.integers(1)
    return lambda x, repeats: x.repeat(repeats_of(repeats) or [])


def _transpose(node: Node) -> Compute:
    order = node.get("perm")
    return lambda x: x.permute(order if order is not None else tuple(reversed(range(x.ndim))))


def _unsqueeze(node: Node) -> Compute:
    axes_of = node.integers(1)

    def unsqueeze(x: Tensor, axes: Tensor) -> Tensor:
        over = axes_of(axes) or []
        rank = x.ndim + len(over)
        for axis in sorted(axis % rank for axis in over):
            x = x.unsqueeze(axis)
        return x

    return unsqueeze


def _same(x: Tensor) -> Tensor:
    return x


OPERATORS: Final[Mapping[str, Build]] = {
    "Cast": _cast,
    "Concat": _concat,
    "Constant": _constant,
    "ConstantOfShape": _constant_of_shape,
    "DepthToSpace": _depth_to_space,
    "Expand": _expand,
    "Flatten": _flatten,
    "Gather": _gather,
    "GatherElements": _gather_elements,
    "GatherND": _gather_nd,
    "GridSample": _grid_sample,
    "Identity": plain(_same),
    "Pad": _pad,
    "Range": plain(_range),
    "Reshape": _reshape,
    "Shape": _shape,
    "Slice": _slice,
    "Split": _split,
    "Squeeze": _squeeze,
    "Tile": _tile,
    "Transpose": _transpose,
    "Unsqueeze": _unsqueeze,
}
