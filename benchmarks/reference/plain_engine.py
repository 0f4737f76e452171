# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The least one can write to run a bundle: cv2.resize, OpenVINO, one request after another.

Frozen: the SDK is compared with it, so that what the SDK adds (checks, batching, labels) stays free.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import openvino
from numpy.typing import NDArray


class PlainEngine:
    """A bundle's `model.onnx`, compiled for one picture, with a request for each thread.

    Args:
        model: the ONNX file, in `unified` geometry.
        threads: CPU threads.
    """

    def __init__(self, model: Path, *, threads: int) -> None:
        network = openvino.Core().read_model(model)
        network.reshape([1, 3, 256, 256])
        compiled = openvino.compile_model(
            network,
            "CPU",
            {
                "INFERENCE_PRECISION_HINT": "f32",
                "NUM_STREAMS": threads,
                "INFERENCE_NUM_THREADS": threads,
                "ENABLE_CPU_PINNING": False,
            },
        )
        self._requests = [compiled.create_infer_request() for _ in range(threads)]

    def embed(self, crops: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Return the embeddings (N, D) of (H, W, 3) uint8 RGB crops."""
        embeddings = []
        for at in range(0, len(crops), len(self._requests)):
            part = crops[at : at + len(self._requests)]
            for request, crop in zip(self._requests, part, strict=False):
                picture = cv2.resize(crop, (256, 256), interpolation=cv2.INTER_LINEAR)
                request.start_async({0: picture.transpose(2, 0, 1)[None].astype(np.float32)})
            for request, _ in zip(self._requests, part, strict=False):
                request.wait()
                embeddings.append(request.get_tensor("embedding").data[0].copy())
        return np.stack(embeddings)
