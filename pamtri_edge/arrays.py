# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What an array is: the checks that stand between a user's pictures and the networks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.errors import InputError
from pamtri_edge.words import COLOR_ORDERS, ColorOrder

Pictures = NDArray[np.uint8]


class CheckedCrops(list[Pictures]):
    """Crops that `check_crops` has looked at: what is given on to other functions is not looked at again."""


MOST_PIXELS: Final = 2**27
"""Pixels of the largest picture that is taken: 16,384 x 8,192, 400 MB as RGB."""

_LINE: Final = 16  # floats of a cache line


def is_device_array(value: object) -> bool:
    """Tell whether a value lives in CUDA memory (`__cuda_array_interface__` or a DLPack CUDA device)."""
    device = getattr(value, "__dlpack_device__", None)
    if device is None:
        return hasattr(value, "__cuda_array_interface__")
    # Asked first: a tensor of PyTorch that takes a gradient raises when asked for the other.
    kind = device()[0]
    return int(kind) in (2, 13)  # kDLCUDA, kDLCUDAManaged of dlpack.h


def check_picture(picture: Any, what: str) -> Pictures:
    """Return a picture as a (H, W, 3) uint8 array, or say why it is none.

    Args:
        picture: anything; accepted are uint8 arrays of shape (H, W, 3) with H and W of at least 1.
        what: how the error calls it, such as "crop 3" or "the frame".

    Raises:
        InputError: another type, dtype, number of channels, no pixels, or more than `MOST_PIXELS`.
    """
    accepted = "expected an (H, W, 3) uint8 array, values 0..255"
    if not isinstance(picture, np.ndarray):
        if is_device_array(picture):
            raise InputError(
                f"{what} is in CUDA memory; this needs a host array: copy it first ({accepted})."
            )
        raise InputError(f"{what} is {_called(picture)}; {accepted}.")
    if picture.ndim != 3 or picture.shape[2] != 3:
        raise InputError(f"{what} has shape {picture.shape}; {accepted}.{_channel_hint(picture)}")
    if picture.dtype != np.uint8:
        values, remedy = _value_hints(picture)
        raise InputError(f"{what} has dtype {picture.dtype}{values}; {accepted}.{remedy}")
    if picture.shape[0] == 0 or picture.shape[1] == 0:
        raise InputError(f"{what} has no pixels (shape {picture.shape}); {accepted}.")
    if picture.shape[0] * picture.shape[1] > MOST_PIXELS:
        raise InputError(
            f"{what} has {picture.shape[1]:,} x {picture.shape[0]:,} pixels; at most {MOST_PIXELS:,} are "
            "accepted. Make it smaller first."
        )
    return picture


def check_crops(batch: Any) -> CheckedCrops:
    """Return a batch of crops as a list of (H, W, 3) uint8 arrays.

    Args:
        batch: a sequence of (H, W, 3) uint8 arrays of any sizes, or one (N, H, W, 3) uint8 array.

    Raises:
        InputError: the batch or one of its crops is not of that form; the message names the crop.
    """
    if isinstance(batch, CheckedCrops):
        return batch
    if isinstance(batch, np.ndarray):
        if batch.ndim == 3 and batch.shape[2] in (1, 3, 4):
            raise InputError(
                f"the batch has shape {batch.shape}, a single picture; pass a list: embed([crop])."
            )
        if batch.ndim == 1 and batch.size == 0:
            return CheckedCrops()
        if batch.ndim != 4:
            paths = " Pass an array of paths as a list: embed(paths.tolist())." * (batch.dtype.kind in "UO")
            raise InputError(
                f"the batch has shape {batch.shape}; expected (N, H, W, 3) uint8 or a list of crops.{paths}"
            )
    elif isinstance(batch, (str, bytes)) or not isinstance(batch, Iterable):
        raise InputError(
            f"the batch is {_called(batch)}; expected a list of (H, W, 3) uint8 arrays "
            "or one (N, H, W, 3) uint8 array."
        )
    return CheckedCrops(check_picture(crop, f"crop {index}") for index, crop in enumerate(batch))


def _called(value: object) -> str:
    """Return what a value is that is no array."""
    if value is None:
        return "None, which cv2.imread gives for a file that it cannot read (check the path)"
    if isinstance(value, (bytes, bytearray, memoryview)):
        return "bytes; those of a picture's file become one with PIL.Image.open(io.BytesIO(it))"
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"


def check_choice(value: str, choices: Sequence[str], what: str) -> str:
    """Return a value that is one of a few words, or say which are accepted."""
    if value not in choices:
        raise InputError(f"{what} is {value!r}; accepted: {', '.join(map(repr, choices))}.")
    return value


def check_color_order(value: str) -> ColorOrder:
    """Return a color order, "rgb" or "bgr", or say that it is neither."""
    return "bgr" if check_choice(value, COLOR_ORDERS, "color_order") == "bgr" else "rgb"


def _channel_hint(picture: NDArray[Any]) -> str:
    if picture.ndim == 2 or (picture.ndim == 3 and picture.shape[2] == 1):
        return " A gray picture becomes one with cv2.cvtColor(p, cv2.COLOR_GRAY2RGB)."
    if picture.ndim == 3 and picture.shape[2] == 4:
        return " Drop the fourth channel first: picture[..., :3]."
    if picture.ndim == 3 and picture.shape[0] == 3:
        return " This looks channel-first; transpose it: picture.transpose(1, 2, 0)."
    return ""


def _value_hints(picture: NDArray[Any]) -> tuple[str, str]:
    """Return what is to be said of a picture's values, and how they become bytes, where they tell."""
    kind = picture.dtype.kind
    if kind not in "biuf" or picture.size == 0:
        return "", ""
    if kind == "f" and not np.isfinite(picture).all():
        return " and holds NaN or infinity", ""
    low, high = float(picture.min()), float(picture.max())
    remedy = ""
    if low >= 0 and high <= 1 and kind in "bf":
        remedy = " Values 0..1 become bytes with (255 * picture + 0.5).astype(np.uint8)."
    elif low >= 0 and high <= 255:
        remedy = " Values 0..255 become bytes with (picture + 0.5).astype(np.uint8)."
    elif low >= 0 and picture.dtype == np.uint16:
        remedy = " 16 bits become 8 with (picture >> 8).astype(np.uint8)."
    elif low >= -1 and high <= 1 and kind == "f":
        remedy = " Values -1..1 become bytes with (127.5 * picture + 128).astype(np.uint8)."
    return f" with values {low:g}..{high:g}", remedy


def lined_up(shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Return memory for a float32 array that begins with a cache line, as NumPy's own need not.

    A stack of eight vehicles is written past the caches; here no line is written in two parts (3.1 ms
    instead of 3.4 for 52 channels on two cores).
    """
    count = math.prod(shape)
    memory = np.empty(count + _LINE, np.float32)
    start = -memory.ctypes.data // memory.itemsize % _LINE
    return memory[start : start + count].reshape(shape)
