# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The library for C++, compiled by nvcc, against the operations as CuPy compiles them.

`python benchmarks/gpu_cpp.py` compiles `kernels/cuda/launch.cu` for this GPU, calls it through ctypes on
CuPy's memory, and compares every value that it writes: floats and halves, odd sides, frames in NV12, more
crops than a launch takes, and a stack of more than 2^31 values, whose places 32 bits do not count. Where
there is no nvcc it ends with 77. A rehearsal compiles the same sources for the processor and compares with
NumPy's operations.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import typer
from gpu.library import compiled_by_nvcc, compiled_for_the_cpu
from gpu.memories import Memory, open_memory
from gpu.record import RESULTS, Output, Record, Rehearse
from gpu.targets import SKIPPED_CODE, Target, exit_code
from gpu.toolkit import find_tool
from rich.table import Table

from pamtri_edge import console, ops
from pamtri_edge.ops.tables import EXTRA_AFFINE, RGB_AFFINE
from pamtri_edge.ops.tasks import constants, corner_rows, filled, stack_task
from pamtri_edge.vehicle import NUM_KEYPOINTS, NUM_SEGMENTS, SEGMENT_CONFIDENCE

TYPES = {"float32": 0, "float16": 1, "uint8": 2}
KINDS = {"float32": "kFloat", "float16": "kHalf", "uint8": "kByte"}
LARGE = 2**31
"""Values that a large stack must pass."""

_CROP = np.dtype(
    [("pixels", "u8"), ("chroma", "u8"), ("pitches", "i4", 2), ("chroma_size", "i4", 2), ("box", "i4", 4)]
)


@dataclass(frozen=True)
class Pair:
    """What is compared.

    Attributes:
        name: as the table calls it.
        dtype: of the result.
        run: fills (the library's result, ours) and returns the library's error code.
    """

    name: str
    dtype: str
    run: Callable[[Memory, Any, np.random.Generator], tuple[int, Any, Any]]


def main(output: Output = RESULTS, rehearse: Rehearse = False) -> None:
    """Compare the library with the operations and print the table."""
    nvcc = "" if rehearse else find_tool("nvcc")
    if not rehearse and not nvcc:
        console.err.print("skipped: there is no nvcc; it comes with the CUDA toolkit.")
        sys.exit(SKIPPED_CODE)
    memory = open_memory(rehearsal=rehearse)
    record = Record("cpp", output, rehearsal=rehearse, compiler=nvcc or "the one of this processor")
    rows: list[dict[str, Any]] = []
    table = Table("case", "values", "that differ", "")
    with TemporaryDirectory() as folder, memory.current():
        library = compiled_for_the_cpu(Path(folder)) if rehearse else _for_this_gpu(nvcc, Path(folder))
        for pair in pairs(large=0 if rehearse else LARGE):
            if pair.dtype not in memory.dtypes:
                continue
            row = compared(pair, memory, library)
            rows.append(row)
            record.note(rows=rows)
            memory.release()
            table.add_row(
                pair.name, str(row.get("values", "")), str(row.get("different", "")), row.get("failure", "")
            )
    console.out.print(table)
    wrong = [row["case"] for row in rows if row.get("different") != 0]
    found = f"not in {', '.join(wrong)}" if wrong else f"in {len(rows)} of {len(rows)} cases"
    record.judge([Target("C++ and Python give the same, to the bit", found, not wrong)])
    sys.exit(exit_code(record.close()))


def _for_this_gpu(nvcc: str, folder: Path) -> ctypes.CDLL:
    from pamtri_edge.ops.driver import load_cupy

    cupy = load_cupy()
    return compiled_by_nvcc(nvcc, f"sm_{cupy.cuda.Device().compute_capability}", folder)


def compared(pair: Pair, memory: Memory, library: ctypes.CDLL) -> dict[str, Any]:
    """Run a pair and count the values that differ."""
    row: dict[str, Any] = {"case": pair.name}
    try:
        memory.synchronize()
        code, found, ours = pair.run(memory, library, np.random.default_rng(len(pair.name)))
        if code:
            return {**row, "failure": f"the library gives CUDA's error {code}"}
        memory.synchronize()
        row["values"] = int(np.prod(found.shape))
        row["different"] = memory.different(found, ours)
    except Exception as error:  # the other cases are still worth asking
        row["failure"] = f"{type(error).__name__}: {error}"
    return row


def pairs(*, large: int) -> Iterator[Pair]:
    """Yield every case; `large` is how many values a large stack must pass, 0 for none."""
    for side in (7, 33, 64):
        yield _decode(side)
    for dtype in ("float32", "float16"):
        for size in (63, 256):
            yield _segments(size, dtype)
        for side in (12, 20, 256):
            yield _stack(side, 2, dtype)
    for dtype in TYPES:
        for form in ("rgb", "nv12"):
            yield _crop(form, dtype)
    if large:
        vehicles = 1 + large // ((3 + NUM_KEYPOINTS + NUM_SEGMENTS) * 256 * 256)
        yield _stack(256, vehicles, "float16", name=f"stack of {vehicles} vehicles, more than 2^31 values")


def _decode(side: int) -> Pair:
    def run(memory: Memory, library: Any, rng: np.random.Generator) -> tuple[int, Any, Any]:
        maps = memory.upload(rng.random((2, 5, side, side), np.float32))
        out, ours = (memory.poisoned((2, 5, 3), "float32") for _ in range(2))
        ops.decode(maps, out=ours)
        memory.synchronize()
        return library.cpp_decode(_at(maps), 0, 10, side, 1, _at(out)), out, ours

    return Pair(f"decode, side {side}", "float32", run)


def _segments(size: int, dtype: str) -> Pair:
    def run(memory: Memory, library: Any, rng: np.random.Generator) -> tuple[int, Any, Any]:
        points = memory.upload(_keypoints(rng, 2))
        out, ours = (memory.poisoned((2, NUM_SEGMENTS, size, size), dtype) for _ in range(2))
        ops.segments(points, size=size, out=ours)
        memory.synchronize()
        corners = np.ascontiguousarray(corner_rows()[:NUM_SEGMENTS])
        code = library.cpp_segments(
            _at(points),
            2,
            _at(corners),
            NUM_SEGMENTS,
            ctypes.c_float(SEGMENT_CONFIDENCE),
            size,
            TYPES[dtype],
            _at(out),
        )
        return code, out, ours

    return Pair(f"segments {size} to {dtype}", dtype, run)


def _stack(side: int, vehicles: int, dtype: str, *, name: str = "") -> Pair:
    def run(memory: Memory, library: Any, rng: np.random.Generator) -> tuple[int, Any, Any]:
        kind = "uint8" if "uint8" in memory.dtypes else "float32"
        images = memory.upload(rng.integers(0, 256, (vehicles, 3, side, side), np.uint8).astype(kind))
        maps = memory.upload(rng.random((vehicles, NUM_KEYPOINTS, side // 4, side // 4), np.float32))
        points = memory.upload(_keypoints(rng, vehicles))
        shape = (vehicles, 3 + NUM_KEYPOINTS + NUM_SEGMENTS, side, side)
        out, ours = (memory.poisoned(shape, dtype) for _ in range(2))
        ops.stack(images, maps, keypoints=points, out=ours)
        memory.synchronize()
        task = filled(
            stack_task(),
            images=_at(images).value,
            heatmaps=_at(maps).value,
            keypoints=_at(points).value,
            out=_at(out).value,
            size=side,
            heatmap_count=NUM_KEYPOINTS,
            segment_count=NUM_SEGMENTS,
            per_vehicle=NUM_KEYPOINTS,
            image_kind=constants()[KINDS[kind]],
            heatmap_kind=constants()["kFloat"],
            threshold=SEGMENT_CONFIDENCE,
            rgb=RGB_AFFINE,
            extra=EXTRA_AFFINE,
            corners=corner_rows(),
        )
        return library.cpp_stack(_at(task), vehicles, TYPES[dtype]), out, ours

    return Pair(name or f"stack, side {side}, to {dtype}", dtype, run)


def _crop(form: str, dtype: str) -> Pair:
    def run(memory: Memory, library: Any, rng: np.random.Generator) -> tuple[int, Any, Any]:
        height, width, size, count = 90, 76, 33, 70
        frame = rng.integers(
            0, 256, (height * 3 // 2, width) if form == "nv12" else (height, width, 3), np.uint8
        )
        corners = rng.integers(0, 30, (count, 2))
        boxes = np.concatenate([corners, corners + rng.integers(1, 40, (count, 2))], axis=1).astype(np.int32)
        given = memory.upload(frame)
        out, ours = (memory.poisoned((count, 3, size, size), dtype) for _ in range(2))
        ops.crop(given, boxes, size=size, pixel_format=form, conversion="bt709", out=ours)  # type: ignore[call-overload]
        memory.synchronize()
        crops = np.zeros(count, _CROP)
        pitch = frame.strides[0]
        crops["pixels"], crops["pitches"] = _at(given).value, pitch
        crops["chroma"] = crops["pixels"] + height * pitch if form == "nv12" else 0
        crops["box"][:, :2], crops["box"][:, 2:] = boxes[:, :2], boxes[:, 2:] - boxes[:, :2]
        numbers = (constants()["kNv12" if form == "nv12" else "kRgb"], constants()["kBt709"], 0, size)
        code = library.cpp_crop(
            _at(crops), count, *numbers, TYPES[dtype], constants()["kPitchLinear"], _at(out)
        )
        return code, out, ours

    return Pair(f"crop {form} to {dtype}, 33 pixels", dtype, run)


def _keypoints(rng: np.random.Generator, count: int) -> np.ndarray[Any, Any]:
    points = rng.uniform(-0.1, 1.1, (count, NUM_KEYPOINTS, 3))
    points[..., 2] = rng.uniform(0.4, 1.0, (count, NUM_KEYPOINTS))
    return points.astype(np.float32)


def _at(array: Any) -> ctypes.c_void_p:
    """Return the address of an array of the host or of the device."""
    return ctypes.c_void_p(array.ctypes.data if isinstance(array, np.ndarray) else int(array.data.ptr))


if __name__ == "__main__":
    console.guarded(lambda: typer.run(main))
