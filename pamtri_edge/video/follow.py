# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Who is where in each frame: what gives tracks, and tracks from a file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from pamtri_edge.tracks import TrackBox, TrackSet
from pamtri_edge.video.fit import Fit
from pamtri_edge.video.frames import Frame


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
