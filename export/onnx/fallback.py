# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Which groups of layers go back to float32, chosen by what they cost in retrieval.

Where int8 loses too much, every group is tried in float32 on its own, on part of the pictures; the one with
which least is lost stays so, and the whole set is measured again. That is repeated, with what has been
chosen kept, until the loss is within the limit or no group lowers it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

Groups = tuple[str, ...]


@dataclass(frozen=True, order=True)
class Loss:
    """What a file loses on a set of pictures; less is better, and the drift decides between equal losses.

    Attributes:
        points: of mAP, 100 times the difference; below 0 for a gain.
        drift: 1 - the mean cosine of an embedding with the float32 graph's.
    """

    points: float
    drift: float


Measure = Callable[[Groups], Loss]
"""Tells what is lost with these groups in float32."""


def fall_back(groups: Collection[str], *, whole: Measure, part: Measure, limit: float) -> Groups:
    """Choose groups of layers to stay in float32, as few as the limit needs.

    At least one group stays in int8: a file without any is a float32 file of another name.

    Args:
        groups: all groups that could.
        whole: measures on all pictures; called once at first and once for each chosen group.
        part: measures on some of them; called for each group that is tried.
        limit: points of mAP that may be lost.

    Returns:
        What stays in float32, in the order in which it was chosen; more is lost than the limit where
        nothing more helped.
    """
    best: Groups = ()
    least = whole(best)
    if least.points <= limit:
        return best
    chosen: Groups = ()
    current = part(())
    left = list(groups)
    while len(left) > 1:
        trials = {group: part((*chosen, group)) for group in left}
        taken = min(trials, key=lambda group: trials[group])
        if not trials[taken] < current:
            break
        chosen, current = (*chosen, taken), trials[taken]
        left.remove(taken)
        found = whole(chosen)
        # The part is not the whole: what helps there may not help here, and then fewer groups are better.
        if found < least:
            best, least = chosen, found
        if found.points <= limit:
            break
    return best
