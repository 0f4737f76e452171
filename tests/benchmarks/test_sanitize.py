# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The sanitizer's step, with a program in the sanitizer's place: what it is told, and what follows."""

from __future__ import annotations

import pytest
from gpu_sanitize import FOUND, Run

CLEAN = "========= ERROR SUMMARY: 0 errors"
RACES = "========= RACECHECK SUMMARY: 2 hazards displayed (2 errors, 0 warnings)"


@pytest.mark.parametrize(
    ("code", "output", "met", "words"),
    [
        (0, f"41 passed in 9s\n{CLEAN}", True, "41 tests passed; ERROR SUMMARY: 0 errors"),
        (0, "41 passed, 3 deselected", True, "41 tests passed"),
        (FOUND, f"41 passed in 9s\n{RACES}", False, "errors in our kernels; RACECHECK SUMMARY: 2 hazards"),
        (0, f"41 passed in 9s\n{RACES}", False, "RACECHECK SUMMARY: 2 hazards"),
        (1, f"1 failed, 40 passed\n{CLEAN}", False, "exit code 1"),
        (5, f"no tests ran\n{CLEAN}", False, "there is no test"),
        (0, CLEAN, False, "no test passed"),
        (None, "", False, "ran out of time"),
    ],
)
def test_only_tests_that_passed_without_a_finding_are_clean(
    code: int | None, output: str, met: bool, words: str
) -> None:
    target = Run("memcheck", code, output).target()
    assert target.met is met
    assert words in target.found
