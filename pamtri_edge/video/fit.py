# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Do tracks from a file belong to the video that they are shown with?

Where a box has moved on by a good part of its size, a vehicle that was in it is now in the new place and no
longer in the old one. So the new place looks more like the old picture of the box than the old place does. In
another video, or where nothing moves, the old place has not changed and the new one looks different.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from pamtri_edge.tracks import TrackBox
from pamtri_edge.video.frames import Frame

_SIDE: Final = 12  # pixels of a small picture of a box's content
_STEP: Final = 0.3  # of its size that a box moves between two looks
_PATIENCE: Final = 50  # frames after which a look is too old to compare with
_LEAST_SIDE: Final = 12  # pixels of a box that is looked at
# On four real clips the picture moved with 60 to 95 % of the moves of their own boxes, and with 4 to 20 % of
# those of another clip's.
_LEAST_LOOKS: Final = 8
_LEAST_FOLLOWED: Final = 0.5
_LEAST_BOXES: Final = 10
_MOST_OUTSIDE: Final = 0.2
_MOSTLY: Final = 0.95

Small = NDArray[np.float32]
Sides = tuple[float, float, float, float]


@dataclass(frozen=True)
class _Look:
    """The content of a track's box when it was last looked at."""

    index: int
    box: Sides
    content: Small


class Fit:
    """Watches the boxes of a file of tracks over a video."""

    def __init__(self) -> None:
        self._looks = 0  # how often a box had moved far enough to be judged
        self._followed = 0  # how often the picture moved with it
        self._boxes = 0
        self._outside = 0  # boxes of which the center lies outside the picture
        self._corners = 0  # boxes whose width and height, taken as a corner, end a box inside the picture
        self._size = (0, 0)
        self._reach = (0.0, 0.0)
        self._last: dict[int, _Look] = {}

    def observe(self, frame: Frame, boxes: Sequence[TrackBox]) -> None:
        """Take in the boxes of the next frame."""
        high, wide = frame.picture.shape[:2]
        self._size = (wide, high)
        for one in boxes:
            x1, y1, x2, y2 = one.box
            self._boxes += 1
            self._outside += not (0 <= x1 + x2 <= 2 * wide and 0 <= y1 + y2 <= 2 * high)
            self._corners += x1 < x2 - x1 <= wide and y1 < y2 - y1 <= high
            self._reach = (max(self._reach[0], x2), max(self._reach[1], y2))
            inside = min(x1, y1) >= 0 and x2 <= wide and y2 <= high
            if inside and min(x2 - x1, y2 - y1) >= _LEAST_SIDE:
                self._look(frame, one)
        if frame.index % _PATIENCE == 0:
            self._last = {k: v for k, v in self._last.items() if frame.index - v.index <= _PATIENCE}

    def doubts(self) -> list[str]:
        """Say in what the tracks do not fit the video; nothing where they do."""
        found = []
        if self._boxes >= _LEAST_BOXES and self._outside > _MOST_OUTSIDE * self._boxes:
            size, reach = self._size, self._reach
            why = "Were they made on a video of another size?"
            if self._corners > _MOSTLY * self._boxes:
                why = "They look like x1, y1, x2, y2, where this layout has x, y, width, height."
            found.append(
                f"{self._outside} of {self._boxes} boxes lie outside the picture of {size[0]}x{size[1]} "
                f"pixels; they reach to x = {reach[0]:.0f}, y = {reach[1]:.0f}. {why}"
            )
        # The fewer looks, the clearer they must be.
        if self._looks >= _LEAST_LOOKS and (
            self._followed / self._looks + 1 / math.sqrt(self._looks) < _LEAST_FOLLOWED
        ):
            found.append(
                f"the picture does not move with the boxes: in {self._looks - self._followed} of "
                f"{self._looks} moves of a box its content stayed behind. Are they the tracks of another "
                "video, or do they count its frames differently?"
            )
        return found

    def _look(self, frame: Frame, one: TrackBox) -> None:
        last = self._last.get(one.track_id)
        if last is None or frame.index - last.index > _PATIENCE:
            self._last[one.track_id] = _Look(frame.index, one.box, _content(frame.picture, one.box))
            return
        if _moved(last.box, one.box) < _STEP:
            return
        here = _content(frame.picture, one.box)
        there = _content(frame.picture, last.box)
        self._looks += 1
        self._followed += bool(_unlike(here, last.content) < _unlike(there, last.content))
        self._last[one.track_id] = _Look(frame.index, one.box, here)


def _content(picture: NDArray[np.uint8], box: Sides) -> Small:
    """Return what is in a box as a small gray picture, (_SIDE, _SIDE) float32."""
    x1, y1, x2, y2 = (round(side) for side in box)
    cut = cv2.cvtColor(picture[y1:y2, x1:x2], cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.resize(cut, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA), np.float32)


def _unlike(a: Small, b: Small) -> float:
    """Return how different two small pictures are, whatever their brightness."""
    return float(np.abs((a - a.mean()) - (b - b.mean())).mean())


def _moved(a: Sides, b: Sides) -> float:
    """Return how far a box's center moved, in parts of its size."""
    across = ((b[0] + b[2]) - (a[0] + a[2])) / (a[2] - a[0])
    down = ((b[1] + b[3]) - (a[1] + a[3])) / (a[3] - a[1])
    return float(np.hypot(across, down)) / 2
