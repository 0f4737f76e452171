# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Who is where in each frame: tracks from a file, or a detector's boxes joined over time by norfair."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.errors import MissingDependencyError
from pamtri_edge.tracks import TrackBox, TrackSet
from pamtri_edge.video.detect import Detector
from pamtri_edge.video.fit import Fit
from pamtri_edge.video.frames import Frame

if TYPE_CHECKING:
    import norfair

_FAR: Final = 10.0  # beyond any threshold


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
            f"ended with frame {frames - 1 + first}: {boxes} boxes of {ids} tracks were not used. "
            "Do the two belong together?"
        )

    def doubts(self) -> Sequence[str]:
        """Say where boxes lie outside the picture, or move without it; see `Follower`."""
        return [f"{self._tracks.path}: {words}" for words in self._fit.doubts()]


@dataclass(frozen=True)
class TrackerSpec:
    """How detections become tracks. Times are in seconds, turned to frames by the source's rate.

    Attributes:
        confirm_s: a vehicle must be detected this long, nearly without a gap, to become a track.
        hold_s: a track lives on without detections for so long at most.
        least_s: a track that was seen for less than this is dropped.
        moved: a track is one once it has moved so many box sizes from where it was first detected; 0 for
            detectors that know a vehicle when they see one. Background subtraction also finds leaves in the
            wind, and the ghosts of vehicles that stood in its first frames: these never go anywhere.
        distance: how far a detection may be from where its track is expected; see `box_distance`.
        measurement_noise: R of norfair's Kalman filter.
        process_noise: Q of norfair's Kalman filter.
    """

    confirm_s: float = 0.16
    hold_s: float = 1.0
    least_s: float = 0.3
    moved: float = 0.0
    distance: float = 1.6
    measurement_noise: float = 4.0
    process_noise: float = 0.1


MOTION_TRACKS: Final = TrackerSpec(moved=0.5)
"""For background subtraction."""


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
        spec = spec or TrackerSpec()
        rate = rate or 25.0
        self._detector = detector
        self._norfair = _import_norfair()
        self._spec, self._rate = spec, rate
        self._tracker = self._new_tracker()
        self._earlier = 0  # ids given before the last restart
        self.least_frames = max(round(spec.least_s * rate), 1)
        self._moved = spec.moved
        self._origins: dict[int, NDArray[np.float64]] = {}  # of open tracks that have not moved yet
        self._open: set[int] = set()

    def update(self, frame: Frame) -> Sequence[TrackBox]:
        """Detect, join, and return the tracks that were detected in this very frame; see `Follower`."""
        detections = [
            self._norfair.Detection(np.array(found.box).reshape(2, 2), data=frame.index)
            for found in self._detector.detect(frame.picture)
        ]
        boxes = []
        for track in self._tracker.update(detections):
            found = track.last_detection
            track_id = self._earlier + (track.id or 0)
            if found.data == frame.index and self._is_moving(track_id, found.points.reshape(-1)):
                self._open.add(track_id)
                x1, y1, x2, y2 = found.points.reshape(-1).tolist()
                boxes.append(TrackBox(track_id, (x1, y1, x2, y2)))
        return sorted(boxes, key=lambda box: box.track_id)

    def ended(self, frame: Frame) -> Iterable[int]:
        """Return the tracks that norfair has given up; see `Follower`."""
        alive = {
            self._earlier + (track.id or 0)
            for track in self._tracker.tracked_objects
            if track.hit_counter_is_positive
        }
        over = sorted(self._open - alive)
        self._open &= alive
        self._origins = {track: box for track, box in self._origins.items() if track in alive}
        return over

    def restart(self) -> Iterable[int]:
        """End all tracks, and have the detector learn the scene anew; see `Follower`."""
        over = sorted(self._open)
        self._open.clear()
        self._origins.clear()
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
        spec, rate = self._spec, self._rate
        confirm = max(round(spec.confirm_s * rate), 1)
        return self._norfair.Tracker(
            distance_function=box_distance,
            distance_threshold=spec.distance,
            hit_counter_max=max(round(spec.hold_s * rate), confirm + 1),
            initialization_delay=confirm,
            past_detections_length=0,
            filter_factory=self._norfair.OptimizedKalmanFilterFactory(
                R=spec.measurement_noise, Q=spec.process_noise
            ),
        )

    def _is_moving(self, track_id: int, box: NDArray[np.float64]) -> bool:
        """Tell whether a track has left the place where it was first seen, now or before."""
        if self._moved <= 0 or track_id in self._open:
            return True
        origin = self._origins.setdefault(track_id, box)
        return _apart(box, origin) >= self._moved


def box_distance(detection: norfair.Detection, track: Any) -> float:
    """Return how far a detection is from where its track is expected: 0 to 3, or more if hopeless.

    That is 1 - IoU plus the distance of the centres in box sizes. IoU alone loses small, fast vehicles whose
    boxes hardly overlap from frame to frame; the centres alone confuse neighbours in a queue.
    """
    found, expected = detection.points.reshape(-1), track.estimate.reshape(-1)
    apart = _apart(found, expected)
    return 1.0 - _iou(found, expected) + apart if apart < 2.0 else _FAR


def _apart(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Return the distance of two boxes' centres in mean box sizes; infinite where a box is inside out."""
    size = _size(a) + _size(b)
    if not math.isfinite(size) or size <= 0:
        return math.inf
    return float(np.hypot(*((a[:2] + a[2:]) - (b[:2] + b[2:])))) / size


def _size(box: NDArray[np.float64]) -> float:
    """Return the side of the square of the same area; 0 where a prediction turned inside out."""
    wide, high = float(box[2] - box[0]), float(box[3] - box[1])
    return math.sqrt(wide * high) if wide > 0 and high > 0 else 0.0


def _iou(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    wide = min(a[2], b[2]) - max(a[0], b[0])
    high = min(a[3], b[3]) - max(a[1], b[1])
    if wide <= 0 or high <= 0:
        return 0.0
    common = float(wide * high)
    return common / (_size(a) ** 2 + _size(b) ** 2 - common)


def _import_norfair() -> Any:
    # At first use: it brings in scipy's statistics, 70 MB and a second that tracks from a file do not need.
    try:
        import norfair
    except ImportError as error:
        raise MissingDependencyError(
            f'tracking detections needs norfair ({error}): pip install "pamtri-edge[video]"'
        ) from error
    return norfair
