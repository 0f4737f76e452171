# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""How far a training is, in steps or in time, and the learning rate that belongs there."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pamtri_edge.errors import InputError
from pamtri_edge.train.recipes import Recipe


@dataclass(frozen=True)
class Budget:
    """When a training is over: after so many steps, or after so much time.

    Attributes:
        steps: number of steps; None where time decides.
        seconds: time spent in training, breaks not counted; None where steps decide. How far the learning
            rate has come then depends on the machine, and no two runs are alike.
    """

    steps: int | None = None
    seconds: float | None = None

    def __post_init__(self) -> None:
        given = [value for value in (self.steps, self.seconds) if value is not None]
        if len(given) != 1 or given[0] <= 0:
            raise InputError(
                f"a training needs a number of steps or of seconds above 0, and not both; found "
                f"steps={self.steps}, seconds={self.seconds}."
            )

    def progress(self, step: int, spent: float) -> float:
        """Return the part 0..1 that is done after so many steps and seconds."""
        if self.steps is not None:
            return min(1.0, step / self.steps)
        assert self.seconds is not None
        return min(1.0, spent / self.seconds)

    def left(self, step: int, spent: float, rate: float) -> float:
        """Return the seconds that are left, given the steps a second."""
        if self.steps is not None:
            return (self.steps - step) / max(rate, 1e-9)
        assert self.seconds is not None
        return max(0.0, self.seconds - spent)


def learning_rate(recipe: Recipe, progress: float) -> float:
    """Return the learning rate at a part 0..1 of the training."""
    if progress < recipe.warm_up:
        return recipe.rate * max(progress / recipe.warm_up, 1e-3)
    if recipe.decay == "steps":
        return recipe.rate * 0.1 ** sum(progress >= drop for drop in recipe.drops)
    after = (progress - recipe.warm_up) / (1.0 - recipe.warm_up)
    return recipe.rate * 0.5 * (1.0 + math.cos(math.pi * min(1.0, after)))
