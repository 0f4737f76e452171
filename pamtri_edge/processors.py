# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""How many processors this process may use: its affinity, its cpuset and the quotas of its containers."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath


def available_processors(root: Path = Path("/")) -> int:
    """Return how many processors this process may use, at least 1.

    That is the number in its affinity mask, which includes a cpuset, or less where a control group grants
    less time: of its own group and of all above it, the smallest quota counts, and a part of a processor
    counts as one.

    Args:
        root: the folder that holds /proc and /sys.
    """
    return max(1, min([_allowed(), *map(math.ceil, _grants(root))]))


def granted_processors(root: Path = Path("/")) -> int | None:
    """Return how many processors a container's quota leaves; None where the affinity alone limits them."""
    count = available_processors(root)
    return count if count < _allowed() else None


def _allowed() -> int:
    """Return how many processors the affinity mask has."""
    affinity = getattr(os, "sched_getaffinity", None)  # Linux alone has it
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _grants(root: Path) -> Iterator[float]:
    """Give how many processors' time each control group that this process is in grants."""
    cgroups = root / "sys/fs/cgroup"
    for line in _text(root / "proc/self/cgroup").splitlines() or ["0::/", "1:cpu:/"]:
        _, _, rest = line.partition(":")
        controllers, _, group = rest.partition(":")
        if not controllers:  # version 2
            for folder in (*_upward(cgroups, group), *_upward(cgroups / "unified", group)):
                yield from _quota(*_text(folder / "cpu.max").split()[:2])
        elif "cpu" in controllers.split(","):  # version 1
            for mount in (cgroups / controllers, cgroups / "cpu"):
                for folder in _upward(mount, group):
                    yield from _quota(_text(folder / "cpu.cfs_quota_us"), _text(folder / "cpu.cfs_period_us"))


def _upward(mount: Path, group: str) -> Iterator[Path]:
    """Give the folder of a group and of all above it.

    Inside a container the group's path may be that of the host, which the mount does not have: its folders
    are then not there, and the mount itself is the container's group.
    """
    inside = PurePosixPath(group.lstrip("/"))
    if ".." not in inside.parts:  # a group outside of this container's namespace
        yield from (mount / part for part in (inside, *inside.parents) if part != PurePosixPath())
    yield mount


def _quota(quota: str = "", period: str = "") -> Iterator[float]:
    """Give quota / period, where there is a quota: neither "max" (version 2) nor -1 (version 1)."""
    with suppress(ValueError):
        granted, within = int(quota), int(period)
        if granted > 0 and within > 0:
            yield granted / within


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
