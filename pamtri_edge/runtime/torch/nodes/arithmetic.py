# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Arithmetic, comparison and choice, element by element."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from pamtri_edge.runtime.torch.nodes.node import Build, Compute, Node, plain, together


def _paired(function: Callable[[Tensor, Tensor], Tensor]) -> Build:
    return lambda node: lambda a, b: function(*together(a, b))


def _variadic(function: Callable[[Tensor, Tensor], Tensor]) -> Build:
    return lambda node: lambda *tensors: functools.reduce(function, together(*tensors))


def _divide(a: Tensor, b: Tensor) -> Tensor:
    # Integers are divided as in C, towards zero.
    return torch.div(a, b) if a.is_floating_point() else torch.div(a, b, rounding_mode="trunc")


def _power(a: Tensor, b: Tensor) -> Tensor:
    return torch.pow(a, b).to(a.dtype)


def _mod(node: Node) -> Compute:
    function = torch.fmod if node.expect("fmod", 0, 0, 1) else torch.remainder
    return lambda a, b: function(*together(a, b))


def _clip(node: Node) -> Compute:
    def clip(x: Tensor, low: Tensor | None = None, high: Tensor | None = None) -> Tensor:
        if low is not None:
            x = torch.maximum(*together(x, low))
        if high is not None:
            x = torch.minimum(*together(x, high))
        return x

    return clip


def _where(condition: Tensor, a: Tensor, b: Tensor) -> Tensor:
    condition, a, b = together(condition, a, b)
    return torch.where(condition, a, b)


def _attributed(function: Callable[..., Tensor], name: str, default: float) -> Build:
    """Make an entry of a function whose second argument is an attribute of the node."""

    def build(node: Node) -> Compute:
        value = node.get(name, default)
        return lambda x: function(x, value)

    return build


def _hard_sigmoid(node: Node) -> Compute:
    alpha, beta = float(node.get("alpha", 0.2)), float(node.get("beta", 0.5))
    return lambda x: (x * alpha + beta).clamp(0.0, 1.0)


def _prelu(x: Tensor, slope: Tensor) -> Tensor:
    return torch.where(x < 0, x * slope, x)


OPERATORS: Final[Mapping[str, Build]] = {
    "Abs": plain(torch.abs),
    "Add": _paired(torch.add),
    "And": _paired(torch.logical_and),
    "Clip": _clip,
    "Cos": plain(torch.cos),
    "Div": _paired(_divide),
    "Elu": _attributed(functional.elu, "alpha", 1.0),
    "Equal": _paired(torch.eq),
    "Erf": plain(torch.erf),
    "Exp": plain(torch.exp),
    "Floor": plain(torch.floor),
    "Greater": _paired(torch.gt),
    "GreaterOrEqual": _paired(torch.ge),
    "HardSigmoid": _hard_sigmoid,
    "HardSwish": plain(functional.hardswish),
    "LeakyRelu": _attributed(functional.leaky_relu, "alpha", 0.01),
    "Less": _paired(torch.lt),
    "LessOrEqual": _paired(torch.le),
    "Log": plain(torch.log),
    "Max": _variadic(torch.maximum),
    "Min": _variadic(torch.minimum),
    "Mod": _mod,
    "Mul": _paired(torch.mul),
    "Neg": plain(torch.neg),
    "Not": plain(torch.logical_not),
    "Or": _paired(torch.logical_or),
    "PRelu": _paired(_prelu),
    "Pow": _paired(_power),
    "Reciprocal": plain(torch.reciprocal),
    "Relu": plain(torch.relu),
    "Round": plain(torch.round),  # half to even, as ONNX has it
    "Sigmoid": plain(torch.sigmoid),
    "Sign": plain(torch.sign),
    "Sin": plain(torch.sin),
    "Softmax": _attributed(functional.softmax, "axis", -1),
    "Softplus": plain(functional.softplus),
    "Sqrt": plain(torch.sqrt),
    "Sub": _paired(torch.sub),
    "Sum": _variadic(torch.add),
    "Tanh": plain(torch.tanh),
    "Where": plain(_where),
}
