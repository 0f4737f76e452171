# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The operations that are measured: each with its inputs, the bytes it must move, the check of its result.

Inputs are drawn anew for every case, results go into poisoned memory, and what comes out is compared with
`ops.reference` before anything is timed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gpu import traffic
from gpu.clocks import Call
from gpu.memories import Memory
from gpu.traffic import Traffic
from pamtri_edge import ops
from pamtri_edge.geometry import HEATMAP_SIZE, IMAGE_SIZE
from pamtri_edge.ops import reference
from pamtri_edge.ops.frames import PixelFormat, host_frame
from pamtri_edge.vehicle import NUM_KEYPOINTS, NUM_SEGMENTS, SEGMENT_CONFIDENCE

FRAME: Final = (1080, 1920)
_IMAGES: Final = {"float32": "fp32", "float16": "fp16", "uint8": "planar uint8", "pixels": "uint8"}
_ITEM: Final = {"float32": 4, "float16": 2, "uint8": 1, "pixels": 1}
_TOLERANCE: Final = {"float32": 2e-6, "float16": 1e-3}
"""Largest difference from the reference, of values between -3 and 3, where a half is off by 1/1024."""

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Prepared:
    """A case on its arrays.

    Attributes:
        call: runs the operation.
        traffic: bytes that it must move.
        check: runs it into poisoned memory and raises `AssertionError` unless the result is the reference's;
            returns the largest difference.
    """

    call: Call
    traffic: Traffic
    check: Callable[[], float]


@dataclass(frozen=True)
class Case:
    """One row of the table.

    Attributes:
        name: as the table calls it.
        operation: "decode", "segments", "stack" or "crop".
        dtypes: what it needs the operations to take.
        each: about how many bytes it must move for one vehicle.
        prepare: makes its arrays for so many vehicles.
    """

    name: str
    operation: str
    dtypes: frozenset[str]
    each: int
    prepare: Callable[[Memory, int, np.random.Generator], Prepared]


def cases() -> Iterator[Case]:
    """Yield every case."""
    for maps in ("float32", "float16"):
        yield _decode(maps)
    for images in ("uint8", "pixels", "float"):
        for maps in ("float32", "float16"):
            for out in ("float32", "float16"):
                yield _stack(maps if images == "float" else images, maps, out, segments=False)
    for maps, out in (("float32", "float32"), ("float16", "float16")):
        yield _stack("float32" if out == "float32" else "uint8", maps, out, segments=True)
    for size in (HEATMAP_SIZE, IMAGE_SIZE):
        for out in ("float32", "float16"):
            yield _segments(size, out)
    formats: tuple[PixelFormat, ...] = ("rgb", "nv12")
    for pixel_format in formats:
        for out in ("float32", "float16", "uint8"):
            yield _crop(pixel_format, out)


def _decode(dtype: str) -> Case:
    def prepare(memory: Memory, vehicles: int, rng: np.random.Generator) -> Prepared:
        maps = _heatmaps(rng, vehicles, dtype)
        given, out = memory.upload(maps), memory.poisoned((vehicles, NUM_KEYPOINTS, 3), "float32")

        def expected(picked: NDArray[np.intp]) -> Floats:
            keypoints = np.empty((len(picked), NUM_KEYPOINTS, 3), np.float32)
            reference.decode(maps[picked].astype(np.float32), keypoints, True)
            return keypoints

        return _prepared(
            memory,
            lambda: ops.decode(given, out=out),
            traffic.decode(vehicles, item=_ITEM[dtype]),
            out,
            expected,
        )

    each = traffic.decode(1, item=_ITEM[dtype]).total
    return Case(f"decode {_short(dtype)}", "decode", frozenset({dtype}), each, prepare)


def _stack(images: str, maps: str, out_type: str, *, segments: bool) -> Case:
    items = {"image_item": _ITEM[images], "heatmap_item": _ITEM[maps], "out_item": _ITEM[out_type]}

    def prepare(memory: Memory, vehicles: int, rng: np.random.Generator) -> Prepared:
        pictures = _pictures(rng, vehicles, images)
        heatmaps = _heatmaps(rng, vehicles, maps)
        points = _keypoints(rng, vehicles) if segments else None
        channels = 3 + NUM_KEYPOINTS + NUM_SEGMENTS * segments
        out = memory.poisoned((vehicles, channels, IMAGE_SIZE, IMAGE_SIZE), out_type)
        given, given_maps = memory.upload(pictures), memory.upload(heatmaps)
        given_points = None if points is None else memory.upload(points)

        def expected(picked: NDArray[np.intp]) -> Floats:
            planar = np.moveaxis(pictures[picked], -1, 1) if images == "pixels" else pictures[picked]
            whole = np.empty((len(picked), channels, IMAGE_SIZE, IMAGE_SIZE), np.float32)
            reference.stack(
                planar.astype(np.float32),
                heatmaps[picked].astype(np.float32),
                None,
                None if points is None else points[picked],
                whole,
                SEGMENT_CONFIDENCE,
            )
            return whole

        return _prepared(
            memory,
            lambda: ops.stack(given, given_maps, keypoints=given_points, out=out),
            traffic.stack(vehicles, segments=segments, **items),
            out,
            expected,
        )

    drawn = ", segments drawn" if segments else ""
    name = f"stack {_IMAGES[images]} RGB, {_short(maps)} heatmaps to {_short(out_type)}{drawn}"
    dtypes = frozenset({"uint8" if images == "pixels" else images, maps, out_type})
    return Case(name, "stack", dtypes, traffic.stack(1, segments=segments, **items).total, prepare)


def _segments(size: int, dtype: str) -> Case:
    def prepare(memory: Memory, vehicles: int, rng: np.random.Generator) -> Prepared:
        points = _keypoints(rng, vehicles)
        given, out = memory.upload(points), memory.poisoned((vehicles, NUM_SEGMENTS, size, size), dtype)

        def expected(picked: NDArray[np.intp]) -> Floats:
            masks = np.empty((len(picked), NUM_SEGMENTS, size, size), np.float32)
            reference.segments(points[picked], masks, SEGMENT_CONFIDENCE)
            return masks

        return _prepared(
            memory,
            lambda: ops.segments(given, size=size, out=out),
            traffic.segments(vehicles, size=size, item=_ITEM[dtype]),
            out,
            expected,
        )

    each = traffic.segments(1, size=size, item=_ITEM[dtype]).total
    return Case(f"segments {size} to {_short(dtype)}", "segments", frozenset({dtype}), each, prepare)


def _crop(pixel_format: PixelFormat, dtype: str) -> Case:
    def prepare(memory: Memory, vehicles: int, rng: np.random.Generator) -> Prepared:
        height, width = FRAME
        shape = (height * 3 // 2, width) if pixel_format == "nv12" else (height, width, 3)
        frame = rng.integers(0, 256, shape, np.uint8)
        rectangles = _rectangles(rng, vehicles)
        given, out = memory.upload(frame), memory.poisoned((vehicles, 3, IMAGE_SIZE, IMAGE_SIZE), dtype)

        def expected(picked: NDArray[np.intp]) -> Floats:
            pictures = np.empty((len(picked), 3, IMAGE_SIZE, IMAGE_SIZE), np.float32)
            reference.crop(
                host_frame(frame, pixel_format, "auto"), rectangles[picked], pictures, swap_channels=False
            )
            return pictures

        return _prepared(
            memory,
            lambda: ops.crop(given, rectangles, pixel_format=pixel_format, out=out),
            traffic.crop(rectangles, pixel_format=pixel_format, out_item=_ITEM[dtype]),
            out,
            expected,
        )

    # The frame is read once for all vehicles, so that what each adds is its picture.
    each = 3 * IMAGE_SIZE**2 * _ITEM[dtype]
    name = f"crop {pixel_format.upper()} to {_short(dtype)}"
    return Case(name, "crop", frozenset({dtype}), each, prepare)


def _prepared(
    memory: Memory,
    call: Call,
    moved: Traffic,
    out: Any,
    expected: Callable[[NDArray[np.intp]], Floats],
) -> Prepared:
    def check() -> float:
        call()
        if str(out.dtype) != "uint8" and memory.any_nan(out):
            raise AssertionError("a value of the result was not written, or is NaN")
        count = len(out)
        picked = np.unique([0, count // 2, count - 1])
        found = np.concatenate([memory.download(out[index : index + 1]) for index in picked])
        off = float(np.abs(found.astype(np.float64) - expected(picked)).max())
        limit = _TOLERANCE.get(str(out.dtype), 0.0)
        if off > limit:
            raise AssertionError(f"the result is {off:.2g} from the reference's (limit {limit:g})")
        return off

    return Prepared(call, moved, check)


def _heatmaps(rng: np.random.Generator, count: int, dtype: str) -> NDArray[Any]:
    """Return heatmaps that reach past both ends of what the stack clips them to."""
    drawn = rng.random((count, NUM_KEYPOINTS, HEATMAP_SIZE, HEATMAP_SIZE), np.float32)
    drawn *= np.float32(1.4)
    drawn -= np.float32(0.2)
    return drawn.astype(dtype, copy=False)


def _pictures(rng: np.random.Generator, count: int, form: str) -> NDArray[Any]:
    if form == "pixels":
        return rng.integers(0, 256, (count, IMAGE_SIZE, IMAGE_SIZE, 3), np.uint8)
    return rng.integers(0, 256, (count, 3, IMAGE_SIZE, IMAGE_SIZE), np.uint8).astype(form)


def _keypoints(rng: np.random.Generator, count: int) -> Floats:
    """Return keypoints that reach past the crop, with confidences on both sides of the gate."""
    places = rng.uniform(-0.1, 1.1, (count, NUM_KEYPOINTS, 2))
    confidences = rng.uniform(SEGMENT_CONFIDENCE - 0.05, 1.0, (count, NUM_KEYPOINTS, 1))
    return np.concatenate([places, confidences], axis=2).astype(np.float32)


def _rectangles(rng: np.random.Generator, count: int) -> NDArray[np.int32]:
    """Return rectangles between a third and twice the size of the pictures that they become."""
    height, width = FRAME
    sides = rng.integers(IMAGE_SIZE // 3, 2 * IMAGE_SIZE + 1, (count, 2))
    corners = rng.integers(0, np.array([width, height]) - sides + 1)
    return np.concatenate([corners, corners + sides], axis=1).astype(np.int32)


def _short(dtype: str) -> str:
    return {"float32": "fp32", "float16": "fp16", "uint8": "uint8"}[dtype]
