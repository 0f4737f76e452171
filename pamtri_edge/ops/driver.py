# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The NVIDIA driver and CuPy: what has to be there before anything is done to a CUDA array.

The driver is asked first: libraries of CUDA may end the process where there is none.
"""

from __future__ import annotations

import os
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Final, NamedTuple

from pamtri_edge import libcuda
from pamtri_edge.errors import MissingDependencyError
from pamtri_edge.libcuda import dotted

_NO_DEVICE: Final = 100  # CUDA_ERROR_NO_DEVICE of cuda.h


class Need(NamedTuple):
    """Who asks for the driver, in the words of a refusal.

    Attributes:
        who: how the sentence begins, verb included.
        otherwise: what can be done without a driver.
    """

    who: str
    otherwise: str


ARRAYS: Final = Need("CUDA arrays need", "or pass NumPy arrays")


@cache
def load_cupy() -> Any:
    """Return the module `cupy`, on a machine whose driver runs what it was built for.

    Raises:
        MissingDependencyError: there is no driver, no GPU or no CuPy, or the driver is older than CuPy.
    """
    return import_cupy(ARRAYS)


def import_cupy(need: Need) -> Any:
    """Look for the driver, import `cupy` and return it; see `load_cupy`, which remembers it.

    Raises:
        MissingDependencyError: there is no driver, no GPU or no CuPy, or the driver is older than CuPy.
    """
    version = check_driver(need)
    _settle_kernel_cache()
    try:
        cupy = import_module("cupy")
    except Exception as error:  # a broken CuPy raises whatever its libraries raise
        raise MissingDependencyError(
            f"{need.who} CuPy, and it cannot be imported ({error}): pip install "
            f"cupy-cuda{version // 1000}x, {need.otherwise}."
        ) from error
    built_for = int(cupy.cuda.runtime.runtimeGetVersion())
    if built_for // 1000 > version // 1000:  # within a major version, newer code runs on older drivers
        raise MissingDependencyError(
            f"the NVIDIA driver runs CUDA up to {dotted(version)}, and CuPy is for {dotted(built_for)}: "
            f"update the driver, or pip uninstall cupy-cuda{built_for // 1000}x && "
            f"pip install cupy-cuda{version // 1000}x."
        )
    return cupy


def _settle_kernel_cache() -> None:
    """Let CuPy keep compiled kernels in memory where it could not keep them in its folder.

    It makes the folder when it is imported: without a home, as in many containers, one named "~" in the
    current folder, and in a home that cannot be written to the import fails.
    """
    folder = Path(os.environ.get("CUPY_CACHE_DIR", "~/.cupy/kernel_cache")).expanduser
    try:
        folder().mkdir(parents=True, exist_ok=True)
        if os.access(folder(), os.W_OK):
            return
    except (RuntimeError, OSError):
        pass
    os.environ["CUPY_CACHE_IN_MEMORY"] = "1"
    os.environ["CUPY_CACHE_DIR"] = os.sep  # is there, so that it is not made; nothing is kept in it


def check_driver(need: Need = ARRAYS) -> int:
    """Initialize the driver and return the newest CUDA version that it runs, such as 13010.

    Raises:
        MissingDependencyError: there is no driver, it does not start, or it sees no GPU.
    """
    driver = libcuda.ask_driver(libcuda.LIBCUDA)
    if driver.failure:
        raise MissingDependencyError(
            f"{need.who} an NVIDIA driver, and there is none here ({driver.failure}): install it (in a "
            f"container: --gpus all; on a Jetson: --runtime nvidia), {need.otherwise}."
        )
    if driver.error == _NO_DEVICE:
        raise MissingDependencyError(
            "the NVIDIA driver sees no GPU: look at CUDA_VISIBLE_DEVICES (in a container: --gpus all; on a "
            f"Jetson: --runtime nvidia), {need.otherwise}."
        )
    if driver.error:
        raise MissingDependencyError(
            f"the NVIDIA driver does not start (cuInit gives error {driver.error}): reboot after an update "
            f"of it; 'pamtri doctor' tells more, {need.otherwise}."
        )
    return driver.version
