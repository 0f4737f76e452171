# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The CUDA kernels, run on the CPU thread by thread, equal the reference in NumPy to the bit.

The threads of a block run in both orders, over poisoned shared memory and poisoned results: a barrier that
is missing, or a value that is not written, differs in one of them. (`tests/fakes/cuda_on_cpu` is how.)
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

import emulated_kernels
import kernel_cases
from emulated_kernels import BACKWARD, FORWARD, EmulatedKernels
from pamtri_edge import _native
from pamtri_edge.ops import frames, reference, tasks
from pamtri_edge.ops.tasks import constants

PITCH_LINEAR = constants()["kPitchLinear"]
LEVELS = st.sampled_from([-2.0, -0.0, 0.0, 0.25, 0.5, 1.0])

# The fixture is the same for every example: the kernels do not change.
same_kernels = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)


@pytest.mark.parametrize("order", [FORWARD, BACKWARD], ids=["forward", "backward"])
def test_small_inputs_of_every_form(emulated: EmulatedKernels, order: int) -> None:
    emulated.order = order
    count = 0
    for name, result, expected in kernel_cases.all_cases(emulated):
        np.testing.assert_array_equal(result, expected, name)
        count += 1
    assert count > 150


@same_kernels
@given(
    heatmaps=hnp.arrays(
        st.sampled_from([np.float32, np.float16]),
        st.integers(1, 18).map(lambda side: (1, 2, side, side)),
        elements=LEVELS,
        fill=LEVELS,
    ),
    crop_units=st.booleans(),
)
def test_decode_breaks_ties_as_the_reference_does(
    emulated: EmulatedKernels, heatmaps: NDArray[Any], crop_units: bool
) -> None:
    np.testing.assert_array_equal(*kernel_cases.decode(emulated, heatmaps, crop_units=crop_units))


@same_kernels
@given(
    heatmaps=hnp.arrays(
        np.float32,
        (1, 1, 4, 4),
        elements=st.floats(width=32, allow_nan=True, allow_infinity=True, allow_subnormal=True),
    )
)
def test_decode_takes_every_float_there_is(emulated: EmulatedKernels, heatmaps: NDArray[Any]) -> None:
    np.testing.assert_array_equal(*kernel_cases.decode(emulated, heatmaps))
    np.testing.assert_array_equal(*kernel_cases.decode(emulated, heatmaps, vectors=0))


@same_kernels
@given(
    seed=st.integers(0, 2**32 - 1),
    height=st.integers(1, 60),
    width=st.integers(1, 60),
    size=st.integers(1, 40),
)
def test_crop_gives_the_pixels_of_opencv(
    emulated: EmulatedKernels, seed: int, height: int, width: int, size: int
) -> None:
    frame = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    box = np.array([(0, 0, width, height)], np.int32)
    result, expected = kernel_cases.crop(emulated, frame, "rgb", box, size, dtype=np.uint8)
    np.testing.assert_array_equal(result, expected)
    resized = cv2.resize(frame, (size, size), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_allclose(result[0].astype(int), np.moveaxis(resized, -1, 0).astype(int), rtol=0, atol=1)


@pytest.mark.slow
def test_no_kernel_touches_memory_that_is_not_its_own(tmp_path: Path) -> None:
    """AddressSanitizer surrounds every array with memory that may not be touched."""
    runtime = subprocess.run(
        ["g++", "-print-file-name=libasan.so"], capture_output=True, text=True, check=False
    ).stdout.strip()
    if not Path(runtime).is_absolute():
        pytest.skip("g++ has no AddressSanitizer here")
    library = emulated_kernels.compile_library(tmp_path, *emulated_kernels.SANITIZED)
    environ = {**os.environ, "LD_PRELOAD": runtime, "ASAN_OPTIONS": "detect_leaks=0"}
    environ["OPENBLAS_NUM_THREADS"] = "1"
    command = [sys.executable, kernel_cases.__file__, str(library)]
    done = subprocess.run(command, capture_output=True, text=True, env=environ, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("cases\n")


TYPES: dict[type, int] = {np.float32: 0, np.float16: 1, np.uint8: 2}
"""`pamtri::cuda::Type`."""


class TestTheLibraryForCpp:
    """launch.hpp gives what the operations in Python give; its launches run the same kernels."""

    @pytest.mark.parametrize("dtype", [np.float32, np.float16])
    @pytest.mark.parametrize("side", [64, 6])
    def test_decode(
        self, emulated: EmulatedKernels, rng: np.random.Generator, dtype: type, side: int
    ) -> None:
        heatmaps = kernel_cases.some_heatmaps(rng, (2, 5, side, side), dtype)
        _, expected = kernel_cases.decode(emulated, heatmaps)
        out = kernel_cases.poisoned(expected.shape, np.float32)
        arguments = (_pointer(heatmaps), TYPES[dtype], 10, side, 1, _pointer(out))
        assert emulated.library.cpp_decode(*arguments) == 0
        np.testing.assert_array_equal(out, expected)

    @pytest.mark.parametrize("dtype", [np.float32, np.float16])
    @pytest.mark.parametrize("size", [64, 30])
    def test_segments(
        self, emulated: EmulatedKernels, rng: np.random.Generator, dtype: type, size: int
    ) -> None:
        keypoints = kernel_cases.some_keypoints(rng, 2)
        _, expected = kernel_cases.segments(emulated, keypoints, size, dtype=dtype, threshold=0.6)
        out, rows = kernel_cases.poisoned(expected.shape, dtype), tasks.corner_rows()
        arguments = (_pointer(keypoints), 2, _pointer(rows), 13, ctypes.c_float(0.6), size)
        assert emulated.library.cpp_segments(*arguments, TYPES[dtype], _pointer(out)) == 0
        np.testing.assert_array_equal(out, expected)

    @pytest.mark.parametrize("dtype", [np.float32, np.float16])
    @pytest.mark.parametrize("size", [64, 12])
    def test_stack(self, emulated: EmulatedKernels, rng: np.random.Generator, dtype: type, size: int) -> None:
        images = rng.integers(0, 256, (2, 3, size, size), dtype=np.uint8)
        heatmaps = rng.random((2, 3, size // 4, size // 4)).astype(np.float16)
        keypoints = kernel_cases.some_keypoints(rng, 2)
        _, expected = kernel_cases.stack(emulated, images, heatmaps, keypoints=keypoints, dtype=dtype)
        out = kernel_cases.poisoned(expected.shape, dtype)
        task = kernel_cases.stack_task(images, heatmaps, None, keypoints, out)
        task["vectors"] = 77  # set by the library
        assert emulated.library.cpp_stack(_pointer(task), 2, TYPES[dtype]) == 0
        np.testing.assert_array_equal(out, expected)

    @pytest.mark.parametrize("dtype", [np.float32, np.float16, np.uint8])
    def test_crop(self, emulated: EmulatedKernels, rng: np.random.Generator, dtype: type) -> None:
        frame = rng.integers(0, 256, (40, 50, 3), dtype=np.uint8)
        corners = rng.integers(0, 20, (70, 2))  # more than one launch takes
        boxes = np.concatenate([corners, corners + rng.integers(1, 20, (70, 2))], axis=1).astype(np.int32)
        parts = [
            kernel_cases.crop(emulated, frame, "rgb", boxes[i : i + 32], 20, dtype=dtype, swap=True)[1]
            for i in range(0, 70, 32)
        ]
        out = kernel_cases.poisoned((70, 3, 20, 20), dtype)
        crops = np.zeros(70, np.dtype([("pixels", "u8"), ("chroma", "u8"), ("numbers", "i4", 8)]))
        crops["pixels"] = frame.ctypes.data
        crops["numbers"][:, 0] = frame.strides[0]
        crops["numbers"][:, 4:6] = boxes[:, :2]
        crops["numbers"][:, 6:] = boxes[:, 2:] - boxes[:, :2]
        arguments = (_pointer(crops), 70, 0, 0, 1, 20, TYPES[dtype], PITCH_LINEAR, _pointer(out))
        assert emulated.library.cpp_crop(*arguments) == 0
        np.testing.assert_array_equal(out, np.concatenate(parts))

    def test_an_empty_batch_is_no_launch_and_another_type_is_refused(self, emulated: EmulatedKernels) -> None:
        library = emulated.library
        assert library.cpp_decode(None, 0, 0, 64, 1, None) == 0
        assert library.cpp_segments(None, 0, None, 0, ctypes.c_float(0.5), 64, 0, None) == 0
        assert library.cpp_crop(None, 0, 0, 0, 0, 64, 0, PITCH_LINEAR, None) == 0
        invalid = 1  # cudaErrorInvalidValue
        assert library.cpp_decode(None, 2, 5, 64, 1, None) == invalid
        assert library.cpp_segments(None, 1, None, 17, ctypes.c_float(0.5), 64, 0, None) == invalid
        assert library.cpp_decode(None, 0, -1, 64, 1, None) == invalid

    def test_surfaces_that_lie_in_blocks_are_refused(self, emulated: EmulatedKernels) -> None:
        unsupported = 801  # cudaErrorNotSupported
        block_linear = constants()["kBlockLinear"]
        arguments = (constants()["kNv12"], 0, 0, 64, 0, block_linear, None)
        assert emulated.library.cpp_crop(None, 1, *arguments) == unsupported

    @pytest.mark.parametrize("height", [2, 480, 576, 578, 720, 1080, 2160])
    def test_the_usual_conversion_is_that_of_the_host(self, emulated: EmulatedKernels, height: int) -> None:
        number = constants()[frames._CONVERSIONS[frames.settled("auto", height)]]
        assert emulated.library.cpp_usual_conversion(height) == number


def _pointer(array: NDArray[Any]) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


@pytest.mark.parametrize(("count", "side"), [(1, 1), (3, 16), (35, 20), (2, 256)])
def test_pictures_that_lie_apart_become_a_batch_of_floats(
    emulated: EmulatedKernels, rng: np.random.Generator, count: int, side: int
) -> None:
    emulated.library.cpp_widen.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_int, ctypes.c_void_p]
    pictures = [rng.integers(0, 256, (3, side, side), dtype=np.uint8) for _ in range(count)]
    addresses = (ctypes.c_void_p * count)(*(picture.ctypes.data for picture in reversed(pictures)))
    found = np.full((count, 3, side, side), -1, np.float32)

    assert emulated.library.cpp_widen(addresses, count, 3 * side * side, found.ctypes.data) == 0

    np.testing.assert_array_equal(found, np.stack(pictures[::-1]).astype(np.float32))


@pytest.mark.parametrize(("width", "height"), [(24, 16), (25, 17), (2, 2), (1, 3)])
@pytest.mark.parametrize(
    ("conversion", "matrix"),
    [("kBt709", (0.2126, 0.0722, False)), ("kBt601Full", (0.299, 0.114, True)), ("kBt2020", None)],
)
def test_sited_chroma_gives_the_pixels_of_frames_in_host_memory(
    emulated: EmulatedKernels,
    rng: np.random.Generator,
    width: int,
    height: int,
    conversion: str,
    matrix: tuple[float, float, bool] | None,
) -> None:
    luma = rng.integers(0, 256, (height, width), dtype=np.uint8)
    pairs = rng.integers(0, 256, ((height + 1) // 2, (width + 1) // 2, 2), dtype=np.uint8)
    kr, kb, full = matrix or (0.2627, 0.0593, False)
    expected = np.empty((height, width, 3), np.uint8)
    _native.planar_to_rgb(luma, pairs[..., 0], pairs[..., 1], expected, kr, kb, full, True, False)
    side = 40
    crops = np.zeros(1, np.dtype([("pixels", "u8"), ("chroma", "u8"), ("numbers", "i4", 8)]))
    crops["pixels"], crops["chroma"] = luma.ctypes.data, pairs.ctypes.data
    crops["numbers"] = (width, pairs.strides[0], pairs.shape[1], pairs.shape[0], 0, 0, width, height)
    found = kernel_cases.poisoned((1, 3, side, side), np.uint8)
    numbers = constants()
    arguments = (numbers["kNv12Sited"], numbers[conversion], 0, side, TYPES[np.uint8], PITCH_LINEAR)
    assert emulated.library.cpp_crop(_pointer(crops), 1, *arguments, _pointer(found)) == 0

    resized = np.empty((1, 3, side, side), np.float32)
    reference.resize([expected], resized, False)
    np.testing.assert_array_equal(found, resized)
