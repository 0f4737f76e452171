# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Tracks of another video are told of; those of the video itself are not."""

from __future__ import annotations

from itertools import islice, product
from pathlib import Path

import numpy as np
import pytest

from pamtri_edge.tracks import TrackBox, read_tracks
from pamtri_edge.video.fit import Fit
from pamtri_edge.video.frames import Frame
from pamtri_edge.video.sources import open_source

_CLIPS = ("intel_car-detection_30s", "suburban_a_640x352", "tfl_6600_junction", "tfl_625_201709281436")
_FRAMES = 100


def _street(x: int) -> Frame:
    """Return a picture of a street with a vehicle at x."""
    rng = np.random.default_rng(1)
    picture = rng.integers(60, 90, (120, 320, 3), np.uint8)
    picture[50:80, x : x + 40] = rng.integers(100, 255, (30, 40, 3), np.uint8)
    return Frame(x, x / 25, picture)


def _watched(seen: list[int], told: list[int], *, scale: float = 1.0) -> list[str]:
    """Watch a vehicle that is at `seen` while its track says `told`."""
    fit = Fit()
    for x, claimed in zip(seen, told, strict=True):
        box = (claimed * scale, 50 * scale, (claimed + 40) * scale, 80 * scale)
        fit.observe(_street(x), [TrackBox(1, box)])
    return fit.doubts()


WAY = list(range(0, 270, 5))


@pytest.mark.parametrize("told", [WAY, [10] * len(WAY)], ids=["in its box", "in a box that stands"])
def test_a_vehicle_in_its_box_and_boxes_that_stand_still_raise_no_doubt(told: list[int]) -> None:
    assert _watched(WAY if told is WAY else [280] * len(WAY), told) == []


def test_boxes_that_move_where_nothing_does_are_told() -> None:
    (words,) = _watched([280] * len(WAY), WAY)
    assert words.startswith("the picture does not move with the boxes: in ")


def test_boxes_of_a_larger_video_and_corners_in_the_place_of_width_and_height_are_told() -> None:
    (words,) = _watched(WAY, WAY, scale=3.0)
    assert "boxes lie outside the picture of 320x120 pixels; they reach to x = 915, y = 240" in words
    fit = Fit()
    for x in WAY:  # a reader of x, y, width, height made this of x1, y1, x2, y2
        fit.observe(_street(x), [TrackBox(1, (x, 50, x + x + 40, 50 + 80))])
    words = fit.doubts()[0]
    assert "boxes lie outside the picture of 320x120 pixels" in words
    assert words.endswith("They look like x1, y1, x2, y2, where this layout has x, y, width, height.")


@pytest.mark.slow
@pytest.mark.parametrize("clip", _CLIPS)
def test_of_real_clips_the_right_tracks_alone_raise_no_doubt(shared_data: Path, clip: str) -> None:
    folder = shared_data / "clips"
    tracks = {name: read_tracks(folder / f"{name}.txt") for name in _CLIPS}
    fits = {name: Fit() for name in _CLIPS}
    source = open_source(str(folder / f"{clip}.mp4"))
    for frame, name in product(islice(source.frames(), _FRAMES), _CLIPS):
        fits[name].observe(frame, tracks[name].at(frame.index))
    source.close()
    assert [name for name, fit in fits.items() if not fit.doubts()] == [clip]
