# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pamtri_edge.video import motion
from pamtri_edge.video.motion import MotionDetector


def _street(index: int, *, car: bool = True, moves: bool = True, light: float = 1.0) -> NDArray[np.uint8]:
    picture = np.random.default_rng(0).integers(90, 110, (240, 320, 3)).astype(np.float32)
    picture += np.random.default_rng(index + 1).normal(0, 2, picture.shape)
    if car:
        x = 20 + 6 * index * moves
        picture[100:150, x : x + 80] = (180, 40, 40)
    return np.clip(picture * light, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("light", [1.0, 0.5], ids=["steady", "another exposure with the car"])
def test_what_moves_is_detected_where_it_is(light: float) -> None:
    detector = MotionDetector(rate=25)
    assert not any(detector.detect(_street(index, car=False)) for index in range(20))
    for index in range(20, 30):
        (detection,) = detector.detect(_street(index, light=light))
        assert detection.box == pytest.approx((20 + 6 * index, 100, 100 + 6 * index, 150), abs=6)
        assert detection.score == 1.0


def test_what_stands_becomes_background(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(motion, "_ABSORB_S", 1.0)
    detector = MotionDetector(rate=25)
    found = [len(detector.detect(_street(index % 4, moves=False, car=index >= 20))) for index in range(60)]
    assert found[20:40] == [1] * 20
    assert found[50:] == [0] * 10


def test_a_change_of_light_is_no_vehicle() -> None:
    detector = MotionDetector()
    for index in range(20):
        detector.detect(_street(index, car=False))
    assert detector.detect(_street(20, car=False, light=1.6)) == []


def test_large_pictures_are_shrunk_but_boxes_are_not() -> None:
    detector = MotionDetector()
    for index in range(24):
        large = cv2.resize(_street(index, car=index >= 20), (1280, 960), interpolation=cv2.INTER_NEAREST)
        found = detector.detect(np.asarray(large, np.uint8))
    assert found[0].box == pytest.approx((4 * (20 + 6 * 23), 400, 4 * (100 + 6 * 23), 600), abs=24)
