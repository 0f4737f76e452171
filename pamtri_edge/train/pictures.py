# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Picture files of a data set: their sizes, from a glance at the header, and their pixels."""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from pamtri_edge.errors import InputError

SUFFIXES: Final = (".jpg", ".jpeg", ".png")

_JPEG: Final = b"\xff\xd8"
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_SIZES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""JPEG markers that a picture's size follows: the start of a frame, whatever its coding."""


def list_pictures(folder: Path) -> list[Path]:
    """Return the picture files of a folder, by name.

    Raises:
        InputError: there is no such folder, or no picture in it.
    """
    if not folder.is_dir():
        raise InputError(f"there is no folder of pictures {folder}.")
    found = [folder / entry.name for entry in os.scandir(folder) if entry.name.lower().endswith(SUFFIXES)]
    if not found:
        raise InputError(f"the folder {folder} holds no pictures ({', '.join(SUFFIXES)}).")
    return sorted(found)


def picture_size(path: Path) -> tuple[int, int]:
    """Return width and height of a picture without decoding it.

    Raises:
        InputError: it cannot be read, is cut short, or is neither JPEG nor PNG.
    """
    try:
        with path.open("rb") as file:
            start = file.read(24)
            size = None
            if start.startswith(_PNG):
                size = struct.unpack(">II", start[16:24]) if len(start) == 24 else None
            elif start.startswith(_JPEG):
                size = _jpeg_size(file)
                file.seek(-2, os.SEEK_END)
                size = size if file.read(2) == b"\xff\xd9" or _ends_padded(file) else None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error
    if size is None or not all(size):
        raise InputError(
            f"{path} is no whole JPEG or PNG picture ({path.stat().st_size} bytes); remove or replace it."
        )
    return int(size[0]), int(size[1])


def check_pictures(paths: Iterable[Path]) -> None:
    """Look at the header and the end of every picture, so that a bad one is found before hours of training.

    Raises:
        InputError: some cannot be read; the first are named.
    """
    bad: list[str] = []
    for path in paths:
        try:
            picture_size(path)
        except InputError as error:
            bad.append(str(error))
    if bad:
        more = f"\n... and {len(bad) - 5} more pictures." if len(bad) > 5 else ""
        raise InputError("\n".join(bad[:5]) + more)


def read_picture(path: Path, *, least: int | None = None) -> NDArray[np.uint8]:
    """Decode a picture.

    Args:
        path: the file.
        least: a smaller decoding will do as long as both sides have this many pixels (JPEG decodes at half
            size, without aliasing, in a third of the time).

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        InputError: it cannot be read or decoded.
    """
    try:
        content = np.fromfile(path, np.uint8)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error
    flag = cv2.IMREAD_COLOR
    if least is not None and least <= 128 and content[:2].tobytes() == _JPEG:
        width, height = _jpeg_size(io.BytesIO(content.tobytes())) or (0, 0)
        if min(width, height) >= 2 * least:
            flag = cv2.IMREAD_REDUCED_COLOR_2
    picture = None if content.size == 0 else cv2.imdecode(content, flag)
    if picture is None:
        raise InputError(f"{path} cannot be decoded; remove it from the data set or copy it again.")
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)


def _jpeg_size(file: BinaryIO) -> tuple[int, int] | None:
    file.seek(2)
    while True:
        marker = file.read(2)
        while marker[1:] == b"\xff":  # fill bytes may precede a marker
            marker = marker[1:] + file.read(1)
        length = file.read(2)
        if len(marker) < 2 or marker[0] != 0xFF or len(length) < 2:
            return None
        if marker[1] in _SIZES:
            frame = file.read(5)
            if len(frame) < 5:
                return None
            _, height, width = struct.unpack(">BHH", frame)
            return width, height
        file.seek(struct.unpack(">H", length)[0] - 2, os.SEEK_CUR)


def _ends_padded(file: BinaryIO) -> bool:
    """Tell whether the end marker stands a little before the end: cameras append what they like."""
    end = file.seek(0, os.SEEK_END)
    file.seek(max(0, end - 4096))
    return b"\xff\xd9" in file.read()
