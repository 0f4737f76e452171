# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Crops that are told apart by what comes out for them: each result shows whose it is.

A crop is its own mark. What it must give is found by describing every crop alone; two crops whose
embeddings are too near each other would be no marks, and are refused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

SAME: Final = 0.998
"""Least cosine of a crop's embedding with that of the same crop described alone."""
OTHERS: Final = 0.99
"""Largest cosine that two marks may have."""

Pictures = Sequence[NDArray[np.uint8]]
Describe = Callable[[Pictures], Any]
"""Returns a `Reidentification` of pictures."""


class Marks:
    """Crops, and the embedding of each.

    Args:
        crops: (H, W, 3) uint8 RGB; those that resemble an earlier one are left out.
        describe: describes a batch.
        least: how many marks there must be.

    Attributes:
        crops: the marks.

    Raises:
        ValueError: too few of the crops can be told apart.
    """

    def __init__(self, crops: Pictures, describe: Describe, *, least: int = 16) -> None:
        self.crops: list[NDArray[np.uint8]] = []
        self._expected = np.empty((0, 0), np.float32)
        for crop in crops:
            found = unit(on_host(describe([crop]).embeddings))
            if not self.crops:
                self._expected = found
            elif (self._expected @ found[0]).max() <= OTHERS:
                self._expected = np.concatenate([self._expected, found])
            else:
                continue
            self.crops.append(crop)
        if len(self.crops) < least:
            raise ValueError(
                f"{len(self.crops)} of {len(crops)} crops can be told apart; {least} are needed."
            )

    def problem(self, drawn: NDArray[np.intp], embeddings: Any) -> str | None:
        """Say what is wrong with the results of a batch, if anything is.

        Args:
            drawn: (N,) which mark each crop of the batch was.
            embeddings: (M, D) what came out, on host or device.
        """
        found = on_host(embeddings)
        if len(found) != len(drawn):
            return f"{len(drawn)} crops gave {len(found)} results"
        if not np.isfinite(found).all():
            return "a result holds NaN or infinity"
        cosines = unit(found) @ self._expected.T
        nearest = cosines.argmax(axis=1)
        if (strange := nearest != drawn).any():
            row = int(strange.argmax())
            return f"result {row} is that of mark {nearest[row]}, and crop {row} was mark {drawn[row]}"
        own = cosines[np.arange(len(drawn)), drawn]
        if own.size and own.min() < SAME:
            return f"result {int(own.argmin())} has cosine {own.min():.5f} with its crop's (limit {SAME})"
        return None


def on_host(array: Any) -> NDArray[np.float32]:
    """Return an array of NumPy, CuPy or torch as NumPy's."""
    if isinstance(array, np.ndarray):
        return array
    if hasattr(array, "get"):  # CuPy's
        copied: NDArray[np.float32] = array.get()
        return copied
    moved: NDArray[np.float32] = array.cpu().numpy()
    return moved


def unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Bring each row to length 1."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled: NDArray[np.float32] = rows / np.maximum(lengths, 1e-12)
    return scaled
