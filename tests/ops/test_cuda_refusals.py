# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""CUDA arrays at the door of the operations: what is refused, and in which words."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import cupy_fake as cupy
import torch_fake
from foreign_arrays import Foreign
from pamtri_edge import ops
from pamtri_edge.errors import InputError, MissingDependencyError
from pamtri_edge.ops import cuda, driver

ONES = np.ones((1, 36, 64, 64), np.float32)
ONE_BOX = np.array([(0, 0, 4, 4)], np.int32)


def zeros(*shape: int, dtype: Any = np.float32) -> Any:
    return cupy.asarray(np.zeros(shape, dtype))


@pytest.mark.usefixtures("simulated_gpu")
class TestRefused:
    @pytest.mark.parametrize(
        ("call", "complaint"),
        [
            (
                lambda: ops.decode(ONES, out=zeros(1, 36, 3)),
                r"heatmaps is in host memory, but out is in CUDA memory; expected both in one: copy heatmaps",
            ),
            (
                lambda: ops.decode(zeros(1, 36, 64, 64), out=np.zeros((1, 36, 3), np.float32)),
                "out is in host memory, but heatmaps is in CUDA memory",
            ),
            (
                lambda: ops.stack(np.zeros((1, 3, 8, 8), np.float32), zeros(1, 2, 2, 2)),
                "images is in host memory, but heatmaps is in CUDA memory",
            ),
            (lambda: ops.stack(zeros(1, 3, 8, 8), [[1.0]]), "heatmaps is a list; expected an array in CUDA"),
            (
                lambda: ops.crop(zeros(8, 8, 3, dtype=np.uint8), zeros(1, 4, dtype=np.int32)),
                r"rectangles is in CUDA memory; expected \(N, 4\) int32 on the host",
            ),
            (
                lambda: ops.resize([np.zeros((4, 4, 3), np.uint8), zeros(4, 4, 3, dtype=np.uint8)]),
                "crop 0 is in host memory, but crop 1 is in CUDA memory",
            ),
            (
                lambda: ops.window([zeros(4, 4, 3, dtype=np.uint8)]),
                "crop 0 is in CUDA memory; this needs a host array",
            ),
            (
                lambda: ops.decode(zeros(36, 64, 64)),
                r"shape \(36, 64, 64\); expected \(N, K, S, S\) float32 or",
            ),
            (lambda: ops.decode(zeros(1, 1, 0, 0)), "a side from 1 to 4096"),
            (
                lambda: ops.decode(zeros(1, 1, 8, 8, dtype=float)),
                "dtype float64; expected .* float16: convert",
            ),
            (lambda: ops.decode(zeros(2, 2, 8, 8)[:, :1]), r"heatmaps has strides .* in C order: make it so"),
            (lambda: ops.decode(zeros(2, 2, 8, 8), out=zeros(2, 2, 2)), r"out has shape .* \(2, 2, 3\)"),
            (
                lambda: ops.decode(zeros(2, 2, 8, 8), out=zeros(2, 2, 3, dtype=np.float16)),
                "out has dtype float16; expected .* float32",
            ),
            (lambda: ops.segments(zeros(1, 17, 3)), r"expected \(N, 36, 3\) float32"),
            (lambda: ops.segments(zeros(1, 36, 3, dtype=np.float16)), "dtype float16; expected"),
            (
                lambda: ops.segments(zeros(1, 36, 3), dtype="uint8"),
                "dtype is 'uint8'; accepted: 'float32', 'f",
            ),
            (
                lambda: ops.segments(zeros(1, 36, 3), size=8, dtype="float16", out=zeros(1, 13, 8, 8)),
                "out has dtype float32; expected .* float16",
            ),
            (
                lambda: ops.stack(zeros(1, 4, 8, 8)),
                r"images has shape \(1, 4, 8, 8\); expected \(N, 3, P, P\)",
            ),
            (lambda: ops.stack(zeros(1, 8, 8, 3)), r"images has shape \(1, 8, 8, 3\)"),
            (lambda: ops.stack(zeros(1, 3, 6, 6)), "a side that is a multiple of 4"),
            (lambda: ops.stack(zeros(1, 3, 8, 8), zeros(2, 5, 2, 2)), r"expected \(1, K, 2, 2\)"),
            (lambda: ops.stack(zeros(1, 3, 8, 8), None, zeros(1, 5, 4, 4)), r"expected \(1, Q, 8, 8\)"),
            (lambda: ops.stack(zeros(1, 3, 8, 8), keypoints=zeros(2, 36, 3)), r"expected \(1, 36, 3\)"),
            (
                lambda: ops.decode(zeros(1, 1, 8, 8), stream="fast"),
                "stream is a str; expected a stream of CuPy",
            ),
        ],
    )
    def test_arrays_in_two_memories_or_of_another_form(self, call: Callable[[], Any], complaint: str) -> None:
        with pytest.raises(InputError, match=complaint):
            call()

    @pytest.mark.parametrize(
        ("frame", "options", "complaint"),
        [
            ((8, 8), {}, r"the frame has shape \(8, 8\); expected \(H, W, 3\) uint8 for pixel_format='rgb'"),
            ((8, 8, 4), {}, r"shape \(8, 8, 4\); expected \(H, W, 3\)"),
            ((8, 8, 3), {"pixel_format": "rgba"}, r"expected \(H, W, 4\) uint8 for pixel_format='rgba'"),
            ((0, 8, 3), {}, "the frame has shape"),
            ((8, 8, 3), {"pixel_format": "yuv"}, "pixel_format is 'yuv'; accepted: 'rgb', 'rgba', 'nv12'"),
            (
                (9, 8),
                {"pixel_format": "nv12", "conversion": "bt2020"},
                "conversion is 'bt2020'; accepted: 'auto', 'bt60",
            ),
            ((10, 8), {"pixel_format": "nv12"}, r"shape \(10, 8\); expected \(3 H / 2, W\) uint8"),
            ((9, 7), {"pixel_format": "nv12"}, "the NV12 frame is 7 x 6 pixels; expected even numbers"),
        ],
    )
    def test_other_frames(self, frame: tuple[int, ...], options: dict[str, Any], complaint: str) -> None:
        host = np.zeros(frame, np.uint8)
        with pytest.raises(InputError, match=complaint):
            ops.crop(cupy.asarray(host), ONE_BOX, **options)

    @pytest.mark.parametrize(
        ("luma", "chroma", "complaint"),
        [
            ((6, 8), (3, 4), r"chroma has shape \(3, 4\); expected \(3, 4, 2\) or \(3, 8\) beside luma"),
            ((5, 8), (2, 8), "the NV12 frame is 8 x 5 pixels; expected even numbers"),
            ((6, 8, 1), (3, 8), r"luma has shape \(6, 8, 1\)"),
        ],
    )
    def test_other_planes(self, luma: tuple[int, ...], chroma: tuple[int, ...], complaint: str) -> None:
        host = np.zeros(luma, np.uint8), np.zeros(chroma, np.uint8)
        there = tuple(cupy.asarray(plane) for plane in host)
        for planes in (host, there):
            with pytest.raises(InputError, match=complaint):
                ops.crop(planes, ONE_BOX, pixel_format="nv12")
        with pytest.raises(InputError, match="chroma is in host memory, but luma is in CUDA memory"):
            ops.crop((there[0], host[1]), ONE_BOX, pixel_format="nv12")
        with pytest.raises(InputError, match="an NV12 frame of 3 planes"):
            ops.crop((*there, there[0]), ONE_BOX, pixel_format="nv12")

    def test_frames_whose_pixels_are_apart(self) -> None:
        frame = zeros(8, 16, 3, dtype=np.uint8)
        for apart in (frame[:, ::2], frame[::-1], frame.transpose(1, 0, 2)):
            with pytest.raises(
                InputError, match=r"the frame has strides .* side by side \(rows may lie apart"
            ):
                ops.crop(apart, ONE_BOX)
        with pytest.raises(InputError, match="the frame has dtype float32"):
            ops.crop(zeros(8, 8, 3), ONE_BOX)
        with pytest.raises(InputError, match=r"the batch has shape \(8, 16, 3\)"):
            ops.resize(frame)

    @pytest.mark.parametrize("box", [(0, 0, 9, 4), (0, 0, 4, 7)])
    @pytest.mark.parametrize("pixel_format", ["rgb", "nv12"])
    def test_a_rectangle_outside_the_surface(
        self, box: tuple[int, ...], pixel_format: ops.PixelFormat
    ) -> None:
        frame = zeros(9, 8, dtype=np.uint8) if pixel_format == "nv12" else zeros(6, 8, 3, dtype=np.uint8)
        with pytest.raises(InputError, match=r"rectangle 1 is .* within the frame of 8 x 6 pixels"):
            ops.crop(frame, np.array([(0, 0, 4, 4), box], np.int32), pixel_format=pixel_format)

    def test_memory_of_an_input_as_the_result(self) -> None:
        images = zeros(1, 3, 8, 8)
        with pytest.raises(InputError, match="out shares memory with an input"):
            ops.stack(images, out=images)

    def test_read_only_memory_as_the_result(self) -> None:
        out = zeros(1, 1, 3)
        read_only = Foreign(out, changes={"data": (out.data.ptr, True)})
        with pytest.raises(InputError, match="out is read-only"):
            ops.decode(zeros(1, 1, 8, 8), out=read_only)

    def test_a_masked_array(self) -> None:
        with pytest.raises(InputError, match="heatmaps is a masked array; fill in its values first"):
            ops.decode(Foreign(zeros(1, 1, 8, 8), changes={"mask": zeros(1, 1, 8, 8)}))

    def test_an_address_that_no_float_may_have(self) -> None:
        array = zeros(2, 1, 8, 8)
        with pytest.raises(InputError, match="begins at an address that no float32 may have"):
            ops.decode(Foreign(array, changes={"data": (array.data.ptr + 2, False), "shape": (1, 1, 8, 8)}))

    def test_arrays_on_two_gpus(self) -> None:
        heatmaps = zeros(1, 2, 8, 8)
        with cupy.cuda.Device(1):
            out, plane = zeros(1, 2, 3), zeros(3, 8, dtype=np.uint8)
        with pytest.raises(
            InputError, match="out is on GPU 1, and the operation runs on GPU 0; expected all"
        ):
            ops.decode(heatmaps, out=out)
        with pytest.raises(InputError, match="out is on GPU 1"):
            ops.decode(heatmaps, out=Foreign(out))
        with pytest.raises(InputError, match="luma is on GPU 0, chroma on GPU 1"):
            ops.crop((zeros(6, 8, dtype=np.uint8), plane), ONE_BOX, pixel_format="nv12")
        with pytest.raises(InputError, match="the pictures are on several GPUs"):
            ops.resize([zeros(6, 8, 3, dtype=np.uint8), Foreign(plane, changes={"shape": (1, 8, 3)})])

    def test_a_tensor_of_another_dtype(self, monkeypatch: pytest.MonkeyPatch) -> None:
        torch_fake.install(monkeypatch)
        with pytest.raises(InputError, match="heatmaps has dtype float64; expected one of float16, float32"):
            ops.decode(torch_fake.tensor(np.zeros((1, 1, 8, 8))))

    def test_a_batch_of_more_blocks_than_a_launch_has(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(cuda, "_MOST_BLOCKS", 71)
        with pytest.raises(InputError, match="too large for one call of decode"):
            ops.decode(zeros(2, 36, 8, 8))


def test_what_only_cuda_arrays_have_is_refused_for_others() -> None:
    images = np.zeros((1, 3, 8, 8), np.float32)
    with pytest.raises(InputError, match="stream was given, but the arrays are on the host"):
        ops.decode(ONES, stream=7)
    with pytest.raises(InputError, match="dtype is 'float16'; expected 'float32' for host arrays"):
        ops.stack(images, dtype="float16")
    with pytest.raises(InputError, match="stream was given"):
        ops.resize(np.zeros((1, 4, 4, 3), np.uint8), stream=7)


def test_host_values_are_left_unlooked_at_when_asked() -> None:
    assert np.isnan(ops.decode(np.full((1, 1, 4, 4), np.nan, np.float32), check=False)[..., 2]).all()
    assert not ops.segments(np.full((1, 36, 3), np.nan, np.float32), size=4, check=False).any()


def test_without_a_driver_a_cuda_array_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    driver.load_cupy.cache_clear()
    monkeypatch.setattr("pamtri_edge.libcuda.LIBCUDA", "libcuda-that-is-not-there.so.1")
    there: Any = SimpleNamespace(__cuda_array_interface__={})
    for call in (
        lambda: ops.decode(there),
        lambda: ops.decode(ONES, out=there),
        lambda: ops.crop(there, ONE_BOX),
        lambda: ops.resize([there]),
    ):
        with pytest.raises(MissingDependencyError, match="need an NVIDIA driver, and there is none here"):
            call()
