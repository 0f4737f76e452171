# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Folders of labels as Ultralytics' `track(save_txt=True)` writes them.

One file a frame, `NAME_12.txt` (frames from 1), a line a box: class, x and y of the center, width and height
in parts of the picture, confidence if `save_conf` was asked for, and the track id. Classes are the network's,
COCO's unless it was trained for others; a file classes.txt beside the labels, or above them, names them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from pamtri_edge.errors import SourceError
from pamtri_edge.printable import counted
from pamtri_edge.tracks.classes import listed_classes
from pamtri_edge.tracks.collect import collect
from pamtri_edge.tracks.lines import cells_of, data_lines, is_number
from pamtri_edge.tracks.rows import (
    NO_ID,
    BadRowError,
    Rows,
    number,
    told_first_frame,
    track_number,
    whole,
)
from pamtri_edge.tracks.sets import TrackSet

# street_12.txt of a video; frame-12.txt or img12.txt of pictures of these names
NAME: Final = re.compile(
    r"(?P<stream>[^.].*?)(?:[_-]|(?<=[^\d_-]))(?P<frame>\d{1,9})\.txt", re.ASCII | re.DOTALL
)
_CLASSES_FILE: Final = "classes.txt"

_OVER: Final = 0.5  # centers and sizes are parts of the picture, or a little more

_HINT: Final = "expected 6 or 7: class, x and y of the center, width, height[, confidence], id"


def looks_like_labels(lines: list[str]) -> bool:
    """Tell whether the first lines of a file are Ultralytics' labels."""
    cells = cells_of(lines[0]) if lines else []
    if len(cells) not in (5, 6, 7) or not all(is_number(cell) for cell in cells):
        return False
    return all(-_OVER <= float(cell) <= 1 + _OVER for cell in cells[1:5])


def read_labels(
    folder: Path,
    files: list[tuple[int, Path]],
    *,
    classes: Iterable[str] | None,
    first_frame: int | None,
) -> TrackSet:
    """Read the labels of one video in a folder; see `pamtri_edge.tracks.read_tracks`.

    Args:
        folder: the folder.
        files: number of the frame, and file, of each frame.
        classes: which classes are wanted.
        first_frame: number of the first frame.
    """
    rows = Rows(folder, first_frame=told_first_frame(folder, files[0][0], first_frame), relative=True)
    read = [(frame, path, line, cells_of(text)) for frame, path in files for line, text in data_lines(path)]
    # Six columns end with a confidence, of an object without a track, or with an id where none was saved.
    confident = any(len(cells) == 7 for *_, cells in read) or not all(
        re.fullmatch(r"\d+", cells[5]) for *_, cells in read if len(cells) == 6
    )
    for frame, path, line, cells in read:
        if not rows.files or rows.files[-1] is not path:
            rows.files.append(path)
        rows.read(_add, line, frame, cells, confident=confident)
    if not rows.ids and NO_ID in rows.skipped:
        raise SourceError(
            f"{folder} holds no tracks: {rows.skipped[NO_ID].rows} boxes without a track id, such as "
            f"{rows.skipped[NO_ID].first}. These are detections; Ultralytics' track command saves ids."
        )
    files_of_names = (folder / _CLASSES_FILE, folder.parent / _CLASSES_FILE)
    named = next((path for path in files_of_names if rows.labels and path.is_file()), None)
    return collect(rows, classes, None if named is None else listed_classes(named, first=0))


def _add(rows: Rows, line: int, frame: int, cells: list[str], *, confident: bool) -> None:
    if len(cells) > 7 and all(map(is_number, cells)):
        raise BadRowError(
            f"{len(cells)} columns: outlines of a -seg network; track with one that gives boxes"
        )
    if len(cells) not in (5, 6, 7):
        raise BadRowError(f"{counted(len(cells), 'column')}; {_HINT}")
    kind = whole(cells[0], "the class")
    x, y, w, h = (number(cell, f"column {k}") for k, cell in enumerate(cells[1:5], 2))
    score = number(cells[5], "the confidence") if confident and len(cells) > 5 else math.nan
    if len(cells) == 5 or (confident and len(cells) == 6):
        rows.skip(NO_ID, line, "the line has no track id")
        return
    box = (x - w / 2, y - h / 2, x + w / 2, y + h / 2)
    rows.add(line, frame, track_number(cells[-1]), box, score=score, kind=kind if 0 <= kind < 2**31 else None)
