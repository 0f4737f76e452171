# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Which column of a track file holds what: by the names in its first line, or as MOTChallenge has them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Final

from pamtri_edge.errors import SourceError
from pamtri_edge.tracks.rows import BadRowError, brief, number

# Names without blanks, strokes and "bbox": what pandas, supervision and hand-made tables call their columns.
# Of several names the first column counts; of those for frame and track the first name: many tables also have
# an id for each row.
_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "frame": (
        *("frame", "frameid", "frameno", "framenum", "framenumber", "frameidx", "frameindex", "framenr"),
        *("framenmr", "framename", "image", "imagename", "imagefile", "filename", "file", "img", "imgname"),
    ),
    "track": (
        *("trackid", "trackerid", "tid", "trackingid", "tracknumber", "track", "targetid", "target"),
        *("instanceid", "objectid", "objid", "vehicleid", "carid", "identity", "id"),
    ),
    "corners": ("xyxy", "tlbr", "ltrb", "x1y1x2y2"),
    "sizes": ("xywh", "tlwh", "ltwh"),
    "either": ("bbox", "box", "boundingbox", "carbbox", "vehiclebbox"),
    "source": (
        *("video", "videoid", "videoname", "camera", "cameraid", "cameraname", "cam", "camid", "source"),
        *("sourceid", "stream", "streamid", "sequence", "sequenceid", "sequencename", "seq"),
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
_FORMS: Final[dict[tuple[str, ...], str]] = {
    ("left", "top", "right", "bottom"): "corners",
    ("left", "top", "width", "height"): "sizes",
    ("middle", "center", "width", "height"): "centers",
    ("corners",): "corners",
    ("sizes",): "sizes",
    ("either",): "either",
}
_UNIT: Final = re.compile(r"[\[(](px|pixels?|#|s)[\])]")
_FROM_0: Final = {"x0": "x1", "y0": "y1", "x1": "x2", "y1": "y2"}
_FOUR: Final = re.compile(r"(?<![\w.])[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True)
class Columns:
    """Places of the columns, from 0.

    Attributes:
        frame: number of the frame.
        track: track id.
        sides: the four of the box, or the one that holds a list of them.
        form: what these are: one of "sizes", "corners" and "centers"; or "either" of the first two, until
            `settled`.
        score: confidence; None for none.
        kind: class; None for none.
        tail: the two columns after the class; None for none.
        source: of which video or camera a row is; None for none.
    """

    frame: int
    track: int
    sides: tuple[int, ...]
    form: str
    score: int | None
    kind: int | None
    tail: tuple[int, int] | None = None
    source: int | None = None

    @property
    def needed(self) -> int:
        """How many columns a row must have."""
        return max(self.frame, self.track, *self.sides) + 1

    def numbers(self, cells: Sequence[str]) -> list[float]:
        """Return the four numbers of a row's box.

        Raises:
            BadRowError: they are none.
        """
        if len(self.sides) == 4:
            return [number(cells[k], f"column {k + 1}") for k in self.sides]
        (place,) = self.sides
        found = [float(one) for one in _FOUR.findall(cells[place])]
        if len(found) != 4:
            raise BadRowError(
                f"column {place + 1} is {brief(cells[place])}; expected the four numbers of a box"
            )
        return found

    def settled(self, rows: Iterable[Sequence[str]]) -> Columns:
        """Return these columns with "either" decided.

        Corners are where the second one is always beyond the first and, along a track, moves with it; the
        size of a vehicle changes little.
        """
        if self.form != "either":
            return self
        moved = changed = 0.0
        last: dict[str, list[float]] = {}
        for cells in rows:
            try:
                box = self.numbers(cells)
            except (BadRowError, IndexError):
                continue
            if box[2] <= box[0] or box[3] <= box[1]:
                return replace(self, form="sizes")
            if len(cells) > self.track:
                steps = [
                    abs(one - other) for one, other in zip(box, last.get(cells[self.track], box), strict=True)
                ]
                moved, changed = moved + sum(steps[:2]), changed + sum(steps[2:])
                last[cells[self.track]] = box
        return replace(self, form="sizes" if changed < moved / 2 else "corners")

    def check_source(self, rows: Iterable[Sequence[str]], path: Path) -> None:
        """Refuse rows of several videos or cameras.

        Raises:
            SourceError: there are several; the first are named.
        """
        if self.source is None:
            return
        found = dict.fromkeys(cells[self.source] for cells in rows if len(cells) > self.source)
        if len(found) > 1:
            listed = ", ".join(map(brief, islice(found, 6))) + (", ..." if len(found) > 6 else "")
            raise SourceError(
                f"{path} holds the rows of {len(found)} videos or cameras ({listed}); expected the tracks of "
                "one. Give each a file of its own."
            )

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
        SourceError: only some of the names are known: what is in the other columns cannot be guessed.
    """
    found: dict[str, int] = {}
    names = [_plain(cell) for cell in cells]
    if _FROM_0.keys() <= set(names):
        names = [_FROM_0.get(name, name) for name in names]
    for role, accepted in _NAMES.items():
        places = [k for k, name in enumerate(names) if name in accepted]
        if role in ("frame", "track"):
            places.sort(key=lambda k: accepted.index(names[k]))
        # Of a class's name and its number, the name says what it means.
        places.sort(key=lambda k: names[k].endswith("id") if role == "kind" else 0)
        if places:
            found[role] = places[0]
    form = next((form for form in _FORMS if all(side in found for side in form)), None)
    missing = [
        *(["frame"] if "frame" not in found else []),
        *(["track id, such as id or track_id"] if "track" not in found else []),
        *(["box: x1, y1, x2, y2, or x, y, width, height"] if form is None else []),
    ]
    if len(missing) == 3:
        return None
    if form is None or missing:
        listed = ", ".join(brief(cell) for cell in cells[:12])
        tracker = (
            " Detections become tracks in a tracker; or use --detector." if "frame" in found and form else ""
        )
        raise SourceError(
            f"{path} holds no tracks: of its columns ({listed}) none is named like a "
            f"{' or a '.join(missing)}.{tracker}"
        )
    return Columns(
        found["frame"],
        found["track"],
        tuple(found[side] for side in form),
        _FORMS[form],
        found.get("score"),
        found.get("kind"),
        source=found.get("source"),
    )


def holds(cell: str, *roles: str) -> bool:
    """Tell whether a column of this name holds frames ("frame"), track ids ("track") or classes ("kind")."""
    return any(_plain(cell) in _NAMES[role] for role in roles)


@lru_cache(maxsize=1024)  # JSON asks for the same few names in every object
def _plain(cell: str) -> str:
    name = re.sub(r"[\W_]+", "", _UNIT.sub("", cell.casefold()))
    if name in _NAMES["either"]:
        return name
    return re.sub(r"^(bounding)?(bbox|bb|box)(?=.)", "", name)
