# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Half-precision nodes on any processor: inputs and results are float16, sums are float32 between them.

That is how GPUs compute such a node (products of halves, summed in float32, the result rounded once). Most
processors have no half arithmetic, and what stands in for it there is tens of times slower than float32.
Values beyond 65504 become infinite, as they would on the device, and small ones lose bits as subnormals do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor

from pamtri_edge.runtime.torch.nodes.node import Compute

_COMPUTING: Final = frozenset(
    {
        *("Add", "AveragePool", "BatchNormalization", "Conv", "Div", "Elu", "Erf", "Exp", "Gemm"),
        *("GlobalAveragePool", "HardSigmoid", "HardSwish", "InstanceNormalization", "LayerNormalization"),
        *("LeakyRelu", "Log", "LpNormalization", "MatMul", "Mul", "PRelu", "Pow", "Reciprocal", "ReduceL2"),
        *("ReduceMean", "ReduceSum", "Resize", "Sigmoid", "Softmax", "Softplus", "Sqrt", "Sub", "Sum"),
        "Tanh",
    }
)
"""Operators whose results are other numbers than their inputs; all others only choose, move or compare."""


def summed_in_float(operator: str, compute: Compute, constants: Sequence[Tensor | None]) -> Compute:
    """Return how to compute a node whose float16 inputs are to be added up in float32.

    Args:
        operator: of the node.
        compute: the node's function.
        constants: for each input the tensor if it is constant, else None.

    Returns:
        A function of the same inputs whose result is float16 where an input is; `compute` itself for an
        operator that cannot round.
    """
    if operator not in _COMPUTING:
        return compute
    widened = [_widened(tensor) for tensor in constants]
    halves = any(_is_half(tensor) for tensor in constants)

    def rounded(*given: Tensor | None) -> Tensor:
        if not halves and not any(_is_half(tensor) for tensor in given):
            return compute(*given)  # type: ignore[return-value]
        known = [*widened, *([None] * (len(given) - len(widened)))]
        pairs = zip(given, known, strict=True)
        result = compute(*(_widened(tensor) if fixed is None else fixed for tensor, fixed in pairs))
        assert isinstance(result, Tensor)
        return result.to(torch.float16)

    return rounded


def _is_half(tensor: Tensor | None) -> bool:
    return tensor is not None and tensor.dtype == torch.float16


def _widened(tensor: Tensor | None) -> Tensor | None:
    return tensor if tensor is None or tensor.dtype != torch.float16 else tensor.to(torch.float32)
