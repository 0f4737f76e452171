# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Which views of a track are worth the network. The rule and its numbers are in `GateSpec`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from pamtri_edge.errors import InputError
from pamtri_edge.geometry import IMAGE_SIZE, CropRule, crop_rectangles
from pamtri_edge.tracks import TrackBox
from pamtri_edge.video.frames import Frame

_SHARPNESS_SIDE: Final = 64
_PAIRS: Final = 1 << 17  # of boxes, compared at a time: a few megabytes


@dataclass(frozen=True)
class GateSpec:
    """When a view of a track is embedded: by size and pose quality, never by a fixed interval.

    *Worth* of a view: the side of the square of its visible area in pixels (at most 256, the network's
    picture), times the part not covered by another vehicle's box, times `cut_factor` if the frame's border
    cuts it, times its sharpness (detail over contrast, against `sharp`, at least `blur_factor`).

    *Passing*: a view passes if its shorter side has `min_side` pixels and, with trained weights, it is
    neither cut by the border nor covered by more than `max_overlap`. Once embedded, and with trained
    weights, its pose quality must reach `min_quality`. With untrained weights the gate goes by size alone.
    What a view lacks is told in words of `events.GATE_REASONS`.

    *Choice*: a track keeps its best view not yet embedded. A passing one is embedded at once if it is the
    track's first, or clearly better than all embedded before: worth `gain` times as much (twice the area,
    say). Where the pose quality of all of these is poor (below `good_quality`; trained weights only), a
    view about as good (`retry_gain`) gets another try after `retry_s`. So at most `max_views` - 1 views are
    embedded while the track lives; when it ends, the best remaining one is embedded if it is better by
    `last_gain`. A track of which nothing passed gets its best view embedded all the same, and is marked.

    Attributes:
        min_side: shorter side of a passing view, pixels. Under 64 pixels a cell of the heatmaps is finer
            than a pixel of the crop; a quarter less than that still shows a vehicle's parts.
        max_views: most views embedded a track.
        max_overlap: part of a passing view that another box covers at most (trained weights).
        border_px: a box this near to the frame's border counts as cut.
        cut_factor: worth of a cut view.
        sharp: detail over contrast of a sharp picture (0.6 to 1.1 in real crops; 0.2 blurred by 4 pixels).
        blur_factor: worth of a wholly blurred view.
        gain: how much better a further view must be.
        last_gain: how much better the last view must be.
        good_quality: pose quality of a clear view. About half of the 36 keypoints are hidden in any view.
        min_quality: pose quality under which a view has not shown the vehicle.
        retry_gain: worth of another try after poor views.
        retry_s: seconds between such tries.
    """

    min_side: int = 48
    max_views: int = 5
    max_overlap: float = 0.3
    border_px: float = 2.0
    cut_factor: float = 0.6
    sharp: float = 0.6
    blur_factor: float = 0.3
    gain: float = 1.4
    last_gain: float = 1.1
    good_quality: float = 0.35
    min_quality: float = 0.15
    retry_gain: float = 0.9
    retry_s: float = 0.5

    def __post_init__(self) -> None:
        if self.min_side < 1 or self.max_views < 1:
            raise InputError(
                f"min_side is {self.min_side} and max_views {self.max_views}; both must be at least 1."
            )


@dataclass(frozen=True)
class Sighting:
    """One track in one frame, measured.

    Attributes:
        track_id: number of the track.
        time_s: time of the frame.
        rectangle: x1, y1, x2, y2 to cut, in whole frame pixels, inside the frame.
        cut: whether the frame's border cuts the vehicle.
        overlap: largest part of the rectangle that another vehicle's box covers.
    """

    track_id: int
    time_s: float
    rectangle: tuple[int, int, int, int]
    cut: bool
    overlap: float

    @property
    def min_side(self) -> int:
        """Shorter side in pixels."""
        x1, y1, x2, y2 = self.rectangle
        return min(x2 - x1, y2 - y1)

    @property
    def root_area(self) -> float:
        """Side of the square of the same area, in pixels."""
        x1, y1, x2, y2 = self.rectangle
        return float(np.sqrt((x2 - x1) * (y2 - y1)))


@dataclass(frozen=True)
class View:
    """A sighting that may be embedded, with its own copy of the pixels.

    Attributes:
        sighting: where it was seen.
        worth: see `GateSpec`.
        failings: why it is below the gate, as far as the picture tells, in words of `events.GATE_REASONS`.
        crop: (h, w, 3) uint8 RGB, a copy.
    """

    sighting: Sighting
    worth: float
    failings: tuple[str, ...]
    crop: NDArray[np.uint8]

    @property
    def passes(self) -> bool:
        """Whether it passes the gate, as far as the picture tells."""
        return not self.failings


def sightings(
    frame: Frame, boxes: Sequence[TrackBox], *, rule: CropRule = CropRule.EXACT, border_px: float = 2.0
) -> list[Sighting]:
    """Measure the boxes of one frame. Boxes of which nothing lies inside the frame are left out.

    Args:
        frame: the frame.
        boxes: the tracks in it.
        rule: how the rectangle to cut is rounded.
        border_px: a box this near to the border counts as cut.
    """
    high, wide = frame.picture.shape[:2]
    covered = _overlaps(np.array([box.box for box in boxes], np.float64).reshape(-1, 4), wide, high)
    found = []
    for box, overlap in zip(boxes, covered, strict=True):
        try:
            x1, y1, x2, y2 = crop_rectangles([box.box], wide, high, rule)[0].tolist()
        except InputError:
            continue
        left, top, right, bottom = box.box
        cut = min(left, top) < border_px or right > wide - border_px or bottom > high - border_px
        found.append(Sighting(box.track_id, frame.time_s, (x1, y1, x2, y2), cut, float(overlap)))
    return found


class TrackGate:
    """Chooses the views of one track; see `GateSpec` for the rule.

    Args:
        spec: the numbers.
        trained: whether the network's pose quality means anything.
    """

    def __init__(self, spec: GateSpec, *, trained: bool) -> None:
        self._spec = spec
        self._trained = trained
        self._pending: View | None = None
        self._sent = 0
        self._best_worth = 0.0
        self._last_sent_s = 0.0
        self._answers: list[float] = []

    def offer(self, sighting: Sighting, picture: NDArray[np.uint8]) -> View | None:
        """Consider a sighting; return a view that is to be embedded now, or None.

        Args:
            sighting: the track's place in a frame.
            picture: that frame, (H, W, 3) uint8 RGB.
        """
        view = self._considered(sighting, picture)
        if view is None or not view.passes or self._sent >= self._spec.max_views - 1:
            return None
        if self._sent and view.worth < self._factor(view) * self._best_worth:
            return None
        return self._send(view)

    def close(self) -> View | None:
        """Return the view that is to be embedded at the end of the track, or None."""
        view = self._pending
        if view is None:
            return None
        if self._sent:
            factor = self._spec.retry_gain if self._poor() else self._spec.last_gain
            if not view.passes or view.worth < factor * self._best_worth:
                return None
        return self._send(view)

    def answer(self, quality: float | None) -> None:
        """Take note of the pose quality that an embedded view turned out to have."""
        if quality is not None:
            self._answers.append(quality)

    def failings(self, view: View, quality: float | None) -> tuple[str, ...]:
        """Return why an embedded view does not stand for its vehicle; nothing where it does."""
        seen = quality is None or not self._trained or quality >= self._spec.min_quality
        return view.failings if seen else (*view.failings, "pose-unsure")

    def _considered(self, sighting: Sighting, picture: NDArray[np.uint8]) -> View | None:
        """Return the view that may be embedded now: the best since the last one, or a further try."""
        failings = self._failings(sighting)
        passes = not failings
        ceiling = self._worth(sighting, sharpness=1.0)
        best = self._pending
        another_try = passes and self._rested(sighting) and self._poor()
        if best and not another_try and (best.passes, best.worth) >= (passes, ceiling):
            return best  # not even if it were perfectly sharp, which is what costs time to find out
        x1, y1, x2, y2 = sighting.rectangle
        crop = picture[y1:y2, x1:x2]
        worth = self._worth(sighting, sharpness=min(detail(crop) / self._spec.sharp, 1.0))
        another_try = another_try and worth >= self._spec.retry_gain * self._best_worth
        if best is None or another_try or (passes, worth) > (best.passes, best.worth):
            self._pending = View(sighting, worth, failings, crop.copy())
        return self._pending

    def _failings(self, sighting: Sighting) -> tuple[str, ...]:
        found = {
            "small": sighting.min_side < self._spec.min_side,
            "cut": self._trained and sighting.cut,
            "covered": self._trained and sighting.overlap > self._spec.max_overlap,
        }
        return tuple(word for word, holds in found.items() if holds)

    def _worth(self, sighting: Sighting, *, sharpness: float) -> float:
        worth = min(sighting.root_area, IMAGE_SIZE) * (1.0 - sighting.overlap)
        worth *= self._spec.cut_factor if sighting.cut else 1.0
        return worth * max(sharpness, self._spec.blur_factor)

    def _factor(self, view: View) -> float:
        return self._spec.retry_gain if self._rested(view.sighting) and self._poor() else self._spec.gain

    def _rested(self, sighting: Sighting) -> bool:
        """Tell whether it is long enough since the last embedded view to look different."""
        return sighting.time_s - self._last_sent_s >= self._spec.retry_s

    def _poor(self) -> bool:
        """Tell whether every embedded view is known to show the pose poorly."""
        known = self._trained and 0 < self._sent == len(self._answers)
        return known and max(self._answers) < self._spec.good_quality

    def _send(self, view: View) -> View:
        self._pending = None
        self._sent += 1
        self._best_worth = max(self._best_worth, view.worth)
        self._last_sent_s = view.sighting.time_s
        return view


def detail(crop: NDArray[np.uint8]) -> float:
    """Return how sharp a crop is: standard deviation of the Laplacian over that of the brightness.

    Measured at 64x64, so that crops of different sizes compare; 0 for a crop without contrast.
    """
    small = cv2.resize(crop, (_SHARPNESS_SIDE, _SHARPNESS_SIDE), interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    contrast = float(np.std(grey))
    return float(np.std(cv2.Laplacian(grey, cv2.CV_32F))) / contrast if contrast > 0 else 0.0


def _overlaps(boxes: NDArray[np.float64], wide: int, high: int) -> NDArray[np.float64]:
    """Return for each box the largest part of it, inside the frame, that another box covers."""
    inside = np.clip(boxes, 0, [wide, high, wide, high])
    areas = np.prod(inside[:, 2:] - inside[:, :2], axis=1)
    most = np.zeros(len(boxes))
    step = max(_PAIRS // max(len(boxes), 1), 1)
    for first in range(0, len(boxes), step):
        some = inside[first : first + step]
        low = np.maximum(some[:, None, :2], inside[None, :, :2])
        top = np.minimum(some[:, None, 2:], inside[None, :, 2:])
        common = np.prod(np.maximum(top - low, 0), axis=2)
        common[np.arange(len(some)), np.arange(first, first + len(some))] = 0  # a box does not cover itself
        most[first : first + step] = common.max(axis=1)
    return np.asarray(most / np.maximum(areas, 1e-9))
