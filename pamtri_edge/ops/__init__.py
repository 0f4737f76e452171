# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The operations between the networks: decode, segments, stack, crop. This is their one door.

NumPy arrays in, NumPy arrays out. The work is done by the compiled module where the package has it, else by
the reference in NumPy; the results are the same. The environment variable `PAMTRI_OPS` settles it:
`native` or `reference`. Every operation takes `out=`, memory of the caller's for the result, and accepts
an empty batch.

CUDA arrays in, CUDA arrays out: of CuPy, of PyTorch, or anything with `__cuda_array_interface__` or DLPack,
whose result is then CuPy's. All arrays of a call lie on one GPU, in C order. It runs on the current stream of
the first array's library (`ops.streams` has the rules), or on `stream=`, and does not wait for it. So it
cannot look at values: where a host array that holds NaN is refused, a CUDA array gives what is written at
each operation. `check=True` looks, which waits for the stream. `dtype="float16"` gives halves.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar, cast, overload

import cv2
import numpy as np
from numpy.typing import NDArray

from pamtri_edge.arrays import CheckedCrops, check_choice, check_crops, is_device_array
from pamtri_edge.errors import InputError
from pamtri_edge.geometry import IMAGE_SIZE, Geometry, window_matrix
from pamtri_edge.ops.checks import (
    LARGEST_SIZE,
    check_array,
    check_host_options,
    check_out,
    check_rectangles,
    check_size,
    check_threshold,
    refuse_unless_finite,
)
from pamtri_edge.ops.frames import Conversion, PixelFormat, host_frame, is_device_frame
from pamtri_edge.ops.host import implementation, set_threads, threads
from pamtri_edge.ops.host import operations as _operations
from pamtri_edge.vehicle import NUM_KEYPOINTS, NUM_SEGMENTS, SEGMENT_CONFIDENCE

__all__ = [
    "crop",
    "decode",
    "implementation",
    "resize",
    "segments",
    "set_threads",
    "sharpness",
    "stack",
    "threads",
    "window",
]

Floats = NDArray[np.float32]
Pictures = NDArray[np.uint8]
Array = TypeVar("Array")
"""An array: float32 of NumPy, or float32 or float16 in CUDA memory. A result is of its input's library."""


def decode(
    heatmaps: Array,
    *,
    geometry: Geometry = Geometry.UNIFIED,
    out: Array | None = None,
    stream: Any = None,
    check: bool | None = None,
) -> Array:
    """Return the keypoint of every heatmap: its first highest cell, moved a quarter towards the higher side.

    The quarter step is taken where the cell is at least two cells from the left and top border and one from
    the others, as in the original; equal neighbors mean no step. A heatmap whose peak is at or below zero
    has no place: x and y are 0. Nothing is clipped.

    Args:
        heatmaps: (N, K, S, S) float32; CUDA arrays may be float16.
        geometry: `UNIFIED` gives x and y in crop units, (cell + 0.5 + step) / S; `ORIGINAL` gives heatmap
            cells, cell + step.
        out: (N, K, 3) float32, for the result.
        stream: where to run, for CUDA arrays.
        check: whether to look for peaks that are not finite; by default, of host arrays alone. A CUDA
            heatmap that holds NaN gives x = y = 0 and a confidence of NaN.

    Returns:
        (N, K, 3) float32 x, y, confidence; the confidence is the peak as it is.

    Raises:
        InputError: a wrong shape or dtype, or a peak that is NaN or infinite (a NaN anywhere in a heatmap
            makes its peak NaN; a lone minus infinity below a finite peak is not looked for).
    """
    crop_units = check_choice(geometry, [known.value for known in Geometry], "geometry") == Geometry.UNIFIED
    if is_device_array(heatmaps) or is_device_array(out):
        result = _cuda().decode(heatmaps, crop_units=crop_units, out=out, stream=stream, check=bool(check))
        return cast(Array, result)
    check_host_options(stream)
    maps = check_array(heatmaps, "heatmaps", ("N", "K", "S", "S"))
    if maps.shape[2] == 0 or maps.shape[2] > 4096:
        raise InputError(f"heatmaps have shape {maps.shape}; expected a side from 1 to 4096 cells.")
    keypoints = check_out(out, (*maps.shape[:2], 3), heatmaps)
    _operations().decode(maps, keypoints, crop_units)
    if check is not False:
        refuse_unless_finite(keypoints[..., 2], "heatmap", "the pose network or its input is broken")
    return cast(Array, keypoints)


def segments(
    keypoints: Array,
    *,
    size: int = IMAGE_SIZE,
    threshold: float = SEGMENT_CONFIDENCE,
    out: Array | None = None,
    dtype: str | None = None,
    stream: Any = None,
    check: bool | None = None,
) -> Array:
    """Return the 13 segments between the keypoints as masks.

    A segment is drawn if all four of its keypoints have at least the confidence `threshold` and its outline
    is strictly convex; it then covers the pixels whose centers lie inside or on the outline, whose corners
    are not rounded. This is the `unified` geometry's drawing.

    Args:
        keypoints: (N, 36, 3) float32 x, y in crop units (they may lie outside 0..1), confidence.
        size: side of the masks, in pixels.
        threshold: the least confidence.
        out: (N, 13, size, size) float32, for the result; in CUDA memory float16 does, too.
        dtype: of a new result, for CUDA arrays: "float32" or "float16".
        stream: where to run, for CUDA arrays.
        check: whether to look for values that are not finite; by default, of host arrays alone. A CUDA
            segment with such a corner is blank.

    Returns:
        (N, 13, size, size) of 0 and 1, in the order of `vehicle.SEGMENTS`.

    Raises:
        InputError: a wrong shape or dtype, or a value that is not finite.
    """
    side, least = check_size(size), check_threshold(threshold)
    if is_device_array(keypoints) or is_device_array(out):
        options = {"out": out, "dtype": dtype, "stream": stream, "check": bool(check)}
        return cast(Array, _cuda().segments(keypoints, size=side, threshold=least, **options))
    check_host_options(stream, dtype)
    points = _check_keypoints(keypoints, check=check)
    masks = check_out(out, (len(points), NUM_SEGMENTS, side, side), keypoints)
    _operations().segments(points, masks, least)
    return cast(Array, masks)


def stack(
    images: Array,
    heatmaps: Array | None = None,
    segments: Array | None = None,
    *,
    keypoints: Array | None = None,
    threshold: float = SEGMENT_CONFIDENCE,
    out: Array | None = None,
    dtype: str | None = None,
    stream: Any = None,
    check: bool | None = None,
) -> Array:
    """Return the normalized input of the re-identification network: RGB, heatmaps, segments.

    RGB becomes (v / 255 - mean) / std; heatmaps are clipped to 0..1 and upsampled four times (bilinear,
    half-pixel centers, borders repeated); every channel after RGB becomes (v - 0.449) / 0.226.

    Args:
        images: (N, 3, P, P) float32 RGB, 0..255; P = 256 for the published networks, any multiple of 4.
            CUDA arrays may be float16 or uint8, or (N, P, P, 3) uint8.
        heatmaps: (N, K, P / 4, P / 4) float32, or None for a stack without them. CUDA: or float16.
        segments: (N, Q, P, P) float32 of 0 and 1, or None for a stack without them. CUDA: or float16.
        keypoints: (N, 36, 3) float32 as `segments()` takes them, instead of `segments`: the 13 channels are
            then drawn straight into the result.
        threshold: the least confidence, where `keypoints` are given.
        out: (N, C, P, P) float32, for the result; in CUDA memory float16 does, too.
        dtype: of a new result, for CUDA arrays: "float32" or "float16".
        stream: where to run, for CUDA arrays.
        check: whether to look for keypoints that are not finite, as `segments()` does.

    Returns:
        (N, C, P, P), C = 3 + K + Q. A NaN of an input stays NaN.

    Raises:
        InputError: shapes or dtypes that are wrong or do not fit, both `segments` and `keypoints`, or
            keypoints that are not finite.
    """
    least = check_threshold(threshold)
    if segments is not None and keypoints is not None:
        raise InputError("stack() was given segments and keypoints; expected one of the two.")
    if any(is_device_array(array) for array in (images, heatmaps, segments, keypoints, out)):
        options = {"out": out, "dtype": dtype, "stream": stream, "check": bool(check)}
        given = (images, heatmaps, segments, keypoints)
        return cast(Array, _cuda().stack(*given, threshold=least, **options))
    check_host_options(stream, dtype)
    pictures = check_array(images, "images", ("N", 3, "P", "P"))
    count, _, side, _ = pictures.shape
    if side == 0 or side % 4 or side > LARGEST_SIZE:
        raise InputError(f"images have shape {pictures.shape}; expected a side that is a multiple of 4.")
    channels = 3
    maps = drawn = points = None
    if heatmaps is not None:
        maps = check_array(heatmaps, "heatmaps", (count, "K", side // 4, side // 4))
        channels += maps.shape[1]
    if segments is not None:
        drawn = check_array(segments, "segments", (count, "Q", side, side))
        channels += drawn.shape[1]
    if keypoints is not None:
        points = _check_keypoints(keypoints, count, check=check)
        channels += NUM_SEGMENTS
    result = check_out(out, (count, channels, side, side), images, heatmaps, segments, keypoints)
    _operations().stack(pictures, maps, drawn, points, result, least)
    return cast(Array, result)


@overload
def crop(
    frame: Pictures,
    rectangles: NDArray[np.int32],
    *,
    size: int = ...,
    swap_channels: bool = ...,
    pixel_format: PixelFormat = ...,
    conversion: Conversion = ...,
    out: Floats | None = ...,
) -> Floats: ...
@overload
def crop(
    frame: Any,
    rectangles: NDArray[np.int32],
    *,
    size: int = ...,
    swap_channels: bool = ...,
    pixel_format: PixelFormat = ...,
    conversion: Conversion = ...,
    out: Any = ...,
    dtype: str | None = ...,
    stream: Any = ...,
) -> Any: ...
def crop(
    frame: Any,
    rectangles: NDArray[np.int32],
    *,
    size: int = IMAGE_SIZE,
    swap_channels: bool = False,
    pixel_format: PixelFormat = "rgb",
    conversion: Conversion = "auto",
    out: Any = None,
    dtype: str | None = None,
    stream: Any = None,
) -> Any:
    """Return rectangles of a frame, each stretched to a square.

    Bilinear with half-pixel centers, no antialiasing, rounded to whole numbers, the same to the bit as
    `cv2.resize(frame[y1:y2, x1:x2], (size, size), interpolation=cv2.INTER_LINEAR)`.

    Args:
        frame: (H, W, 3) uint8, or what `pixel_format` says. Rows in CUDA memory may be further apart than
            they are long.
        rectangles: (N, 4) int32 x1, y1, x2, y2 inside the frame, right and bottom exclusive (as
            `geometry.crop_rectangles` returns them). Always on the host: they are looked at, and travel
            with the call.
        size: side of the result, in pixels.
        swap_channels: exchange the first and the third channel: RGB out of a BGR frame.
        pixel_format: "rgb"; "rgba", (H, W, 4) uint8, whose fourth channel is left out; "nv12", the pair of
            planes luma (H, W) and chroma (H / 2, W / 2, 2), or both in one (3 H / 2, W). Pitch-linear, row
            after row: a surface of a Jetson's decoder is block-linear, and its bytes do not tell; let
            NvBufSurfTransform convert it first.
        conversion: how NV12 becomes RGB, matrix and range: "bt601" or "bt709" with luma 16..235, "bt601-full"
            or "bt709-full" with 0..255. Take it from the surface where it says (NV12, NV12_709, NV12_ER,
            NV12_709_ER in this order). "auto": "bt709" above 576 lines, "bt601" up to there.
        out: (N, 3, size, size) float32, for the result; in CUDA memory float16 and uint8 do, too.
        dtype: of a new result, for CUDA arrays: "float32", "float16" or "uint8".
        stream: where to run, for CUDA arrays.

    Returns:
        (N, 3, size, size), whole numbers 0..255.

    Raises:
        InputError: a wrong shape or dtype, or a rectangle that is empty or reaches past the frame.
    """
    side = check_size(size)
    if is_device_frame(frame) or is_device_array(out):
        source = {"pixel_format": pixel_format, "conversion": conversion}
        options = {"size": side, "swap_channels": swap_channels, "out": out, "dtype": dtype}
        return _cuda().crop(frame, rectangles, **source, **options, stream=stream)
    check_host_options(stream, dtype)
    picture = host_frame(frame, pixel_format, conversion)
    boxes = check_rectangles(rectangles, picture.shape[1], picture.shape[0])
    result = check_out(out, (len(boxes), 3, side, side), *(frame if isinstance(frame, tuple) else (frame,)))
    _operations().crop(picture, boxes, result, swap_channels)
    return result


@overload
def resize(
    crops: Sequence[Pictures] | Pictures,
    *,
    size: int = ...,
    swap_channels: bool = ...,
    out: Floats | None = ...,
) -> Floats: ...
@overload
def resize(
    crops: Any,
    *,
    size: int = ...,
    swap_channels: bool = ...,
    out: Any = ...,
    dtype: str | None = ...,
    stream: Any = ...,
) -> Any: ...
def resize(
    crops: Any,
    *,
    size: int = IMAGE_SIZE,
    swap_channels: bool = False,
    out: Any = None,
    dtype: str | None = None,
    stream: Any = None,
) -> Any:
    """Return whole pictures, each stretched to a square, with the arithmetic of `crop`.

    Args:
        crops: a sequence of (H, W, 3) uint8 pictures of any sizes, or one (N, H, W, 3) array.
        size: side of the result, in pixels.
        swap_channels: exchange the first and the third channel.
        out: (N, 3, size, size) float32, for the result; in CUDA memory float16 and uint8 do, too.
        dtype: of a new result, for CUDA arrays: "float32", "float16" or "uint8".
        stream: where to run, for CUDA arrays.

    Returns:
        (N, 3, size, size), whole numbers 0..255.

    Raises:
        InputError: a picture of another form.
    """
    side = check_size(size)
    if is_device_array(crops) or is_device_array(out) or _any_on_device(crops):
        options = {"size": side, "swap_channels": swap_channels, "out": out, "dtype": dtype}
        return _cuda().resize(crops, **options, stream=stream)
    check_host_options(stream, dtype)
    pictures = check_crops(crops)
    result = check_out(out, (len(pictures), 3, side, side), *pictures)
    _operations().resize(pictures, result, swap_channels)
    return result


def window(
    crops: Sequence[NDArray[np.uint8]] | NDArray[np.uint8],
    *,
    swap_channels: bool = False,
    out: Floats | None = None,
) -> Floats:
    """Return each picture in the padded square window that the `original` geometry shows its pose network.

    This is `cv2.warpAffine` itself, with `geometry.window_matrix`, bilinear, black outside.

    Args:
        crops: a sequence of (H, W, 3) uint8 pictures of any sizes, or one (N, H, W, 3) array.
        swap_channels: exchange the first and the third channel.
        out: (N, 3, 256, 256) float32, for the result.

    Returns:
        (N, 3, 256, 256) float32, whole numbers 0..255.

    Raises:
        InputError: a picture of another form.
    """
    pictures = check_crops(crops)
    result = check_out(out, (len(pictures), 3, IMAGE_SIZE, IMAGE_SIZE), *pictures)
    for index, picture in enumerate(pictures):
        height, width = picture.shape[:2]
        warped = cv2.warpAffine(
            picture, window_matrix(width, height), (IMAGE_SIZE, IMAGE_SIZE), flags=cv2.INTER_LINEAR
        )
        result[index] = np.moveaxis(warped[..., ::-1] if swap_channels else warped, -1, 0)
    return result


def sharpness(
    crops: Sequence[NDArray[np.uint8]] | NDArray[np.uint8], *, swap_channels: bool = False
) -> NDArray[np.float64]:
    """Return how sharp pictures are: the standard deviation of the Laplacian over that of the brightness.

    Measured at 64x64, as `cv2.resize` with `INTER_AREA` gives it, so that pictures of different sizes
    compare; 0 for one without contrast. In C++, `kernels/cuda/launch.hpp` has it for pictures in CUDA memory.

    Args:
        crops: a sequence of (H, W, 3) uint8 pictures of any sizes, or one (N, H, W, 3) array.
        swap_channels: the first channel is blue.

    Returns:
        (N,) float64: 0.6 to 1.1 for real crops, 0.2 for those blurred by 4 pixels.

    Raises:
        InputError: a picture of another form, or in CUDA memory.
    """
    if is_device_array(crops) or _any_on_device(crops):
        raise InputError("sharpness() takes pictures on the host; copy them there first.")
    pictures = check_crops(crops)
    result = np.empty(len(pictures), np.float64)
    _operations().sharpness(pictures, result, swap_channels)
    return result


def _cuda() -> Any:
    """Return the operations in CUDA; loading them loads neither CuPy nor PyTorch."""
    from pamtri_edge.ops import cuda

    return cuda


def _check_keypoints(keypoints: Any, count: int | None = None, *, check: bool | None) -> Floats:
    points = check_array(keypoints, "keypoints", ("N" if count is None else count, NUM_KEYPOINTS, 3))
    if check is not False:
        refuse_unless_finite(points, "keypoint", "blank ones have confidence 0, not NaN")
    return points


def _any_on_device(crops: Any) -> bool:
    if isinstance(crops, CheckedCrops):
        return False
    return isinstance(crops, Sequence) and any(is_device_array(crop) for crop in crops)
