# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Where the programs of the CUDA toolkit are: on the path, in the toolkit, or in Python's packages."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Mapping
from pathlib import Path


def find_tool(name: str, environment: Mapping[str, str] = os.environ) -> str:
    """Return the path of a program such as "nvcc"; empty if there is none."""
    homes = [environment.get(variable, "") for variable in ("CUDA_HOME", "CUDA_PATH")]
    folders = [Path(home) / "bin" for home in [*filter(None, homes), "/usr/local/cuda"]]
    spec = importlib.util.find_spec("nvidia")
    for packages in (spec and spec.submodule_search_locations) or ():
        folders += sorted(Path(packages).glob("cu*/bin"), reverse=True)
    where = os.pathsep.join([environment.get("PATH", ""), *map(str, folders)])
    return shutil.which(name, path=where) or ""
