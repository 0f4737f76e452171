# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Is there an NVIDIA GPU, and which CuPy goes with its driver: asked before anything is installed.

`python3 benchmarks/gpu/presence.py` needs the standard library and this checkout alone. It prints the CuPy
package to install and exits with 0; or it says in one sentence why nothing can be measured here and exits
with 1.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2]))  # nothing is installed yet
from pamtri_edge.libcuda import LIBCUDA, ask_driver

CUPY = {13: "cupy-cuda13x", 12: "cupy-cuda12x"}
"""The package of each major version of CUDA that a driver may offer."""


def absence(library: str = LIBCUDA) -> tuple[str, int]:
    """Return why there is no GPU to measure on (empty: there is one), and the driver's CUDA, as 13000.

    Args:
        library: the driver's library.
    """
    driver = ask_driver(library)
    if driver.failure:
        return f"there is no NVIDIA driver here ({driver.failure})", 0
    if driver.error:
        return f"the NVIDIA driver finds no GPU it can use (cuInit gives error {driver.error})", 0
    if not driver.devices:
        return "the NVIDIA driver reports no GPU", 0
    return "", driver.version


def cupy_package(version: int) -> str:
    """Return the CuPy package for a driver's CUDA version; empty if there is none for it."""
    major = version // 1000
    return CUPY.get(major, CUPY[max(CUPY)] if major > max(CUPY) else "")


def main() -> int:
    """Print the package, or the reason; return the exit code."""
    why, version = absence()
    if not why and not (package := cupy_package(version)):
        why = f"the driver is for CUDA {version // 1000}, and CuPy needs one for {min(CUPY)} or later"
    if why:
        print(f"The GPU measurements need an NVIDIA GPU, and {why}.", file=sys.stderr)
        return 1
    print(package)
    return 0


if __name__ == "__main__":
    sys.exit(main())
