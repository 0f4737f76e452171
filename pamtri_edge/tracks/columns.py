# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Which column of a track file holds what: by the names in its first line, or as MOTChallenge has them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pamtri_edge.errors import SourceError
from pamtri_edge.tracks.rows import brief

# Names without blanks, strokes and "bbox": what pandas, supervision and hand-made tables call their columns.
_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "frame": ("frame", "frameid", "frameno", "framenum", "framenumber", "frameidx", "frameindex", "framenr"),
    "track": (
        *("id", "trackid", "trackerid", "tid", "trackingid", "tracknumber", "targetid", "target", "track"),
        *("objectid", "objid", "vehicleid", "identity"),
    ),
    "left": ("x", "x1", "xmin", "left", "l", "xtl", "tlx", "minx", "xleft", "topleftx"),
    "top": ("y", "y1", "ymin", "top", "t", "ytl", "tly", "miny", "ytop", "toplefty"),
    "right": ("x2", "xmax", "right", "r", "xbr", "brx", "maxx", "xright"),
    "bottom": ("y2", "ymax", "bottom", "b", "ybr", "bry", "maxy", "ybottom"),
    "width": ("w", "width"),
    "height": ("h", "height"),
    "middle": ("cx", "xc", "xcenter", "centerx", "xcentre", "centrex"),
    "center": ("cy", "yc", "ycenter", "centery", "ycentre", "centrey"),
    "score": ("conf", "confidence", "score", "prob", "probability", "detconf"),
    "kind": (
        *("class", "classname", "classid", "cls", "clsid", "label", "labelname", "category", "categoryname"),
        *("categoryid", "type", "objecttype", "objectclass", "name"),
    ),
}
_FORMS: Final = (
    ("left", "top", "right", "bottom"),
    ("left", "top", "width", "height"),
    ("middle", "center", "width", "height"),
)


@dataclass(frozen=True)
class Columns:
    """Places of the columns, from 0.

    Attributes:
        frame: number of the frame.
        track: track id.
        sides: the four of the box.
        form: what these are: one of "sizes", "corners" and "centers".
        score: confidence; None for none.
        kind: class; None for none.
        tail: the two columns after the class; None for none.
    """

    frame: int
    track: int
    sides: tuple[int, ...]
    form: str
    score: int | None
    kind: int | None
    tail: tuple[int, int] | None = None

    @property
    def needed(self) -> int:
        """How many columns a row must have."""
        return max(self.frame, self.track, *self.sides) + 1

    def box(self, values: Sequence[float]) -> tuple[float, float, float, float]:
        """Return x1, y1, x2, y2; without a size where there is none."""
        a, b, c, d = values
        if self.form == "corners":
            return a, b, c, d
        if not (c > 0 and d > 0):
            return a, b, a, b
        return (a, b, a + c, b + d) if self.form == "sizes" else (a - c / 2, b - d / 2, a + c / 2, b + d / 2)


MOTCHALLENGE_COLUMNS: Final = Columns(0, 1, (2, 3, 4, 5), "sizes", 6, 7, (8, 9))


def named_columns(cells: Sequence[str], path: Path) -> Columns | None:
    """Return where the columns are by their names; None where the names are not known.

    Raises:
        SourceError: there are boxes in frames, but no column of track ids.
    """
    found: dict[str, int] = {}
    names = [_plain(cell) for cell in cells]
    for role, accepted in _NAMES.items():
        places = [k for k, name in enumerate(names) if name in accepted]
        # Of a class's name and its number, the name says what it means.
        places.sort(key=lambda k: names[k].endswith("id") if role == "kind" else 0)
        if places:
            found[role] = places[0]
    form = next((form for form in _FORMS if all(side in found for side in form)), None)
    if form is None or "frame" not in found:
        return None
    if "track" not in found:
        listed = ", ".join(brief(cell) for cell in cells[:12])
        raise SourceError(
            f"{path} holds no tracks: of its columns ({listed}) none is named like a track id, such as id or "
            "track_id. Detections become tracks in a tracker; or use --detector."
        )
    return Columns(
        found["frame"],
        found["track"],
        tuple(found[side] for side in form),
        ("corners", "sizes", "centers")[_FORMS.index(form)],
        found.get("score"),
        found.get("kind"),
    )


def _plain(cell: str) -> str:
    name = re.sub(r"[\W_]+", "", cell.casefold())
    return re.sub(r"^(bounding)?(bbox|bb|box)(?=.)", "", name)
