# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Who is where in each frame: tracks from a file, or a detector's boxes joined over time by norfair."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.errors import MissingDependencyError
from pamtri_edge.printable import counted
from pamtri_edge.tracks import TrackBox, TrackSet
from pamtri_edge.video.clock import USUAL_RATE
from pamtri_edge.video.detect.detection import Detection, Detector
from pamtri_edge.video.fit import Fit
from pamtri_edge.video.frames import Frame

_log = logging.getLogger(__name__)

_FAR: Final = 10.0  # beyond any threshold
_HOPELESS: Final = 2.0  # centers so many box sizes apart belong to two vehicles
_DOUBT: Final = 0.5  # that a vehicle stopped, for each box size that it should have moved
_MOST: Final = 1000  # vehicles in a frame: their distances to the tracks take megabytes, not gigabytes
_ROUNDING_S: Final = 1e-6


class Follower(Protocol):
    """Gives the boxes of the tracks in each frame.

    Attributes:
        least_frames: a track that was seen in fewer frames is no track.
    """

    least_frames: int

    def update(self, frame: Frame) -> Sequence[TrackBox]:
        """Return the tracks in the next frame; frames come in order."""

    def ended(self, frame: Frame) -> Iterable[int]:
        """Return the ids of tracks that will not be seen after this frame, each once."""

    def restart(self) -> Iterable[int]:
        """Begin anew, since the next frame does (`Frame.cut`); return the tracks that this ends."""

    def left_over(self, frames: int) -> str | None:
        """Say which tracks lie past the end of a video of so many frames; None if none do."""

    def doubts(self) -> Sequence[str]:
        """Say in what the tracks do not seem to be of this video, as far as it was seen."""


class FileFollower:
    """Tracks from a file.

    Args:
        tracks: the tracks.
    """

    least_frames = 1

    def __init__(self, tracks: TrackSet) -> None:
        self._given = self._tracks = tracks
        self._size: tuple[int, ...] = (0, 0)
        self._open: set[int] = set()
        self._fit = Fit()

    def update(self, frame: Frame) -> Sequence[TrackBox]:
        """Return the tracks in the frame; see `Follower`."""
        if (size := frame.picture.shape[1::-1]) != self._size:
            self._size = size
            self._tracks = self._given.in_pixels(*size)
        boxes = self._tracks.at(frame.index)
        self._fit.observe(frame, boxes)
        self._open.update(box.track_id for box in boxes)
        return boxes

    def ended(self, frame: Frame) -> Iterable[int]:
        """Return the tracks whose last frame this was; see `Follower`."""
        over = sorted(i for i in self._open if self._tracks.last_frame(i) <= frame.index)
        self._open.difference_update(over)
        return over

    def restart(self) -> Iterable[int]:
        """End nothing: the file says which boxes belong together, whatever the clock does."""
        return ()

    def left_over(self, frames: int) -> str | None:
        """Say which tracks lie past the end; see `Follower`."""
        boxes, ids = self._tracks.past(frames)
        if not boxes:
            return None
        first = self._tracks.first_frame
        return (
            f"{self._tracks.path} has boxes up to frame {self._tracks.last_index + first}, but the video "
            f"ended with frame {frames - 1 + first}: {counted(boxes, 'box', 'boxes')} of "
            f"{counted(ids, 'track')} {'was' if boxes == 1 else 'were'} not used. Do the two belong together?"
        )

    def doubts(self) -> Sequence[str]:
        """Say where boxes lie outside the picture, or move without it; see `Follower`."""
        return [f"{self._tracks.path}: {words}" for words in self._fit.doubts()]


@dataclass(frozen=True)
class TrackerSpec:
    """How detections become tracks. Times are in seconds.

    Attributes:
        confirm_s: a vehicle must be detected this long, nearly without a gap, to become a track.
        hold_s: a track that is missed for less than this goes on; one missed for longer has ended.
        least_s: a track that was seen for less than this is dropped.
        moved: a track is one once it has moved so many box sizes from where it was first detected; 0 for
            detectors that know a vehicle when they see one. Background subtraction also finds leaves in the
            wind, and the ghosts of vehicles that stood in its first frames: these never go anywhere.
        distance: how far a detection may be from where its track is expected; see `box_distances`.
        measurement_noise: R of norfair's Kalman filter.
        process_noise: Q of norfair's Kalman filter.
        speed_variance: of a new track, in (pixels a frame) squared: what its first frames show of its
            speed is believed, so that it is found again after a gap.
    """

    confirm_s: float = 0.16
    hold_s: float = 1.0
    least_s: float = 0.3
    moved: float = 0.0
    distance: float = 1.6
    measurement_noise: float = 4.0
    process_noise: float = 0.1
    speed_variance: float = 100.0


MOTION_TRACKS: Final = TrackerSpec(moved=0.5, speed_variance=1.0)
"""For background subtraction, whose regions join and part: their first frames tell little about a speed."""


class DetectionFollower:
    """A detector's boxes, joined over time by norfair. Ids count from 1.

    Args:
        detector: finds the vehicles in each picture.
        rate: frames a second of the source; None is taken as 25.
        spec: how detections become tracks.

    Raises:
        MissingDependencyError: norfair is not installed.
    """

    def __init__(
        self, detector: Detector, *, rate: float | None = None, spec: TrackerSpec | None = None
    ) -> None:
        self._spec = spec = spec or TrackerSpec()
        rate = rate or USUAL_RATE
        self._frame_s = 1.0 / rate
        self._confirm = max(round(spec.confirm_s * rate), 1)
        self._life = max(round(spec.hold_s * rate), self._confirm) + 1
        self.least_frames = max(round(spec.least_s * rate), 1)
        self._detector = detector
        self._norfair = _import_norfair()
        self._tracker = self._new_tracker()
        self._earlier = 0  # ids given before the last restart
        self._origins: dict[int, NDArray[np.float64]] = {}  # of tracks that have not moved yet
        self._open: set[int] = set()
        self._last_s: dict[int, float] = {}  # when each living track was detected last

    def update(self, frame: Frame) -> Sequence[TrackBox]:
        """Detect, join, and return the tracks that were detected in this very frame; see `Follower`."""
        self._give_up(frame.time_s - self._frame_s)
        detections = [
            self._norfair.Detection(np.array(found.box).reshape(2, 2), data=frame.index)
            for found in _surest(self._detector.detect(frame.picture))
        ]
        boxes = []
        for track in self._tracker.update(detections):
            found = track.last_detection
            if found.data != frame.index:
                continue
            track_id = self._id(track)
            self._last_s[track_id] = frame.time_s
            if self._is_moving(track_id, found.points.reshape(-1)):
                self._open.add(track_id)
                x1, y1, x2, y2 = found.points.reshape(-1).tolist()
                boxes.append(TrackBox(track_id, (x1, y1, x2, y2)))
        return sorted(boxes, key=lambda box: box.track_id)

    def ended(self, frame: Frame) -> Iterable[int]:
        """Return the tracks that have been missed for too long; see `Follower`."""
        self._give_up(frame.time_s)
        over = sorted(self._open - self._last_s.keys())
        self._open -= set(over)
        return over

    def restart(self) -> Iterable[int]:
        """End all tracks, and have the detector learn the scene anew; see `Follower`."""
        over = sorted(self._open)
        self._open.clear()
        self._origins.clear()
        self._last_s.clear()
        self._earlier += self._tracker.total_object_count
        self._tracker = self._new_tracker()
        self._detector.restart()
        return over

    def left_over(self, frames: int) -> str | None:
        """Say nothing: detections end with the video."""
        return None

    def doubts(self) -> Sequence[str]:
        """Say nothing: detections are the video's own."""
        return ()

    def _new_tracker(self) -> Any:
        spec = self._spec
        tracker = self._norfair.Tracker(
            distance_function="iou",  # a name: a function would be called pair by pair
            distance_threshold=spec.distance,
            hit_counter_max=self._life,
            initialization_delay=self._confirm,
            past_detections_length=0,
            filter_factory=self._norfair.OptimizedKalmanFilterFactory(
                R=spec.measurement_noise, Q=spec.process_noise, vel_variance=spec.speed_variance
            ),
        )
        tracker.distance_function = _Distances()
        return tracker

    def _id(self, track: Any) -> int:
        return self._earlier + int(track.id)

    def _give_up(self, now_s: float) -> None:
        """Have norfair drop the tracks missed for too long, and no other.

        norfair counts down from the number of detections that a track has had, so that one seen eight times
        would be lost after eight frames without; here the time since the last detection decides.
        """
        for track in self._tracker.tracked_objects:
            if track.is_initializing or self._id(track) not in self._last_s:
                continue
            if now_s - self._last_s[self._id(track)] >= self._spec.hold_s - _ROUNDING_S:
                track.hit_counter = -1
                del self._last_s[self._id(track)]
                self._origins.pop(self._id(track), None)
            else:
                track.hit_counter = self._life

    def _is_moving(self, track_id: int, box: NDArray[np.float64]) -> bool:
        """Tell whether a track has left the place where it was first seen, now or before."""
        if self._spec.moved <= 0 or track_id in self._open:
            return True
        origin = self._origins.setdefault(track_id, box)
        return float(_apart(box[None], origin[None])[0, 0]) >= self._spec.moved


class _Distances:
    """The distances that norfair asks for, of all pairs at once."""

    def get_distances(self, objects: Sequence[Any], candidates: Sequence[Any]) -> NDArray[np.float64]:
        """Return the distances (N, M) of N detections from M tracks.

        A vehicle is where its speed would have brought it, or, with some doubt, where it was seen last: in a
        gap it may have stopped.
        """
        if not objects or not candidates:
            return np.full((len(candidates), len(objects)), np.inf)
        found = np.stack([detection.points.reshape(-1) for detection in candidates])
        seen = np.stack([track.last_detection.points.reshape(-1) for track in objects])
        ahead = np.stack([_expected(track) for track in objects])
        doubt = _DOUBT * np.array(
            [min(_apart(a[None], s[None])[0, 0], _FAR) for a, s in zip(ahead, seen, strict=True)]
        )
        return np.minimum(box_distances(found, ahead), box_distances(found, seen) + doubt)


def _expected(track: Any) -> NDArray[np.float64]:
    """Return where a track's box should be: its predicted center, and half of its predicted growth.

    Each corner is predicted on its own: by the noise of its first frames alone a box would grow or turn
    inside out within a second without detections.
    """
    predicted, seen = track.estimate, track.last_detection.points
    moved = predicted - seen
    return np.asarray((seen + (moved + moved.mean(axis=0)) / 2).reshape(-1))


def box_distances(found: NDArray[np.float64], expected: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far detections are from where tracks are expected: 0 to 3, or more if hopeless.

    That is 1 - IoU plus the distance of the centers in box sizes. IoU alone loses small, fast vehicles whose
    boxes hardly overlap from frame to frame; the centers alone confuse neighbors in a queue.

    Args:
        found: (N, 4) x1, y1, x2, y2, or (N, 2, 2).
        expected: (M, 4), or (M, 2, 2).

    Returns:
        (N, M).
    """
    found, expected = found.reshape(-1, 4), expected.reshape(-1, 4)
    apart = _apart(found, expected)
    return np.where(apart < _HOPELESS, 1.0 - _iou(found, expected) + apart, _FAR)


def _surest(found: list[Detection]) -> list[Detection]:
    if len(found) <= _MOST:
        return found
    _log.warning("%d vehicles in one frame: the %d surest are followed.", len(found), _MOST)
    return sorted(found, key=lambda detection: -detection.score)[:_MOST]


def _apart(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distances of boxes' centers in mean box sizes; infinite where a box is inside out."""
    centers_a, centers_b = a[:, :2] + a[:, 2:], b[:, :2] + b[:, 2:]
    size = _sizes(a)[:, None] + _sizes(b)[None]
    gap = np.hypot(
        centers_a[:, None, 0] - centers_b[None, :, 0], centers_a[:, None, 1] - centers_b[None, :, 1]
    )
    good = np.isfinite(size) & (size > 0)
    return np.where(good, gap / np.where(good, size, 1.0), np.inf)


def _sizes(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sides of the squares of the same area; 0 where a prediction turned inside out."""
    sides = np.maximum(boxes[:, 2:] - boxes[:, :2], 0.0)
    return np.asarray(np.sqrt(sides[:, 0] * sides[:, 1]))


def _iou(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    wide = np.minimum(a[:, None, 2], b[None, :, 2]) - np.maximum(a[:, None, 0], b[None, :, 0])
    high = np.minimum(a[:, None, 3], b[None, :, 3]) - np.maximum(a[:, None, 1], b[None, :, 1])
    common = np.maximum(wide, 0.0) * np.maximum(high, 0.0)
    areas = _sizes(a)[:, None] ** 2 + _sizes(b)[None] ** 2
    return np.asarray(common / np.maximum(areas - common, 1e-9))


def _import_norfair() -> Any:
    # At first use: it brings in scipy, which tracks from a file do not need.
    install = 'pip install "pamtri-edge[video]"'
    try:
        import norfair
    except ImportError as error:
        raise MissingDependencyError(f"tracking detections needs norfair ({error}): {install}") from error
    if not hasattr(norfair.distances, "VectorizedDistance"):  # norfair before 2.2 calls us pair by pair
        raise MissingDependencyError(
            f"tracking detections needs the norfair of norfair-enough, but norfair {norfair.__version__} is "
            f"installed: pip uninstall norfair, then {install} --force-reinstall"
        )
    return norfair
