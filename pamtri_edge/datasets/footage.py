# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Re-identification on footage without labels: can the end of a track be told from its beginning?

The tracks of a video are its identities. A few views from the first fifth of a track are the queries, a few
from the last fifth of *every* track the gallery. (Views a few frames apart would look alike to anything.)
A track takes part if it is long enough, large enough, and the vehicle moves: a parked one looks the same for
ever. There is one camera, so nothing is left out for being of the same camera.

Tracks are a tracker's work, not truth: where it gives one vehicle two numbers, a right answer counts as
wrong. Figures compare features on the same clip; they are not those of a labeled set.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from pamtri_edge.datasets.track_views import TrackView, cut, spread, views_by_track
from pamtri_edge.datasets.views import EvaluationSet, Picture, Views
from pamtri_edge.errors import InputError
from pamtri_edge.progress import Progress
from pamtri_edge.tracks import TrackSet, read_tracks


@dataclass(frozen=True, kw_only=True)
class TrackRule:
    """Which tracks of a video take part, and with which views.

    Attributes:
        least_boxes: boxes that a track must have, those that are too small not counted.
        least_side: shorter side, in pixels, of a box that counts.
        travel: how far the box's middle must move from first to last, in mean widths of the boxes.
        part: the part of a track, from either end, that views are taken from.
        views: how many are taken from each end, evenly spread.
    """

    least_boxes: int = 20
    least_side: int = 20
    travel: float = 0.75
    part: float = 0.2
    views: int = 3


DEFAULT_RULE: Final = TrackRule()


def choose_views(
    tracks: TrackSet, width: int, height: int, rule: TrackRule = DEFAULT_RULE
) -> tuple[list[TrackView], list[TrackView]]:
    """Return the queries and the gallery, in order of tracks.

    Args:
        tracks: the tracks of the video.
        width: width of its frames in pixels.
        height: height of its frames in pixels.
        rule: which tracks and views.

    Raises:
        InputError: fewer than two tracks fit the rule; the message says what was asked.
    """
    queries: list[TrackView] = []
    gallery: list[TrackView] = []
    for views in views_by_track(tracks, width, height, least_side=rule.least_side).values():
        if len(views) < rule.least_boxes or not _travels(views, rule.travel):
            continue
        part = max(int(len(views) * rule.part), 1)
        queries += spread(views[:part], rule.views)
        gallery += spread(views[-part:], rule.views)
    usable = len({view.track_id for view in queries})
    if usable < 2:
        raise InputError(
            f"{tracks.path}: {usable} of {len(tracks.ids)} tracks can be used; at least 2 are needed, of "
            f"{rule.least_boxes} boxes or more of {rule.least_side} pixels or more, that move by "
            f"{rule.travel:g} of their width or more."
        )
    return queries, gallery


def read_footage(
    source: str | Path,
    tracks: str | Path,
    *,
    rule: TrackRule = DEFAULT_RULE,
    stream: str | None = None,
    classes: Sequence[str] | None = None,
    first_frame: int | None = None,
    progress: Progress | None = None,
) -> EvaluationSet:
    """Cut the queries and the gallery out of a video.

    Args:
        source: a video file or a folder of images.
        tracks: its tracks; see `pamtri_edge.tracks.read_tracks`.
        rule: which tracks and views.
        stream: for a folder of tracks with several streams, the one to use.
        classes: which classes of the tracks are used; None for vehicles.
        first_frame: number of the first frame in the tracks; None for their layout's own.
        progress: told after every frame.

    Raises:
        InputError: the source is a live stream, or too few tracks can be used.
        SourceError: the video or the tracks cannot be read, or the tracks go on past the video's end.
        MissingDependencyError: PyAV is needed and not installed.
    """
    track_set = read_tracks(tracks, stream=stream, classes=classes, first_frame=first_frame)
    count = 0

    def choose(boxes: TrackSet, width: int, height: int) -> list[TrackView]:
        nonlocal count
        queries, gallery = choose_views(boxes, width, height, rule)
        count = len(queries)
        return [*queries, *gallery]

    found = cut(source, track_set, choose, keep=np.copy, progress=progress)
    query, gallery = (
        _views(found.views[side], found.crops[side]) for side in (slice(count), slice(count, None))
    )
    return EvaluationSet(found.name, query, gallery, across_cameras=False)


def _travels(views: Sequence[TrackView], least: float) -> bool:
    boxes = np.array([view.box for view in views], np.float64)
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    width = float((boxes[:, 2] - boxes[:, 0]).mean())
    return bool(np.linalg.norm(middles[-1] - middles[0]) >= least * width)


def _views(views: Sequence[TrackView], crops: Sequence[Picture]) -> Views:
    # DeepStream's ids of 64 bits do not fit; the place among the tracks does as well.
    place = {track: number for number, track in enumerate(sorted({view.track_id for view in views}), 1)}
    return Views(
        names=tuple(f"track {view.track_id}, frame {view.frame}" for view in views),
        vehicles=np.array([place[view.track_id] for view in views], np.int64),
        cameras=np.zeros(len(views), np.int64),
        read=lambda index: crops[index],
    )
