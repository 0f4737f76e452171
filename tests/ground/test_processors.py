# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pamtri_edge.processors import available_processors, granted_processors

AFFINITY = 8
FLAT = {"proc/self/cgroup": "0::/\n"}
NESTED = {"proc/self/cgroup": "0::/a/b/c\n"}
FIRST = {"proc/self/cgroup": "4:memory:/x\n3:cpu,cpuacct:/docker/1f\n1:name=systemd:/docker/1f\n0::/\n"}


@pytest.fixture(autouse=True)
def affinity(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(AFFINITY)))


@pytest.fixture
def machine(tmp_path: Path) -> Callable[[dict[str, str]], Path]:
    """Return a function that makes a machine of files, and gives its root."""

    def make(files: dict[str, str]) -> Path:
        for name, text in files.items():
            path = tmp_path / (name if name.startswith("proc") else f"sys/fs/cgroup/{name}")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path

    return make


def first(quota: int | str, period: int = 100_000, *, folder: str = "cpu,cpuacct") -> dict[str, str]:
    return {f"{folder}/cpu.cfs_quota_us": f"{quota}\n", f"{folder}/cpu.cfs_period_us": f"{period}\n"}


@pytest.mark.parametrize(
    ("files", "count"),
    [
        ({}, AFFINITY),
        (FLAT, AFFINITY),
        ({"cpu.max": "200000 100000"}, 2),  # no /proc/self/cgroup at all
        ({**FLAT, "cpu.max": "max 100000\n"}, AFFINITY),
        ({**FLAT, "cpu.max": "200000 100000\n"}, 2),
        ({**FLAT, "cpu.max": "150000 100000\n"}, 2),
        ({**FLAT, "cpu.max": "1000 100000\n"}, 1),
        ({**FLAT, "cpu.max": "9900000 100000\n"}, AFFINITY),
        ({**NESTED, "a/b/c/cpu.max": "300000 100000\n"}, 3),
        ({**NESTED, "a/b/c/cpu.max": "max 100000", "a/cpu.max": "300000 100000"}, 3),
        ({**NESTED, "a/b/c/cpu.max": "400000 100000", "a/b/cpu.max": "200000 100000"}, 2),
        ({**NESTED, "a/b/c/cpu.max": "200000 100000", "a/b/cpu.max": "400000 100000"}, 2),
        ({**NESTED, "unified/a/b/cpu.max": "100000 100000"}, 1),
        ({**FIRST, **first(250_000)}, 3),  # the mount is the container's own group
        ({**FIRST, **first(250_000, folder="cpu")}, 3),
        ({**FIRST, **first(-1)}, AFFINITY),
        ({**FIRST, **first(100_000, folder="cpu,cpuacct/docker/1f")}, 1),
        ({**FIRST, **first(-1, folder="cpu,cpuacct/docker/1f"), **first(9, 10, folder="cpu/docker")}, 1),
        ({"proc/self/cgroup": "2:cpu:/job\n", **first(20_000, 10_000, folder="cpu/job")}, 2),
        ({"proc/self/cgroup": "0::/../../other\n", "cpu.max": "100000 100000"}, 1),
        ({**FLAT, "cpu.max": ""}, AFFINITY),
        ({**FLAT, "cpu.max": "many 0"}, AFFINITY),
        ({**FLAT, "cpu.max": "100000 0"}, AFFINITY),
        ({"proc/self/cgroup": "nonsense\n:\n"}, AFFINITY),
    ],
)  # fmt: skip
def test_the_smallest_grant_of_all_groups_counts(
    machine: Callable[[dict[str, str]], Path], files: dict[str, str], count: int
) -> None:
    assert available_processors(machine(files)) == count
    assert granted_processors(machine(files)) == (count if count < AFFINITY else None)


def test_a_grant_above_the_affinity_changes_nothing(
    machine: Callable[[dict[str, str]], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3})
    assert available_processors(machine({**FLAT, "cpu.max": "400000 100000"})) == 1


def test_this_machine_grants_at_least_one() -> None:
    assert 1 <= available_processors() <= AFFINITY
