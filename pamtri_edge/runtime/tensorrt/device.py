# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The NVIDIA driver, CuPy and the GPU: what has to be there before TensorRT may be touched.

TensorRT's runtime crashes the process where there is no driver, and no `except` catches that. So the driver
is asked first, through ctypes, and everything else after it.
"""

from __future__ import annotations

import ctypes
import re
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from pamtri_edge.errors import EngineError, InputError, MissingDependencyError

LIBCUDA: str = "libcuda.so.1"
"""The driver's library."""

RELEASE_FILE: Path = Path("/etc/nv_tegra_release")
"""Where a Jetson tells the release of its system software (L4T)."""

_NO_DEVICE: Final = 100  # CUDA_ERROR_NO_DEVICE of cuda.h
_ELSEWHERE: Final = "or run on the CPU: device='cpu'"


@dataclass(frozen=True)
class Gpu:
    """One GPU, as an engine's fingerprint knows it.

    Attributes:
        index: its number among the GPUs that this process sees.
        name: as the driver calls it.
        compute: its architecture, such as "sm_87".
        integrated: whether it shares the host's memory, as on a Jetson.
        l4t: release of a Jetson's system software, such as "36.4.0"; None elsewhere.
        cuda: version of the CUDA runtime in use, such as "13.0".
    """

    index: int
    name: str
    compute: str
    integrated: bool
    l4t: str | None
    cuda: str

    @property
    def device(self) -> str:
        """The GPU as `device=` names it."""
        return f"cuda:{self.index}"


def check_driver() -> int:
    """Initialise the NVIDIA driver and return the newest CUDA version that it runs, such as 13010.

    Raises:
        EngineError: there is no driver, it sees no GPU, or it does not start.
    """
    try:
        driver = ctypes.CDLL(LIBCUDA)
    except OSError as error:
        raise EngineError(
            f"TensorRT needs an NVIDIA driver, and there is none here ({error}). Install the driver "
            f"(in a container: start it with --gpus all, on a Jetson with --runtime nvidia), {_ELSEWHERE}."
        ) from error
    code = driver.cuInit(0)
    if code == _NO_DEVICE:
        raise EngineError(
            "TensorRT needs an NVIDIA GPU, and the driver sees none. In a container start it with --gpus "
            f"all (Jetson: --runtime nvidia); look at CUDA_VISIBLE_DEVICES; {_ELSEWHERE}."
        )
    if code:
        raise EngineError(
            f"the NVIDIA driver does not start ({_error_name(driver, code)}). Reboot after an update of the "
            f"driver; 'pamtri doctor' tells more; {_ELSEWHERE}."
        )
    version = ctypes.c_int()
    driver.cuDriverGetVersion(ctypes.byref(version))
    return version.value


def load_cupy() -> Any:
    """Return the module `cupy` on a machine whose driver is new enough for it.

    Raises:
        EngineError: no driver, or one that is too old.
        MissingDependencyError: CuPy is not installed or does not load.
    """
    driver = check_driver()
    major = driver // 1000
    try:
        cupy = import_module("cupy")
    except Exception as error:  # a broken CuPy raises whatever its libraries raise
        raise MissingDependencyError(
            f"TensorRT needs CuPy to hold arrays on the GPU, and it cannot be imported ({error}); install "
            f"the one for this driver: pip install cupy-cuda{major}x"
        ) from error
    runtime = int(cupy.cuda.runtime.runtimeGetVersion())
    if runtime // 1000 > major:
        raise EngineError(
            f"the NVIDIA driver is too old: it runs CUDA up to {version_of(driver)}, and CuPy was built for "
            f"CUDA {version_of(runtime)}. Update the driver, or install the CuPy for it: "
            f"pip uninstall cupy-cuda{runtime // 1000}x; pip install cupy-cuda{major}x"
        )
    return cupy


def find_gpu(cupy: Any, device: str) -> Gpu:
    """Return the GPU that `device` names, "cuda" being the current one.

    Raises:
        InputError: there is no such GPU.
    """
    _, _, number = device.partition(":")
    runtime = cupy.cuda.runtime
    count = int(runtime.getDeviceCount())
    index = int(number) if number else int(runtime.getDevice())
    if index >= count:
        raise InputError(
            f"device {device!r} is not there; this process sees {count} GPU{'s' * (count != 1)}, "
            f"cuda:0{f' to cuda:{count - 1}' if count > 1 else ''}."
        )
    properties = runtime.getDeviceProperties(index)
    return Gpu(
        index=index,
        name=properties["name"].decode(errors="replace"),
        compute=f"sm_{properties['major']}{properties['minor']}",
        integrated=bool(properties["integrated"]),
        l4t=_l4t(),
        cuda=version_of(int(runtime.runtimeGetVersion())),
    )


def version_of(number: int) -> str:
    """Return CUDA's number of a version, such as 12060, as people write it: "12.6"."""
    return f"{number // 1000}.{number % 1000 // 10}"


def _l4t() -> str | None:
    """Return the release from a line such as `# R36 (release), REVISION: 4.0, GCID: ...`."""
    try:
        text = RELEASE_FILE.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    found = re.search(r"R(\d+) \(release\), REVISION: ([\d.]+)", text)
    return f"{found[1]}.{found[2]}" if found else text.splitlines()[0] if text.strip() else "unknown"


def _error_name(driver: ctypes.CDLL, code: int) -> str:
    name = ctypes.c_char_p()
    driver.cuGetErrorName(code, ctypes.byref(name))
    return name.value.decode() if name.value else f"cuInit gives {code}"
