# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Reductions over axes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import torch
from torch import Tensor

from pamtri_edge.runtime.torch.nodes.node import Build, Compute, Node

_Reduce = Callable[[Tensor, list[int], bool], Tensor]


def _reduction(function: _Reduce) -> Build:
    def build(node: Node) -> Compute:
        keep = bool(node.get("keepdims", 1))
        as_is = bool(node.get("noop_with_empty_axes", 0))
        listed: list[int] | None = node.get("axes")  # an attribute up to opset 17, an input since
        from_input = node.integers(1)

        def reduce(x: Tensor, axes: Tensor | None = None) -> Tensor:
            over = listed or from_input(axes) or []
            if not over:
                if as_is:
                    return x
                over = list(range(x.ndim))
            return function(x, over, keep)

        return reduce

    return build


def _arg_max(node: Node) -> Compute:
    node.expect("select_last_index", 0, 0)
    axis, keep = int(node.get("axis", 0)), bool(node.get("keepdims", 1))
    return lambda x: torch.argmax(x, dim=axis, keepdim=keep)  # the first of equal ones


def _product(x: Tensor, axes: list[int], keep: bool) -> Tensor:
    for axis in sorted((axis % x.ndim for axis in axes), reverse=True):
        x = torch.prod(x, dim=axis, keepdim=keep, dtype=x.dtype)
    return x


def _top(node: Node) -> Callable[..., tuple[Tensor, ...]]:
    axis, largest = int(node.get("axis", -1)), bool(node.get("largest", 1))
    count_of = node.integers(1)

    def top(x: Tensor, count: Tensor) -> tuple[Tensor, ...]:
        known = count_of(count)
        assert known is not None
        return tuple(torch.topk(x, known[0], dim=axis, largest=largest))[: node.outputs]

    return top


OPERATORS: Final[Mapping[str, Build]] = {
    "ArgMax": _arg_max,
    "ReduceL2": _reduction(lambda x, axes, keep: torch.linalg.vector_norm(x, dim=axes, keepdim=keep)),
    "ReduceMax": _reduction(lambda x, axes, keep: torch.amax(x, dim=axes, keepdim=keep)),
    "ReduceMean": _reduction(lambda x, axes, keep: torch.mean(x, dim=axes, keepdim=keep)),
    "ReduceMin": _reduction(lambda x, axes, keep: torch.amin(x, dim=axes, keepdim=keep)),
    "ReduceProd": _reduction(_product),
    "ReduceSum": _reduction(lambda x, axes, keep: torch.sum(x, dim=axes, keepdim=keep, dtype=x.dtype)),
    "TopK": _top,
}
