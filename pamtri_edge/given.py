# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What a user gives as a picture: an array, a file, a picture of Pillow, or a tensor on the host.

Files and pictures of Pillow know the order of their colors; arrays and tensors are in the order that the user
names. All come out as arrays in that order.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from pamtri_edge.arrays import CheckedCrops, Pictures, check_crops, check_picture, is_device_array
from pamtri_edge.errors import InputError
from pamtri_edge.pictures import read_picture
from pamtri_edge.words import ColorOrder

_MODES: Final = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "LAB", "HSV")
"""Of Pillow's modes those with 8 bits a channel, which convert to RGB without being clipped."""


class GivenCrops:
    """The crops of a batch. Files are read a part at a time, so that memory does not grow with their number.

    Args:
        batch: a sequence of (H, W, 3) uint8 arrays, paths of picture files, pictures of Pillow or tensors on
            the host, of any sizes; or one (N, H, W, 3) uint8 array or tensor.
        order: the order of the colors in arrays and tensors.

    Raises:
        InputError: the batch or one of its crops is not of that form; the message names the crop.
    """

    def __init__(self, batch: Any, order: ColorOrder) -> None:
        self._order = order
        self._crops: Sequence[Pictures | Path] | Pictures
        if _is_path(batch) or _is_pillow(batch):
            raise InputError("the batch is a single picture; pass a list: embed([picture]).")
        batch = _host(batch, "the batch")
        if isinstance(batch, np.ndarray) and batch.ndim == 4:
            check_crops(batch[:1])  # the others are of the same form; a view may repeat one a billion times
            self._crops = batch
        elif isinstance(batch, np.ndarray) or not isinstance(batch, Iterable) or isinstance(batch, bytes):
            self._crops = check_crops(batch)
        else:
            self._crops = [
                Path(crop) if _is_path(crop) else given_picture(crop, f"crop {index}", order)
                for index, crop in enumerate(batch)
            ]

    def __len__(self) -> int:
        return len(self._crops)

    @property
    def names(self) -> tuple[str, ...] | None:
        """The paths, where all crops are files; else None."""
        if isinstance(self._crops, np.ndarray):
            return None
        paths = [str(crop) for crop in self._crops if isinstance(crop, Path)]
        return tuple(paths) if paths and len(paths) == len(self._crops) else None

    def part(self, first: int, count: int) -> CheckedCrops:
        """Return `count` crops from `first` on, or as many as there are.

        Raises:
            InputError: a file cannot be read, or is no picture.
        """
        some = enumerate(self._crops[first : first + count], first)
        return CheckedCrops(
            given_picture(crop, f"crop {index}", self._order) if isinstance(crop, Path) else crop
            for index, crop in some
        )


def given_picture(picture: Any, what: str, order: ColorOrder) -> Pictures:
    """Return a picture as a (H, W, 3) uint8 array in a color order.

    Args:
        picture: an (H, W, 3) uint8 array or tensor in that order, the path of a file, or a picture of Pillow.
        what: how errors call it, such as "crop 3" or "the frame".
        order: the order of the colors.

    Raises:
        InputError: it is none of these, or cannot be read.
    """
    if _is_path(picture):
        try:
            return _in_order(read_picture(Path(picture)), order)
        except InputError as error:
            raise InputError(f"{what}: {error}") from None
    if _is_pillow(picture):
        return _in_order(_of_pillow(picture, what), order)
    return check_picture(_host(picture, what), what)


def _in_order(rgb: Pictures, order: ColorOrder) -> Pictures:
    return np.ascontiguousarray(rgb[..., ::-1]) if order == "bgr" else rgb


def _is_path(value: object) -> bool:
    return isinstance(value, (str, os.PathLike))


def _is_pillow(value: object) -> bool:
    """Tell a picture of Pillow, which need not be installed."""
    return hasattr(value, "getbands") and hasattr(value, "convert")


def _of_pillow(picture: Any, what: str) -> Pictures:
    if picture.mode not in _MODES:
        raise InputError(
            f"{what} is a picture of Pillow in mode {picture.mode!r}; expected 8 bits a channel, "
            "such as 'RGB'."
        )
    try:
        pixels = np.array(_upright(picture).convert("RGB"))
    except (OSError, ValueError, SyntaxError) as error:  # it decodes late, or never where it was closed
        raise InputError(f"{what} is a picture of Pillow that cannot be decoded ({error}).") from None
    return check_picture(pixels, what)


def _upright(picture: Any) -> Any:
    """Return a picture of Pillow as a viewer shows it, and so as `read_picture` reads its file.

    What Pillow made of it, such as a copy or a crop, keeps the orientation; `ImageOps.exif_transpose` takes
    it off.
    """
    if not hasattr(picture, "getexif"):
        return picture
    from PIL import ImageOps

    return ImageOps.exif_transpose(picture)


def _host(value: Any, what: str) -> Any:
    """Return a tensor on the host as an array of the same memory, and anything else as it is."""
    tensor = hasattr(value, "__dlpack__") and hasattr(value, "detach") and not isinstance(value, np.ndarray)
    if not tensor:
        return value
    try:
        return value if is_device_array(value) else np.asarray(value.detach())
    except (TypeError, ValueError, RuntimeError) as error:  # bfloat16, quantized, sparse, without memory
        raise InputError(
            f"{what} is a tensor of {value.dtype} that NumPy cannot read ({error}); expected uint8."
        ) from None
