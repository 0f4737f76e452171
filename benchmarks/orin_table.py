# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Vehicles a second on Jetson Orin, on paper: arithmetic and bytes of a bundle against a machine's peaks.

    python benchmarks/orin_table.py [NAME.pamtri]

Nothing here was measured on a Jetson. Every convolution takes the longer of its arithmetic and its memory
traffic, plus a launch: weights once a batch, activations in and out once a vehicle; what is computed element
by element rides along with the layer before it. What a network reaches of the peaks is assumed, and written
above the table.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx

from pamtri_edge.bundle import SHIPPED_BUNDLE, open_bundle

BATCHES = (1, 2, 4, 8, 16, 32)
BYTES = {"fp32": 4, "fp16": 2, "int8": 1}
OF_ARITHMETIC = 0.35
"""Part of a peak that convolutions of these sizes reach."""
OF_BANDWIDTH = 0.6
LAUNCH_S = 4e-6
"""Of a layer, replayed from a CUDA graph."""


@dataclass(frozen=True)
class Machine:
    """A Jetson's peaks, dense: multiply-adds a second by precision, bytes a second."""

    name: str
    macs: dict[str, float]
    bandwidth: float


MACHINES = (
    # NVIDIA's data sheets tell sparse int8; dense is half, fp16 half of that; fp32: CUDA cores.
    Machine("AGX Orin 64 GB, MAXN", {"fp32": 2.66e12, "fp16": 21.2e12, "int8": 42.5e12}, 204.8e9),
    Machine("Orin Nano 8 GB, MAXN SUPER", {"fp32": 1.04e12, "fp16": 8.4e12, "int8": 16.7e12}, 102e9),
    Machine("Orin Nano 8 GB, 15 W", {"fp32": 0.64e12, "fp16": 5.0e12, "int8": 10e12}, 68e9),
)


@dataclass(frozen=True)
class Layer:
    """A layer that computes: of one vehicle, but for the weights."""

    macs: int
    weights: int
    activations: int


def layers_of(model: Path) -> Iterator[Layer]:
    """Count the convolutions and matrix products of a graph."""
    graph = onnx.load(str(model))
    graph.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    inferred = onnx.shape_inference.infer_shapes(graph, data_prop=True).graph
    shapes: dict[str, tuple[int, ...]] = {one.name: tuple(one.dims) for one in inferred.initializer}
    for one in (*inferred.value_info, *inferred.input, *inferred.output):
        shapes[one.name] = tuple(max(1, side.dim_value) for side in one.type.tensor_type.shape.dim)
    sources = {name: node for node in inferred.node for name in node.output}
    for node in inferred.node:
        if node.op_type in ("Conv", "Gemm", "MatMul"):
            weights = shapes[_dense(node.input[1], sources)]
            result, given = shapes[node.output[0]], shapes[node.input[0]]
            per_output = math.prod(weights[1:]) if node.op_type == "Conv" else given[-1]
            macs = math.prod(result) * per_output
            yield Layer(macs, math.prod(weights), math.prod(given) + math.prod(result))


def _dense(name: str, sources: dict[str, Any]) -> str:
    """Return the tensor that stands behind dequantization, casts and the like."""
    while name in sources and sources[name].op_type in ("DequantizeLinear", "Cast", "Identity", "Transpose"):
        name = sources[name].input[0]
    return name


def seconds(layers: list[Layer], machine: Machine, precision: str, batch: int) -> float:
    """Return what a batch takes."""
    size = BYTES[precision]
    total = 0.0
    for layer in layers:
        computing = batch * layer.macs / (OF_ARITHMETIC * machine.macs[precision])
        moving = size * (layer.weights + batch * layer.activations) / (OF_BANDWIDTH * machine.bandwidth)
        total += max(computing, moving) + LAUNCH_S
    return total


def main() -> None:
    """Print the table."""
    bundle = open_bundle(Path(sys.argv[1]) if len(sys.argv) > 1 else SHIPPED_BUNDLE)
    layers = list(layers_of(bundle.model))
    macs, weights = sum(one.macs for one in layers), sum(one.weights for one in layers)
    activations = sum(one.activations for one in layers)
    print(f"{bundle.manifest.name}: {len(layers)} layers, {macs / 1e9:.2f} G multiply-adds a vehicle,")
    print(f"{weights / 1e6:.1f} M weights, {activations / 1e6:.1f} M activations in and out a vehicle.")
    print(f"Assumed: {OF_ARITHMETIC:.0%} of peak arithmetic, {OF_BANDWIDTH:.0%} of peak bandwidth,")
    print(f"{LAUNCH_S * 1e6:.0f} us a layer to launch.\n")
    print("| vehicles a second | precision | " + " | ".join(f"batch {batch}" for batch in BATCHES) + " |")
    print("|---|---|" + "---:|" * len(BATCHES))
    for machine in MACHINES:
        for precision in BYTES:
            rates = [batch / seconds(layers, machine, precision, batch) for batch in BATCHES]
            print(f"| {machine.name} | {precision} | " + " | ".join(f"{rate:,.0f}" for rate in rates) + " |")


if __name__ == "__main__":
    main()
