# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Tracks as one plain table, whatever their file looked like: what GStreamer's pamtritracks reads."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pamtri_edge.files.atomic import write_atomically
from pamtri_edge.tracks.sets import TrackSet

_PIXELS: Final = "frame,id,x1,y1,x2,y2"
_PARTS: Final = "frame,id,x1_part,y1_part,x2_part,y2_part"


def write_table(tracks: TrackSet, path: Path) -> None:
    """Write tracks as CSV: a row a box, frames counted from 0, whole or not at all.

    Columns are `frame`, `id` (up to 64 bits), `x1`, `y1`, `x2`, `y2` in pixels with every decimal; or
    `x1_part` to `y2_part` where the boxes are in parts of the frame.

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
