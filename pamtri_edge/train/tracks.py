# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Tracks of one's own cameras as pictures to learn from, though nobody has told which vehicle is which.

The crops of one track show one vehicle. Two tracks that were seen in one frame show two. Whether tracks that
were not seen at once show the same vehicle, nobody knows: such pairs teach nothing. Tracks have neither
identity classes nor attributes; what a network learns of them is how one vehicle's look changes along its
way, in the light and at the resolution of that camera.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from pamtri_edge.datasets.data_set import Crop, DataSet, Sample
from pamtri_edge.errors import InputError, SourceError
from pamtri_edge.tracks import TrackSet, read_tracks
from pamtri_edge.train.sampler import Batch, Looks, VehiclesByPictures

if TYPE_CHECKING:
    from pamtri_edge.video.frames import Source

_QUALITY: Final = 95  # crops wait in memory as JPEG
_SALT: Final = 23

Progress = Callable[[int, int], None]
"""Is told how many frames of how many were read."""


@dataclass(frozen=True, kw_only=True)
class TrackViews:
    """Which tracks of a clip are learned from, and with how many crops.

    Attributes:
        least_boxes: boxes that a track must have, those that are too small not counted.
        least_side: shorter side, in pixels, of a box that counts.
        crops: how many are taken of a track, evenly over it.
    """

    least_boxes: int = 12
    least_side: int = 20
    crops: int = 24


def read_footage(
    clips: Sequence[tuple[Path, Path]],
    *,
    views: TrackViews | None = None,
    progress: Progress | None = None,
) -> DataSet:
    """Cut the crops of all tracks out of clips.

    Args:
        clips: a video or folder of images, and its tracks, for each camera.
        views: which tracks and crops.
        progress: told after every frame.

    Raises:
        InputError: no two tracks of a clip are seen at once, so that nothing can be learned.
        SourceError: a video or tracks cannot be read.
    """
    views = views or TrackViews()
    samples: list[Sample] = []
    stored: list[bytes] = []
    for number, (video, tracks) in enumerate(clips):
        found = _chosen(_in_pixels(read_tracks(tracks), video), views)
        crops = _cut(video, found, progress)
        for place, (track, boxes) in enumerate(found.items()):
            vehicle = (samples[-1].vehicle + 1) if samples else 0
            span = (number, boxes[0][0], boxes[-1][0])
            for frame, _ in boxes:
                samples.append(Sample(Path(f"{video.name}:{track}:{frame}"), vehicle, number, seen=span))
                stored.append(crops[place, frame])
    data = DataSet(" + ".join(str(video) for video, _ in clips), tuple(samples), _Stored(stored))
    if not len(data) or not _overlapping(data).any():
        raise InputError(
            f"{data.name or 'no clips'}: no two usable tracks are seen at once; what a network learns of "
            f"tracks is to tell such two apart. Usable is a track of {views.least_boxes} boxes of "
            f"{views.least_side} pixels or more."
        )
    return data


@dataclass(frozen=True, eq=False)
class WithTracks:
    """Batches of told identities and of tracks seen at once, half and half; or of tracks alone.

    Attributes:
        data: the pictures of both.
        vehicles: P.
        pictures: K.
        seed: another seed, another order.
        looks: which told vehicles share a batch, see `sampler.Looks`.
    """

    data: DataSet
    vehicles: int
    pictures: int
    seed: int = 0
    looks: Looks | None = None
    _told: NDArray[np.int64] = field(init=False, repr=False)
    _tracks: tuple[NDArray[np.int64], ...] = field(init=False, repr=False)
    _meets: NDArray[np.bool_] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        labels, seen = self.data.labels, self.data.seen
        told = np.flatnonzero(seen[:, 0] < 0)
        tracks = tuple(np.flatnonzero(labels == label) for label in np.unique(labels[seen[:, 0] >= 0]))
        spans = np.array([seen[indices[0]] for indices in tracks], np.int64)
        object.__setattr__(self, "_told", told)
        object.__setattr__(self, "_tracks", tracks)
        object.__setattr__(self, "_meets", seen_at_once(spans))

    def epoch(self, number: int) -> list[Batch]:
        """Return the batches of an epoch, counted from 0: (P * K,) indices, vehicle by vehicle."""
        share = self.vehicles // 2 if len(self._told) else self.vehicles
        if len(self._told):
            sampler = VehiclesByPictures(
                self.data.labels[self._told],
                self.vehicles - share,
                self.pictures,
                self.seed,
                looks=None if self.looks is None else self.looks.of(self._told),
            )
            told = [self._told[batch] for batch in sampler.epoch(number)]
        else:
            crops = sum(len(indices) for indices in self._tracks)
            told = [np.zeros(0, np.int64)] * max(1, crops // (self.vehicles * self.pictures))
        return [
            np.concatenate(
                [batch, self._of_tracks(share, np.random.default_rng([self.seed, number, k, _SALT]))]
            )
            for k, batch in enumerate(told)
        ]

    def _of_tracks(self, count: int, rng: np.random.Generator) -> Batch:
        """Return pictures of so many tracks, as many of them as possible seen with the first."""
        chosen: list[int] = []
        waiting = [int(track) for track in rng.permutation(len(self._tracks))]
        while waiting and len(chosen) < count:
            first = waiting[0]
            company = [first, *(track for track in waiting[1:] if self._meets[first, track])]
            chosen += company[: count - len(chosen)]
            waiting = [track for track in waiting if track not in chosen]
        return np.concatenate([self._dealt(self._tracks[track], rng) for track in chosen])

    def _dealt(self, indices: NDArray[np.int64], rng: np.random.Generator) -> Batch:
        few = len(indices) < self.pictures
        return rng.choice(indices, self.pictures, replace=few).astype(np.int64)


def seen_at_once(spans: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell which tracks were seen at once: (T, T) bool, for (T, 3) clip, first and last frame."""
    clip, first, last = spans.reshape(-1, 3).T
    overlap = np.maximum(first[:, None], first) <= np.minimum(last[:, None], last)
    return np.asarray((clip[:, None] == clip) & (clip[:, None] >= 0) & overlap)


def surely_differ(seen: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell which pictures of different labels surely show two vehicles: (N, N) bool.

    All of told identities, and a track against one of these; two tracks only if they were seen at once.
    """
    told = seen[:, 0] < 0
    return np.asarray(told[:, None] | told | seen_at_once(seen))


@dataclass(frozen=True)
class _Stored:
    """Crops in memory, as JPEG."""

    content: list[bytes]

    def __call__(self, index: int, epoch: int, size: int) -> Crop:
        decoded = cv2.imdecode(np.frombuffer(self.content[index], np.uint8), cv2.IMREAD_COLOR)
        assert decoded is not None, "encoded by this very program"
        return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), np.uint8), None


_Box = tuple[float, float, float, float]


def _chosen(tracks: TrackSet, views: TrackViews) -> dict[int, list[tuple[int, _Box]]]:
    """Return frames and boxes of the tracks that can be used, evenly over each."""
    found: dict[int, list[tuple[int, _Box]]] = {}
    for frame in tracks.frames:
        for item in tracks.at(frame):
            x1, y1, x2, y2 = item.box
            if min(x2 - x1, y2 - y1) >= views.least_side:
                found.setdefault(item.track_id, []).append((frame, item.box))
    chosen = {}
    for track, boxes in sorted(found.items()):
        if len(boxes) >= views.least_boxes:
            places = np.unique(np.linspace(0, len(boxes) - 1, views.crops).round().astype(int))
            chosen[track] = [boxes[place] for place in places]
    return chosen


def _in_pixels(tracks: TrackSet, video: Path) -> TrackSet:
    """Return tracks whose boxes are in pixels of the video's first frame."""
    from pamtri_edge.video.sources import open_source

    if not tracks.relative:
        return tracks
    source: Source = open_source(str(video))
    try:
        high, wide = next(iter(source.frames())).picture.shape[:2]
    finally:
        source.close()
    return tracks.in_pixels(wide, high)


def _cut(
    video: Path, chosen: dict[int, list[tuple[int, _Box]]], progress: Progress | None
) -> dict[tuple[int, int], bytes]:
    """Read a video up to the last crop; return the crops as JPEG by place of their track and frame."""
    from pamtri_edge.video.sources import open_source

    wanted: dict[int, list[tuple[int, _Box]]] = {}
    for place, boxes in enumerate(chosen.values()):
        for frame, box in boxes:
            wanted.setdefault(frame, []).append((place, box))
    crops: dict[tuple[int, int], bytes] = {}
    source: Source = open_source(str(video))
    last = max(wanted, default=-1)
    try:
        if source.live:
            raise InputError(f"{source.label} is a stream, whose frames have no fixed numbers; give a file.")
        for shown in source.frames():
            for place, box in wanted.pop(shown.index, ()):
                crops[place, shown.index] = _encoded(shown.picture, box)
            if progress is not None:
                progress(shown.index + 1, last + 1)
            if shown.index >= last:
                break
    finally:
        source.close()
    if wanted:
        raise SourceError(
            f"{source.label} has no frame {min(wanted)} (counted from 0), in which the tracks have a "
            "vehicle; are these the tracks of this video?"
        )
    return crops


def _encoded(picture: NDArray[np.uint8], box: _Box) -> bytes:
    height, width = picture.shape[:2]
    limit = (width, height, width, height)
    x1, y1, x2, y2 = (int(min(max(round(side), 0), most)) for side, most in zip(box, limit, strict=True))
    x1, y1 = min(x1, width - 2), min(y1, height - 2)
    crop = picture[y1 : max(y2, y1 + 2), x1 : max(x2, x1 + 2)]
    done, content = cv2.imencode(
        ".jpg", cv2.cvtColor(crop, cv2.COLOR_RGB2BGR), (cv2.IMWRITE_JPEG_QUALITY, _QUALITY)
    )
    assert done
    return content.tobytes()


def _overlapping(data: DataSet) -> NDArray[np.bool_]:
    """Tell which tracks of a set were seen with another: (T,) bool."""
    spans = np.array(sorted({(sample.vehicle, *(sample.seen or ())) for sample in data.samples}), np.int64)
    meets = seen_at_once(spans[:, 1:])
    np.fill_diagonal(meets, False)
    return np.asarray(meets.any(axis=1))
