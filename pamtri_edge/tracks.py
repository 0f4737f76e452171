# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Tracks from a file: which vehicle is where in which frame.

Two forms are read. *MOTChallenge*: one text file, a line a box: frame (from 1), id, x, y, width, height and,
optionally, confidence, class, visibility and more; comma or blank between them. *KITTI as DeepStream writes
it* (`kitti-track-output-dir` of deepstream-app, `kitti_dump_probe` of its service maker): a folder with one
file a frame, `00_000_000123.txt` or `000_000123.txt` (frames from 0), a line a box: label, id, three zeros,
left, top, right, bottom, seven zeros, and in newer versions confidence, visibility and foot point.
"""

from __future__ import annotations

import logging
import re
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.errors import SourceError

_log = logging.getLogger(__name__)

_UNTRACKED: Final = 2**64 - 1  # UNTRACKED_OBJECT_ID of DeepStream's nvdsmeta.h

_MOT_COLUMNS: Final = range(6, 11)
_MOT_HINT: Final = "expected 6 to 10: frame, id, x, y, width, height[, confidence, class, visibility, ...]"

# DeepStream names a file by application and stream (deepstream-app) or by stream alone (service maker).
_KITTI_NAME: Final = re.compile(r"^(?P<stream>(?:\d+_)*)(?P<frame>\d+)\.txt$")

_KITTI_AFTER_LABEL: Final = (15, 16, 17, 18, 19)
_KITTI_HINT: Final = (
    "expected 16 (or 17 to 20): label, id, truncated, occluded, alpha, left, top, right, bottom, 7 more"
    "[, confidence, visibility, foot x, foot y]"
)


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
        boxes: (N, 4) float64 x1, y1, x2, y2 in frame pixels.
        first_frame: number that the file gives to the first frame: 1 for MOTChallenge, 0 for KITTI.
    """

    def __init__(
        self,
        path: Path,
        frames: NDArray[np.int64],
        ids: NDArray[np.uint64],
        boxes: NDArray[np.float64],
        *,
        first_frame: int,
    ) -> None:
        order = np.argsort(frames, kind="stable")
        self.path = path
        self.first_frame = first_frame
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
    def last_index(self) -> int:
        """Index of the last frame that has a box, from 0."""
        return int(self._frames[-1])

    def at(self, index: int) -> tuple[TrackBox, ...]:
        """Return the boxes of one frame (index from 0), in the order of the file."""
        low, high = np.searchsorted(self._frames, (index, index + 1))
        return tuple(
            TrackBox(int(self._ids[k]), (float(b[0]), float(b[1]), float(b[2]), float(b[3])))
            for k in range(low, high)
            for b in (self._boxes[k],)
        )

    def last_frame(self, track_id: int) -> int:
        """Return the index of the last frame of a track, from 0."""
        return self._last[track_id]

    def past(self, frames: int) -> tuple[int, int]:
        """Return how many boxes, and of how many tracks, lie past a video of so many frames."""
        start = int(np.searchsorted(self._frames, frames))
        return len(self._frames) - start, len(np.unique(self._ids[start:]))


def read_tracks(path: str | Path, *, stream: str | None = None) -> TrackSet:
    """Read a track file (MOTChallenge) or a folder of them (KITTI as DeepStream writes it).

    Args:
        path: the file or folder.
        stream: for a folder with several streams, the beginning of the file names, such as "00_001".

    Raises:
        SourceError: the path does not exist, holds no tracks, or a line is not of the form; the message
            names file and line, what was found and what is accepted.
    """
    path = Path(path)
    if path.is_dir():
        return _read_kitti(path, stream)
    if path.is_file():
        if stream is not None:
            raise SourceError(f"{path} is one file of tracks; choosing a stream is for folders (KITTI).")
        return _read_mot(path)
    raise SourceError(
        f"there is no track file or folder {path}; expected a MOTChallenge file (frame,id,x,y,w,h,...) or "
        "a folder as DeepStream's kitti-track-output-dir writes it."
    )


@dataclass(frozen=True)
class _Row:
    line: int
    frame: int
    track_id: int
    box: tuple[float, float, float, float]


def _read_mot(path: Path) -> TrackSet:
    return _collect(path, _mot_rows(path), lambda frame: path, first_frame=1)


def _mot_rows(path: Path) -> Iterator[_Row]:
    width = 0
    for number, line in _lines(path):
        where = f"{path}:{number}"
        cells = line.replace(",", " ").split()
        width = width or len(cells)
        if len(cells) not in _MOT_COLUMNS:
            raise SourceError(f"{where}: {len(cells)} columns; {_MOT_HINT}.")
        if len(cells) != width:
            raise SourceError(f"{where}: {len(cells)} columns, but the lines before have {width}.")
        values = _numbers(cells, where)
        frame, track = _whole(values[0], cells[0], "frame", where), _track_id(cells[1], where)
        if frame < 1:
            raise SourceError(f"{where}: frame {frame}; MOTChallenge counts frames from 1.")
        x, y, w, h = values[2:6]
        if w <= 0 or h <= 0:
            raise SourceError(f"{where}: the box is {w:g} wide and {h:g} high; both must be above 0.")
        yield _Row(number, frame - 1, track, (x, y, x + w, y + h))


def _read_kitti(folder: Path, stream: str | None) -> TrackSet:
    streams: dict[str, list[tuple[int, Path]]] = {}
    for path in folder.iterdir():
        if match := _KITTI_NAME.match(path.name):
            name = match["stream"].rstrip("_")
            streams.setdefault(name, []).append((int(match["frame"]), path))
    if not streams:
        raise SourceError(
            f"the folder {folder} holds no track files; expected one a frame, such as 00_000_000123.txt "
            "(DeepStream's kitti-track-output-dir). A single MOTChallenge file is given as a file."
        )
    if stream is None and len(streams) == 1:
        (stream,) = streams
    if stream is None or stream not in streams:
        raise SourceError(
            f"the folder {folder} holds {len(streams)} stream{'s' * (len(streams) != 1)} "
            f"({', '.join(sorted(streams))}); "
            + ("choose one with --stream." if stream is None else f"{stream!r} is none of them.")
        )
    files = sorted(streams[stream])
    return _collect(folder, _kitti_rows(files), dict(files).__getitem__, first_frame=0)


def _kitti_rows(files: list[tuple[int, Path]]) -> Iterator[_Row]:
    untracked = 0
    for frame, path in files:
        for number, line in _lines(path):
            where = f"{path}:{number}"
            cells = line.split()
            # A label may have blanks of its own ("traffic light"), so columns are counted behind it.
            label = next((k for k, cell in enumerate(cells) if k and _is_number(cell)), len(cells))
            rest = cells[label:]
            if len(rest) not in _KITTI_AFTER_LABEL:
                raise SourceError(f"{where}: {len(cells)} columns; {_KITTI_HINT}.")
            if not rest[0].lstrip("+-").isdigit():
                raise SourceError(
                    f"{where}: {rest[0]!r} stands where the track id is expected. These look like "
                    "detections (gie-kitti-output-dir); use DeepStream's kitti-track-output-dir."
                )
            values = _numbers(rest, where)
            x1, y1, x2, y2 = values[4:8]
            if int(rest[0]) == _UNTRACKED:
                untracked += 1
                continue
            if x2 <= x1 or y2 <= y1:
                raise SourceError(
                    f"{where}: the box ({x1:g}, {y1:g}, {x2:g}, {y2:g}) is empty or inverted; expected left, "
                    "top, right, bottom."
                )
            yield _Row(number, frame, _track_id(rest[0], where), (x1, y1, x2, y2))
    if untracked:
        _log.warning("%d boxes without a track id were left out (the tracker had none for them)", untracked)


def _collect(
    path: Path, rows: Iterator[_Row], file_of: Callable[[int], Path], *, first_frame: int
) -> TrackSet:
    # Typed arrays, not lists: an hour of a busy street is some two million boxes.
    frames, ids, boxes, lines = array("q"), array("Q"), array("d"), array("q")
    for row in rows:
        frames.append(row.frame)
        ids.append(row.track_id)
        boxes.extend(row.box)
        lines.append(row.line)
    if not frames:
        raise SourceError(f"{path} holds no tracks: not one box was found in it.")
    frame_array, id_array = np.array(frames, np.int64), np.array(ids, np.uint64)
    order = np.lexsort((id_array, frame_array))
    same = (np.diff(frame_array[order]) == 0) & (id_array[order][1:] == id_array[order][:-1])
    if same.any():
        first, second = sorted(int(order[k]) for k in np.flatnonzero(same)[0] + np.arange(2))
        raise SourceError(
            f"{file_of(frames[first])}:{lines[second]}: track {ids[first]} already has a box in frame "
            f"{frames[first] + first_frame} (line {lines[first]}); a track has one box a frame."
        )
    return TrackSet(
        path, frame_array, id_array, np.array(boxes, np.float64).reshape(-1, 4), first_frame=first_frame
    )


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, 1):
                text = line.strip()
                if text and not text.startswith("#"):
                    yield number, text
    except UnicodeDecodeError as error:
        raise SourceError(f"{path} is not a text file ({error.reason} at byte {error.start}).") from None
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}.") from error


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _numbers(cells: list[str], where: str) -> list[float]:
    values = []
    for column, cell in enumerate(cells, 1):
        if not _is_number(cell):
            raise SourceError(f"{where}: column {column} is {cell!r}; expected a number.")
        value = float(cell)
        if not np.isfinite(value):
            raise SourceError(f"{where}: column {column} is {cell}; expected a finite number.")
        values.append(value)
    return values


def _whole(value: float, cell: str, what: str, where: str) -> int:
    if value != int(value):
        raise SourceError(f"{where}: {what} is {cell}; expected a whole number.")
    return int(value)


def _track_id(cell: str, where: str) -> int:
    # DeepStream's ids fill 64 bits, which a float would round.
    track = int(cell) if cell.lstrip("+-").isdigit() else _whole(float(cell), cell, "track id", where)
    if track < 0:
        raise SourceError(
            f"{where}: track id {track}; expected 0 or more. Files with -1 hold detections, not tracks: "
            "run a tracker first, or use --detector."
        )
    if track > _UNTRACKED:
        raise SourceError(f"{where}: track id {track} does not fit 64 bits.")
    return track
