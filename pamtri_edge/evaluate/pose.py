# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The percentage of correct keypoints (PCK), by keypoint and by part of the body.

A visible keypoint is correct if its error is at most `threshold` times a reference length. Two rules say
what that length is:

`paper`
    a quarter of the diagonal of the vehicle's box, as PAMTRI describes it.
`legacy`
    what the published code computes, for comparison with the paper's Table 5: a quarter of the square
    root of the *number of pictures*, in pixels, for every picture (both corners of its box are one
    object there, so that every box has area 1, and the norm then runs over the set); and the error has a
    third component, confidence minus visibility.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pamtri_edge.errors import InputError
from pamtri_edge.vehicle import BODY_PARTS, KEYPOINT_NAMES, NUM_KEYPOINTS
from pamtri_edge.words import RULES, Rule

THRESHOLD: Final = 0.5
_QUARTER: Final = 0.25


@dataclass(frozen=True, eq=False)
class Pck:
    """Shares of correct keypoints, 0 to 1.

    Attributes:
        by_keypoint: (36,) float64; NaN where the keypoint is visible in no picture.
        by_part: for each part of `vehicle.BODY_PARTS` the plain mean over its keypoints, as the paper's
            Table 5 has it; NaN where none of them is ever visible.
        mean: the share of all visible keypoints that are correct.
        visible: (36,) int64, in how many pictures each keypoint is visible.
        rule: the rule.
        threshold: the threshold.
    """

    by_keypoint: NDArray[np.float64]
    by_part: Mapping[str, float]
    mean: float
    visible: NDArray[np.int64]
    rule: Rule
    threshold: float

    def to_json(self) -> dict[str, Any]:
        """Return the figures; null where there is none."""
        named = zip(KEYPOINT_NAMES, self.by_keypoint.tolist(), strict=True)
        return {
            "rule": self.rule,
            "threshold": self.threshold,
            "mean": self.mean,
            "by_part": {part: _or_null(value) for part, value in self.by_part.items()},
            "by_keypoint": {name: _or_null(value) for name, value in named},
        }


def pck(
    predicted: ArrayLike,
    truth: ArrayLike,
    visible: ArrayLike,
    boxes: ArrayLike,
    rule: Rule = "paper",
    threshold: float = THRESHOLD,
) -> Pck:
    """Measure keypoints.

    Args:
        predicted: (N, 36, 2) x, y in pixels, or (N, 36, 3) with confidences.
        truth: (N, 36, 2) x, y in the same pixels.
        visible: (N, 36), true where the keypoint is visible; only these count.
        boxes: (N, 4) x1, y1, x2, y2 of the vehicles in the same pixels; a crop's is 0, 0, width, height.
        rule: "paper" or "legacy"; the second needs confidences, pixels of the stored crop, and depends
            on N.
        threshold: the part of the reference length that an error may reach. (The original prints what
            it computes at 0.11 as `Mean@0.1`.)

    Raises:
        InputError: shapes that do not fit each other, an unknown rule, a value that is not finite, an
            empty box, or no visible keypoint.
    """
    if rule not in RULES:
        raise InputError(f"the rule is {rule!r}; accepted: {', '.join(RULES)}.")
    found, true = np.asarray(predicted, np.float64), np.asarray(truth, np.float64)
    seen, corners = np.asarray(visible).astype(bool), np.asarray(boxes, np.float64)
    _check_shapes(found, true, seen, corners)
    if rule == "legacy" and found.shape[2] < 3:
        raise InputError("the rule 'legacy' compares confidences too: predicted must have shape (N, 36, 3).")
    if not (np.isfinite(found[seen]).all() and np.isfinite(true[seen]).all()):
        raise InputError("a visible keypoint has a coordinate that is not finite.")
    errors = found[..., :2] - true
    if rule == "legacy":
        errors = np.concatenate([errors, found[..., 2:] - seen[..., None]], axis=2)
    correct = np.linalg.norm(errors, axis=2) <= threshold * _reference(corners, rule)[:, None]
    counts = seen.sum(axis=0)
    if not counts.any():
        raise InputError(
            f"no keypoint of the {len(seen)} pictures is visible, so there is nothing to measure."
        )
    hits = (correct & seen).sum(axis=0)
    shares = np.divide(hits, counts, out=np.full(NUM_KEYPOINTS, np.nan), where=counts > 0)
    parts = {part: _mean(shares[list(points)]) for part, points in BODY_PARTS.items()}
    return Pck(shares, parts, float(hits.sum() / counts.sum()), counts.astype(np.int64), rule, threshold)


def _reference(boxes: NDArray[np.float64], rule: Rule) -> NDArray[np.float64]:
    """Return the length, in pixels, that errors of each picture are compared with."""
    if rule == "legacy":
        return np.full(len(boxes), _QUARTER * np.sqrt(len(boxes)))
    sizes = boxes[:, 2:] - boxes[:, :2]
    bad = ~((sizes > 0).all(axis=1) & np.isfinite(boxes).all(axis=1))
    if bad.any():
        first = int(bad.argmax())
        raise InputError(
            f"box {first} is {boxes[first].tolist()}; expected x1, y1, x2, y2 in pixels, x1 < x2 and y1 < y2."
        )
    return np.asarray(_QUARTER * np.linalg.norm(sizes, axis=1))


def _check_shapes(
    predicted: NDArray[Any], truth: NDArray[Any], visible: NDArray[Any], boxes: NDArray[Any]
) -> None:
    count = len(truth) if truth.ndim else 0
    expected = {
        "truth": (truth, ((count, NUM_KEYPOINTS, 2),)),
        "predicted": (predicted, ((count, NUM_KEYPOINTS, 2), (count, NUM_KEYPOINTS, 3))),
        "visible": (visible, ((count, NUM_KEYPOINTS),)),
        "boxes": (boxes, ((count, 4),)),
    }
    for name, (array, shapes) in expected.items():
        if array.shape not in shapes:
            raise InputError(f"{name} has shape {array.shape}; expected {' or '.join(map(str, shapes))}.")


def _mean(values: NDArray[np.float64]) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")


def _or_null(value: float) -> float | None:
    return None if np.isnan(value) else value
