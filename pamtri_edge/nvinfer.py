# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What stock gst-nvinfer is told of a bundle: the numbers that the exporter writes and lint expects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from pamtri_edge.manifest import TensorSpec

BATCH: Final = 16
"""Vehicles that nvinfer gathers before it runs the engine; the engine must allow for as many."""

NETWORK_MODES: Final[Mapping[str, int]] = {"fp32": 0, "int8": 1, "fp16": 2}
"""nvinfer's numbers of precisions."""

PRIMARY_ID: Final = 1
SECONDARY_ID: Final = 2
"""What the detector and the engine of a bundle are called in metadata, gie-unique-id."""

UNREACHED_THRESHOLD: Final = 1000000
"""No output of a graph reaches it, the raw embedding included: nvinfer's own parser then makes no labels."""


def unsupported(inputs: Sequence[TensorSpec]) -> str | None:
    """Return why stock nvinfer cannot feed a graph with these inputs, or None if it can."""
    if len(inputs) > 1:
        return (
            "stock nvinfer gives a network one picture a vehicle and nothing else; this graph (geometry "
            "'original') takes two pictures and the crop's size. Export with --geometry unified for nvinfer, "
            "or run this bundle with the Python SDK."
        )
    return None
