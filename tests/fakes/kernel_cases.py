# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The CUDA kernels against the reference in NumPy, on memory of this process.

Each case launches a kernel as `pamtri_edge.ops.cuda` does, on a poisoned result, and returns what came out
and what should have. `python kernel_cases.py LIBRARY` runs them in a process of its own: under a sanitizer,
which has to be there before Python is.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from emulated_kernels import EmulatedKernels
from pamtri_edge.ops import frames, reference, tasks
from pamtri_edge.ops.tables import EXTRA_AFFINE, RGB_AFFINE

SUFFIX = {np.dtype(np.float32): "float", np.dtype(np.float16): "half", np.dtype(np.uint8): "byte"}
POISON = {np.dtype(np.float32): np.nan, np.dtype(np.float16): np.nan, np.dtype(np.uint8): 201}


def poisoned(shape, dtype):
    return np.full(shape, POISON[np.dtype(dtype)], dtype)


def address(array):
    return np.uint64(0 if array is None else array.ctypes.data)


def decode(kernels, heatmaps, *, crop_units=True, vectors=None):
    """Run decode; by default with whole vectors where a heatmap has them."""
    count, each, side, _ = heatmaps.shape
    out = poisoned((count, each, 3), np.float32)
    whole = side * side * heatmaps.itemsize % 16 == 0 and heatmaps.ctypes.data % 16 == 0
    numbers = (np.int32(side), np.int32(crop_units), np.int32(whole if vectors is None else vectors))
    threads = (tasks.constants()["kDecodeThreads"],)
    if count * each:
        name = f"pamtri_decode_{SUFFIX[heatmaps.dtype]}"
        kernels.launch(name, (count * each,), threads, (address(heatmaps), address(out), *numbers))
    expected = np.empty(out.shape, np.float32)
    reference.decode(heatmaps.astype(np.float32), expected, crop_units)
    return out, expected


def segments(kernels, keypoints, size, *, dtype=np.float32, threshold=0.5):
    out = poisoned((len(keypoints), 13, size, size), dtype)
    task = tasks.filled(
        tasks.segments_task(),
        keypoints=address(keypoints),
        out=address(out),
        per_vehicle=36,
        count=13,
        size=size,
        vectors=size * out.itemsize % 16 == 0 and out.ctypes.data % 16 == 0,
        threshold=threshold,
        corners=tasks.corner_rows(),
    )
    _launch_bands(kernels, "segments", out, task)
    expected = np.empty(out.shape, np.float32)
    reference.segments(keypoints, expected, threshold)
    return out, expected.astype(dtype)


def stack_task(images, heatmaps, drawn, keypoints, out, *, vectors=None):
    """Return the task of a stack."""
    pixels = images.shape[3] == 3
    starts = [array.ctypes.data for array in (images, drawn, out) if array is not None]
    whole = out.shape[3] * out.itemsize % 16 == 0 and all(start % 16 == 0 for start in starts)
    kinds = {name: tasks.constants()[f"k{name.capitalize()}"] for name in SUFFIX.values()}
    return tasks.filled(
        tasks.stack_task(),
        images=address(images),
        heatmaps=address(heatmaps),
        segments=address(drawn),
        keypoints=address(keypoints),
        out=address(out),
        size=out.shape[3],
        heatmap_count=0 if heatmaps is None else heatmaps.shape[1],
        segment_count=13 if keypoints is not None else 0 if drawn is None else drawn.shape[1],
        per_vehicle=36,
        image_kind=tasks.constants()["kPixels"] if pixels else kinds[SUFFIX[images.dtype]],
        heatmap_kind=0 if heatmaps is None else kinds[SUFFIX[heatmaps.dtype]],
        segment_kind=0 if drawn is None else kinds[SUFFIX[drawn.dtype]],
        vectors=whole if vectors is None else vectors,
        threshold=0.5,
        rgb=RGB_AFFINE,
        extra=EXTRA_AFFINE,
        corners=tasks.corner_rows(),
    )


def stack(kernels, images, heatmaps=None, drawn=None, keypoints=None, *, dtype=np.float32, vectors=None):
    """Run stack. images: (N, 3, P, P), or (N, P, P, 3) uint8."""
    pixels = images.shape[3] == 3
    count, side = images.shape[0], images.shape[2]
    maps = 0 if heatmaps is None else heatmaps.shape[1]
    masks = 13 if keypoints is not None else 0 if drawn is None else drawn.shape[1]
    out = poisoned((count, 3 + maps + masks, side, side), dtype)
    task = stack_task(images, heatmaps, drawn, keypoints, out, vectors=vectors)
    _launch_bands(kernels, "stack", out, task)
    expected = np.empty(out.shape, np.float32)
    planar = np.moveaxis(images, -1, 1) if pixels else images
    given = [None if a is None else a.astype(np.float32) for a in (planar, heatmaps, drawn, keypoints)]
    reference.stack(*given, expected, 0.5)
    return out, expected.astype(dtype)


def crop(kernels, frame, form, rectangles, size, *, dtype=np.float32, swap=False, conversion="bt601"):
    """Run crop on at most 32 rectangles. frame: as `ops.crop` takes it on the host."""
    numbers = tasks.constants()
    out = poisoned((len(rectangles), 3, size, size), dtype)
    task = _crop_task(out, frame, form, rectangles, size, swap, conversion)
    tiles = -(-size // numbers["kCropThreads"]) * -(-size // numbers["kCropRows"])
    name = f"pamtri_crop_{SUFFIX[np.dtype(dtype)]}"
    kernels.launch(name, (len(rectangles) * tiles,), (numbers["kCropThreads"],), (task,))
    expected = np.empty(out.shape, np.float32)
    reference.crop(frames.host_frame(frame, form, conversion), rectangles, expected, swap)
    return out, expected.astype(dtype)


def sharpness(kernels, frame, form, rectangles, *, swap=False, conversion="bt601"):
    """Run sharpness on at most 32 rectangles."""
    out = np.full(len(rectangles), np.nan)
    task = _crop_task(out, frame, form, rectangles, 64, swap, conversion)
    threads = (tasks.constants()["kSharpnessThreads"],)
    kernels.launch("pamtri_sharpness", (len(rectangles),), threads, (task,))
    expected = np.empty(out.shape)
    picture = frames.host_frame(frame, form, conversion)
    reference.sharpness([picture[y1:y2, x1:x2] for x1, y1, x2, y2 in rectangles], expected, swap)
    return out, expected


def _crop_task(out, frame, form, rectangles, size, swap, conversion):
    numbers = tasks.constants()
    planes = frame if isinstance(frame, tuple) else (frame,)
    task = tasks.filled(
        tasks.crop_task(),
        out=address(out),
        size=size,
        form=numbers[frames._FORMS[form]],
        conversion=numbers[frames._CONVERSIONS[conversion]],
        swap_channels=swap,
    )
    for source, (x1, y1, x2, y2) in zip(task[0]["sources"], rectangles, strict=False):
        source["pixels"], source["pitch"] = address(planes[0]), planes[0].strides[0]
        if form == "nv12":
            source["chroma"], source["chroma_pitch"] = address(planes[1]), planes[1].strides[0]
        source["x"], source["y"], source["width"], source["height"] = x1, y1, x2 - x1, y2 - y1
        source["scale_x"], source["scale_y"] = 1.0 / (size / (x2 - x1)), 1.0 / (size / (y2 - y1))
    return task


def _launch_bands(kernels, stem, out, task):
    count, planes, size, _ = out.shape
    numbers = tasks.constants()
    blocks = count * planes * -(-size // numbers["kBandRows"])
    if blocks:
        threads = (numbers["kBandColumns"], numbers["kBandLines"])
        kernels.launch(f"pamtri_{stem}_{SUFFIX[out.dtype]}", (blocks,), threads, (task,))


def some_heatmaps(rng, shape, dtype=np.float32):
    """Return heatmaps with ties, peaks at and below zero, NaN and infinities among them."""
    heatmaps = rng.normal(0.0, 0.4, shape).astype(dtype)
    flat = heatmaps.reshape(-1, *shape[2:])
    levels = np.array([-1.0, -0.0, 0.0, 0.25, 0.5], dtype)
    for index, heatmap in enumerate(flat):
        kind = index % 7
        if kind == 1:
            heatmap[...] = rng.choice(levels, heatmap.shape)
        elif kind == 2:
            heatmap -= 9
        elif kind == 3:
            heatmap[...] = rng.choice(levels[:3], heatmap.shape)
        elif kind == 4:
            heatmap[tuple(rng.integers(0, heatmap.shape))] = (np.nan, -np.inf, np.inf)[index // 7 % 3]
        elif kind == 5:
            heatmap[...] = -np.inf
    return heatmaps


def some_keypoints(rng, count):
    """Return keypoints of which about half are sure, some far outside, some on pixels' centers."""
    keypoints = rng.uniform(-0.2, 1.2, (count, 36, 3)).astype(np.float32)
    keypoints[..., 2] += 0.5
    keypoints[1::3, :, :2] = np.round(keypoints[1::3, :, :2] * 64) / 64
    keypoints[2::3, :, :2] *= 50
    return keypoints


def all_cases(kernels, *, brief=False) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Run every kernel on small inputs of every form; give a name, the result and the reference's.

    Args:
        kernels: where to run them.
        brief: whether fewer sizes will do.
    """
    rng = np.random.default_rng(12)
    halves, singles, bytes_ = np.float16, np.float32, np.uint8
    for dtype in (singles, halves):
        for side in (3, 64) if brief else (1, 3, 8, 20, 64):
            heatmaps = some_heatmaps(rng, (3, 7, side, side), dtype)
            for vectors in (None, 0):
                yield (
                    f"decode {dtype.__name__} {side}",
                    *decode(kernels, heatmaps, vectors=vectors, crop_units=side != 8),
                )
        for size in (6, 40) if brief else (1, 6, 24, 40, 64):
            yield (
                f"segments {dtype.__name__} {size}",
                *segments(kernels, some_keypoints(rng, 3), size, dtype=dtype),
            )
        for size in (12, 40) if brief else (4, 12, 24, 40, 72):
            maps = rng.uniform(-0.5, 1.5, (3, 2, size // 4, size // 4))
            maps[1, 1, 0, -1] = np.nan
            masks = rng.integers(0, 2, (3, 2, size, size))
            images = rng.integers(0, 256, (3, 3, size, size))
            for of_images, of_maps in ((singles, halves), (halves, singles), (bytes_, singles)):
                given = images.astype(of_images), maps.astype(of_maps)
                name = f"stack {dtype.__name__} {size} {of_images.__name__}"
                points = some_keypoints(rng, 3)
                yield name, *stack(kernels, *given, keypoints=points, dtype=dtype)
                yield name + " masks", *stack(kernels, *given, masks.astype(of_maps), dtype=dtype, vectors=0)
                yield name + " masks", *stack(kernels, *given, masks.astype(of_maps), dtype=dtype)
            pixels = np.ascontiguousarray(np.moveaxis(images, 1, -1)).astype(np.uint8)
            yield f"stack {dtype.__name__} {size} pixels", *stack(kernels, pixels, dtype=dtype)
    wide = rng.integers(0, 256, (150, 200, 4), dtype=np.uint8)
    corners = [(0, 0, 200, 150), (3, 5, 131, 133), (7, 9, 71, 137), (0, 2, 150, 40), (5, 5, 6, 6)]
    boxes = np.array(corners, np.int32)
    three = np.ascontiguousarray(wide[..., :3])
    luma, chroma = (rng.integers(0, 256, (rows, 200), dtype=np.uint8) for rows in (150, 75))
    for swap in (False, True):
        yield "sharpness rgb", *sharpness(kernels, three, "rgb", boxes, swap=swap)
    yield "sharpness rgba", *sharpness(kernels, wide, "rgba", boxes)
    yield "sharpness nv12", *sharpness(kernels, (luma, chroma), "nv12", boxes, conversion="bt709")
    for dtype in (singles, halves, bytes_):
        wide = rng.integers(0, 256, (50, 80, 4), dtype=np.uint8)
        boxes = np.array([(0, 0, 60, 50), (3, 5, 4, 6), (7, 9, 58, 44), (59, 0, 60, 50)], np.int32)
        luma, chroma = (rng.integers(0, 256, (rows, 80), dtype=np.uint8) for rows in (50, 25))
        for size in (16, 33) if brief else (1, 16, 33, 150):
            rest = {"dtype": dtype, "swap": size == 33}
            name = f"crop {dtype.__name__} {size}"
            yield (
                name + " rgb",
                *crop(kernels, np.ascontiguousarray(wide[..., :3])[:, :60], "rgb", boxes, size, **rest),
            )
            yield name + " rgba", *crop(kernels, wide[:, :60], "rgba", boxes, size, **rest)
            for conversion in list(frames._CONVERSIONS)[: 1 if brief else 4]:
                frame, how = (luma[:, :60], chroma[:, :60]), {**rest, "conversion": conversion}
                yield f"{name} nv12 {conversion}", *crop(kernels, frame, "nv12", boxes, size, **how)


def main(library: Path) -> None:
    """Run the cases, briefly, and say how many there were."""
    kernels, count = EmulatedKernels(library), 0
    for name, result, expected in all_cases(kernels, brief=True):
        np.testing.assert_array_equal(result, expected, name)
        count += 1
    print(f"{count} cases")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
