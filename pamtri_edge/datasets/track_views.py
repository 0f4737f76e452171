# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Views of tracks: which boxes of a video's tracks count, and the crops that they cut out of its frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.errors import InputError, SourceError
from pamtri_edge.progress import Progress
from pamtri_edge.tracks import TrackSet

Kept = TypeVar("Kept")


@dataclass(frozen=True)
class TrackView:
    """One view of a track.

    Attributes:
        track_id: number of the track.
        frame: index of the frame, from 0.
        box: x1, y1, x2, y2 in whole frame pixels, inside the frame.
    """

    track_id: int
    frame: int
    box: tuple[int, int, int, int]


@dataclass(frozen=True)
class CutViews(Generic[Kept]):
    """Views and their crops, in the same order.

    Attributes:
        name: of the video, for messages and records.
        views: where they were cut.
        crops: what was kept of each.
    """

    name: str
    views: tuple[TrackView, ...]
    crops: tuple[Kept, ...]


def views_by_track(
    tracks: TrackSet, width: int, height: int, *, least_side: int
) -> dict[int, list[TrackView]]:
    """Return the views of each track, in the order of their frames; tracks in the order of their numbers.

    Boxes are clipped to the frame and rounded to the nearest whole pixels first.

    Args:
        tracks: of one video, in pixels.
        width: width of its frames in pixels.
        height: height of its frames in pixels.
        least_side: shorter side, in pixels, of a box that counts.
    """
    found: dict[int, list[TrackView]] = {}
    limit = np.array([width, height, width, height])
    for frame in tracks.frames:
        for item in tracks.at(frame):
            x1, y1, x2, y2 = (int(side) for side in np.clip(item.box, 0, limit).round())
            if min(x2 - x1, y2 - y1) >= max(least_side, 1):
                found.setdefault(item.track_id, []).append(TrackView(item.track_id, frame, (x1, y1, x2, y2)))
    return dict(sorted(found.items()))


def spread(views: Sequence[TrackView], count: int) -> list[TrackView]:
    """Return at most `count` views, evenly spread from the first to the last."""
    if len(views) <= count:
        return list(views)
    return [views[int(at)] for at in np.linspace(0, len(views) - 1, count)]


def cut(
    video: str | Path,
    tracks: TrackSet,
    choose: Callable[[TrackSet, int, int], Sequence[TrackView]],
    *,
    keep: Callable[[NDArray[np.uint8]], Kept],
    progress: Progress | None = None,
) -> CutViews[Kept]:
    """Read a video up to its last chosen view, and keep what that view shows.

    Args:
        video: a file or a folder of images.
        tracks: its tracks, in pixels or in parts of the frame.
        choose: picks the views, from the tracks in pixels and the frames' width and height.
        keep: makes of a crop (H, W, 3) uint8 RGB, part of a frame, what stays of it.
        progress: told after every frame.

    Raises:
        InputError: the source is a live stream, or `choose` refuses the tracks.
        SourceError: the video cannot be read, changes its size, or ends before the tracks do.
        MissingDependencyError: PyAV is needed and not installed.
    """
    from pamtri_edge.video.sources import open_source

    with closing(open_source(str(video))) as source:
        if source.live:
            raise InputError(f"{source.label} is a stream, whose frames have no fixed numbers; give a file.")
        frames = source.frames()
        first = next(iter(frames))
        height, width = first.picture.shape[:2]
        views = tuple(choose(tracks.in_pixels(width, height), width, height))
        wanted: dict[int, list[int]] = {}
        for index, view in enumerate(views):
            wanted.setdefault(view.frame, []).append(index)
        last = max(wanted, default=-1)
        crops: dict[int, Kept] = {}
        for frame in chain([first], frames) if wanted else ():
            if frame.picture.shape != first.picture.shape:
                raise SourceError(
                    f"{source.label} has frames of {width} x {height} pixels and, from frame {frame.index} "
                    "on (counted from 0), of another size; expected one size: cut it there."
                )
            for index in wanted.pop(frame.index, ()):
                x1, y1, x2, y2 = views[index].box
                crops[index] = keep(frame.picture[y1:y2, x1:x2])
            if progress is not None:
                progress(frame.index + 1, last + 1)
            if frame.index >= last:
                break
        if wanted:
            raise SourceError(
                f"{source.label} has no frame {min(wanted)} (counted from 0), in which the tracks have a "
                "vehicle; are these the tracks of this video, and do they count its frames alike?"
            )
        return CutViews(source.name, views, tuple(crops[index] for index in range(len(views))))
