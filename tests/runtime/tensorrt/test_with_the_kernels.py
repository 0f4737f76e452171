# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The backend with the CUDA kernels that go between its engines, compiled to run on the CPU."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import cupy_fake
import tensorrt_fake
from emulated_kernels import EmulatedKernels
from onnx_oracle import under_onnxruntime
from pamtri_edge import ops, samples
from pamtri_edge.runtime.tensorrt.backend import TensorRtBackend
from pretended_driver import pretended_driver


@pytest.fixture
def gpu(compiled_kernels: EmulatedKernels, driver: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Put a GPU on this machine whose kernels are the real ones."""
    with pretended_driver(monkeypatch):
        gpu = cupy_fake.install(monkeypatch)
        compiled_kernels.connect(cupy_fake)
        tensorrt_fake.install(monkeypatch)
        yield gpu


@pytest.fixture
def networks(staged_networks: Callable[..., tuple[Path, Path]]) -> tuple[Path, Path]:
    return staged_networks(52, keypoints=True)


def meant(networks: tuple[Path, Path], images: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    """Return what the two networks give on the CPU, with the operations of the host between them."""
    pose, reid = networks
    heatmaps = under_onnxruntime(pose, {"images": images})["heatmaps"]
    keypoints = ops.decode(heatmaps)
    stack = ops.stack(images, heatmaps, keypoints=keypoints)
    vector = keypoints.reshape(len(keypoints), -1) - np.float32(0.5)
    found = under_onnxruntime(reid, {"stack": stack, "keypoint_vector": vector})
    quality = keypoints[..., 2].clip(0, 1).mean(axis=1, keepdims=True)
    return {**found, "keypoints": keypoints, "quality": quality}


@pytest.mark.parametrize("graphs", [True, False])
def test_two_engines_and_our_kernels_give_what_the_host_gives(
    gpu: Any, networks: tuple[Path, Path], graphs: bool
) -> None:
    images = ops.resize(samples.crops(1))
    backend = TensorRtBackend(
        networks[0].with_name("model.onnx"), staged=networks, mode="staged", graphs=graphs
    )
    expected = meant(networks, images)
    for _ in range(2):  # captured, then replayed
        found = backend.run({"images": images})
        assert set(found) == set(expected)
        for name, array in expected.items():
            np.testing.assert_allclose(found[name], array, atol=2e-3, err_msg=name)
    assert [graph is not None for graph in backend._execution._graphs.values()] == [graphs]  # type: ignore[union-attr]
    backend.close()


def test_pictures_on_the_device_go_through_our_kernel(
    gpu: Any, networks: tuple[Path, Path], rng: np.random.Generator
) -> None:
    pictures = rng.integers(0, 256, (2, 30, 50, 3), dtype=np.uint8)
    expected = meant(networks, ops.resize(pictures, swap_channels=True))
    backend = TensorRtBackend(networks[0].with_name("model.onnx"), staged=networks, mode="staged")
    found = backend.run_pictures(cupy_fake.asarray(pictures), swap_channels=True, on_device=True)
    for name, array in expected.items():
        np.testing.assert_allclose(found[name].get(), array, atol=2e-3, err_msg=name)
    backend.close()
