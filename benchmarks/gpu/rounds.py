# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Interleaved rounds with a device's clock: what `pairing.interleave` is for the host's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from pairing import Block

from gpu.clocks import Call, Clock

NOT_MEASURED: Final = 0.0
"""Processor seconds of a block here: how busy the host was says nothing of the device."""


def interleave(
    subjects: Mapping[str, Call],
    *,
    clock: Clock,
    rounds: int,
    block: float,
    on_round: Callable[[], None] = lambda: None,
) -> dict[str, list[Block]]:
    """Time every subject once a round, in an order that alternates from round to round.

    Args:
        subjects: what to call, by name; each puts its work on the device and need not wait for it.
        clock: times the calls.
        rounds: how many rounds.
        block: seconds that one subject's block should take; at least one call is made.
        on_round: called after each round.

    Returns:
        The blocks of each subject, one a round: index i of all subjects is the same round.
    """
    timers = {name: clock.timer(call, block) for name, call in subjects.items()}
    blocks: dict[str, list[Block]] = {name: [] for name in subjects}
    for number in range(rounds):
        for name in list(timers) if number % 2 == 0 else list(reversed(timers)):
            blocks[name].append(Block(timers[name](), NOT_MEASURED))
        on_round()
    return blocks
