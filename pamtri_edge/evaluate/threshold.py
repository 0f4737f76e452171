# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""From which cosine on are two embeddings one vehicle's? Measured on a labeled set, for a wanted error rate.

Every query is compared with every gallery picture that takes part in retrieval. The *false match rate* is the
share of the pairs of different vehicles whose cosine reaches the threshold, the *true match rate* that of the
pairs of one vehicle. A gallery of a thousand vehicles offers a thousand chances for a false match, so rates
of interest are small; a set must have pairs enough to measure them.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.bundle import open_bundle
from pamtri_edge.datasets.views import EvaluationSet
from pamtri_edge.errors import InputError
from pamtri_edge.evaluate.measure import Described
from pamtri_edge.files.atomic import write_atomically
from pamtri_edge.manifest import MANIFEST_FILE, Manifest, Matching
from pamtri_edge.metrics.distances import distance_blocks

_DIGITS: Final = 4  # of a threshold: enough to tell rates apart, and short enough to be read

Floats = NDArray[np.float32]


def check_rate(false_match_rate: float) -> None:
    """Refuse a rate that no threshold has.

    Raises:
        InputError: it is not above 0 and below 1.
    """
    if not 0.0 < false_match_rate < 1.0:
        raise InputError(f"the false match rate is {false_match_rate:g}; expected above 0 and below 1.")


@dataclass(frozen=True, eq=False)
class Pairs:
    """The cosines of a test set's pairs.

    Attributes:
        name: of the set.
        genuine: (M,) of pairs of one vehicle.
        impostor: (F,) of pairs of different vehicles.
    """

    name: str
    genuine: Floats
    impostor: Floats

    @classmethod
    def of(cls, data: EvaluationSet, described: Described) -> Pairs:
        """Return the pairs of a set that take part in retrieval.

        Left out are pictures of unknown vehicles and, where the set is measured across cameras, pairs of one
        vehicle by one camera; where it is measured between cameras, all pairs by one camera.
        """
        genuine: list[Floats] = []
        impostor: list[Floats] = []
        start = 0
        for block in distance_blocks(described.query.embeddings, described.gallery.embeddings, "cosine"):
            rows = slice(start, start + len(block))
            same, ranked = data.pairs(rows)
            known = ranked & (data.query.vehicles[rows, None] >= 0)
            genuine.append(1.0 - block[same & known])
            impostor.append(1.0 - block[~same & known])
            start += len(block)
        return cls(data.name, np.concatenate(genuine), np.concatenate(impostor))

    def at(self, threshold: float) -> Matching:
        """Return how often a threshold is reached; rates of no pairs at all are 0."""
        false, true = (
            float((one >= threshold).mean()) if one.size else 0.0 for one in (self.impostor, self.genuine)
        )
        return Matching(threshold=threshold, false_match_rate=false, true_match_rate=true, set=self.name)

    def lowest(self, false_match_rate: float) -> float:
        """Return the lowest threshold that keeps a false match rate; see `suggest_threshold`."""
        same = self.genuine.astype(np.float64)
        other = self.impostor.astype(np.float64)
        check_rate(false_match_rate)
        if not (np.isfinite(same).all() and np.isfinite(other).all()):
            raise InputError("a cosine is not finite; check the embeddings.")
        allowed = math.floor(len(other) * false_match_rate + 1e-9)
        if allowed < 1 or not len(same):
            raise InputError(
                f"{self.name} has {len(same)} pairs of one vehicle and {len(other)} of different vehicles; a "
                f"false match rate of {false_match_rate:g} takes at least 1 and "
                f"{math.ceil(1 / false_match_rate)}. Take a larger set or a higher rate."
            )
        step = 10.0**-_DIGITS
        # The largest of those that may not reach the threshold; the step above it keeps them out.
        kept_out = float(np.partition(other, -allowed - 1)[-allowed - 1]) if allowed < len(other) else -1.0
        threshold = round((math.floor(kept_out / step) + 1) * step, _DIGITS)
        if threshold <= kept_out:  # rounding of the multiplication
            threshold = round(threshold + step, _DIGITS)
        if threshold > 1.0:
            raise InputError(
                f"{self.name}: more than {false_match_rate:g} of the pairs of different vehicles have a "
                "cosine of 1, so no threshold keeps that rate."
            )
        return threshold


def suggest_threshold(sets: Sequence[Pairs], *, false_match_rate: float) -> Matching:
    """Return the lowest threshold, in steps of 0.0001, that keeps a false match rate on all of some sets.

    Args:
        sets: one or more, of 1 / false_match_rate pairs of different vehicles at least; choose nothing else
            by them than this threshold.
        false_match_rate: the rate that may not be passed, above 0 and below 1.

    Returns:
        The threshold with the worst rates that it has on any of the sets, and the names of all.

    Raises:
        InputError: too few pairs for that rate, a cosine that is not finite, or no threshold keeps the rate.
    """
    threshold = max(one.lowest(false_match_rate) for one in sets)
    found = [one.at(threshold) for one in sets]
    return Matching(
        threshold=threshold,
        false_match_rate=max(one.false_match_rate for one in found),
        true_match_rate=min(one.true_match_rate for one in found),
        set=", ".join(one.set for one in found),
    )


def store_threshold(bundle: str | Path, matching: Matching) -> Manifest:
    """Write a threshold into a bundle's manifest, whole or not at all; return the new manifest.

    Raises:
        BundleError: the bundle is damaged.
        InputError: the manifest cannot be written.
    """
    opened = open_bundle(bundle)
    manifest = dataclasses.replace(opened.manifest, matching=matching)
    path = opened.path / MANIFEST_FILE
    try:
        write_atomically(path, manifest.to_json().encode())
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}.") from error
    return manifest
