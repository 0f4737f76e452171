# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Files of arrays byte by byte, so that headers can say what is not so."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import numpy as np


def npy(shape: tuple[int, ...], data: bytes = b"", descr: Any = "<f4", *, columns: bool = False) -> bytes:
    """Return a file of one array: a header of this shape, and these bytes behind it."""
    stream = io.BytesIO()
    header = {"descr": descr, "fortran_order": columns, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, header)
    return stream.getvalue() + data


def archive(members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return an archive of these members."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return stream.getvalue()
