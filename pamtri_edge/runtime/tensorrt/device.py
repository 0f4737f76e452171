# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The NVIDIA driver, CuPy and the GPU: what has to be there before TensorRT may be touched.

TensorRT's runtime crashes the process where there is no driver, and no `except` catches that. So the driver
is asked first, and everything else after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pamtri_edge import _core
from pamtri_edge.errors import InputError
from pamtri_edge.libcuda import dotted
from pamtri_edge.ops import driver

RELEASE_FILE: Path = Path("/etc/nv_tegra_release")
"""Where a Jetson tells the release of its system software (L4T)."""

_NEED: Final = driver.Need("TensorRT needs", "or run on the CPU: device='cpu'")


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
    """Initialize the NVIDIA driver and return the newest CUDA version that it runs, such as 13010.

    Raises:
        MissingDependencyError: there is no driver, it sees no GPU, or it does not start.
    """
    return driver.check_driver(_NEED)


def load_cupy() -> Any:
    """Return the module `cupy`.

    Raises:
        MissingDependencyError: there is no driver or no CuPy, or the driver is older than CuPy.
    """
    return driver.import_cupy(_NEED)


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
        cuda=dotted(int(runtime.runtimeGetVersion())),
    )


def _l4t() -> str | None:
    try:
        text = RELEASE_FILE.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return _core.jetson_release(text)
