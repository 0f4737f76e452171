# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The ONNX operators of our graphs as torch functions, one table for each family.

`OPERATORS` holds exactly the operators that the export rules allow. An entry takes a `Node`, resolved once
when the file is read, and returns a function of the node's input tensors.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pamtri_edge.runtime.torch.nodes import arithmetic, layers, places, quantized, reductions
from pamtri_edge.runtime.torch.nodes.node import Build, Node, UnsupportedError

__all__ = ["OPERATORS", "Node", "UnsupportedError"]

OPERATORS: Final[Mapping[str, Build]] = {
    **arithmetic.OPERATORS,
    **layers.OPERATORS,
    **reductions.OPERATORS,
    **places.OPERATORS,
    **quantized.OPERATORS,
}
"""Operators of ONNX's default domain, opsets 17 to 20, by name."""
