# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""CUDA arrays at the door of the operations: on which stream work runs, and how kernels are compiled."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import cupy_fake as cupy
import torch_fake
from foreign_arrays import DlPack, Foreign
from pamtri_edge import ops
from pamtri_edge.errors import MissingDependencyError
from pamtri_edge.ops import cuda, tasks
from simulated_gpu import Gpu

ONES = np.ones((1, 36, 64, 64), np.float32)


def zeros(*shape: int, dtype: Any = np.float32) -> Any:
    return cupy.asarray(np.zeros(shape, dtype))


def late_ones(stream: Any) -> Any:
    """Return an array that is full of ones only once the stream has come to it."""
    with stream:
        array = cupy.empty(ONES.shape, np.float32)
        array.fill(1)
    return array


class TestStreams:
    def test_nothing_waits_for_the_device(self, simulated_gpu: Gpu) -> None:
        result = ops.decode(late_ones(cupy.cuda.Stream.null))

        assert not simulated_gpu.log
        assert result.get()[0, 0, 2] == 1.0
        assert "pamtri_decode_float" in simulated_gpu.log

    @pytest.mark.usefixtures("simulated_gpu")
    def test_it_runs_on_the_current_device_of_the_array_and_leaves_the_current_one(self) -> None:
        with cupy.cuda.Device(1):
            heatmaps = cupy.asarray(ONES)
        result = ops.decode(heatmaps)

        assert result.device.id == 1
        assert cupy.cuda.runtime.getDevice() == 0
        with cupy.cuda.Device(1):
            assert result.get()[0, 0, 2] == 1.0

    @pytest.mark.usefixtures("simulated_gpu")
    def test_an_array_of_a_third_library_is_waited_for_on_its_stream(self) -> None:
        producer = cupy.cuda.Stream(non_blocking=True)
        heatmaps = late_ones(producer)

        with cupy.cuda.Stream(non_blocking=True):
            assert ops.decode(Foreign(heatmaps, producer.ptr)).get()[0, 0, 2] == 1.0
            assert np.isnan(
                ops.decode(Foreign(late_ones(producer))).get()
            ).any()  # none named: none waited for

    @pytest.mark.usefixtures("simulated_gpu")
    def test_an_array_that_has_only_dlpack_is_waited_for(self) -> None:
        producer = cupy.cuda.Stream(non_blocking=True)
        heatmaps = DlPack(late_ones(producer), producer)

        with cupy.cuda.Stream(non_blocking=True):
            assert ops.decode(heatmaps).get()[0, 0, 2] == 1.0

    @pytest.mark.usefixtures("simulated_gpu")
    def test_a_tensor_runs_on_pytorchs_stream_and_waits_for_cupys(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        torch = torch_fake.install(monkeypatch)
        of_torch, of_cupy = (cupy.cuda.Stream(non_blocking=True) for _ in range(2))
        keypoints = np.random.default_rng(3).random((1, 36, 3), dtype=np.float32)
        with torch.cuda.stream(of_torch), of_cupy:
            images = torch_fake.tensor(np.ones((1, 3, 16, 16), np.float32))
            points = cupy.asarray(keypoints)
            out = cupy.empty((1, 16, 16, 16), np.float32)
            result = ops.stack(images, keypoints=points, out=out)
            assert result is out
            # What CuPy does next with its array is on its own stream, which waits for PyTorch's.
            found = result.get()
        expected = ops.stack(np.ones((1, 3, 16, 16), np.float32), keypoints=keypoints)
        np.testing.assert_array_equal(found, expected)

    @pytest.mark.usefixtures("simulated_gpu")
    def test_a_stream_of_the_callers_waits_for_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        torch_fake.install(monkeypatch)
        mine, others = (cupy.cuda.Stream(non_blocking=True) for _ in range(2))
        with others:
            ops.decode(torch_fake.tensor(ONES), out=cupy.empty((1, 36, 3), np.float32), stream=mine)

        assert [name for name, _ in mine._queue.waiting] == ["pamtri_decode_float"]

    @pytest.mark.usefixtures("simulated_gpu")
    @pytest.mark.parametrize("kind", ["CuPy's", "PyTorch's", "by protocol", "a handle"])
    def test_a_stream_is_known_whosever_it_is(self, kind: str) -> None:
        stream = cupy.cuda.Stream(non_blocking=True)

        class OfTorch:
            cuda_stream = stream.ptr

        class ByProtocol:
            def __cuda_stream__(self) -> tuple[int, int]:
                return 0, int(stream.ptr)

        given = {
            "CuPy's": stream,
            "PyTorch's": OfTorch(),
            "by protocol": ByProtocol(),
            "a handle": stream.ptr,
        }
        heatmaps = late_ones(stream)

        result = ops.decode(heatmaps, stream=given[kind])

        stream.synchronize()
        assert result.get()[0, 0, 2] == 1.0

    @pytest.mark.usefixtures("simulated_gpu")
    def test_pytorch_hands_out_memory_for_the_stream_that_was_named(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Else it would give the memory to others as soon as the tensor is gone, while work is under way.

        For the default stream it takes no address: it would hand out memory of a stream of its pool.
        """
        torch = torch_fake.install(monkeypatch)
        stream = cupy.cuda.Stream(non_blocking=True)
        heatmaps = torch_fake.tensor(ONES)
        asked: list[int] = []
        plain = torch.empty

        def empty(*shape: Any, **how: Any) -> Any:
            asked.append(torch.cuda.current_stream().cuda_stream)
            return plain(*shape, **how)

        monkeypatch.setattr(torch, "empty", empty)
        legacy = 1  # cudaStreamLegacy
        for named in (stream, None, torch.cuda.current_stream(), cupy.cuda.Stream.null, legacy):
            result = ops.decode(heatmaps, stream=named)

        assert asked == [stream.ptr, 0, 0, 0, 0]
        assert result.array.get()[0, 0, 2] == 1.0

    @pytest.mark.usefixtures("simulated_gpu")
    def test_a_tensor_that_takes_a_gradient_is_read(self, monkeypatch: pytest.MonkeyPatch) -> None:
        torch_fake.install(monkeypatch)
        heatmaps = torch_fake.tensor(ONES)
        heatmaps.requires_grad = True

        assert ops.decode(heatmaps).array.get()[0, 0, 2] == 1.0


@pytest.mark.usefixtures("simulated_gpu")
class TestCompiling:
    def test_a_kernel_is_made_once_from_its_source(self) -> None:
        for _ in range(3):
            ops.decode(zeros(1, 1, 8, 8))
            ops.decode(zeros(1, 1, 8, 8, dtype=np.float16))

        (module,) = cupy.sources
        assert module.code == (tasks.KERNELS / "cuda" / "decode.cu").read_text()
        assert "-std=c++17" in module.options

    def test_the_cache_of_compiled_kernels_knows_every_header(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
    ) -> None:
        def options() -> tuple[str, ...]:
            cuda.compile_options.cache_clear()
            return cuda.compile_options()

        for folder in ("include/pamtri", "cuda"):
            (tmp_path / folder).mkdir(parents=True)
        header = tmp_path / "include" / "pamtri" / "decode.hpp"
        header.write_text("int a;")
        monkeypatch.setattr(cuda, "KERNELS", tmp_path)
        before = options()
        header.write_text("int b;")
        after = options()
        cuda.compile_options.cache_clear()

        assert f"-I{tmp_path / 'include'}" in before
        assert {option.split("=")[0] for option in set(before) ^ set(after)} == {"-DPAMTRI_SOURCES"}

    @pytest.mark.parametrize(
        "lacking", ["Failure finding libnvrtc.so: No such file", "Failed to find CUDA headers. Please"]
    )
    def test_a_missing_runtime_compiler_is_one_sentence(
        self, lacking: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fails(*_: Any, **__: Any) -> Any:
            raise RuntimeError(lacking)

        monkeypatch.setattr(cupy.RawKernel, "__call__", fails)
        with pytest.raises(
            MissingDependencyError, match=r"cannot compile the kernels .* pip install 'pamtri-edge\[cuda\]'"
        ):
            ops.decode(zeros(1, 1, 8, 8))

    def test_another_failure_is_not_hidden(self, monkeypatch: pytest.MonkeyPatch) -> None:
        cupy.kernels.clear()
        with pytest.raises(cupy.CudaError, match="CUDA_ERROR_NOT_FOUND"):
            ops.decode(zeros(1, 1, 8, 8))

    def test_an_older_cupy_has_another_class_for_foreign_streams(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delattr(cupy.cuda.Stream, "from_external")
        stream = cupy.cuda.Stream(non_blocking=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            result = ops.decode(late_ones(stream), stream=stream)
        stream.synchronize()
        assert result.get()[0, 0, 2] == 1.0
