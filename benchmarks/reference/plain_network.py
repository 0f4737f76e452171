# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A network with OpenVINO at its plainest: one request, one picture after another. Frozen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openvino
from numpy.typing import NDArray

Floats = NDArray[np.float32]


class PlainNetwork:
    """An ONNX file compiled for one item and one thread.

    Args:
        model: the file.
    """

    def __init__(self, model: Path) -> None:
        network = openvino.Core().read_model(model)
        self.shapes = {
            port.any_name: [1, *(int(side.get_length()) for side in list(port.partial_shape)[1:])]
            for port in network.inputs
        }
        network.reshape(self.shapes)
        settings = {"INFERENCE_PRECISION_HINT": "f32", "NUM_STREAMS": 1, "INFERENCE_NUM_THREADS": 1}
        compiled = openvino.compile_model(network, "CPU", {**settings, "ENABLE_CPU_PINNING": False})
        self._outputs = [port.any_name for port in compiled.outputs]
        self._request = compiled.create_infer_request()

    def run(self, inputs: dict[str, Floats]) -> dict[str, Floats]:
        """Return the outputs by name for a batch."""
        count = len(next(iter(inputs.values())))
        rows = []
        for item in range(count):
            found = self._request.infer({name: array[item : item + 1] for name, array in inputs.items()})
            rows.append([found[name].copy() for name in self._outputs])
        columns = zip(*rows, strict=True)
        return {name: np.concatenate(column) for name, column in zip(self._outputs, columns, strict=True)}
