# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A node of an ONNX graph as the operators see it, and what they share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from pamtri_edge.errors import BundleError

Compute = Callable[..., Tensor | Sequence[Tensor]]
"""Takes the node's inputs (None for one left out), returns its output or outputs."""


class UnsupportedError(BundleError):
    """A form of an operator that is not implemented; says which."""


@dataclass(frozen=True)
class Node:
    """What is known of a node when the file is read.

    Attributes:
        operator: name of the operator.
        attributes: ONNX attributes; texts as str, tensors as torch tensors.
        constants: for each input the tensor if it is constant, else None.
        outputs: how many outputs are used.
    """

    operator: str
    attributes: Mapping[str, Any]
    constants: tuple[Tensor | None, ...]
    outputs: int

    def get(self, name: str, default: Any = None) -> Any:
        """Return an attribute, or a default."""
        return self.attributes.get(name, default)

    def expect(self, name: str, default: Any, *accepted: Any) -> Any:
        """Return an attribute that must have one of a few values.

        Raises:
            UnsupportedError: it has another value.
        """
        value = self.attributes.get(name, default)
        if value not in accepted:
            raise UnsupportedError(f"{self.operator} with {name}={value!r}")
        return value

    def constant(self, index: int) -> Tensor | None:
        """Return the input at a position if it is given and constant."""
        return self.constants[index] if index < len(self.constants) else None

    def integers(self, index: int) -> Callable[[Tensor | None], list[int] | None]:
        """Return how to read an input that holds sizes or axes: at once if constant, else at each run."""
        return self._read(index, _integers)

    def floats(self, index: int) -> Callable[[Tensor | None], list[float] | None]:
        """Return how to read an input that holds factors, likewise; reading at each run waits for the GPU."""
        return self._read(index, _floats)

    def _read(self, index: int, convert: Callable[[Tensor], list[Any]]) -> Callable[..., list[Any] | None]:
        known = self.constant(index)
        if known is not None:
            fixed = convert(known)
            return lambda tensor: fixed
        return lambda tensor: None if tensor is None else convert(tensor)


Build = Callable[[Node], Compute]


def plain(function: Callable[..., Tensor]) -> Build:
    """Make an entry of a function that needs nothing but the input tensors."""
    return lambda node: function


def together(*tensors: Tensor) -> tuple[Tensor, ...]:
    """Move tensors to one device: sizes are computed on the CPU even where pictures are on the GPU."""
    devices = {tensor.device for tensor in tensors}
    if len(devices) == 1:
        return tensors
    target = next(tensor.device for tensor in tensors if tensor.device.type != "cpu")
    return tuple(tensor.to(target) for tensor in tensors)


def _floats(tensor: Tensor) -> list[float]:
    return [float(value) for value in tensor.flatten().tolist()]


def _integers(tensor: Tensor) -> list[int]:
    return [int(value) for value in tensor.to(torch.int64).flatten().tolist()]
