# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Which views of a track are worth the network. `GateSpec` has the rule in words; the core decides by it.

The core (`pamtri_edge._core`, the one that pipelines drive as well) goes by measurements. What it asks of the
pixels is measured here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pamtri_edge import _core, ops
from pamtri_edge.errors import InputError
from pamtri_edge.geometry import CropRule
from pamtri_edge.tracks import TrackBox
from pamtri_edge.video.frames import Frame

_DEFAULT: Final = _core.GateSpec()


@dataclass(frozen=True)
class GateSpec:
    """When a view of a track is embedded: in turn, and where it shows more than those before.

    *Worth* of a view: the side of the square of its visible area in pixels (at most 256, the network's
    picture), times the part not covered by another vehicle's box, times `cut_factor` if the frame's border
    cuts it, times its sharpness (detail over contrast, against `sharp`, at least `blur_factor`).

    *Passing*: a view passes if its shorter side has `min_side` pixels and, with trained weights, it is
    neither cut by the border nor covered by more than `max_overlap`. Once embedded, and with trained
    weights, its pose quality must reach `min_quality`. With untrained weights the gate goes by size alone.
    What a view lacks is told in words of `events.GATE_REASONS`.

    *Choice*: a track's first view is embedded at once, and one after so many frames of it
    (`reinfer_interval`; later at least `reinfer_growth` of all that were seen of it), whatever these show.
    Beside them a view that passes is embedded at once if it is the first that does, or clearly better than
    all embedded before: worth `gain` times as much (twice the area, say). So at most `max_views` - 1 views
    are embedded while the track lives; when it ends, the best remaining one is embedded if it is better by
    `last_gain`, where one that passes is better than any that does not. A track of which no view passed is
    marked. All embedded views describe the vehicle together, each by its pose quality: small or half hidden
    as they may be, views over the whole track find it again more often than the best few do.

    Attributes:
        min_side: shorter side of a passing view, pixels. Under 64 pixels a cell of the heatmaps is finer
            than a pixel of the crop; a quarter less than that still shows a vehicle's parts.
        max_views: most views embedded a track.
        reinfer_interval: frames of a track from one embedded view to the next; 0: only better ones.
        reinfer_growth: part of all frames of the track that these are at least.
        reinfer_overlap: a vehicle whose box overlaps that of its last embedded view by more (intersection
            over union, 0 to 1) stands, and waits with its turn until it moves. At 1, none does.
        max_overlap: part of a passing view that another box covers at most (trained weights).
        border_px: a box this near to the frame's border counts as cut.
        cut_factor: worth of a cut view.
        sharp: detail over contrast of a sharp picture (0.6 to 1.1 in real crops; 0.2 blurred by 4 pixels).
        blur_factor: worth of a wholly blurred view.
        gain: how much better a further view must be.
        last_gain: how much better the last view must be.
        min_quality: pose quality under which a view has not shown the vehicle. About half of the 36 keypoints
            are hidden in any view.

    Raises:
        InputError: a number is negative or not finite; `min_side`, `max_views` or `sharp` is 0.
    """

    min_side: int = _DEFAULT.min_side
    max_views: int = _DEFAULT.max_views
    reinfer_interval: int = _DEFAULT.reinfer_interval
    reinfer_growth: float = _DEFAULT.reinfer_growth
    reinfer_overlap: float = _DEFAULT.reinfer_overlap
    max_overlap: float = _DEFAULT.max_overlap
    border_px: float = _DEFAULT.border_px
    cut_factor: float = _DEFAULT.cut_factor
    sharp: float = _DEFAULT.sharp
    blur_factor: float = _DEFAULT.blur_factor
    gain: float = _DEFAULT.gain
    last_gain: float = _DEFAULT.last_gain
    min_quality: float = _DEFAULT.min_quality

    def __post_init__(self) -> None:
        self.for_core().check()

    def for_core(self) -> _core.GateSpec:
        """Return the same numbers as the core takes them."""
        spec = _core.GateSpec()
        for name, value in asdict(self).items():
            try:
                setattr(spec, name, value)
            except TypeError:  # another type, or more than 32 bits
                whole = isinstance(getattr(spec, name), int)
                kind = f"a whole number up to {2**31 - 1}" if whole else "a number"
                raise InputError(f"{name} is {value!r}; expected {kind}.") from None
        return spec


def sightings(
    frame: Frame, boxes: Sequence[TrackBox], *, rule: CropRule = CropRule.EXACT, border_px: float = 2.0
) -> list[tuple[int, _core.Sighting]]:
    """Return track and measurements of each box in a frame but those of which nothing lies inside it.

    Args:
        frame: the frame.
        boxes: the tracks in it.
        rule: how the rectangle to cut is rounded.
        border_px: a box this near to the border counts as cut.
    """
    high, wide = frame.picture.shape[:2]
    array = np.array([box.box for box in boxes], np.float64).reshape(-1, 4)
    found = _core.sightings(array, wide, high, frame.time_s, rule.value, border_px)
    return [(boxes[index].track_id, sighting) for index, sighting in found]


def detail(crop: NDArray[np.uint8]) -> float:
    """Return how sharp a crop is: standard deviation of the Laplacian over that of the brightness.

    Measured at 64x64, so that crops of different sizes compare; 0 for a crop without contrast.
    """
    return float(ops.sharpness([crop])[0])
