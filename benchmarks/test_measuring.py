# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The measuring instruments: that they see what is there, and not what is not."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
from conftest import RatioGate
from memory import tree_memory
from pairing import Block, interleave, paired_ratio

HOLD = "import sys; block = bytearray(200_000_000); print(flush=True); sys.stdin.read()"
"""A program that touches 200 MB and waits for the end of its input."""


def test_a_ratio_is_taken_within_the_round() -> None:
    drifting = [1.0, 2.0, 4.0, 8.0]  # a machine that grows slower from round to round
    ratio = paired_ratio([Block(3 * t, t) for t in drifting], [Block(t, t) for t in drifting])
    assert (ratio.median, ratio.low, ratio.high) == pytest.approx((3, 3, 3))


def test_a_disturbed_round_widens_the_interval_but_keeps_the_median() -> None:
    quiet = [Block(1.0, 1.0)] * 9
    ratio = paired_ratio([Block(2.0, 2.0)] * 7 + [Block(20.0, 2.0)] * 2, quiet)
    assert ratio.median == pytest.approx(2)
    assert ratio.low == pytest.approx(2)


def test_every_subject_runs_in_every_round_in_alternating_order() -> None:
    calls: list[str] = []
    rounds: list[list[str]] = []

    def note(name: str) -> None:
        calls.append(name)
        time.sleep(0.002)

    def end() -> None:
        rounds.append(list(dict.fromkeys(calls)))
        calls.clear()

    blocks = interleave({"a": lambda: note("a"), "b": lambda: note("b")}, rounds=4, block=0.004, on_round=end)
    assert [len(blocks[name]) for name in "ab"] == [4, 4]
    assert rounds[1:] == [["b", "a"], ["a", "b"], ["b", "a"]]


def test_the_gate_lets_equals_pass_and_stops_what_is_slower(ratio_gate: RatioGate) -> None:
    def work() -> int:
        return sum(range(40_000))

    def more() -> int:
        return sum(range(64_000))

    assert ratio_gate(work, work, at_most=1.0).low < 1.1
    with pytest.raises(pytest.fail.Exception, match=r"settled at 1 \(on any device\) with a toler"):
        ratio_gate(more, work, at_most=1.0)


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_memory_of_children_counts() -> None:
    nested = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {HOLD!r}])"
    with subprocess.Popen(
        [sys.executable, "-c", nested], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()  # the child says that it holds its block
        resident, proportional = tree_memory(parent.pid)
        parent.communicate()
    assert 200_000_000 < resident < 300_000_000
    assert proportional is None or 200_000_000 < proportional <= resident
