# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""KITTI's labels with track ids: a folder as DeepStream writes it, or one file of the tracking benchmark.

DeepStream (`kitti-track-output-dir` of deepstream-app, `kitti_dump_probe` of its service maker) writes one
file a frame, `00_000_000123.txt` or `000_000123.txt` (frames from 0), a line a box: label, id, three zeros,
left, top, right, bottom, seven zeros, and in newer versions confidence, visibility and foot point. The
benchmark's label_02/0000.txt has all frames in one file: frame (from 0), id, label, truncated, occluded,
alpha, left, top, right, bottom, seven numbers and, in results, a score.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from pamtri_edge.printable import counted
from pamtri_edge.tracks.collect import collect
from pamtri_edge.tracks.lines import cells_of, data_lines, is_number
from pamtri_edge.tracks.rows import BadRowError, Rows, brief, frame_number, number, track_number
from pamtri_edge.tracks.sets import TrackSet

# DeepStream names a file by application and stream (deepstream-app) or by stream alone (service maker).
NAME: Final = re.compile(r"(?P<stream>(?:\d+_)*)(?P<frame>\d{1,18})\.txt", re.ASCII)

_AFTER_LABEL: Final = (15, 16, 17, 18, 19)
_HINT: Final = (
    "expected 16 (or 17 to 20): label, id, truncated, occluded, alpha, left, top, right, bottom, 7 more"
    "[, confidence, visibility, foot x, foot y]"
)
_DETECTION: Final = 14  # columns behind the label, of KITTI's labels of pictures
_DETECTIONS: Final = (
    "detections (KITTI's labels of pictures, gie-kitti-output-dir); use the labels of a tracker "
    "(DeepStream's kitti-track-output-dir), or --detector"
)
_BENCHMARK: Final = (17, 18)


def read_deepstream(
    folder: Path,
    files: list[tuple[int, Path]],
    *,
    classes: Iterable[str] | None,
    first_frame: int | None,
) -> TrackSet:
    """Read one stream of a folder of DeepStream's; see `pamtri_edge.tracks.read_tracks`.

    Args:
        folder: the folder.
        files: number of the frame, and file, of each frame.
        classes: which classes are wanted.
        first_frame: number of the first frame.
    """
    rows = Rows(folder, first_frame=0 if first_frame is None else first_frame)
    for frame, path in files:
        rows.files.append(path)
        for line, text in data_lines(path):
            rows.read(_add, line, frame, text.split())
    return collect(rows, classes)


def is_benchmark(lines: list[str]) -> bool:
    """Tell whether the first lines of a file are of KITTI's tracking benchmark."""
    cells = cells_of(lines[0]) if lines else []
    return len(cells) in _BENCHMARK and not is_number(cells[2]) and all(map(is_number, cells[:2]))


def is_frame(lines: list[str]) -> bool:
    """Tell whether the first lines of a file are those of a single frame, with a label first."""
    cells = cells_of(lines[0]) if lines else []
    return len(cells) - 1 in _AFTER_LABEL and not is_number(cells[0]) and all(map(is_number, cells[2:]))


def read_benchmark(path: Path, *, classes: Iterable[str] | None, first_frame: int | None) -> TrackSet:
    """Read a file of the tracking benchmark; see `pamtri_edge.tracks.read_tracks`."""
    rows = Rows(path, first_frame=0 if first_frame is None else first_frame, files=[path])
    for line, text in data_lines(path):
        rows.read(_add_of_benchmark, line, cells_of(text))
    return collect(rows, classes)


def _add_of_benchmark(rows: Rows, line: int, cells: list[str]) -> None:
    if len(cells) not in _BENCHMARK:
        raise BadRowError(
            f"{counted(len(cells), 'column')}; expected 17 or 18: frame, id, label, 14 or 15 more"
        )
    score = number(cells[17], "the score") if len(cells) > 17 else math.nan
    _add_box(rows, line, frame_number(cells[0]), cells[1], cells[2], cells[6:10], score)


def _add(rows: Rows, line: int, frame: int, cells: list[str]) -> None:
    # A label may have blanks of its own ("traffic light"), so columns are counted behind it.
    label = next((k for k, cell in enumerate(cells) if k and is_number(cell)), len(cells))
    rest = cells[label:]
    if len(rest) == _DETECTION:
        raise BadRowError(f"no track id stands behind the label {brief(cells[0])}; these are {_DETECTIONS}")
    if len(rest) not in _AFTER_LABEL:
        raise BadRowError(f"{counted(len(cells), 'column')}; {_HINT}")
    if not re.fullmatch(r"[+-]?\d+", rest[0], re.ASCII):
        raise BadRowError(
            f"{brief(rest[0])} stands where the track id is expected. These look like {_DETECTIONS}"
        )
    score = number(rest[15], "the confidence") if len(rest) > 15 else math.nan
    _add_box(rows, line, frame, rest[0], " ".join(cells[:label]), rest[4:8], score)


def _add_box(
    rows: Rows, line: int, frame: int, track: str, label: str, sides: list[str], score: float
) -> None:
    x1, y1, x2, y2 = (
        number(cell, name) for cell, name in zip(sides, ("left", "top", "right", "bottom"), strict=True)
    )
    rows.add(line, frame, track_number(track), (x1, y1, x2, y2), score=score, kind=label)
