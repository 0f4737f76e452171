# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The MOT family: one text file, a line a box: frame, id, x, y, width, height and more.

Behind these may stand confidence, class and visibility (MOTChallenge's ground truth, CVAT's "MOT 1.1", with
its classes in labels.txt beside gt.txt), confidence and three times -1 (results of trackers, and the form
that DeepStream's nvreplay reads), or score, category, truncation and occlusion (VisDrone).
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from pamtri_edge.tracks.classes import ClassList, named_classes, numbered_classes
from pamtri_edge.tracks.collect import collect
from pamtri_edge.tracks.lines import cells_of, data_lines, is_number
from pamtri_edge.tracks.rows import UNREADABLE, BadRowError, Rows, frame_number, number, track_number
from pamtri_edge.tracks.sets import TrackSet

_log = logging.getLogger(__name__)

LABELS_FILE: Final = "labels.txt"
GROUND_TRUTH: Final = "gt.txt"

_COLUMNS: Final = range(6, 13)
_HINT: Final = "expected 6 to 12: frame, id, x, y, width, height[, confidence, class, visibility, ...]"


def read_mot(path: Path, *, classes: Iterable[str] | None, first_frame: int | None) -> TrackSet:
    """Read a file of the MOT family; see `pamtri_edge.tracks.read_tracks`."""
    rows = Rows(path, first_frame=1, files=[path])
    for place, (line, text) in enumerate(data_lines(path)):
        cells = cells_of(text)
        if not place and not is_number(cells[0] if cells else ""):
            continue  # names of the columns
        try:
            _add(rows, line, cells)
        except BadRowError as error:
            rows.skip(UNREADABLE, line, str(error))
    rows.first_frame = _first_frame(rows, first_frame)
    return collect(rows, _class_list(rows, path), classes, flagged=True, corners=True)


def _add(rows: Rows, line: int, cells: list[str]) -> None:
    if len(cells) not in _COLUMNS:
        raise BadRowError(f"{len(cells)} column{'s' * (len(cells) != 1)}; {_HINT}")
    frame, track = frame_number(cells[0]), track_number(cells[1])
    x, y, w, h = (number(cell, f"column {k}") for k, cell in enumerate(cells[2:6], 3))
    rest = [number(cell, f"column {k}") if cell else math.nan for k, cell in enumerate(cells[6:10], 7)]
    score, kind, *tail = [*rest, *(math.nan,) * (4 - len(rest))]
    box = (x, y, x + w, y + h) if w > 0 and h > 0 else (x, y, x, y)
    rows.add(line, frame, track, box, score=score, kind=_class(kind), tail=(tail[0], tail[1]))


def _class(value: float) -> int | None:
    """Return the number of a class; None for what stands for none."""
    return int(value) if 0 <= value < 2**31 and value == int(value) else None


def _first_frame(rows: Rows, asked: int | None) -> int:
    if asked is not None:
        return asked
    if rows.frames and min(rows.frames) == 0:
        _log.warning("%s counts frames from 0, as it has a frame 0; --first-frame says otherwise", rows.path)
        return 0
    return 1


def _class_list(rows: Rows, path: Path) -> ClassList | None:
    if not rows.labels:
        return None
    labels = path.with_name(LABELS_FILE)
    if path.name == GROUND_TRUTH and labels.is_file():
        names = [text for _, text in data_lines(labels)]
        return named_classes(f"by the lines of {labels}", dict(enumerate(names, 1)))
    return numbered_classes(rows)
