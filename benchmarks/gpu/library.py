# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The operations as C++ calls them (`kernels/cuda/launch.cu`), compiled into a library for ctypes."""

from __future__ import annotations

import ctypes
import subprocess
from pathlib import Path
from typing import Any, Final

from gpu.stages import ROOT

KERNELS: Final = ROOT / "kernels"
ENTRIES: Final = ROOT / "tests" / "fakes" / "cuda_on_cpu" / "launch_entries.hpp"
"""C functions around those of `launch.hpp`, which have no mangled names."""


def compiled_by_nvcc(nvcc: str, compute: str, folder: Path) -> ctypes.CDLL:
    """Compile the library for a GPU and open it.

    Args:
        nvcc: the compiler.
        compute: the GPU's architecture, such as "sm_90".
        folder: where to.

    Raises:
        RuntimeError: it does not compile; the message is the compiler's.
    """
    source, target = folder / "launch_entries.cu", folder / "liblaunch.so"
    source.write_text(f'#include "launch.cu"\n#include "{ENTRIES}"\n')
    includes = [f"-I{KERNELS / name}" for name in ("include", "cuda")]
    command = [nvcc, "-std=c++17", "-O3", f"-arch={compute}", "-shared", "-Xcompiler", "-fPIC", *includes]
    done = subprocess.run(
        [*command, "-o", str(target), str(source)], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"nvcc cannot compile launch.cu: {(done.stderr or done.stdout).strip()}")
    return ctypes.CDLL(str(target))


def compiled_for_the_cpu(folder: Path) -> ctypes.CDLL:
    """Compile the same sources to run on this machine's processor, thread by thread: to rehearse."""
    import emulated_kernels

    library: Any = emulated_kernels.build(folder).library
    return library  # type: ignore[no-any-return]
