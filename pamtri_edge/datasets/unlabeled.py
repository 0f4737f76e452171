# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Tracks of one's own cameras as pictures to learn from, though nobody has told which vehicle is which.

The crops of one track show one vehicle. Two tracks that were seen in one frame show two. Whether tracks that
were not seen at once show the same vehicle, nobody knows: such pairs teach nothing. Tracks have neither
identity classes nor attributes; what a network learns of them is how one vehicle's look changes along its
way, in the light and at the resolution of that camera.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from pamtri_edge.datasets.data_set import Crop, DataSet, Sample
from pamtri_edge.datasets.track_views import TrackView, cut, spread, views_by_track
from pamtri_edge.errors import InputError
from pamtri_edge.progress import Progress
from pamtri_edge.tracks import TrackSet, read_tracks

_QUALITY: Final = 95  # crops wait in memory as JPEG


@dataclass(frozen=True, kw_only=True)
class TrackChoice:
    """Which tracks of a clip are learned from, and with how many crops.

    Attributes:
        least_boxes: boxes that a track must have, those that are too small not counted.
        least_side: shorter side, in pixels, of a box that counts.
        crops: how many are taken of a track, evenly over it.
    """

    least_boxes: int = 12
    least_side: int = 20
    crops: int = 24


DEFAULT_CHOICE: Final = TrackChoice()


def read_unlabeled(
    clips: Sequence[tuple[Path, Path]],
    *,
    choice: TrackChoice = DEFAULT_CHOICE,
    progress: Progress | None = None,
) -> DataSet:
    """Cut the crops of all tracks out of clips.

    Args:
        clips: a video or folder of images, and its tracks, for each camera.
        choice: which tracks and crops.
        progress: told after every frame.

    Raises:
        InputError: no two tracks of a clip are seen at once, so that nothing can be learned.
        SourceError: a video or tracks cannot be read.
    """

    def choose(tracks: TrackSet, width: int, height: int) -> list[TrackView]:
        found = views_by_track(tracks, width, height, least_side=choice.least_side).values()
        usable = [views for views in found if len(views) >= choice.least_boxes]
        return [view for views in usable for view in spread(views, choice.crops)]

    samples: list[Sample] = []
    stored: list[bytes] = []
    vehicle = 0
    for number, (video, tracks) in enumerate(clips):
        found = cut(video, read_tracks(tracks), choose, keep=_encoded, progress=progress)
        for track, group in groupby(found.views, key=lambda view: view.track_id):
            views = list(group)  # in the order of their frames
            seen = (number, views[0].frame, views[-1].frame)
            names = (Path(f"{video.name}:{track}:{view.frame}") for view in views)
            samples += [Sample(name, vehicle, number, seen=seen) for name in names]
            vehicle += 1
        stored += found.crops
    data = DataSet(" + ".join(str(video) for video, _ in clips), tuple(samples), partial(_decoded, stored))
    if not len(data) or not _overlapping(data).any():
        raise InputError(
            f"{data.name or 'no clips'}: no two usable tracks are seen at once; what a network learns of "
            f"tracks is to tell such two apart. Usable is a track of {choice.least_boxes} boxes of "
            f"{choice.least_side} pixels or more."
        )
    return data


def seen_at_once(spans: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell which tracks were seen at once: (T, T) bool, for (T, 3) clip, first and last frame."""
    clip, first, last = spans.reshape(-1, 3).T
    overlap = np.maximum(first[:, None], first) <= np.minimum(last[:, None], last)
    return np.asarray((clip[:, None] == clip) & (clip[:, None] >= 0) & overlap)


def _encoded(crop: NDArray[np.uint8]) -> bytes:
    done, content = cv2.imencode(
        ".jpg", cv2.cvtColor(crop, cv2.COLOR_RGB2BGR), (cv2.IMWRITE_JPEG_QUALITY, _QUALITY)
    )
    assert done
    return content.tobytes()


def _decoded(crops: list[bytes], index: int, epoch: int, size: int) -> Crop:
    decoded = cv2.imdecode(np.frombuffer(crops[index], np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None, "encoded by this very program"
    return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), np.uint8), None


def _overlapping(data: DataSet) -> NDArray[np.bool_]:
    """Tell which tracks of a set were seen with another: (T,) bool."""
    spans = np.array(sorted({(sample.vehicle, *(sample.seen or ())) for sample in data.samples}), np.int64)
    meets = seen_at_once(spans[:, 1:])
    np.fill_diagonal(meets, False)
    return np.asarray(meets.any(axis=1))
