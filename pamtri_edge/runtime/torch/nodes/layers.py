# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The layers of the networks: convolution, products, normalization, pooling, resizing."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import torch
from torch import Tensor
from torch.nn import functional

from pamtri_edge.runtime.torch.nodes.node import Build, Compute, Node, UnsupportedError, plain


def _conv(node: Node) -> Compute:
    before, options = _convolving(node)

    def conv(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        if before is not None:
            x = functional.pad(x, before)
        return functional.conv2d(x, weight, bias, **options)

    return conv


def _conv_transpose(node: Node) -> Compute:
    node.expect("output_shape", None, None)
    before, options = _convolving(node)
    if before is not None:
        raise UnsupportedError("ConvTranspose with uneven pads")
    options["output_padding"] = tuple(node.get("output_padding") or (0, 0))
    return lambda x, weight, bias=None: functional.conv_transpose2d(x, weight, bias, **options)


def _einsum(node: Node) -> Compute:
    equation = str(node.get("equation"))
    return lambda *tensors: torch.einsum(equation, *tensors)


def _gemm(node: Node) -> Compute:
    alpha, beta = float(node.get("alpha", 1.0)), float(node.get("beta", 1.0))
    turn_a, turn_b = bool(node.get("transA", 0)), bool(node.get("transB", 0))

    def gemm(a: Tensor, b: Tensor, c: Tensor | None = None) -> Tensor:
        a, b = a.t() if turn_a else a, b.t() if turn_b else b
        if c is None:
            return alpha * (a @ b)
        return torch.addmm(c, a, b, alpha=alpha, beta=beta)

    return gemm


def _batch_normalization(node: Node) -> Compute:
    node.expect("training_mode", 0, 0)
    epsilon = float(node.get("epsilon", 1e-5))
    return lambda x, scale, shift, mean, variance: functional.batch_norm(
        x, mean, variance, scale, shift, eps=epsilon
    )


def _instance_normalization(node: Node) -> Compute:
    epsilon = float(node.get("epsilon", 1e-5))
    return lambda x, scale, shift: functional.instance_norm(x, weight=scale, bias=shift, eps=epsilon)


def _layer_normalization(node: Node) -> Compute:
    if node.outputs > 1:
        raise UnsupportedError("LayerNormalization with mean and deviation as outputs")
    node.expect("stash_type", 1, 1)
    axis, epsilon = int(node.get("axis", -1)), float(node.get("epsilon", 1e-5))

    def normalize(x: Tensor, scale: Tensor, shift: Tensor | None = None) -> Tensor:
        shape = x.shape[axis:]
        return functional.layer_norm(
            x, shape, scale.expand(shape), None if shift is None else shift.expand(shape), epsilon
        )

    return normalize


def _lp_normalization(node: Node) -> Compute:
    axis, power = int(node.get("axis", -1)), int(node.get("p", 2))
    return lambda x: x / torch.linalg.vector_norm(x, ord=power, dim=axis, keepdim=True)


def _average_pool(node: Node) -> Compute:
    up = bool(node.expect("ceil_mode", 0, 0, 1))
    _no_dilation(node)
    before, padding = _padding(node)
    counted = bool(node.get("count_include_pad", 0))
    if up and counted:
        raise UnsupportedError("AveragePool with ceil_mode=1 and pads that are counted")
    kernel, stride = _pair(node, "kernel_shape"), _pair(node, "strides")

    def pool(x: Tensor) -> Tensor:
        padded = x if before is None else functional.pad(x, before)
        mean = functional.avg_pool2d(padded, kernel, stride, padding, up, counted)
        if before is None or counted:
            return mean
        inside = functional.pad(torch.ones_like(x[:1, :1]), before)
        return mean / functional.avg_pool2d(inside, kernel, stride, padding, up)

    return pool


def _max_pool(node: Node) -> Compute:
    if node.outputs > 1:
        raise UnsupportedError("MaxPool with indices")
    up = bool(node.expect("ceil_mode", 0, 0, 1))
    _no_dilation(node)
    before, padding = _padding(node)
    kernel, stride = _pair(node, "kernel_shape"), _pair(node, "strides")

    def pool(x: Tensor) -> Tensor:
        x = x if before is None else functional.pad(x, before, value=-math.inf)
        return functional.max_pool2d(x, kernel, stride, padding, ceil_mode=up)

    return pool


def _global_average_pool(x: Tensor) -> Tensor:
    return x.mean(dim=tuple(range(2, x.ndim)), keepdim=True)


def _global_max_pool(x: Tensor) -> Tensor:
    return x.amax(dim=tuple(range(2, x.ndim)), keepdim=True)


def _resize(node: Node) -> Compute:
    mode = node.expect("mode", "nearest", "nearest", "linear")
    frame = node.get("coordinate_transformation_mode", "half_pixel")
    node.expect("antialias", 0, 0)
    node.expect("keep_aspect_ratio_policy", "stretch", "stretch")
    if node.get("axes") is not None:
        raise UnsupportedError("Resize with axes")
    corners = frame == "align_corners"
    if mode == "linear":
        if frame not in ("half_pixel", "pytorch_half_pixel", "align_corners"):
            raise UnsupportedError(f"linear Resize with coordinate_transformation_mode={frame!r}")
    else:
        node.expect("coordinate_transformation_mode", "half_pixel", "asymmetric")
        node.expect("nearest_mode", "round_prefer_floor", "floor")
    known_sizes, known_scales = node.integers(3), node.floats(2)

    def resize(
        x: Tensor, region: Tensor | None = None, scales: Tensor | None = None, sizes: Tensor | None = None
    ) -> Tensor:
        target = known_sizes(sizes)
        factors: list[float] | None = None
        if target is None:
            factors = known_scales(scales) or []
            # torch takes the factors for the coordinates, as ONNX does, and rounds the size down too.
            target = [math.floor(size * factor) for size, factor in zip(x.shape, factors, strict=True)]
        if x.ndim != 4 or tuple(target[:2]) != tuple(x.shape[:2]):
            raise UnsupportedError(f"Resize of {tuple(x.shape)} to {tuple(target)}: only height and width")
        if factors is None:
            options: dict[str, Any] = {"size": target[2:]}
        else:
            options = {"scale_factor": factors[2:], "recompute_scale_factor": False}
        if mode == "linear":
            return functional.interpolate(x, mode="bilinear", align_corners=corners, **options)
        return functional.interpolate(x, mode="nearest", **options)

    return resize


def _pair(node: Node, name: str) -> tuple[int, int]:
    values = node.get(name)
    if values is None:
        return (1, 1)
    if len(values) != 2:
        raise UnsupportedError(f"{node.operator} in {len(values)} dimensions")
    return int(values[0]), int(values[1])


def _convolving(node: Node) -> tuple[list[int] | None, dict[str, Any]]:
    """Return what `_padding` says of uneven pads, and the options that both kinds of convolution have."""
    before, padding = _padding(node)
    return before, {
        "stride": _pair(node, "strides"),
        "dilation": _pair(node, "dilations"),
        "groups": int(node.get("group", 1)),
        "padding": padding,
    }


def _padding(node: Node) -> tuple[list[int] | None, tuple[int, int]]:
    """Return uneven pads as `functional.pad` takes them (else None), and even ones as layers take them."""
    node.expect("auto_pad", "NOTSET", "NOTSET", "VALID")
    pads: Sequence[int] = node.get("pads") or (0, 0, 0, 0)
    if len(pads) != 4:
        raise UnsupportedError(f"{node.operator} in {len(pads) // 2} dimensions")
    top, left, bottom, right = pads
    if (top, left) == (bottom, right):
        return None, (top, left)
    return [left, right, top, bottom], (0, 0)


def _no_dilation(node: Node) -> None:
    if any(value != 1 for value in node.get("dilations") or ()):
        raise UnsupportedError(f"{node.operator} with dilations {node.get('dilations')}")


_MATMUL: Callable[..., Tensor] = torch.matmul

OPERATORS: Final[Mapping[str, Build]] = {
    "AveragePool": _average_pool,
    "BatchNormalization": _batch_normalization,
    "Conv": _conv,
    "ConvTranspose": _conv_transpose,
    "Einsum": _einsum,
    "Gemm": _gemm,
    "GlobalAveragePool": plain(_global_average_pool),
    "GlobalMaxPool": plain(_global_max_pool),
    "InstanceNormalization": _instance_normalization,
    "LayerNormalization": _layer_normalization,
    "LpNormalization": _lp_normalization,
    "MatMul": plain(_MATMUL),
    "MaxPool": _max_pool,
    "Resize": _resize,
}
