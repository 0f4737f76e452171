# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What a measurement is held against, and the exit code that follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

PASSED, MISSED, SKIPPED = "passed", "missed", "skipped"
SKIPPED_CODE = 77
"""Exit code of a step that had nothing to run on; 0 is a step that met its targets, 1 one that did not."""


@dataclass(frozen=True)
class Target:
    """One thing that was promised.

    Attributes:
        what: in words, with the limit.
        found: what was measured, in words.
        met: whether it is kept; None where it could not be judged, and `found` says why.
        timed: it is about speed, of which a rehearsal says nothing.
    """

    what: str
    found: str
    met: bool | None
    timed: bool = False


def verdict(targets: Sequence[Target], *, rehearsal: bool = False) -> str:
    """Return `PASSED` if every target was judged and met, else `MISSED`: not judged is not met.

    A rehearsal is not asked how fast it was.
    """
    asked = [target for target in targets if not (rehearsal and target.timed)]
    return PASSED if targets and all(target.met for target in asked) else MISSED


def word(met: bool | None) -> str:
    """Return how a table shows whether a target is met."""
    return {True: "met", False: "missed", None: "not judged"}[met]


def exit_code(result: str) -> int:
    """Return a program's exit code for a verdict."""
    return {PASSED: 0, MISSED: 1, SKIPPED: SKIPPED_CODE}[result]
