# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The percentage of correct keypoints, under the paper's rule and under what its code computes."""

import numpy as np
import pytest

from pamtri_edge.errors import InputError
from pamtri_edge.evaluate import pck
from pamtri_edge.vehicle import BODY_PARTS

DIAGONAL = 100.0
BOX = (10.0, 20.0, 10.0 + 60.0, 20.0 + 80.0)
LIMIT = 0.5 * 0.25 * DIAGONAL


def pictures(count, error=0.0):
    """Return predictions that are off by `error` pixels to the right, truth, visibility and boxes."""
    truth = np.random.default_rng(1).uniform(20, 80, (count, 36, 2))
    predicted = np.concatenate([truth + np.array([error, 0.0]), np.ones((count, 36, 1))], axis=2)
    return predicted, truth, np.ones((count, 36), bool), np.tile(BOX, (count, 1))


def test_an_error_up_to_an_eighth_of_the_diagonal_is_correct():
    assert pck(*pictures(2, LIMIT - 1e-6)).mean == 1.0
    assert pck(*pictures(2, LIMIT + 1e-6)).mean == 0.0
    assert pck(*pictures(2, LIMIT + 1e-6), threshold=0.6).mean == 1.0


def test_boxes_are_measured_picture_by_picture():
    predicted, truth, visible, boxes = pictures(2, LIMIT - 1)
    boxes[1, 2:] = boxes[1, :2] + [30, 40]  # half the diagonal
    assert pck(predicted, truth, visible, boxes).mean == 0.5


def test_only_visible_keypoints_count_and_the_mean_weighs_them_by_how_often():
    predicted, truth, visible, boxes = pictures(4)
    visible[:] = False
    visible[:, 0] = True  # four times correct
    visible[0, 1] = True  # once wrong
    predicted[0, 1, 0] += 50
    predicted[:, 5] = np.nan  # hidden: whatever is said of it does not matter
    result = pck(predicted, truth, visible, boxes)
    assert result.by_keypoint[:2].tolist() == [1.0, 0.0]
    assert np.isnan(result.by_keypoint[2:]).all()
    assert result.visible[:3].tolist() == [4, 1, 0]
    assert result.mean == pytest.approx(4 / 5)
    assert result.by_part["wheel"] == pytest.approx(1 / 2)  # the plain mean over its keypoints
    assert np.isnan(result.by_part["front"])
    assert result.to_json()["by_part"]["front"] is None


def test_every_part_is_reported():
    predicted, truth, visible, boxes = pictures(1)
    predicted[0, list(BODY_PARTS["back"]), 1] += 50
    result = pck(predicted, truth, visible, boxes)
    assert {part for part, share in result.by_part.items() if share == 0} == {"back"}
    assert set(result.by_part) == set(BODY_PARTS)


def test_the_legacy_rule_compares_with_the_number_of_pictures_not_with_boxes():
    limit = 0.5 * 0.25 * np.sqrt(64)  # 1 pixel
    assert pck(*pictures(64, limit - 1e-6), rule="legacy").mean == 1.0
    assert pck(*pictures(64, limit + 1e-6), rule="legacy").mean == 0.0
    assert pck(*pictures(256, limit + 1e-6), rule="legacy").mean == 1.0  # a larger set is easier


def test_the_legacy_rule_has_the_confidence_as_a_third_coordinate():
    predicted, truth, visible, boxes = pictures(64, 0.8)
    predicted[..., 2] = 1.0 - 0.5
    assert pck(predicted, truth, visible, boxes, rule="legacy").mean == 1.0  # 0.8, 0.5: 0.94
    predicted[..., 2] = 1.0 - 0.7
    assert pck(predicted, truth, visible, boxes, rule="legacy").mean == 0.0  # 0.8, 0.7: 1.06
    assert pck(predicted, truth, visible, boxes).mean == 1.0  # the paper's rule does not care
    with pytest.raises(InputError, match="'legacy' compares confidences too"):
        pck(predicted[..., :2], truth, visible, boxes, rule="legacy")


def _with(index, value):
    arguments = list(pictures(2))
    arguments[index] = value(arguments[index])
    return arguments


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            _with(0, lambda a: a[:1]),
            r"predicted has shape \(1, 36, 3\); expected \(2, 36, 2\) or \(2, 36, 3\)",
        ),
        (_with(1, lambda a: a[..., :1]), "truth has shape"),
        (_with(2, lambda a: a[:, :35]), "visible has shape"),
        (_with(3, lambda a: a[0]), "boxes has shape"),
        (_with(3, lambda a: a[:, [2, 3, 0, 1]]), "box 0 is .* x1 < x2"),
        (_with(0, lambda a: a * np.nan), "not finite"),
        (_with(2, lambda a: a & False), "no keypoint of the 2 pictures is visible"),
        ([*pictures(1), "table5"], "'table5'; accepted: paper, legacy"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, words):
    with pytest.raises(InputError, match=words):
        pck(*arguments)
