# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""How many processors this process may use: its affinity, its cpuset and the quotas of its containers."""

from __future__ import annotations

import os
from pathlib import Path

from pamtri_edge.compiled import decisions
from pamtri_edge.errors import MissingDependencyError


def available_processors(root: Path = Path("/")) -> int:
    """Return how many processors this process may use, at least 1.

    That is the number in its affinity mask, which includes a cpuset, or less where a control group grants
    less time: of its own group and of all above it, the smallest quota counts, and a part of a processor
    counts as one.

    Args:
        root: the folder that holds /proc and /sys.
    """
    return max(1, min(_allowed(), _grant(root) or _allowed()))


def granted_processors(root: Path = Path("/")) -> int | None:
    """Return how many processors a container's quota leaves; None where the affinity alone limits them."""
    count = available_processors(root)
    return count if count < _allowed() else None


def _allowed() -> int:
    """Return how many processors the affinity mask has."""
    affinity = getattr(os, "sched_getaffinity", None)  # Linux alone has it
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _grant(root: Path) -> int | None:
    """Return how many processors the control groups grant; None for no limit, or none that is known."""
    try:
        grant: int | None = decisions().processor_grant(str(root))
    except MissingDependencyError:  # a checkout that is not built works on, slowly
        return None
    return grant
