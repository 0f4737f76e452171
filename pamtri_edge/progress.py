# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""How long work says how far it is: the functions that callers give it to be told."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[int, int], None]
"""Is told how many of how many are done: frames, queries, pictures."""

StepProgress = Callable[[str, int, int], None]
"""Is told what is being done, and how much of how much is."""

PhaseProgress = Callable[[str, float], None]
"""Is told the phase and which part of the whole is done, 0 to 1; may be called from any thread."""
