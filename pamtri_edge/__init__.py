# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Pose-aware vehicle re-identification that runs on traffic cameras.

The main entry is `Reidentifier`. Importing this package loads neither torch nor any NVIDIA library.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from pamtri_edge.compiled import seek_compiled
from pamtri_edge.version import VERSION

__version__ = VERSION
__all__ = ["Reidentification", "Reidentifier", "Vehicle", "__version__", "concatenate", "similarity"]

if TYPE_CHECKING:
    from pamtri_edge.gallery import similarity
    from pamtri_edge.reidentification import Reidentification, Vehicle, concatenate
    from pamtri_edge.reidentifier import Reidentifier

_HOMES = {
    "Reidentification": "reidentification",
    "Reidentifier": "reidentifier",
    "Vehicle": "reidentification",
    "concatenate": "reidentification",
    "similarity": "gallery",
}

seek_compiled(__path__)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
