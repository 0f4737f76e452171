# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""How often colors and types are told right, and what they are taken for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.errors import InputError


@dataclass(frozen=True, eq=False)
class Attributes:
    """How one attribute was told.

    Attributes:
        classes: names of the classes, those that occur in neither truth nor predictions left out.
        confusion: (C, C) int64; `confusion[t, p]` pictures of class t were taken for class p.
    """

    classes: tuple[str, ...]
    confusion: NDArray[np.int64]

    @property
    def count(self) -> int:
        """How many pictures have a known class."""
        return int(self.confusion.sum())

    @property
    def accuracy(self) -> float:
        """The share of pictures told right, 0 to 1."""
        return float(np.trace(self.confusion) / self.count)

    @property
    def balanced(self) -> float:
        """The mean over classes of the share told right: rare classes count as much as common ones."""
        totals = self.confusion.sum(axis=1)
        return float((np.diag(self.confusion)[totals > 0] / totals[totals > 0]).mean())

    def to_json(self) -> dict[str, Any]:
        """Return the figures."""
        return {
            "accuracy": self.accuracy,
            "balanced_accuracy": self.balanced,
            "count": self.count,
            "classes": list(self.classes),
            "confusion": self.confusion.tolist(),
        }


def attributes(
    predicted: Sequence[str], truth: Sequence[str | None], order: Iterable[str] = ()
) -> Attributes | None:
    """Compare predicted with true classes, by name.

    Args:
        predicted: (N,) names of classes.
        truth: (N,) names of classes; None where nobody told: left out.
        order: names of classes in the order in which they are shown; others follow by name.

    Returns:
        None if no class is known.

    Raises:
        InputError: there are not as many predictions as truths.
    """
    if len(predicted) != len(truth):
        raise InputError(f"{len(predicted)} predictions for {len(truth)} pictures; expected one for each.")
    pairs = [(t, p) for t, p in zip(truth, predicted, strict=True) if t is not None]
    if not pairs:
        return None
    found = {name for pair in pairs for name in pair}
    first = [name for name in dict.fromkeys(order) if name in found]
    classes = (*first, *sorted(found - set(first)))
    place = {name: index for index, name in enumerate(classes)}
    confusion = np.zeros((len(classes), len(classes)), np.int64)
    np.add.at(confusion, ([place[t] for t, _ in pairs], [place[p] for _, p in pairs]), 1)
    return Attributes(classes, confusion)
