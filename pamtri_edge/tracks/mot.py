# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The MOT family: one text file, a line a box: frame, id, x, y, width, height and more.

Behind these may stand confidence, class and visibility (MOTChallenge's ground truth, CVAT's "MOT 1.1", with
its classes in labels.txt beside gt.txt), confidence and three times -1 (results of trackers, and the form
that DeepStream's nvreplay reads), score, category, truncation and occlusion (VisDrone), or out-of-view,
occlusion and category (UAVDT's gt_whole.txt). A first line of names may put the columns in another order.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from pamtri_edge.printable import counted
from pamtri_edge.tracks.classes import UAVDT, classes_for_scores, listed_classes
from pamtri_edge.tracks.collect import collect
from pamtri_edge.tracks.columns import MOTCHALLENGE_COLUMNS, Columns, named_columns
from pamtri_edge.tracks.lines import REMARKS, cells_of, data_lines, first_line, is_number
from pamtri_edge.tracks.rows import (
    BadRowError,
    Identities,
    Rows,
    brief,
    class_of,
    frame_number,
    number,
    told_first_frame,
    track_number,
)
from pamtri_edge.tracks.sets import TrackSet

_log = logging.getLogger(__name__)

LABELS_FILE: Final = "labels.txt"
GROUND_TRUTH: Final = "gt.txt"

UAVDT_COLUMNS: Final = Columns(0, 1, (2, 3, 4, 5), "sizes", None, 8)

_UAVDT_NAME: Final = "gt_whole.txt"
_COLUMNS: Final = range(6, 13)
_HIGHEST_SCORE: Final = 100.0
_HINT: Final = "expected 6 to 12: frame, id, x, y, width, height[, confidence, class, visibility, ...]"


def read_mot(path: Path, *, classes: Iterable[str] | None, first_frame: int | None) -> TrackSet:
    """Read a file of the MOT family; see `pamtri_edge.tracks.read_tracks`."""
    rows = Rows(path, first_frame=1, files=[path])
    columns = _columns(path)
    ids = None
    if columns.tail is None:  # the columns have names
        columns.check_source((cells for _, cells in _rows(path)), path)
        columns = columns.settled(cells for _, cells in _rows(path))
        ids = Identities(path, (row[columns.track] for _, row in _rows(path) if len(row) > columns.track))
    for line, cells in _rows(path):
        rows.read(_add, line, cells, columns, ids)
    rows.first_frame = told_first_frame(path, min(rows.frames, default=None), first_frame)
    if classes_for_scores(rows):
        _log.warning("%s: column 7 holds whole numbers that are the same for all of a track: classes", path)
    _doubt_scores(rows)
    known = None
    if rows.labels and path.name == GROUND_TRUTH and (labels := path.with_name(LABELS_FILE)).is_file():
        known = listed_classes(labels, first=1)
    elif columns is UAVDT_COLUMNS and not any(isinstance(label, str) for label in rows.labels):
        known = UAVDT
    flagged = columns is not UAVDT_COLUMNS
    return collect(rows, classes, known, flagged=flagged, corners=columns.form == "sizes")


def _columns(path: Path) -> Columns:
    """Return where the columns are, as the first line says, be it a remark or not."""
    if path.name.endswith(_UAVDT_NAME):
        return UAVDT_COLUMNS
    text = first_line(path)
    cells = cells_of(text.lstrip("#%/ "))
    if not cells or any(is_number(cell) for cell in cells):
        return MOTCHALLENGE_COLUMNS
    columns = named_columns(cells, path)
    if columns is None and not text.startswith(REMARKS):
        _log.warning(
            "%s: the names of its columns are not known (%s); they are taken as frame, id, x, y, width, "
            "height, confidence, class",
            path, ", ".join(brief(cell) for cell in cells[:12]),
        )  # fmt: skip
    return columns or MOTCHALLENGE_COLUMNS


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Give number and cells of each line behind the names of the columns."""
    for place, (line, text) in enumerate(data_lines(path)):
        cells = cells_of(text)
        if place or any(is_number(cell) for cell in cells):
            yield line, cells


def _add(rows: Rows, line: int, cells: list[str], columns: Columns, ids: Identities | None) -> None:
    plain = columns.tail is not None
    if len(cells) not in _COLUMNS if plain else len(cells) < columns.needed:
        raise BadRowError(f"{counted(len(cells), 'column')}; {_HINT}")
    frame = frame_number(cells[columns.frame])
    track = ids.number(cells[columns.track]) if ids else track_number(cells[columns.track])
    box = columns.box(columns.numbers(cells))
    score, kind = _cell(cells, columns.score), _cell(cells, columns.kind)
    if score and not is_number(score) and not kind:
        score, kind = "", score  # seven columns, the last of which is a class by name
    tail = tuple(_optional(cells, k) for k in columns.tail or ())
    rows.add(
        line,
        frame,
        track,
        box,
        score=number(score, "the confidence") if score else math.nan,
        kind=class_of(kind),
        tail=(tail[0], tail[1]) if plain else (math.nan, math.nan),
    )


def _cell(cells: list[str], place: int | None) -> str:
    return cells[place] if place is not None and place < len(cells) else ""


def _optional(cells: list[str], place: int) -> float:
    cell = _cell(cells, place)
    return number(cell, f"column {place + 1}") if cell else math.nan


def _doubt_scores(rows: Rows) -> None:
    highest = max((score for score in rows.scores if math.isfinite(score)), default=0.0)
    if highest > _HIGHEST_SCORE:
        _log.warning(
            "%s: the confidence, column 7, is up to %g; is the order of its columns frame, id, x, y, width, "
            "height, confidence?",
            rows.path, highest,
        )  # fmt: skip
