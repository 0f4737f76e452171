# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The operations on CUDA arrays equal those on NumPy's.

Every test runs twice: on an NVIDIA GPU, where there is one (marker `gpu`), and on a simulated one, whose
kernels are the same sources on the CPU and whose streams run as late as they may.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import kernel_cases
from pamtri_edge import ops
from pamtri_edge.errors import InputError
from pamtri_edge.geometry import CropRule, Geometry, crop_rectangles

PLACES = ["simulated", pytest.param("gpu", marks=pytest.mark.gpu)]
BOTH_LIBRARIES = pytest.mark.parametrize("library", ["cupy", "torch"])


@dataclass(frozen=True)
class Device:
    """A GPU with a library of arrays.

    Attributes:
        put: makes an array of the library of one of NumPy's.
        get: the reverse, once the device is done.
        cupy: the module.
        simulated: whether it is.
    """

    put: Callable[[NDArray[Any]], Any]
    get: Callable[[Any], NDArray[Any]]
    cupy: Any
    simulated: bool

    def poisoned(self, shape: tuple[int, ...], dtype: str) -> Any:
        """Return memory that is full of what no operation gives."""
        return self.put(kernel_cases.poisoned(shape, dtype))


@pytest.fixture
def library() -> str:
    """Return the name of a library of arrays; what a library has its own way of is tested with both."""
    return "cupy"


@pytest.fixture(params=PLACES)
def device(request: pytest.FixtureRequest, library: str, monkeypatch: pytest.MonkeyPatch) -> Device:
    """Return a GPU, simulated or not, with the library."""
    simulated = request.param == "simulated"
    if simulated:
        request.getfixturevalue("simulated_gpu")
    cupy = pytest.importorskip("cupy", reason="needs CuPy: pip install 'pamtri-edge[cuda]'")
    if library == "cupy":
        return Device(cupy.asarray, lambda array: array.get(), cupy, simulated)
    if simulated:
        import torch_fake

        torch_fake.install(monkeypatch)
        return Device(torch_fake.tensor, lambda tensor: tensor.array.get(), cupy, simulated)
    torch = pytest.importorskip("torch", reason="needs PyTorch")
    if not torch.cuda.is_available():
        pytest.skip("this PyTorch was built without CUDA")
    return Device(
        lambda host: torch.from_numpy(host).cuda(), lambda tensor: tensor.cpu().numpy(), cupy, False
    )


@pytest.fixture
def rng(device: Device) -> np.random.Generator:
    """Return random numbers: fresh ones on a GPU, the same on every run elsewhere."""
    return np.random.default_rng(5 if device.simulated else None)


def half(array: NDArray[Any]) -> NDArray[np.float16]:
    return array.astype(np.float16)


@BOTH_LIBRARIES
@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("geometry", list(Geometry))
def test_decode(device: Device, rng: np.random.Generator, dtype: str, geometry: Geometry) -> None:
    heatmaps = kernel_cases.some_heatmaps(rng, (3, 36, 64, 64)).astype(dtype)
    expected = ops.decode(heatmaps.astype(np.float32), geometry=geometry, check=False)
    out = device.poisoned(expected.shape, "float32")

    assert ops.decode(device.put(heatmaps), geometry=geometry, out=out) is out
    np.testing.assert_array_equal(device.get(out), expected)
    fresh = ops.decode(device.put(heatmaps), geometry=geometry)
    assert type(fresh) is type(out)
    np.testing.assert_array_equal(device.get(fresh), expected)


def test_decode_knows_subnormal_numbers(device: Device) -> None:
    heatmaps = np.zeros((1, 2, 64, 64), np.float32)
    heatmaps[0, 0, 30, 20] = 1e-40
    heatmaps[0, 0, 30, 19] = 5e-41
    heatmaps[0, 1] = -1e-40
    heatmaps[0, 1, 7, 9] = -1e-45

    np.testing.assert_array_equal(device.get(ops.decode(device.put(heatmaps))), ops.decode(heatmaps))


@pytest.mark.parametrize("size", [64, 256, 50])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_segments(device: Device, rng: np.random.Generator, size: int, dtype: str) -> None:
    keypoints = kernel_cases.some_keypoints(rng, 3)
    out = device.poisoned((3, 13, size, size), dtype)

    assert ops.segments(device.put(keypoints), size=size, threshold=0.6, out=out) is out
    expected = ops.segments(keypoints, size=size, threshold=0.6)
    assert expected.any()
    np.testing.assert_array_equal(device.get(out), expected)
    fresh = device.get(ops.segments(device.put(keypoints), size=size, threshold=0.6, dtype=dtype))
    assert fresh.dtype == dtype
    np.testing.assert_array_equal(fresh, expected)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("images", ["float32", "float16", "uint8", "pixels"])
def test_stack(device: Device, rng: np.random.Generator, dtype: str, images: str) -> None:
    pictures = rng.integers(0, 256, (2, 3, 128, 128)).astype(np.float32)
    heatmaps = rng.uniform(-0.5, 1.5, (2, 5, 32, 32)).astype(np.float16)
    keypoints = kernel_cases.some_keypoints(rng, 2)
    given = np.ascontiguousarray(np.moveaxis(pictures, 1, -1)).astype(np.uint8)
    given = given if images == "pixels" else pictures.astype(images)
    expected = ops.stack(pictures, heatmaps.astype(np.float32), keypoints=keypoints).astype(dtype)
    out = device.poisoned(expected.shape, dtype)

    assert ops.stack(device.put(given), device.put(heatmaps), keypoints=device.put(keypoints), out=out) is out
    np.testing.assert_array_equal(device.get(out), expected)


@BOTH_LIBRARIES
def test_a_stack_at_full_size_from_decoded_keypoints(device: Device, rng: np.random.Generator) -> None:
    images = rng.uniform(0, 255, (1, 3, 256, 256)).astype(np.float32)
    heatmaps = rng.random((1, 36, 64, 64), dtype=np.float32)
    expected = ops.stack(images, heatmaps, keypoints=ops.decode(heatmaps))

    there = device.put(heatmaps)
    result = ops.stack(device.put(images), there, keypoints=ops.decode(there))

    np.testing.assert_array_equal(device.get(result), expected)


@pytest.mark.parametrize("kind", ["float32", "float16"])
def test_a_stack_of_segments_that_are_drawn_already(
    device: Device, rng: np.random.Generator, kind: str
) -> None:
    images = rng.integers(0, 256, (3, 3, 20, 20)).astype(np.float32)
    segments = rng.integers(0, 2, (3, 4, 20, 20)).astype(kind)

    result = ops.stack(device.put(images), None, device.put(segments), dtype="float16")

    np.testing.assert_array_equal(
        device.get(result), half(ops.stack(images, None, segments.astype(np.float32)))
    )


@BOTH_LIBRARIES
def test_arrays_that_begin_anywhere(device: Device, rng: np.random.Generator) -> None:
    """A part of an array need not begin at a multiple of 16 bytes, which is what vectors need."""
    heatmaps = rng.random((3, 5, 6, 6)).astype(np.float16)  # 72 bytes a heatmap
    images = rng.integers(0, 256, (3, 3, 12, 12)).astype(np.float16)
    maps = rng.random((3, 2, 3, 3)).astype(np.float16)

    np.testing.assert_array_equal(
        device.get(ops.decode(device.put(heatmaps)[1:])), ops.decode(heatmaps[1:].astype(np.float32))
    )
    np.testing.assert_array_equal(
        device.get(ops.stack(device.put(images)[1:], device.put(maps)[1:])),
        ops.stack(images[1:].astype(np.float32), maps[1:].astype(np.float32)),
    )


@pytest.mark.parametrize("dtype", ["float32", "float16", "uint8"])
@pytest.mark.parametrize("rule", list(CropRule))
def test_crop(device: Device, rng: np.random.Generator, dtype: str, rule: CropRule) -> None:
    frame = rng.integers(0, 256, (90, 130, 3), dtype=np.uint8)
    boxes = crop_rectangles(
        [(-5.0, 3.2, 60.7, 70.1), (20.0, 10.0, 50.5, 90.0), (100, 80, 130, 90)], 130, 90, rule
    )
    out = device.poisoned((3, 3, 96, 96), dtype)

    assert ops.crop(device.put(frame), boxes, size=96, swap_channels=True, out=out) is out
    np.testing.assert_array_equal(device.get(out), ops.crop(frame, boxes, size=96, swap_channels=True))


@pytest.mark.parametrize("conversion", ["bt601", "bt709", "bt601-full", "bt709-full"])
@pytest.mark.parametrize("whole", [True, False], ids=["one array", "two planes"])
def test_crop_of_nv12(device: Device, rng: np.random.Generator, conversion: str, whole: bool) -> None:
    frame = rng.integers(0, 256, (90, 80), dtype=np.uint8)  # 80 x 60 pixels
    boxes = np.array([(0, 0, 80, 60), (3, 7, 40, 59), (79, 0, 80, 1)], np.int32)
    given = (
        device.put(frame) if whole else (device.put(frame[:60]), device.put(frame[60:].reshape(30, 40, 2)))
    )
    how: dict[str, Any] = {"size": 40, "pixel_format": "nv12", "conversion": conversion}

    np.testing.assert_array_equal(device.get(ops.crop(given, boxes, **how)), ops.crop(frame, boxes, **how))


@BOTH_LIBRARIES
def test_crop_of_rgba_whose_rows_are_apart(device: Device, rng: np.random.Generator) -> None:
    frame = rng.integers(0, 256, (50, 64, 4), dtype=np.uint8)
    boxes = np.array([(1, 2, 59, 50)], np.int32)

    result = ops.crop(device.put(frame)[:, :60], boxes, size=32, pixel_format="rgba")

    np.testing.assert_array_equal(device.get(result), ops.crop(frame[..., :3], boxes, size=32))


def test_more_crops_than_one_launch_takes(device: Device, rng: np.random.Generator) -> None:
    frame = rng.integers(0, 256, (40, 50, 3), dtype=np.uint8)
    corners = rng.integers(0, 20, (71, 2))
    boxes = np.concatenate([corners, corners + rng.integers(1, 20, (71, 2))], axis=1).astype(np.int32)

    np.testing.assert_array_equal(
        device.get(ops.crop(device.put(frame), boxes, size=16)), ops.crop(frame, boxes, size=16)
    )


@BOTH_LIBRARIES
def test_resize(device: Device, rng: np.random.Generator) -> None:
    crops = [
        rng.integers(0, 256, (height, width, 3), dtype=np.uint8) for height, width in ((9, 40), (70, 33))
    ]
    batch = rng.integers(0, 256, (3, 20, 30, 3), dtype=np.uint8)

    np.testing.assert_array_equal(
        device.get(ops.resize([device.put(crop) for crop in crops], size=24)), ops.resize(crops, size=24)
    )
    np.testing.assert_array_equal(
        device.get(ops.resize(device.put(batch), size=24)), ops.resize(batch, size=24)
    )


@BOTH_LIBRARIES
def test_an_empty_batch(device: Device) -> None:
    def empty(*shape: int, dtype: type = np.float32) -> Any:
        return device.put(np.empty(shape, dtype))

    none = np.empty((0, 4), np.int32)
    assert tuple(ops.decode(empty(0, 36, 64, 64)).shape) == (0, 36, 3)
    assert tuple(ops.segments(empty(0, 36, 3), size=8).shape) == (0, 13, 8, 8)
    assert tuple(ops.stack(empty(0, 3, 8, 8), keypoints=empty(0, 36, 3)).shape) == (0, 16, 8, 8)
    assert tuple(ops.crop(device.put(np.zeros((4, 4, 3), np.uint8)), none, size=8).shape) == (0, 3, 8, 8)
    assert tuple(ops.resize(empty(0, 4, 4, 3, dtype=np.uint8), size=8).shape) == (0, 3, 8, 8)


@BOTH_LIBRARIES
def test_on_a_stream_of_the_callers(device: Device, rng: np.random.Generator) -> None:
    heatmaps = rng.random((2, 36, 64, 64), dtype=np.float32)
    there = device.put(heatmaps)
    device.cupy.cuda.Device().synchronize()
    stream = device.cupy.cuda.Stream(non_blocking=True)

    keypoints = ops.decode(there, stream=stream)
    segments = ops.segments(keypoints, size=16, stream=stream.ptr)

    stream.synchronize()
    expected = ops.decode(heatmaps)
    np.testing.assert_array_equal(device.get(keypoints), expected)
    np.testing.assert_array_equal(device.get(segments), ops.segments(expected, size=16))


def test_on_cupys_current_stream(device: Device, rng: np.random.Generator) -> None:
    heatmaps = rng.random((1, 36, 64, 64), dtype=np.float32)

    with device.cupy.cuda.Stream(non_blocking=True):
        result = device.get(ops.decode(device.put(heatmaps)))  # all on that stream, the copy back too

    np.testing.assert_array_equal(result, ops.decode(heatmaps))


def test_captured_into_a_graph(device: Device, rng: np.random.Generator) -> None:
    """No operation waits, allocates or copies behind the caller's back: it could not be captured then."""
    cupy = device.cupy
    heatmaps, images = rng.random((2, 36, 64, 64), dtype=np.float32), np.zeros((2, 3, 256, 256), np.float32)
    frame = rng.integers(0, 256, (60, 70, 3), dtype=np.uint8)
    boxes = np.array([(0, 0, 70, 60), (5, 5, 30, 40)], np.int32)
    given = [device.put(np.zeros_like(array)) for array in (heatmaps, images, frame)]
    keypoints, stacked = device.poisoned((2, 36, 3), "float32"), device.poisoned((2, 52, 256, 256), "float32")

    def run() -> None:
        ops.crop(given[2], boxes, out=given[1])
        ops.decode(given[0], out=keypoints)
        ops.stack(given[1], given[0], keypoints=keypoints, out=stacked)

    run()  # compiles
    cupy.cuda.Device().synchronize()
    stream = cupy.cuda.Stream(non_blocking=True)
    with stream:
        stream.begin_capture()
        run()
        graph = stream.end_capture()
        for target, values in ((given[0], heatmaps), (given[2], frame)):
            target.set(values)
        graph.launch()
    stream.synchronize()

    expected = ops.stack(ops.crop(frame, boxes), heatmaps, keypoints=ops.decode(heatmaps))
    np.testing.assert_array_equal(device.get(stacked), expected)


@BOTH_LIBRARIES
def test_values_are_looked_at_when_asked(device: Device) -> None:
    heatmaps = np.zeros((2, 36, 8, 8), np.float32)
    heatmaps[1, 5, 3, 3] = np.nan
    keypoints = np.zeros((2, 36, 3), np.float32)
    keypoints[1, 7, 0] = np.inf
    images = np.zeros((2, 3, 8, 8), np.float32)

    decoded = device.get(ops.decode(device.put(heatmaps)))
    assert not decoded[..., :2].any()
    assert np.argwhere(np.isnan(decoded)).tolist() == [[1, 5, 2]]
    assert not device.get(ops.segments(device.put(keypoints), size=8)).any()
    with pytest.raises(InputError, match="heatmap 5 of vehicle 1 holds NaN or infinity"):
        ops.decode(device.put(heatmaps), check=True)
    with pytest.raises(InputError, match="keypoint 7 of vehicle 1"):
        ops.segments(device.put(keypoints), size=8, check=True)
    with pytest.raises(InputError, match="keypoint 7 of vehicle 1"):
        ops.stack(device.put(images), keypoints=device.put(keypoints), check=True)


@pytest.mark.parametrize("library", ["torch"])
def test_libraries_may_be_mixed(device: Device, rng: np.random.Generator) -> None:
    images = rng.integers(0, 256, (1, 3, 16, 16)).astype(np.float32)
    heatmaps = rng.random((1, 2, 4, 4), dtype=np.float32)

    first = ops.stack(device.put(images), device.cupy.asarray(heatmaps))
    second = ops.stack(device.cupy.asarray(images), device.put(heatmaps))

    assert type(first) is type(device.put(images))
    assert isinstance(second, device.cupy.ndarray)
    expected = ops.stack(images, heatmaps)
    np.testing.assert_array_equal(device.get(first), expected)
    np.testing.assert_array_equal(second.get(), expected)
