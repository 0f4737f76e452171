# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Tracks in memory: which vehicle is where in which frame."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.files.atomic import write_atomically

_PIXELS: Final = "frame,id,x1,y1,x2,y2"
_PARTS: Final = "frame,id,x1_part,y1_part,x2_part,y2_part"


@dataclass(frozen=True)
class TrackBox:
    """One vehicle in one frame.

    Attributes:
        track_id: number of the track, 0 or more.
        box: x1, y1, x2, y2 in frame pixels; may reach past the frame.
    """

    track_id: int
    box: tuple[float, float, float, float]


class TrackSet:
    """All boxes of one video, in order of frames.

    Args:
        path: where they came from, for messages.
        frames: (N,) int64 index of the frame of each box, from 0.
        ids: (N,) uint64 track ids.
        boxes: (N, 4) float64 x1, y1, x2, y2 in frame pixels, or in parts of the frame (0 to 1).
        first_frame: number that the file gives to the first frame.
        relative: the boxes are in parts of the frame; see `in_pixels`.
    """

    def __init__(
        self,
        path: Path,
        frames: NDArray[np.int64],
        ids: NDArray[np.uint64],
        boxes: NDArray[np.float64],
        *,
        first_frame: int,
        relative: bool = False,
    ) -> None:
        order = np.argsort(frames, kind="stable")
        self.path = path
        self.first_frame = first_frame
        self.relative = relative
        self._frames = frames[order]
        self._ids = ids[order]
        self._boxes = boxes[order]
        unique, last = np.unique(self._ids[::-1], return_index=True)
        self._last = {int(i): int(self._frames[::-1][k]) for i, k in zip(unique, last, strict=True)}

    def __len__(self) -> int:
        """Return the number of boxes."""
        return len(self._frames)

    @property
    def ids(self) -> tuple[int, ...]:
        """All track ids, ascending."""
        return tuple(self._last)

    @property
    def frames(self) -> tuple[int, ...]:
        """Index of each frame that has a box, from 0, ascending."""
        return tuple(np.unique(self._frames).tolist())

    @property
    def last_index(self) -> int:
        """Index of the last frame that has a box, from 0."""
        return int(self._frames[-1])

    def at(self, index: int) -> tuple[TrackBox, ...]:
        """Return the boxes of one frame (index from 0), in the order of the file."""
        rows = slice(*np.searchsorted(self._frames, (index, index + 1)))
        found = zip(self._ids[rows].tolist(), self._boxes[rows].tolist(), strict=True)
        return tuple(TrackBox(track, (x1, y1, x2, y2)) for track, (x1, y1, x2, y2) in found)

    def last_frame(self, track_id: int) -> int:
        """Return the index of the last frame of a track, from 0."""
        return self._last[track_id]

    def past(self, frames: int) -> tuple[int, int]:
        """Return how many boxes, and of how many tracks, lie past a video of so many frames."""
        start = int(np.searchsorted(self._frames, frames))
        return len(self._frames) - start, len(np.unique(self._ids[start:]))

    def in_pixels(self, width: int, height: int) -> TrackSet:
        """Return the same tracks with boxes in pixels of a frame of this size."""
        if not self.relative:
            return self
        size = np.array([width, height, width, height], np.float64)
        return TrackSet(self.path, self._frames, self._ids, self._boxes * size, first_frame=self.first_frame)


def write_table(tracks: TrackSet, path: Path) -> None:
    """Write tracks as one plain table, whatever their file looked like: what GStreamer's pamtritracks reads.

    CSV, a row a box, frames counted from 0, whole or not at all. Columns are `frame`, `id` (up to 64 bits),
    `x1`, `y1`, `x2`, `y2` in pixels with every decimal; or `x1_part` to `y2_part` where the boxes are in
    parts of the frame.

    Raises:
        OSError: it cannot be written.
    """
    rows = [
        ",".join(map(repr, (frame, box.track_id, *box.box)))
        for frame in tracks.frames
        for box in tracks.at(frame)
    ]
    header = _PARTS if tracks.relative else _PIXELS
    write_atomically(path, "\n".join([header, *rows, ""]).encode())
