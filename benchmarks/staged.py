# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The two-engine path: pose, then our compiled decode, segments and stack, then re-identification."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from pamtri_edge import ops
from pamtri_edge.arrays import lined_up
from pamtri_edge.bundle import open_bundle
from pamtri_edge.runtime import create_backend


class StagedPipeline:
    """Runs a bundle's two networks apart, and keeps the time that lies between them.

    Args:
        path: a bundle with `staged.pose.onnx` and `staged.reid.onnx`.
        threads: CPU threads.

    Attributes:
        between: seconds spent in decode, segments and stack since it was last set to 0.
        total: seconds spent in all, likewise.
        arithmetic: what the networks ran in.
    """

    def __init__(self, path: Path, *, threads: int) -> None:
        bundle = open_bundle(path)
        if bundle.staged is None:
            raise ValueError(f"{path} has no staged networks; export it with --staged.")
        pose, reid = bundle.staged
        self._segments = bundle.manifest.variant["segments"]
        self._heatmaps = bundle.manifest.variant["heatmaps"]
        self._pose = create_backend(pose, threads=threads)
        self._reid = create_backend(reid, threads=threads)
        self._room = lined_up((0, 0, 256, 256))
        self.arithmetic = self._reid.arithmetic
        self.between = self.total = 0.0

    def __call__(self, crops: Sequence[NDArray[np.uint8]]) -> dict[str, NDArray[np.float32]]:
        """Describe a batch of (H, W, 3) uint8 RGB crops."""
        start = time.perf_counter()
        images = ops.resize(crops)
        heatmaps = self._pose.run({"images": images})["heatmaps"]
        seen = time.perf_counter()
        keypoints = ops.decode(heatmaps)
        stack = ops.stack(
            images,
            heatmaps if self._heatmaps else None,
            keypoints=keypoints if self._segments else None,
            out=self._reused(len(images)),
        )
        vector = keypoints.reshape(len(keypoints), -1) - np.float32(0.5)
        stacked = time.perf_counter()
        outputs = self._reid.run({"stack": stack, "keypoint_vector": vector})
        self.between += stacked - seen
        self.total += time.perf_counter() - start
        return {**outputs, "keypoints": keypoints}

    def share(self) -> float:
        """Return the part of the time that the operations between the networks took, and start anew."""
        share = self.between / self.total
        self.between = self.total = 0.0
        return share

    def close(self) -> None:
        """Give the networks' memory back."""
        self._pose.close()
        self._reid.close()

    def __enter__(self) -> StagedPipeline:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _reused(self, count: int) -> NDArray[np.float32]:
        """Return memory for the stack, the same at every call with as many vehicles."""
        channels = 3 + 36 * self._heatmaps + 13 * self._segments
        if self._room.shape[:2] != (count, channels):
            self._room = lined_up((count, channels, 256, 256))
        return self._room
