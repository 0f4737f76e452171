# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The operations in CUDA (`kernels/cuda/`), compiled by CuPy when first used and kept in its cache.

Arrays come in as they are, from CuPy, PyTorch or anything with `__cuda_array_interface__` or DLPack; results
are of the library that the first array is of (CuPy's for a third library's). Nothing here waits for the
device, unless `check` asks for a look at the values. CuPy compiles with subnormal numbers flushed: where they
matter (whether a corner turns, the last bits below 1e-38) they count as zero; `decode` knows them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.arrays import is_device_array
from pamtri_edge.errors import InputError, MissingDependencyError
from pamtri_edge.ops.checks import LARGEST_SIZE, check_rectangles, refuse_unless_finite
from pamtri_edge.ops.device import DeviceArray, check_device_array, check_device_out, described
from pamtri_edge.ops.driver import load_cupy
from pamtri_edge.ops.frames import DeviceFrame, device_frame, device_pictures
from pamtri_edge.ops.streams import Place, running
from pamtri_edge.ops.tables import EXTRA_AFFINE, RGB_AFFINE
from pamtri_edge.ops.tasks import (
    KERNELS,
    constants,
    corner_rows,
    crop_task,
    filled,
    segments_task,
    stack_task,
)
from pamtri_edge.vehicle import NUM_KEYPOINTS, NUM_SEGMENTS

FLOATS: Final = ("float32", "float16")
_ANY: Final = (*FLOATS, "uint8")
_SUFFIX: Final = {"float32": "float", "float16": "half", "uint8": "byte"}
_KIND: Final = {"float32": "kFloat", "float16": "kHalf", "uint8": "kByte"}
_MOST_BLOCKS: Final = 2**31 - 1
_STORE: Final = 16  # bytes


def decode(heatmaps: Any, *, crop_units: bool, out: Any, stream: Any, check: bool) -> Any:
    """Return (N, K, 3) float32 keypoints of (N, K, S, S) heatmaps; see `pamtri_edge.ops.decode`."""
    cupy = load_cupy()
    given = _arguments(cupy, heatmaps=heatmaps, out=out)
    maps = check_device_array(given["heatmaps"], "heatmaps", ("N", "K", "S", "S"), FLOATS, given["heatmaps"])
    count, each, side, _ = maps.shape
    if side == 0 or side > 4096:
        raise InputError(f"heatmaps have shape {maps.shape}; expected a side from 1 to 4096 cells.")
    shape = (count, each, 3)
    target = _checked_out(given, shape, ("float32",), maps)
    with running(cupy, maps, (), target, stream) as place:
        result = target or place.empty(shape, "float32")
        whole = side * side * maps.dtype.itemsize % _STORE == 0 and maps.pointer % _STORE == 0
        arguments = (
            np.uint64(maps.pointer),
            np.uint64(result.pointer),
            np.int32(side),
            np.int32(crop_units),
            np.int32(whole),
        )
        _launch("decode", maps.dtype.name, count * each, (constants()["kDecodeThreads"],), arguments)
        if check and count * each:
            broken = place.on_host(result)[..., 2]
            refuse_unless_finite(broken, "heatmap", "the pose network or its input is broken")
    return result.owner


def segments(
    keypoints: Any, *, size: int, threshold: float, out: Any, dtype: str | None, stream: Any, check: bool
) -> Any:
    """Return (N, 13, size, size) masks between (N, 36, 3) keypoints; see `pamtri_edge.ops.segments`."""
    cupy = load_cupy()
    given = _arguments(cupy, keypoints=keypoints, out=out)
    points = _checked_keypoints(given["keypoints"], given["keypoints"], "N")
    shape = (points.shape[0], NUM_SEGMENTS, size, size)
    target = _checked_out(given, shape, _wanted(dtype, FLOATS), points)
    with running(cupy, points, (), target, stream) as place:
        _check_keypoints(place, points, check)
        result = target or place.empty(shape, dtype or FLOATS[0])
        task = filled(
            segments_task(),
            keypoints=points.pointer,
            out=result.pointer,
            per_vehicle=NUM_KEYPOINTS,
            count=NUM_SEGMENTS,
            size=size,
            vectors=_rows_are_whole(result, size),
            threshold=threshold,
            corners=corner_rows(),
        )
        _launch("segments", result.dtype.name, _bands(shape), _band_threads(), (task,))
    return result.owner


def stack(
    images: Any,
    heatmaps: Any,
    drawn: Any,
    keypoints: Any,
    *,
    threshold: float,
    out: Any,
    dtype: str | None,
    stream: Any,
    check: bool,
) -> Any:
    """Return (N, C, P, P): RGB, heatmaps and segments, normalized; see `pamtri_edge.ops.stack`."""
    cupy = load_cupy()
    given = _arguments(cupy, images=images, heatmaps=heatmaps, segments=drawn, keypoints=keypoints, out=out)
    lead = given["images"]
    pixels = len(lead.shape) == 4 and lead.shape[3] == 3 and lead.dtype == np.uint8
    form = ("N", "P", "P", 3) if pixels else ("N", 3, "P", "P")
    check_device_array(lead, "images", form, _ANY, lead)
    count, side = lead.shape[0], lead.shape[2]
    if side == 0 or side % 4 or side > LARGEST_SIZE:
        raise InputError(f"images have shape {lead.shape}; expected a side that is a multiple of 4.")
    maps, masks, points = (given.get(name) for name in ("heatmaps", "segments", "keypoints"))
    if maps is not None:
        check_device_array(maps, "heatmaps", (count, "K", side // 4, side // 4), FLOATS, lead)
    if masks is not None:
        check_device_array(masks, "segments", (count, "Q", side, side), FLOATS, lead)
    if points is not None:
        _checked_keypoints(points, lead, count)
    heatmap_count = 0 if maps is None else maps.shape[1]
    segment_count = NUM_SEGMENTS if points is not None else (0 if masks is None else masks.shape[1])
    shape = (count, 3 + heatmap_count + segment_count, side, side)
    target = _checked_out(given, shape, _wanted(dtype, FLOATS), lead)
    others = [array for array in (maps, masks, points) if array is not None]
    with running(cupy, lead, others, target, stream) as place:
        if points is not None:
            _check_keypoints(place, points, check)
        result = target or place.empty(shape, dtype or FLOATS[0])
        planes = (result, lead) if masks is None else (result, lead, masks)
        task = filled(
            stack_task(),
            images=lead.pointer,
            heatmaps=0 if maps is None else maps.pointer,
            segments=0 if masks is None else masks.pointer,
            keypoints=0 if points is None else points.pointer,
            out=result.pointer,
            size=side,
            heatmap_count=heatmap_count,
            segment_count=segment_count,
            per_vehicle=NUM_KEYPOINTS,
            image_kind=constants()["kPixels" if pixels else _KIND[lead.dtype.name]],
            heatmap_kind=0 if maps is None else constants()[_KIND[maps.dtype.name]],
            segment_kind=0 if masks is None else constants()[_KIND[masks.dtype.name]],
            vectors=_rows_are_whole(result, side) and all(plane.pointer % _STORE == 0 for plane in planes),
            threshold=threshold,
            rgb=RGB_AFFINE,
            extra=EXTRA_AFFINE,
            corners=corner_rows(),
        )
        _launch("stack", result.dtype.name, _bands(shape), _band_threads(), (task,))
    return result.owner


def crop(
    frame: Any, rectangles: Any, *, pixel_format: str, conversion: str, size: int, stream: Any, **result: Any
) -> Any:
    """Return (N, 3, size, size) of rectangles of a frame; see `pamtri_edge.ops.crop`."""
    cupy = load_cupy()
    whole = device_frame(cupy, frame, pixel_format, conversion)
    boxes = check_rectangles(rectangles, whole.width, whole.height)
    return _resized(cupy, whole.planes, [whole] * len(boxes), boxes, size, stream, **result)


def resize(crops: Any, *, size: int, stream: Any, **result: Any) -> Any:
    """Return (N, 3, size, size) of whole pictures; see `pamtri_edge.ops.resize`."""
    cupy = load_cupy()
    frames = device_pictures(cupy, crops)
    planes = tuple({id(plane): plane for frame in frames for plane in frame.planes}.values())
    if not frames:
        planes = (described(cupy, crops, "the batch", "out"),)
    boxes = np.array([(0, 0, frame.width, frame.height) for frame in frames], np.int32).reshape(-1, 4)
    return _resized(cupy, planes, frames, boxes, size, stream, **result)


def _resized(
    cupy: Any,
    planes: Sequence[DeviceArray],
    frames: Sequence[DeviceFrame],
    rectangles: NDArray[np.int32],
    size: int,
    stream: Any,
    *,
    swap_channels: bool,
    out: Any,
    dtype: str | None,
) -> Any:
    """Return the i-th rectangle of the i-th frame, for all; a launch takes so many of them by value."""
    lead = planes[0]
    if any(plane.device != lead.device for plane in planes):
        raise InputError("the pictures are on several GPUs; expected all of them on one.")
    shape = (len(rectangles), 3, size, size)
    target = None
    if out is not None:
        given = described(cupy, out, "out", "the frame")
        target = check_device_out(given, shape, _wanted(dtype, _ANY), lead, *planes)
    numbers = constants()
    tiles = -(-size // numbers["kCropThreads"]) * -(-size // numbers["kCropRows"])
    with running(cupy, lead, planes[1:], target, stream) as place:
        result = target or place.empty(shape, dtype or FLOATS[0])
        picture = 3 * size * size * result.dtype.itemsize
        for first in range(0, len(rectangles), numbers["kMostCrops"]):
            part = slice(first, first + numbers["kMostCrops"])
            task = filled(
                crop_task(),
                out=result.pointer + first * picture,
                size=size,
                form=numbers[frames[first].form],
                conversion=numbers[frames[first].conversion],
                swap_channels=swap_channels,
            )
            pairs = list(zip(frames[part], rectangles[part], strict=True))
            for source, (frame, rectangle) in zip(task[0]["sources"], pairs, strict=False):
                frame.describe(source, rectangle, size)
            blocks = len(pairs) * tiles
            _launch("crop", result.dtype.name, blocks, (numbers["kCropThreads"],), (task,))
    return result.owner


def _arguments(cupy: Any, **values: Any) -> dict[str, DeviceArray]:
    """Return the arrays that were given, described; an argument on the host beside one that is not raises."""
    present = {name: value for name, value in values.items() if value is not None}
    beside = next(name for name, value in present.items() if is_device_array(value))
    return {name: described(cupy, value, name, beside) for name, value in present.items()}


def _checked_out(
    given: dict[str, DeviceArray], shape: tuple[int, ...], dtypes: Sequence[str], lead: DeviceArray
) -> DeviceArray | None:
    out = given.get("out")
    if out is None:
        return None
    inputs = [array for name, array in given.items() if name != "out"]
    return check_device_out(out, shape, dtypes, lead, *inputs)


def _wanted(dtype: str | None, accepted: tuple[str, ...]) -> tuple[str, ...]:
    """Return the dtypes that a result may have: the one that was asked for, or any."""
    if dtype is None:
        return accepted
    if dtype not in accepted:
        raise InputError(f"dtype is {dtype!r}; accepted: {', '.join(map(repr, accepted))}.")
    return (dtype,)


def _checked_keypoints(points: DeviceArray, lead: DeviceArray, count: int | str) -> DeviceArray:
    return check_device_array(points, "keypoints", (count, NUM_KEYPOINTS, 3), ("float32",), lead)


def _check_keypoints(place: Place, points: DeviceArray, check: bool) -> None:
    if check and points.shape[0]:
        refuse_unless_finite(place.on_host(points), "keypoint", "blank ones have confidence 0, not NaN")


def _rows_are_whole(out: DeviceArray, size: int) -> bool:
    """Tell whether every row of a result begins at a multiple of 16 bytes and ends at one."""
    return out.pointer % _STORE == 0 and size * out.dtype.itemsize % _STORE == 0


def _bands(shape: tuple[int, ...]) -> int:
    count, planes, size, _ = shape
    return count * planes * -(-size // constants()["kBandRows"])


def _band_threads() -> tuple[int, int]:
    return constants()["kBandColumns"], constants()["kBandLines"]


def _launch(stem: str, dtype: str, blocks: int, threads: tuple[int, ...], arguments: tuple[Any, ...]) -> None:
    """Put a kernel on CuPy's current stream."""
    if blocks > _MOST_BLOCKS:
        raise InputError(f"the batch is too large for one call of {stem}(); pass a part of it at a time.")
    if not blocks:
        return
    try:
        _kernel(stem, dtype)((blocks,), threads, arguments)
    except Exception as error:  # CuPy raises whatever NVRTC and its loader raise, when it first compiles
        if not any(word in str(error).lower() for word in ("nvrtc", "cuda headers")):
            raise
        raise MissingDependencyError(
            f"CuPy cannot compile the kernels ({error}): pip install 'pamtri-edge[cuda]', which brings "
            "NVIDIA's runtime compiler, or install the CUDA toolkit."
        ) from error


@cache
def _kernel(stem: str, dtype: str) -> Any:
    """Return CuPy's kernel, which compiles itself for a GPU when it is first launched there."""
    return _module(stem).get_function(f"pamtri_{stem}_{_SUFFIX[dtype]}")


@cache
def _module(stem: str) -> Any:
    source = (KERNELS / "cuda" / f"{stem}.cu").read_text("utf-8")
    return load_cupy().RawModule(code=source, options=compile_options())


@cache
def compile_options() -> tuple[str, ...]:
    """Return what NVRTC is told.

    CuPy's cache knows a kernel by its source and these options, not by what it includes; a digest of all
    sources makes it compile anew when a header changes.
    """
    digest = hashlib.sha256()
    folders = (KERNELS / "include", KERNELS / "cuda")
    for folder in folders:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            digest.update(path.read_bytes())
    return (
        "-std=c++17",
        *(f"-I{folder}" for folder in folders),
        f"-DPAMTRI_SOURCES={digest.hexdigest()[:16]}",
    )
