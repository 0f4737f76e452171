# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What is put on the stream for a chunk: one fused engine, or two with our kernels between them.

Either way nothing leaves the GPU between pose and re-identification.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from pamtri_edge import ops
from pamtri_edge.errors import EngineError
from pamtri_edge.geometry import keypoint_vector
from pamtri_edge.manifest import TensorSpec
from pamtri_edge.runtime.backend import shape_of
from pamtri_edge.runtime.tensorrt.buckets import LARGEST
from pamtri_edge.runtime.tensorrt.engine import Engine
from pamtri_edge.runtime.tensorrt.staging import Staging
from pamtri_edge.vehicle import NUM_KEYPOINTS, NUM_SEGMENTS

Steps: TypeAlias = "tuple[tuple[str, Callable[[], None]], ...]"


class Program:
    """A network as work for a stream: the bundle's one network here, in `Staged` two.

    Args:
        cupy: the module.
        stream: on which it will run; it is current while this is made.
        staging: makes the channels.
        engines: of `model.onnx` alone.

    Attributes:
        name: "fused" or "staged".
        inputs: what it takes.
        outputs: what it gives.
        channels: the channel of each input and output, by name.
    """

    name = "fused"
    _computed: tuple[TensorSpec, ...] = ()  # outputs that no engine gives

    def __init__(self, cupy: Any, stream: Any, staging: Staging, *engines: Engine) -> None:
        self._cupy = cupy
        self._stream = stream
        self._engines = engines
        self.inputs, self.outputs = engines[0].inputs, (*engines[-1].outputs, *self._computed)
        self.channels = {spec.name: staging.channel(spec, output=False) for spec in self.inputs}
        self.channels |= {spec.name: staging.channel(spec, output=True) for spec in self.outputs}
        self._arrays = {name: channel.device for name, channel in self.channels.items()}
        self._scratch = cupy.empty(max(1, *(engine.scratch_bytes for engine in engines)), np.uint8)

    def prepare(self, size: int) -> None:
        """Get ready for a batch size.

        Raises:
            EngineError: memory ran out.
        """
        for engine in self._engines:
            engine.prepare(size, self._arrays, self._scratch, self._stream)

    def steps(self, size: int) -> Steps:
        """Return what a run consists of, in order: from the inputs' device arrays to the outputs'.

        Each step has a name and puts its work on the stream; it raises EngineError if TensorRT refuses.
        """
        return (("network", lambda: self._engines[0].enqueue(size, self._stream)),)

    def enqueue(self, size: int) -> None:
        """Put a run on the stream, all steps of it.

        Raises:
            EngineError: TensorRT refuses.
        """
        for _, step in self.steps(size):
            step()

    def close(self) -> None:
        """Give the memory back; the stream must be done with it. May be called twice."""
        for engine in self._engines:
            engine.close()
        self.channels, self._arrays, self._scratch = {}, {}, None


class Staged(Program):
    """Pose, then decode, segments and stack as our kernels, then re-identification; see `Program`.

    The values are those of the fused network: keypoints, embedding, attributes, and as quality the mean of
    the keypoints' confidences, each clipped to 0..1.

    Args:
        cupy: the module.
        stream: on which it will run; it is current while this is made.
        staging: makes the channels.
        pose: engine of `staged.pose.onnx`.
        reid: engine of `staged.reid.onnx`.

    Raises:
        EngineError: the two do not fit together.
    """

    name = "staged"
    _computed = (TensorSpec("keypoints", (None, NUM_KEYPOINTS, 3)), TensorSpec("quality", (None, 1)))

    def __init__(self, cupy: Any, stream: Any, staging: Staging, pose: Engine, reid: Engine) -> None:
        super().__init__(cupy, stream, staging, pose, reid)
        self._pose, self._reid = pose, reid
        (heatmaps,) = pose.outputs
        for spec in (heatmaps, *reid.inputs):
            self._arrays[spec.name] = cupy.zeros(shape_of(spec, LARGEST), np.float32)
        self._heatmaps, self._segments = _parts_of(reid)
        self._takes_keypoints = "keypoint_vector" in self._arrays
        self._confidences = cupy.zeros((LARGEST, NUM_KEYPOINTS), np.float32)

    def steps(self, size: int) -> Steps:
        """Return the steps of a run; see `Program.steps`."""
        return (
            ("pose network", lambda: self._pose.enqueue(size, self._stream)),
            ("decode", lambda: self._decode(size)),
            ("stack with segments" if self._segments else "stack", lambda: self._stack(size)),
            ("re-identification network", lambda: self._reid.enqueue(size, self._stream)),
            ("quality", lambda: self._quality(size)),
        )

    def _decode(self, size: int) -> None:
        keypoints = self._arrays["keypoints"][:size]
        ops.decode(self._arrays["heatmaps"][:size], out=keypoints)
        if self._takes_keypoints:
            vector = self._arrays["keypoint_vector"][:size]
            keypoint_vector(keypoints.reshape(size, -1), out=vector, library=self._cupy)

    def _stack(self, size: int) -> None:
        part = {name: array[:size] for name, array in self._arrays.items()}
        ops.stack(
            part["images"],
            part["heatmaps"] if self._heatmaps else None,
            keypoints=part["keypoints"] if self._segments else None,
            out=part["stack"],
        )

    def _quality(self, size: int) -> None:
        confidences = self._confidences[:size]
        self._cupy.clip(self._arrays["keypoints"][:size, :, 2], 0, 1, out=confidences)
        self._cupy.mean(confidences, axis=1, keepdims=True, out=self._arrays["quality"][:size])

    def close(self) -> None:
        """Give the memory back; see `Program.close`."""
        super().close()
        self._confidences = None


def _parts_of(reid: Engine) -> tuple[bool, bool]:
    """Tell whether a stack holds heatmaps and segments, by its number of channels."""
    channels = next((spec.shape[1] or 0 for spec in reid.inputs if spec.name == "stack"), 0)
    for heatmaps in (False, True):
        for segments in (False, True):
            if channels == 3 + NUM_KEYPOINTS * heatmaps + NUM_SEGMENTS * segments:
                return heatmaps, segments
    raise EngineError(
        f"the re-identification network of the two-engine path takes a stack of {channels} channels; known "
        "are 3, and 36 more for heatmaps, 13 more for segments. Export the bundle again."
    )
