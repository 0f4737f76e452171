# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Pose-aware vehicle re-identification that runs on traffic cameras.

The main entry is `Reidentifier`. Importing this package loads neither torch nor any NVIDIA library.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import PathFinder
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pamtri_edge.errors import MissingDependencyError

__version__ = "0.1.0"
__all__ = ["Reidentification", "Reidentifier", "Vehicle", "__version__", "concatenate", "similarity"]

if TYPE_CHECKING:
    from pamtri_edge.gallery import similarity
    from pamtri_edge.reidentification import Reidentification, Vehicle, concatenate
    from pamtri_edge.reidentifier import Reidentifier

_COMPILED = ("_core", "_native", "_render", "_sinks")

_HOMES = {
    "Reidentification": "reidentification",
    "Reidentifier": "reidentifier",
    "Vehicle": "reidentification",
    "concatenate": "reidentification",
    "similarity": "gallery",
}


class _Unbuilt(MetaPathFinder):
    """Says what to do where a compiled module is asked for and nobody else has found it."""

    def find_spec(self, name: str, path: object, target: object = None) -> None:
        if name.startswith(f"{__name__}.") and name.removeprefix(f"{__name__}.") in _COMPILED:
            raise MissingDependencyError(
                f"{name} is compiled and was not built for this Python: {__path__[0]} holds sources alone. "
                "Install pamtri-edge first: pip install . in its checkout, or make test."
            )


def _look_where_it_is_installed() -> None:
    """Let the installed package serve a Python that was started in a checkout.

    There Python finds the checkout's sources first, which have no compiled modules beside them.
    """
    if find_spec(f"{__name__}._core") is not None:
        return
    installed = PathFinder.find_spec("_core", [f"{entry}/{__name__}" for entry in sys.path if entry])
    if installed is not None and installed.origin is not None:
        __path__[:] = [str(Path(installed.origin).parent)]
    else:
        sys.meta_path.append(_Unbuilt())


_look_where_it_is_installed()


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
