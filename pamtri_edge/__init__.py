# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Pose-aware vehicle re-identification that runs on traffic cameras.

The main entry is `Reidentifier`. Importing this package loads neither torch nor any NVIDIA library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["Reidentification", "Reidentifier", "__version__"]

if TYPE_CHECKING:
    from pamtri_edge.reidentifier import Reidentification, Reidentifier


def __getattr__(name: str) -> Any:
    if name in ("Reidentifier", "Reidentification"):
        from pamtri_edge import reidentifier

        return getattr(reidentifier, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
