# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from numpy.typing import NDArray

from pamtri_edge import _core
from pamtri_edge.vehicle import SEGMENTS
from pamtri_edge.video.draw import Overlay, draw_crop, draw_overlays

GREY = 90


def _picture(height: int, width: int) -> NDArray[np.uint8]:
    return np.full((height, width, 3), GREY, np.uint8)


def _keypoints(confidence: float, size: tuple[int, int] = (60, 40)) -> NDArray[np.float32]:
    """36 keypoints on an ellipse, so that segments have an area."""
    turn = np.linspace(0, 2 * np.pi, 36, endpoint=False)
    x, y = size[0] * (0.5 + 0.4 * np.cos(turn)), size[1] * (0.5 + 0.4 * np.sin(turn))
    return np.stack([x, y, np.full(36, confidence)], axis=1).astype(np.float32)


def _changed(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> NDArray[np.bool_]:
    return np.asarray((before != after).any(axis=2))


def test_a_frame_gets_boxes_in_the_color_of_their_track() -> None:
    picture = _picture(120, 200)
    drawn = draw_overlays(picture, [Overlay(3, (50, 40, 120, 100), "#3")])
    assert (picture == GREY).all()  # the frame itself stays as it is
    assert drawn.shape == picture.shape
    assert tuple(drawn[100, 85]) == tuple(drawn[70, 50]) == _core.track_color(3)
    assert tuple(drawn[70, 85]) == (GREY,) * 3


def test_labels_stay_inside_the_picture() -> None:
    for box in [(0, 0, 60, 50), (150, 0, 199, 40), (-30, -20, 20, 30), (150, 90, 230, 140)]:
        picture = _picture(120, 200)
        boxed = draw_overlays(picture, [Overlay(1, box, "")])
        labeled = draw_overlays(picture, [Overlay(1, box, "#1 golden hatchback")])
        assert _changed(boxed, labeled).sum() > 200


def test_a_confident_pose_is_drawn_over_its_box() -> None:
    picture = _picture(120, 200)
    box = (50.0, 40.0, 110.0, 80.0)
    plain = draw_overlays(picture, [Overlay(1, box, "")])
    for confidence, shown in [(0.9, True), (0.2, False)]:
        unit = _keypoints(confidence, (1, 1))
        posed = draw_overlays(picture, [Overlay(1, box, "", unit)])
        assert _changed(plain, posed)[41:79, 51:109].any() == shown


def test_the_note_is_in_the_lower_left_corner() -> None:
    picture = _picture(120, 200)
    changed = _changed(picture, draw_overlays(picture, [], note="untrained weights"))
    assert changed[100:, :100].any()
    assert not changed[:100].any()


@pytest.mark.parametrize("size", [(20, 30), (300, 500), (1, 1), (700, 40)])
def test_crops_of_any_size_become_legible_pictures(size: tuple[int, int]) -> None:
    crop = _picture(*size)
    drawn = draw_crop(crop, _keypoints(0.9, (size[1], size[0])), "#1 red sedan")
    assert max(drawn.shape[0] - 26, drawn.shape[1] // 2) == 384
    assert drawn.dtype == np.uint8


def test_the_left_half_is_the_crop_and_the_right_half_its_pose() -> None:
    crop = np.random.default_rng(1).integers(0, 255, (40, 60, 3), dtype=np.uint8)
    drawn = draw_crop(crop, _keypoints(0.9), "")
    plain = draw_crop(crop, None, "")
    assert (drawn[:256, :384] == plain[:256]).all()
    assert _changed(plain[:256], drawn[:256, 384:]).mean() > 0.2


@pytest.mark.parametrize(
    ("order", "least", "filled"),
    [((0, 1, 2, 3), 0.5, True), ((0, 1, 2, 3), 0.49, False), ((0, 2, 1, 3), 0.5, False)],
    ids=["sure", "one unsure", "crosses itself"],
)
def test_a_segment_is_filled_where_its_keypoints_are_sure_and_their_outline_convex(
    order: tuple[int, ...], least: float, filled: bool
) -> None:
    keypoints = np.zeros((36, 3), np.float32)
    corners = np.array(SEGMENTS[4].corners)[list(order)]
    keypoints[corners] = [(50, 50, 0.5), (300, 50, 0.5), (300, 200, 0.5), (50, 200, least)]
    pose = draw_crop(_picture(256, 384), keypoints, "")[:256, 384:]
    share = (np.ptp(pose.astype(int), axis=2) > 20).mean()
    assert share > 0.3 if filled else share < 0.02


def test_sure_keypoints_are_filled_and_unsure_ones_hollow() -> None:
    crop = _picture(256, 384)
    for confidence, hollow in [(0.9, False), (0.3, True)]:
        keypoints = np.zeros((36, 3), np.float32)
        keypoints[:, 0], keypoints[:, 1] = np.indices((6, 6)).reshape(2, 36) * 40 + 20
        keypoints[:, 2] = confidence
        keypoints[[5, 16], 2] = 0.3  # of every segment, one keypoint or more
        pose = draw_crop(crop, keypoints, "")[:256, 384:].astype(int)
        for k in (0, 1, 20, 19):
            x, y, _ = np.round(keypoints[k]).astype(int).tolist()
            assert np.ptp(pose[y - 4 : y + 5, x - 4 : x + 5], axis=2).max() > 60
            assert (np.abs(pose[y, x] - GREY).max() < 25) == hollow


def test_keypoints_without_a_peak_or_far_away_are_left_out() -> None:
    crop = _picture(256, 384)
    keypoints = np.zeros((36, 3), np.float32)
    keypoints[5] = (1e9, 1e9, 0.9)
    assert not _changed(crop, draw_crop(crop, keypoints, "")[:256, 384:]).any()


def test_another_set_of_keypoints_is_drawn_without_segments() -> None:
    crop = _picture(256, 384)
    keypoints = _keypoints(0.9, (384, 256))[:20]
    assert _changed(crop, draw_crop(crop, keypoints, "")[:256, 384:]).any()


def test_a_long_caption_is_made_to_fit() -> None:
    drawn = draw_crop(_picture(300, 60), None, "a caption that is far too long for so narrow a crop")
    strip = drawn[384:]
    assert strip.shape == (26, 77, 3)
    assert (strip > 150).any()


@pytest.mark.parametrize("box", [(3e9, 20.0, 3e9 + 30, 60.0), (-1e300, -1e300, 1e300, 1e300), (0, 0, 0, 0)])
def test_a_box_anywhere_can_be_drawn(box: tuple[float, float, float, float]) -> None:
    picture = np.zeros((40, 60, 3), np.uint8)
    keypoints = np.full((36, 3), 0.9, np.float32)
    assert draw_overlays(picture, [Overlay(1, box, "#1", keypoints)]).shape == picture.shape
