# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""No operation and no stage has become slower beside a plain program of its kind."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest
from gate import (
    ROUNDS,
    SETTLING_ROUNDS,
    Verdict,
    baseline_file,
    complaint,
    device_name,
    judge,
    one_processor,
    read_baselines,
    settle,
    settled,
    update_baseline,
)
from pairs import NAMES, open_pair

QUIET = 0.05
"""Share of the processors that others may take where milliseconds are judged."""
SLACK = 1.5
"""How many times its milliseconds a program may take: clocks and memory of one device vary so much."""

Measure = Callable[[str], Verdict]


@pytest.fixture(scope="session")
def measure(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Measure:
    """Return what measures a program, once a session."""
    if request.config.getoption("benchmark_disable", default=False):
        pytest.skip("speed is not measured with --benchmark-disable")
    settling = request.config.getoption("settle")
    found: dict[str, Verdict] = {}
    folder = tmp_path_factory.mktemp("pairs")

    def measured(name: str) -> Verdict:
        if name not in found:
            known = None if settling else settled(name, device=device_name())
            limit, rounds = (known.limit, ROUNDS) if known else (math.inf, SETTLING_ROUNDS)
            with one_processor(), open_pair(name, folder) as pair:
                found[name] = judge(pair, limit, least_rounds=rounds)
        return found[name]

    return measured


@pytest.mark.parametrize("name", NAMES)
def test_not_slower_beside_its_plain_program(
    measure: Measure, name: str, request: pytest.FixtureRequest
) -> None:
    verdict, device = measure(name), device_name()
    if request.config.getoption("settle"):
        settle(name, verdict.ratio.median, device=device)
        return
    known = settled(name, device=device)
    assert known is not None, f"{name} has no settled ratio; run pytest benchmarks/test_gate.py --settle"
    print(f"\n{name}: {verdict.ratio}, settled at {known.ratio:g}")
    if verdict.slower:
        pytest.fail(complaint(name, verdict, known, device))


@pytest.mark.parametrize("name", NAMES)
def test_not_more_milliseconds_than_on_this_device_before(
    measure: Measure, name: str, request: pytest.FixtureRequest
) -> None:
    device = device_name()
    if request.config.getoption("update_baselines"):
        update_baseline(name, measure(name).cpu_ms, device=device)
        return
    before = read_baselines(device).get(name)
    if before is None:
        pytest.skip(f"no baseline of {name} on this device ({device}), run --update-baselines")
    verdict = measure(name)
    if verdict.others is None or verdict.others > QUIET:
        pytest.skip("other programs ran meanwhile: only ratios are judged")
    assert verdict.cpu_ms <= SLACK * before, (
        f"{name} took {verdict.cpu_ms:.3g} ms of processor time; {before:g} ms stand in "
        f"{baseline_file(device).name}, of which {SLACK:g} times as much is accepted."
    )


def test_every_settled_ratio_has_its_program(tmp_path: Path) -> None:
    import json

    from gate import LIMITS

    for device, ratios in json.loads(LIMITS.read_text())["settled"].items():
        assert set(ratios) <= set(NAMES), device
