# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A machine with a driver, CuPy and TensorRT, none of them real."""

from __future__ import annotations

import gc
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import helper

import cupy_fake
import tensorrt_fake
from pamtri_edge.runtime.tensorrt import device, programs
from pamtri_edge.runtime.tensorrt.backend import TensorRtBackend
from simulated_gpu import Gpu
from streamed_operations import StreamedOperations


@dataclass
class Machine:
    """What a test may look at and change."""

    gpu: Gpu
    trt: Any
    cache: Path

    def runs(self) -> list[str]:
        """Return the names of the networks that ran, in order."""
        return [name for name in self.gpu.log if name.startswith("run ")]


@pytest.fixture
def driver(libcuda: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Put a driver on this machine, which is no Jetson, and an empty cache folder."""
    monkeypatch.setattr("pamtri_edge.libcuda.LIBCUDA", str(libcuda))
    monkeypatch.setattr(device, "RELEASE_FILE", tmp_path / "no_tegra_release")
    monkeypatch.setenv("PAMTRI_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("PAMTRI_TENSORRT", raising=False)
    return libcuda


@pytest.fixture
def machine(driver: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Machine]:
    """Put a GPU, CuPy and TensorRT 10.16 on this machine, and let the operations take CuPy's arrays."""
    gpu = cupy_fake.install(monkeypatch, Gpu(name="Simulated GPU"))
    trt = tensorrt_fake.install(monkeypatch)
    monkeypatch.setattr(programs, "ops", StreamedOperations)
    monkeypatch.setattr("pamtri_edge.runtime.tensorrt.backend.ops", StreamedOperations)
    gc.freeze()  # what is there already is not looked through: a collection takes a hundredth of the time
    yield Machine(gpu, trt, tmp_path / "cache")
    gc.collect()
    gc.unfreeze()


@pytest.fixture
def bundle(models: dict[str, Path], tmp_path: Path) -> Path:
    """Return the small convolutional network as `model.onnx` in a folder of its own."""
    folder = tmp_path / "small.pamtri"
    folder.mkdir()
    shutil.copy(models["fp32"], folder / "model.onnx")
    return folder / "model.onnx"


@pytest.fixture
def load(machine: Machine, bundle: Path) -> Iterator[Callable[..., TensorRtBackend]]:
    """Return a function that loads the small network; what it loaded is closed after the test."""
    loaded: list[TensorRtBackend] = []

    def load(model: Path = bundle, **options: Any) -> TensorRtBackend:
        loaded.append(TensorRtBackend(model, **options))
        return loaded[-1]

    yield load
    for backend in loaded:
        backend.close()


@pytest.fixture
def staged_networks(save: Callable[..., Path]) -> Callable[..., tuple[Path, Path]]:
    """Return what writes a pose network of shades of the picture, and one of the means of its stack."""
    weights = np.random.default_rng(4).normal(size=(36, 3, 1, 1)).astype(np.float32) / 100
    pose = [
        helper.make_node("AveragePool", ["images"], ["small"], kernel_shape=[4, 4], strides=[4, 4]),
        helper.make_node("Conv", ["small", "w"], ["heatmaps"]),
    ]

    def write(channels: int, *, keypoints: bool) -> tuple[Path, Path]:
        inputs = {"stack": ["n", channels, 256, 256]} | ({"keypoint_vector": ["n", 108]} if keypoints else {})
        reid = [
            helper.make_node("GlobalAveragePool", ["stack"], ["means"]),
            helper.make_node("Flatten", ["means"], ["flat"]),
            helper.make_node("Concat", ["flat", *list(inputs)[1:]], ["embedding"], axis=1),
        ]
        shapes = {"images": ["n", 3, 256, 256]}, {"heatmaps": ["n", 36, 64, 64]}
        embedding = {"embedding": ["n", channels + 108 * keypoints]}
        return (
            save(pose, *shapes, {"w": weights}, name="staged.pose"),
            save(reid, inputs, embedding, {}, name="staged.reid"),
        )

    return write


@pytest.fixture(scope="session")
def two_forms(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[Path, Path]]:
    """Return the smallest networks as one file and as two; leave them as they are."""
    import onnx

    from pamtri_edge import samples
    from pamtri_edge.models import Pamtri
    from remembered_exports import remembered_export, remembered_seeded
    from tiny_networks import SMALLEST

    folder = tmp_path_factory.mktemp("forms")
    fused = Pamtri(*remembered_seeded(SMALLEST, pictures=samples.crops(16))).eval()
    files = {"model": fused, "staged.pose": fused.pose_stage(), "staged.reid": fused.reid_stage()}
    for name, module in files.items():
        onnx.save(remembered_export(module.eval(), name=name), folder / f"{name}.onnx")
    return folder / "model.onnx", (folder / "staged.pose.onnx", folder / "staged.reid.onnx")
