# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The checks at the door of the operations: shape, dtype, memory."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Real
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.arrays import is_device_array, lined_up
from pamtri_edge.errors import InputError

LARGEST_SIZE: Final = 16384
"""The largest side of a raster, in pixels: far above use, and its pixels still count in 32 bits."""


def check_array(
    value: Any, what: str, form: Sequence[str | int], dtype: type[np.generic] = np.float32
) -> NDArray[Any]:
    """Return a host array in C order, or say what is wrong with it.

    Args:
        value: anything.
        what: how the error calls it.
        form: the shape: a number is exact, a letter any length, the same letter the same length.
        dtype: the exact dtype.

    Raises:
        InputError: CUDA memory, another type, dtype or shape.
    """
    accepted = f"expected {shape_of(form)} {np.dtype(dtype).name}"
    if is_device_array(value):
        raise InputError(f"{what} is in CUDA memory; {accepted} on the host: copy it there first.")
    if not isinstance(value, np.ndarray):
        raise InputError(f"{what} is a {type(value).__name__}; {accepted} as a NumPy array.")
    if not fits(value.shape, form):
        raise InputError(f"{what} has shape {value.shape}; {accepted}.")
    if value.dtype != np.dtype(dtype):
        raise InputError(f"{what} has dtype {value.dtype}; {accepted}: convert it with .astype first.")
    return np.ascontiguousarray(value)


def check_out(out: Any, shape: tuple[int, ...], *inputs: Any) -> NDArray[np.float32]:
    """Return the array that takes a result: a new one, or the caller's if it can.

    Raises:
        InputError: `out` is not a writable float32 array of that shape in C order, or shares memory with
            an input.
    """
    if out is None:
        return lined_up(shape)
    accepted = f"expected a writable C-contiguous float32 array of shape {shape}"
    if is_device_array(out):
        raise InputError(f"out is in CUDA memory, but the input is on the host; {accepted} there.")
    if not isinstance(out, np.ndarray):
        raise InputError(f"out is a {type(out).__name__}; {accepted}.")
    if out.shape != shape or out.dtype != np.float32:
        raise InputError(f"out has shape {out.shape} and dtype {out.dtype}; {accepted}.")
    if not (out.flags.c_contiguous and out.flags.writeable):
        lacking = "writable" if out.flags.c_contiguous else "contiguous"
        raise InputError(f"out is not {lacking}; {accepted}.")
    if any(isinstance(value, np.ndarray) and np.may_share_memory(out, value) for value in inputs):
        raise InputError("out shares memory with an input; give it memory of its own.")
    return out


def check_rectangles(rectangles: Any, width: int, height: int) -> NDArray[np.int32]:
    """Return (N, 4) int32 rectangles, on the host, of which each has pixels and lies in the frame.

    Raises:
        InputError: another form, or a rectangle that is empty or reaches past the frame; the first is named.
    """
    boxes: NDArray[np.int32] = check_array(rectangles, "rectangles", ("N", 4), np.int32)
    outside = (
        (boxes[:, :2] < 0).any(axis=1)
        | (boxes[:, 2:] <= boxes[:, :2]).any(axis=1)
        | (boxes[:, 2:] > (width, height)).any(axis=1)
    )
    if outside.any():
        index = int(outside.argmax())
        raise InputError(
            f"rectangle {index} is {boxes[index].tolist()}; expected x1 < x2 and y1 < y2 within the frame of "
            f"{width} x {height} pixels (geometry.crop_rectangles makes such rectangles of boxes)."
        )
    return boxes


def check_host_options(stream: Any, dtype: Any = None) -> None:
    """Raise if what only CUDA arrays have was asked for host arrays."""
    if stream is not None:
        raise InputError("stream was given, but the arrays are on the host; expected none, or CUDA arrays.")
    if dtype not in (None, "float32"):
        raise InputError(f"dtype is {dtype!r}; expected 'float32' for host arrays (CUDA arrays have more).")


def check_size(size: Any) -> int:
    """Return the side of a raster in pixels, or say that it is none."""
    if isinstance(size, bool) or not isinstance(size, (int, np.integer)) or not 1 <= size <= LARGEST_SIZE:
        raise InputError(f"size is {size!r}; expected a whole number of pixels from 1 to {LARGEST_SIZE}.")
    return int(size)


def check_threshold(threshold: Any) -> float:
    """Return a least confidence, or say that it is no finite number."""
    if not isinstance(threshold, Real) or not math.isfinite(threshold):
        raise InputError(f"threshold is {threshold!r}; expected a finite number, such as 0.5.")
    return float(threshold)


def refuse_unless_finite(values: NDArray[Any], what: str, hint: str) -> None:
    """Raise if a value of (N, K) or (N, K, 3) is NaN or infinite; name the first vehicle and keypoint."""
    finite = np.isfinite(values)
    if not finite.all():
        vehicle, index = np.argwhere(~finite)[0][:2]
        raise InputError(f"{what} {index} of vehicle {vehicle} holds NaN or infinity; {hint}.")


def shape_of(form: Sequence[str | int]) -> str:
    """Return a form in words."""
    return f"({', '.join(map(str, form))})"


def fits(shape: tuple[int, ...], form: Sequence[str | int]) -> bool:
    """Tell whether a shape has as many axes as a form, of its lengths."""
    known: dict[str, int] = {}
    return len(shape) == len(form) and all(
        length == (known.setdefault(wanted, length) if isinstance(wanted, str) else wanted)
        for length, wanted in zip(shape, form, strict=True)
    )
