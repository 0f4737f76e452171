# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""How long each stage of a bundle takes where it runs: the two networks, decode, segments, stack, copies."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pamtri_edge import ops
from pamtri_edge.bundle import MODEL_FILE, POSE_FILE, REID_FILE
from pamtri_edge.export.onnx.graph import HEATMAPS
from pamtri_edge.geometry import Geometry, keypoint_vector
from pamtri_edge.manifest import Manifest
from pamtri_edge.runtime import Backend, create_backend
from pamtri_edge.runtime.tensorrt.backend import TensorRtBackend
from pamtri_edge.runtime.tensorrt.timing import WHOLE

Floats = NDArray[np.float32]
Stage = tuple[str, Callable[[], object]]

GPU_SIZES: Final = (1, 8, 32)
CPU_SIZES: Final = (1, 8)
"""Batch sizes that are measured."""

GPU_ROUNDS: Final = 20
CPU_ROUNDS: Final = 5
"""How often."""


@dataclass(frozen=True)
class Profile:
    """What the stages take.

    Attributes:
        title: which form of the network, run by what.
        milliseconds: of a batch, by stage in order and by batch size; `WHOLE` is all of them as they run.
    """

    title: str
    milliseconds: Mapping[str, Mapping[int, float]]

    @property
    def sizes(self) -> tuple[int, ...]:
        """The batch sizes that were measured."""
        return tuple(self.milliseconds[WHOLE])


def profile_engine(engine: TensorRtBackend, title: str) -> Profile:
    """Measure a bundle's engines on their GPU, by events on the stream."""
    return _by_stage(title, {size: engine.stage_times(size, rounds=GPU_ROUNDS) for size in GPU_SIZES})


def profile_host(folder: Path, manifest: Manifest, crops: Mapping[str, Floats]) -> list[Profile]:
    """Measure a bundle on this machine's processor, with OpenVINO and the compiled operations.

    Args:
        folder: of the bundle, finished or not.
        manifest: of the bundle.
        crops: the network's inputs by name; repeated as often as a batch needs.

    Returns:
        The fused network, and, where the bundle has them, the two networks with the operations between them.
    """
    with closing(create_backend(folder / MODEL_FILE, backend="openvino")) as fused:
        times = {}
        for size in CPU_SIZES:
            batch = {name: _repeated(array, size) for name, array in crops.items()}
            times[size] = {WHOLE: _time(partial(fused.run, batch))}
        profiles = [_by_stage(f"fused, OpenVINO ({fused.arithmetic})", times)]
    if (folder / POSE_FILE).is_file() and manifest.geometry is Geometry.UNIFIED:
        pose = create_backend(folder / POSE_FILE, backend="openvino")
        reid = create_backend(folder / REID_FILE, backend="openvino")
        with closing(pose), closing(reid):
            times = {
                size: _staged(pose, reid, manifest, _repeated(crops["images"], size)) for size in CPU_SIZES
            }
            profiles.append(_by_stage(f"two networks, OpenVINO ({reid.arithmetic})", times))
    return profiles


def _staged(pose: Backend, reid: Backend, manifest: Manifest, images: Floats) -> dict[str, float]:
    """Return the milliseconds of each stage for one batch."""
    variant = manifest.variant
    heatmaps = pose.run({"images": images})[HEATMAPS]
    keypoints = ops.decode(heatmaps)
    masks = ops.segments(keypoints) if variant["segments"] else None
    enter = heatmaps if variant["heatmaps"] else None
    stack = ops.stack(images, enter, masks)
    given = {"stack": stack}
    if variant["keypoints"]:
        given["keypoint_vector"] = keypoint_vector(keypoints.reshape(len(images), -1))
    stages: list[Stage] = [
        ("pose network", partial(pose.run, {"images": images})),
        ("decode", partial(ops.decode, heatmaps, out=keypoints)),
    ]
    if masks is not None:
        stages.append(("segments", partial(ops.segments, keypoints, out=masks)))
    stages.append(("stack", partial(ops.stack, images, enter, masks, out=stack)))
    stages.append(("re-identification network", partial(reid.run, given)))
    times = {name: _time(work) for name, work in stages}
    return {**times, WHOLE: sum(times.values())}


def _by_stage(title: str, times: Mapping[int, Mapping[str, float]]) -> Profile:
    stages = next(iter(times.values()))
    return Profile(title, {stage: {size: times[size][stage] for size in times} for stage in stages})


def _repeated(array: Floats, count: int) -> Floats:
    return np.ascontiguousarray(np.resize(array, (count, *array.shape[1:])))


def _time(work: Callable[[], object]) -> float:
    """Return the median milliseconds of a few runs, after one to warm up."""
    taken = []
    for turn in range(1 + CPU_ROUNDS):
        start = time.perf_counter()
        work()
        if turn:
            taken.append((time.perf_counter() - start) * 1e3)
    return median(taken)
