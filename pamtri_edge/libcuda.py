# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The one question to the NVIDIA driver: is it there, does it start, which CUDA does it run?

Asked through ctypes, with the standard library alone: before anything is installed, and in child processes
that load nothing else. Libraries of CUDA may end the process where there is no driver.
"""

from __future__ import annotations

import ctypes
from typing import Any, NamedTuple

LIBCUDA: str = "libcuda.so.1"
"""The driver's library."""


class Driver(NamedTuple):
    """What the driver answered.

    Attributes:
        library: the loaded library; None where there is none.
        failure: why it could not be loaded; empty where it was.
        error: what cuInit gave; 0 where the driver started.
        version: the newest CUDA version that it runs, such as 13010; 0 where it did not start.
    """

    library: Any
    failure: str = ""
    error: int = 0
    version: int = 0

    @property
    def devices(self) -> int:
        """How many GPUs a driver that started sees."""
        count = ctypes.c_int()
        return count.value if self.library.cuDeviceGetCount(ctypes.byref(count)) == 0 else 0


def ask_driver(library: str) -> Driver:
    """Load the driver's library, by name or path, and initialize it."""
    try:
        loaded = ctypes.CDLL(library)
    except OSError as error:
        return Driver(None, failure=str(error))
    code = int(loaded.cuInit(0))
    if code:
        return Driver(loaded, error=code)
    version = ctypes.c_int()
    loaded.cuDriverGetVersion(ctypes.byref(version))
    return Driver(loaded, version=version.value)


def dotted(version: int) -> str:
    """Return CUDA's number of a version, such as 12060, as people write it: "12.6"."""
    return f"{version // 1000}.{version % 1000 // 10}"
