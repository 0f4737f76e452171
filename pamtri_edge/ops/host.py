# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Which code works on host arrays, and on how many threads."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.errors import InputError, MissingDependencyError
from pamtri_edge.ops import reference
from pamtri_edge.processors import granted_processors

Floats = NDArray[np.float32]


class _Operations(Protocol):
    """What `reference` and `native` both are: functions that fill `out` from checked arguments."""

    def decode(self, heatmaps: Floats, out: Floats, crop_units: bool) -> None: ...

    def segments(self, keypoints: Floats, out: Floats, threshold: float) -> None: ...

    def stack(
        self,
        images: Floats,
        heatmaps: Floats | None,
        drawn: Floats | None,
        keypoints: Floats | None,
        out: Floats,
        threshold: float,
    ) -> None: ...

    def crop(
        self, frame: NDArray[np.uint8], rectangles: NDArray[np.int32], out: Floats, swap_channels: bool
    ) -> None: ...

    def resize(self, crops: Sequence[NDArray[np.uint8]], out: Floats, swap_channels: bool) -> None: ...

    def sharpness(
        self, crops: Sequence[NDArray[np.uint8]], out: NDArray[np.float64], swap_channels: bool
    ) -> None: ...

    def note_nearest(
        self,
        cosines: Floats,
        first_row: int,
        first_column: int,
        row_best: Floats,
        row_columns: NDArray[np.int32],
        column_best: Floats,
        column_rows: NDArray[np.int32],
    ) -> None: ...

    def threads(self) -> int: ...

    def set_threads(self, count: int | None) -> None: ...


def implementation() -> Literal["native", "reference"]:
    """Tell which code does the work: "native" (compiled) or "reference" (NumPy).

    Raises:
        InputError: `PAMTRI_OPS` is set to another word.
        MissingDependencyError: `PAMTRI_OPS=native`, but the package was installed without compiled code.
    """
    return "reference" if operations() is reference else "native"


def threads() -> int:
    """Return how many threads an operation may use, the calling one included."""
    return operations().threads()


def set_threads(count: int | None) -> None:
    """Set how many threads an operation may use, for the whole process.

    Args:
        count: 1 to 1024; None, the initial setting, means every processor that this process may use
            (`available_processors`). The reference always uses one.

    Raises:
        InputError: another value.
    """
    if count is not None and (isinstance(count, bool) or not isinstance(count, int) or not 0 < count <= 1024):
        raise InputError(f"the number of threads is {count!r}; expected 1 to 1024, or None for all cores.")
    operations().set_threads(granted_processors() if count is None else count)


@cache
def operations() -> _Operations:
    """Return the compiled operations, or the reference where there are none or `PAMTRI_OPS` wants it."""
    wanted = os.environ.get("PAMTRI_OPS", "")
    if wanted not in ("", "native", "reference"):
        raise InputError(f"PAMTRI_OPS is {wanted!r}; accepted: 'native', 'reference', or unset.")
    if wanted == "reference":
        return reference
    try:
        from pamtri_edge.ops import native
    except ImportError as error:
        if wanted == "native":
            raise MissingDependencyError(
                f"PAMTRI_OPS=native, but the compiled operations cannot be loaded ({error}); "
                "reinstall the package with a C++17 compiler at hand: pip install --force-reinstall ."
            ) from error
        return reference
    # Without a quota the compiled code looks at the affinity at each call, since a process may be moved.
    native.set_threads(granted_processors())
    return native
