# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Arrays of the GPU in and out: in the order of the caller's stream, whoever made them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import helper

import cupy_fake as cupy
import torch_fake
from foreign_arrays import DlPack, Foreign
from onnx_models import model_of
from onnx_oracle import under_onnxruntime
from pamtri_edge import ops
from pamtri_edge.errors import InputError
from pamtri_edge.runtime.tensorrt.backend import TensorRtBackend
from simulated_gpu import Gpu

Load = Callable[..., TensorRtBackend]


@pytest.fixture(scope="session")
def seeing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a network that takes pictures of 256 pixels: mean colours, and twice as much of them."""
    weights = np.random.default_rng(2).normal(size=(48, 6)).astype(np.float32)
    nodes = [
        helper.make_node("AveragePool", ["images"], ["grid"], kernel_shape=[64, 64], strides=[64, 64]),
        helper.make_node("Flatten", ["grid"], ["flat"]),
        helper.make_node("Gemm", ["flat", "w"], ["embedding"]),
        helper.make_node("Add", ["embedding", "embedding"], ["color"]),
    ]
    shapes = {"images": ["n", 3, 256, 256]}, {"embedding": ["n", 6], "color": ["n", 6]}
    path = tmp_path_factory.mktemp("seeing") / "model.onnx"
    onnx.save(model_of(nodes, *shapes, {"w": weights}), path)
    return path


@pytest.fixture
def backend(load: Load, seeing: Path) -> TensorRtBackend:
    return load(seeing)


@pytest.fixture
def pictures(rng: np.random.Generator) -> NDArray[np.uint8]:
    return rng.integers(0, 256, (37, 20, 30, 3), dtype=np.uint8)


@pytest.fixture
def meant(seeing: Path, pictures: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
    """Return what the pictures give on the CPU."""
    return under_onnxruntime(seeing, {"images": ops.resize(pictures)})


def near(found: NDArray[np.float32], meant: NDArray[np.float32]) -> None:
    np.testing.assert_allclose(found, meant, rtol=1e-4, atol=1e-2)


@pytest.mark.parametrize("schedule", ["lazy", "random"])
@pytest.mark.parametrize("on_device", [False, True])
def test_pictures_on_the_device_give_what_they_give_on_the_host(
    backend: TensorRtBackend, machine: Any, pictures: Any, meant: Any, on_device: bool, schedule: str
) -> None:
    machine.gpu.schedule = schedule
    stream = cupy.cuda.Stream(non_blocking=True)
    with stream:  # everything of the caller's is on a stream of his own, and not waited for
        there = cupy.asarray(pictures)
        found = backend.run_pictures(there, swap_channels=False, on_device=on_device)
        assert set(found) == {"embedding", "color"}
        for name, array in found.items():
            near(array.get() if on_device else array, meant[name])


def test_results_on_the_device_are_complete_for_the_stream_that_was_current(
    backend: TensorRtBackend, seeing: Path, pictures: Any, meant: Any
) -> None:
    images = ops.resize(pictures)
    stream = cupy.cuda.Stream(non_blocking=True)
    with stream:
        found = backend.run_on_device(({"images": images[at : at + 9]} for at in range(0, 37, 9)), 37)
        doubled = found["embedding"] + found["embedding"]
    near(doubled.get(stream=stream), meant["color"])


def test_results_on_the_device_are_not_waited_for(
    backend: TensorRtBackend, machine: Any, pictures: Any
) -> None:
    backend.run_pictures(cupy.asarray(pictures[:1]), swap_channels=False, on_device=True)  # captures
    cupy.cuda.Stream.null.synchronize()
    before = len(machine.runs())
    found = backend.run_pictures(cupy.asarray(pictures[:1]), swap_channels=False, on_device=True)
    assert len(machine.runs()) == before
    found["embedding"].get()
    assert len(machine.runs()) == before + 1


@pytest.mark.parametrize("seed", range(3))
def test_memory_that_the_caller_frees_and_reuses_at_once_does_no_harm(
    backend: TensorRtBackend, machine: Any, pictures: Any, meant: Any, seed: int
) -> None:
    machine.gpu.schedule = "random"
    machine.gpu._random.seed(seed)
    stream = cupy.cuda.Stream(non_blocking=True)
    kept = []
    with stream:
        for at in range(0, 36, 4):
            there = cupy.asarray(pictures[at : at + 4])
            found = backend.run_pictures(there, swap_channels=False, on_device=True)
            address = there.data.ptr
            del there
            spoiled = cupy.empty((4, 20, 30, 3), np.uint8)
            assert spoiled.data.ptr == address
            spoiled.fill(255)  # the very memory that was just handed in
            kept.append(found["embedding"] + found["embedding"])
            del found, spoiled
        for number, array in enumerate(kept):
            near(array.get(), meant["color"][4 * number : 4 * number + 4])


def test_blue_and_red_are_exchanged_on_request(backend: TensorRtBackend, pictures: Any, meant: Any) -> None:
    turned = cupy.asarray(np.ascontiguousarray(pictures[..., ::-1]))
    near(backend.run_pictures(turned, swap_channels=True, on_device=False)["embedding"], meant["embedding"])


@pytest.mark.parametrize("on_device", [False, True])
@pytest.mark.parametrize("protocol", ["dlpack", "interface"])
def test_arrays_of_other_libraries_are_taken_in_their_streams_order(
    backend: TensorRtBackend, pictures: Any, meant: Any, protocol: str, on_device: bool
) -> None:
    producer = cupy.cuda.Stream(non_blocking=True)
    with producer:  # it has not written its array yet
        array = cupy.asarray(pictures)
    batch = DlPack(array, producer) if protocol == "dlpack" else Foreign(array, producer.ptr)
    found = backend.run_pictures(batch, swap_channels=False, on_device=on_device)
    if on_device:
        assert backend._execution.stream.done, "its owner may write to it as soon as the call returns"  # type: ignore[union-attr]
    embedding = found["embedding"]
    near(embedding.get() if on_device else embedding, meant["embedding"])


@pytest.mark.parametrize("schedule", ["lazy", "random"])
def test_pytorchs_stream_waits_for_a_tensor_to_be_read_and_the_host_does_not(
    backend: TensorRtBackend,
    machine: Any,
    pictures: Any,
    meant: Any,
    monkeypatch: pytest.MonkeyPatch,
    schedule: str,
) -> None:
    torch = torch_fake.install(monkeypatch)
    backend.run_pictures(cupy.asarray(pictures[:1]), swap_channels=False, on_device=True)  # captures
    stream = cupy.cuda.Stream(non_blocking=True)
    with torch.cuda.stream(stream):
        batch = torch_fake.tensor(pictures[:1])
        before = len(machine.runs())
        found = backend.run_pictures(batch, swap_channels=False, on_device=True)
        assert len(machine.runs()) == before, "the host does not wait"
        machine.gpu.schedule = schedule
        with stream:
            batch.array.fill(0)  # what PyTorch does next to the tensor, on its own stream
        stream.synchronize()
    near(found["embedding"].get(), meant["embedding"][:1])


class Graded:
    """A tensor whose gradient is wanted: torch does not hand it over."""

    def __dlpack_device__(self) -> tuple[int, int]:
        return 2, 0

    def __dlpack__(self, **_: Any) -> None:
        raise BufferError("Can't export tensors that require gradient, use tensor.detach()")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (
            lambda: np.zeros((1, 4, 4, 3), np.uint8),
            "is a ndarray in host memory; expected an array on",
        ),
        (lambda: cupy.zeros((1, 4, 4, 3), np.float32), "dtype float32; expected .* uint8 in CUDA memory"),
        (lambda: cupy.zeros((4, 4, 3), np.uint8), r"shape \(4, 4, 3\)"),
        (lambda: cupy.zeros((1, 3, 4, 4), np.uint8), r"shape \(1, 3, 4, 4\)"),
        (lambda: cupy.zeros((1, 0, 4, 3), np.uint8), r"shape \(1, 0, 4, 3\)"),
        (Graded, r"cannot be taken over: Can't export .*\.detach\(\)"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(
    backend: TensorRtBackend, make: Callable[[], Any], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        backend.run_pictures(make(), swap_channels=False, on_device=True)


def test_no_pictures_give_no_rows(backend: TensorRtBackend) -> None:
    found = backend.run_pictures(cupy.zeros((0, 4, 4, 3), np.uint8), swap_channels=False, on_device=False)
    assert found["embedding"].shape == (0, 6)


def test_a_geometry_that_needs_windows_is_refused(load: Load, save: Callable[..., Path]) -> None:
    nodes = [
        helper.make_node("Flatten", ["images"], ["flat"]),
        helper.make_node("Concat", ["flat", "crop_size"], ["embedding"], axis=1),
    ]
    model = save(nodes, {"images": ["n", 3, 4, 4], "crop_size": ["n", 2]}, {"embedding": ["n", 50]}, {})
    with pytest.raises(InputError, match=r"needs windows of the crops.*copy the batch there first"):
        load(model).run_pictures(cupy.zeros((1, 4, 4, 3), np.uint8), swap_channels=False, on_device=False)


class TestTwoGpus:
    @pytest.fixture
    def second(self, machine: Any, monkeypatch: pytest.MonkeyPatch) -> Gpu:
        gpus = [Gpu(), Gpu(name="Second GPU", compute=(9, 0))]
        cupy.install(monkeypatch, *gpus)
        return gpus[1]

    def test_the_named_one_runs_and_the_current_one_stays(
        self, load: Load, seeing: Path, second: Gpu, pictures: Any, meant: Any
    ) -> None:
        backend = load(seeing, device="cuda:1")
        assert backend.device == "cuda:1"
        near(backend.run({"images": ops.resize(pictures)})["embedding"], meant["embedding"])
        assert cupy.cuda.runtime.getDevice() == 0
        assert any(name.startswith("run ") for name in second.log)
        with cupy.cuda.Device(1):
            there = cupy.asarray(pictures)
        found = backend.run_pictures(there, swap_channels=False, on_device=True)
        assert found["embedding"].device.id == 1
        with cupy.cuda.Device(1):
            near(found["embedding"].get(), meant["embedding"])

    def test_an_array_of_another_one_is_refused(
        self, load: Load, seeing: Path, second: Gpu, pictures: Any
    ) -> None:
        backend = load(seeing, device="cuda:1")
        with pytest.raises(InputError, match=r"is on cuda:0, and the engine runs on cuda:1.*device='cuda:0'"):
            backend.run_pictures(cupy.asarray(pictures), swap_channels=False, on_device=True)

    def test_one_that_is_not_there_is_told(self, load: Load, second: Gpu) -> None:
        with pytest.raises(InputError, match=r"'cuda:2' is not there; this process sees 2 GPUs, cuda:0 to"):
            load(device="cuda:2")
