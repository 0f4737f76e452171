# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""No operation and no stage has become slower beside a plain program of its kind."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from pathlib import Path

import pytest
from fresh import compare_afresh
from gate import (
    AGREEING,
    ROUNDS,
    SETTLING,
    SETTLING_ROUNDS,
    Attempt,
    baseline_file,
    complaint,
    device_name,
    judge,
    read_baselines,
    settle,
    settled,
    update_baseline,
)
from pairs import NAMES

QUIET = 0.05
"""Share of the processors that others may take where milliseconds are judged."""
SLACK = 1.5
"""How many times its milliseconds a program may take: clocks and memory of one device vary so much."""

Measure = Callable[[str], Attempt]


@pytest.fixture(scope="session")
def measure(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Measure:
    """Return what measures a program, once a session."""
    if request.config.getoption("benchmark_disable", default=False):
        pytest.skip("speed is not measured with --benchmark-disable")
    settling = request.config.getoption("settle")
    found: dict[str, Attempt] = {}
    folder = tmp_path_factory.mktemp("pairs")

    def measured(name: str) -> Attempt:
        if name not in found:
            known = None if settling else settled(name, device=device_name())
            limit, rounds = (known.limit, ROUNDS) if known else (math.inf, SETTLING_ROUNDS)
            attempt = functools.partial(compare_afresh, name, folder, limit, least_rounds=rounds)
            found[name] = judge(attempt, agreeing=AGREEING if known else SETTLING)
        return found[name]

    return measured


@pytest.mark.parametrize("name", NAMES)
def test_not_slower_beside_its_plain_program(
    measure: Measure, name: str, request: pytest.FixtureRequest
) -> None:
    found, device = measure(name), device_name()
    if request.config.getoption("settle"):
        settle(name, found.ratio.median, device=device)
        return
    known = settled(name, device=device)
    assert known is not None, f"{name} has no settled ratio; run pytest benchmarks/test_gate.py --settle"
    print(f"\n{name}: {found.ratio}, settled at {known.ratio:g}")
    if found.slower:
        pytest.fail(complaint(name, found, known, device))


@pytest.mark.parametrize("name", NAMES)
def test_not_more_milliseconds_than_on_this_device_before(
    measure: Measure, name: str, request: pytest.FixtureRequest
) -> None:
    device, folder = device_name(), request.config.getoption("baselines")
    if request.config.getoption("update_baselines"):
        update_baseline(name, measure(name).cpu_ms, device=device, folder=folder)
        return
    before = read_baselines(device, folder=folder).get(name)
    if before is None:
        pytest.skip(f"no baseline of {name} on this device ({device}), run --update-baselines")
    found = measure(name)
    if found.others is None or found.others > QUIET:
        pytest.skip("other programs ran meanwhile: only ratios are judged")
    assert found.cpu_ms <= SLACK * before, (
        f"{name} took {found.cpu_ms:.3g} ms of processor time; {before:g} ms stand in "
        f"{baseline_file(device, folder=folder)}, of which {SLACK:g} times as much is accepted."
    )


def test_every_settled_ratio_has_its_program(tmp_path: Path) -> None:
    import json

    from gate import LIMITS

    for device, ratios in json.loads(LIMITS.read_text())["settled"].items():
        assert set(ratios) <= set(NAMES), device


def test_baselines_are_kept_by_device(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "baselines"
    assert read_baselines("one", folder=folder) == {}
    update_baseline("crop", 1.23456, device="one", folder=folder)
    update_baseline("decode", 2.5, device="one", folder=folder)
    update_baseline("crop", 7.0, device="another", folder=folder)
    assert read_baselines("one", folder=folder) == {"crop": 1.23, "decode": 2.5}
    assert read_baselines("another", folder=folder) == {"crop": 7.0}
