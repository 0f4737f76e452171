# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What this machine can do at most, measured: a matrix product in each precision."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from pamtri_edge.runtime.openvino_library import load_openvino
from peers import Absent, Crops, Setting, Subject

SIDE = 1536
CHANNELS, PIXELS, LAYERS, WINDOW = 256, 56 * 56, 3, 3
"""A convolution of 3x3 is a product with a matrix of 256 x 2304: fewer loads an operation than one of 1x1."""


def name_of(precision: str) -> str:
    """Return how the table calls the limit of a precision."""
    return f"matrix product, {precision}"


def subjects(setting: Setting) -> Iterator[Subject | Absent]:
    """Give both products. Their operations are for one call: batch and crops do not count."""
    left = torch.ones(SIDE, SIDE)
    out = torch.empty(SIDE, SIDE)

    def floats(crops: Crops) -> object:
        return torch.mm(left, left, out=out)

    yield Subject(name_of("fp32"), floats, "fp32", 2.0 * SIDE**3)
    whole = _Integers(setting.threads)
    yield Subject(name_of("int8"), whole, whole.arithmetic, whole.operations)


class _Integers:
    """Products of int8 matrices as OpenVINO runs them: convolutions of 3x3, one after the other."""

    def __init__(self, threads: int) -> None:
        library = load_openvino()
        properties: dict[str, Any] = {
            "INFERENCE_PRECISION_HINT": "f32",
            "NUM_STREAMS": threads,
            "INFERENCE_NUM_THREADS": threads,
            "ENABLE_CPU_PINNING": False,
        }
        core = library.Core()
        compiled = core.compile_model(core.read_model(_products()), "CPU", properties)
        self.compiled = compiled
        self._requests = [compiled.create_infer_request() for _ in range(threads)]
        self._given = np.ones((1, CHANNELS, 56, 56), np.float32)
        self.arithmetic = "int8"
        self.operations = 2.0 * LAYERS * (CHANNELS * WINDOW) ** 2 * PIXELS * threads

    def __call__(self, crops: Crops) -> object:
        for request in self._requests:
            request.start_async([self._given], share_inputs=True)
        for request in self._requests:
            request.wait()
        return None


def _products() -> bytes:
    from onnx import TensorProto, helper, numpy_helper

    weights = np.random.default_rng(0).integers(-63, 64, (CHANNELS, CHANNELS, WINDOW, WINDOW)).astype(np.int8)
    constants = {
        "w": weights,
        "ws": np.full(CHANNELS, 0.01, np.float32),
        "wz": np.zeros(CHANNELS, np.int8),
        "s": np.array(0.02, np.float32),
        "z": np.array(0, np.int8),
    }

    def rounded(name: str, at: int) -> list[Any]:
        return [
            helper.make_node("QuantizeLinear", [name, "s", "z"], [f"q{at}"]),
            helper.make_node("DequantizeLinear", [f"q{at}", "s", "z"], [f"d{at}"]),
        ]

    nodes = [helper.make_node("DequantizeLinear", ["w", "ws", "wz"], ["weights"], axis=0), *rounded("x", 0)]
    for at in range(LAYERS):
        nodes.append(helper.make_node("Conv", [f"d{at}", "weights"], [f"c{at}"], pads=[1, 1, 1, 1]))
        nodes.append(helper.make_node("Relu", [f"c{at}"], [f"r{at}"]))
        nodes += rounded(f"r{at}", at + 1)
    graph = helper.make_graph(
        nodes,
        "products",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, CHANNELS, 56, 56])],
        [helper.make_tensor_value_info(f"d{LAYERS}", TensorProto.FLOAT, [1, CHANNELS, 56, 56])],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    content: bytes = model.SerializeToString()
    return content
