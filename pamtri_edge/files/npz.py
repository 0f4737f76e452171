# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Archives of arrays (.npz) that may come from anyone.

What an archive declares is compared with what is sensible before any of it is unpacked, and nothing of it
is ever unpickled.
"""

from __future__ import annotations

import io
import math
import zipfile
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_ENTRY: Final = b"PK\x01\x02"
_PLAIN: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # the others may ask for gigabytes to unpack
_NUMBERS: Final = "buif"
_WORDS: Final = "U"
_LEAST_ITEM: Final = 4  # bytes: what is read becomes float32


class ArchiveError(Exception):
    """Carries what is wrong with an archive, as the end of a sentence without a full stop."""


def unpack(content: bytes, *, limit: int, most: int, words: bool = False) -> dict[str, NDArray[Any]]:
    """Return the arrays of an archive by name.

    Args:
        content: the bytes of the .npz file.
        limit: bytes that all arrays may have together, an item counted as 4 bytes or more.
        most: how many arrays there may be.
        words: whether arrays of text are taken beside those of numbers.

    Raises:
        ArchiveError: something is declared that no such file holds.
        Exception: the bytes are no archive, or are damaged; zipfile and NumPy raise a dozen kinds.
    """
    # Counted in the bytes: the archive's own list of a million entries takes a gigabyte to read.
    if content.count(_ENTRY) > most:
        raise ArchiveError(f"it has more than {most} entries")
    arrays: dict[str, NDArray[Any]] = {}
    left = limit
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for entry in archive.infolist():
            key = entry.filename.removesuffix(".npy")
            if key in arrays:
                raise ArchiveError(f"{key[:80]!r} is there twice")
            if entry.compress_type not in _PLAIN:
                raise ArchiveError(f"{key[:80]!r} is packed in another way than NumPy does")
            with archive.open(entry) as stream:
                left -= _declared(stream, key[:80], _NUMBERS + _WORDS if words else _NUMBERS)
            if left < 0:
                raise ArchiveError(f"its arrays have more than {limit >> 20} MiB")
            with archive.open(entry) as stream:
                arrays[key] = np.lib.format.read_array(stream, allow_pickle=False)
    return arrays


def _declared(stream: Any, key: str, kinds: str) -> int:
    """Return how many bytes an array takes, by its header alone."""
    version = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(stream)
    if dtype.kind not in kinds:
        raise ArchiveError(f"{key} holds {dtype.name}, not numbers")
    if any(size < 0 for size in shape):
        raise ArchiveError(f"{key} has shape {shape}")
    return math.prod(shape) * max(dtype.itemsize, _LEAST_ITEM)
