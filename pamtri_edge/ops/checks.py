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
    accepted = f"expected {_shape(form)} {np.dtype(dtype).name}"
    if is_device_array(value):
        raise InputError(
            f"{what} is in CUDA memory, and CUDA operations are not part of this installation: "
            f"copy it to the host first ({accepted})."
        )
    if not isinstance(value, np.ndarray):
        raise InputError(f"{what} is a {type(value).__name__}; {accepted} as a NumPy array.")
    if value.ndim != len(form) or not _fits(value.shape, form):
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
        raise InputError(f"out is in CUDA memory; {accepted} on the host.")
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


def _shape(form: Sequence[str | int]) -> str:
    return f"({', '.join(map(str, form))})"


def _fits(shape: tuple[int, ...], form: Sequence[str | int]) -> bool:
    known: dict[str, int] = {}
    return all(
        length == (known.setdefault(wanted, length) if isinstance(wanted, str) else wanted)
        for length, wanted in zip(shape, form, strict=True)
    )
