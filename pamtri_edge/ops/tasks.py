# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What a CUDA kernel is told: `kernels/include/pamtri/tasks.hpp`, whose constants are read from that file.

The structs are laid out as a C compiler does it; a test compares every offset with the compiler's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.ops.tables import SEGMENT_CORNERS

KERNELS: Final = Path(__file__).resolve().parent.parent / "_kernels"
"""Where the package has the kernels' sources."""


@cache
def constants() -> dict[str, int]:
    """Return the numbers of `tasks.hpp` by name: threads, rows of a band, kinds and so on."""
    text = "".join(
        (KERNELS / "include" / "pamtri" / name).read_text("utf-8") for name in ("tasks.hpp", "pixels.hpp")
    )
    found = re.findall(r"\b(k[A-Z]\w*) = (\d+)\b", text)
    return {name: int(number) for name, number in found}


@cache
def segments_task() -> np.dtype[np.void]:
    """Return the struct `SegmentsTask`."""
    return _struct(
        ("keypoints", "u8"),
        ("out", "u8"),
        *((name, "i4") for name in ("per_vehicle", "count", "size", "vectors")),
        ("threshold", "f4"),
        ("corners", "i4", (constants()["kMostSegments"], 4)),
    )


@cache
def stack_task() -> np.dtype[np.void]:
    """Return the struct `StackTask`."""
    numbers = ("size", "heatmap_count", "segment_count", "per_vehicle")
    kinds = ("image_kind", "heatmap_kind", "segment_kind", "vectors")
    return _struct(
        *((name, "u8") for name in ("images", "heatmaps", "segments", "keypoints", "out")),
        *((name, "i4") for name in (*numbers, *kinds)),
        ("threshold", "f4"),
        ("rgb", "f4", (3, 2)),
        ("extra", "f4", (2,)),
        ("corners", "i4", (constants()["kMostSegments"], 4)),
    )


@cache
def crop_task() -> np.dtype[np.void]:
    """Return the struct `CropTask`."""
    source = _struct(
        ("pixels", "u8"),
        ("chroma", "u8"),
        *((name, "i4") for name in ("pitch", "chroma_pitch", "chroma_columns", "chroma_rows")),
        *((name, "i4") for name in ("x", "y", "width", "height")),
        ("scale_x", "f8"),
        ("scale_y", "f8"),
    )
    return _struct(
        ("sources", source, (constants()["kMostCrops"],)),
        ("out", "u8"),
        *((name, "i4") for name in ("size", "form", "conversion", "swap_channels")),
    )


def filled(struct: np.dtype[np.void], **values: Any) -> NDArray[np.void]:
    """Return a struct with these fields, zero elsewhere, as CuPy passes it by value: an array of one."""
    task = np.zeros(1, struct)
    for name, value in values.items():
        task[name] = value
    return task


def corner_rows() -> NDArray[np.int32]:
    """Return the field `corners`: which keypoints make which segments, rows that are none at the end."""
    rows = np.zeros((constants()["kMostSegments"], 4), np.int32)
    rows[: len(SEGMENT_CORNERS)] = SEGMENT_CORNERS
    return rows


def _struct(*fields: Sequence[Any]) -> np.dtype[np.void]:
    return np.dtype([tuple(field) for field in fields], align=True)
