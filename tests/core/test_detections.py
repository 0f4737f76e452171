# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Around a detector: where a frame lies in its picture, and which of its boxes stay."""

import numpy as np
import pytest

from pamtri_edge import _core
from pamtri_edge.errors import InputError


def readable(boxes, scores, overlap):
    """Return the boxes that stay, as `suppress` of the core says it, in NumPy."""
    order = np.argsort(-scores, kind="stable")
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    kept = []
    while len(order):
        best, order = int(order[0]), order[1:]
        kept.append(best)
        low = np.maximum(boxes[best, :2], boxes[order, :2])
        high = np.minimum(boxes[best, 2:], boxes[order, 2:])
        common = np.prod(np.maximum(high - low, 0), axis=1)
        order = order[common / np.maximum(areas[best] + areas[order] - common, 1e-9) <= overlap]
    return kept


@pytest.mark.parametrize("count", [0, 1, 2, 40, 300])
@pytest.mark.parametrize("overlap", [0.0, 0.3, 0.5, 1.0])
def test_what_overlaps_a_surer_box_goes(count, overlap):
    random = np.random.default_rng(count)
    for _ in range(10):
        low = random.uniform(-20, 200, (count, 2))
        boxes = np.hstack([low, low + random.uniform(-5, 90, (count, 2))]).astype(np.float32)
        scores = random.choice([0.25, 0.5, 0.75, 1.0], count).astype(np.float32)  # with ties
        assert _core.suppress(boxes, scores, overlap) == readable(boxes, scores, overlap)


def test_as_many_scores_as_boxes_are_expected():
    with pytest.raises(InputError, match="2 boxes and 1 scores"):
        _core.suppress(np.zeros((2, 4), np.float32), np.zeros(1, np.float32), 0.5)


@pytest.mark.parametrize(
    ("frame", "picture", "fit", "filled"),
    [
        ((192, 96), (96, 96), "center", (0, 24, 96, 72)),
        ((192, 96), (96, 96), "corner", (0, 0, 96, 48)),
        ((192, 96), (96, 96), "stretch", (0, 0, 96, 96)),
        ((96, 192), (96, 96), "center", (24, 0, 72, 96)),
        ((1920, 1080), (640, 640), "center", (0, 140, 640, 500)),
        ((5000, 3), (640, 640), "center", (0, 319, 640, 320)),
        ((1, 1), (640, 384), "center", (128, 0, 512, 384)),
    ],
)
def test_a_frame_is_laid_into_a_picture(frame, picture, fit, filled):
    place = _core.place_frame(frame, picture, fit)
    assert place.filled == filled
    x1, y1, x2, y2 = filled
    boxes = np.array([filled, (x1 - 50, y1 - 50, (x1 + x2) / 2, y2 + 50)], np.float32)
    whole, half = place.in_frame(boxes, frame)
    assert whole == pytest.approx((0, 0, *frame), rel=2e-3)
    assert half[:2] == pytest.approx((0, 0))
    assert half[2:] == pytest.approx((frame[0] / 2, frame[1]), rel=2e-3)


@pytest.mark.parametrize(
    ("frame", "fit", "found"), [((0, 5), "center", "0x5 has no pixels"), ((5, 5), "cover", "fit is 'cover'")]
)
def test_what_cannot_be_laid_is_refused(frame, fit, found):
    with pytest.raises(InputError, match=found):
        _core.place_frame(frame, (96, 96), fit)
