# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Tracks in XML: UA-DETRAC's annotations and CVAT's of videos.

UA-DETRAC has an element a frame (from 1), in it the targets with a box and a vehicle type each; regions to be
ignored lie outside of targets. CVAT has an element a track with its label, in it a box a frame (from 0).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final
from xml.parsers import expat

from pamtri_edge.errors import SourceError
from pamtri_edge.files.regular import open_regular
from pamtri_edge.tracks.classes import ClassList
from pamtri_edge.tracks.collect import collect
from pamtri_edge.tracks.rows import BadRowError, Rows, frame_number, number, track_number
from pamtri_edge.tracks.sets import TrackSet

_DETRAC: Final = "expected UA-DETRAC's: <sequence> <frame num> <target id> <box left top width height>"
_CVAT: Final = "expected CVAT's for videos: <annotations> <track id label> <box frame xtl ytl xbr ybr>"
_CHUNK: Final = 2**16

Attributes = dict[str, str]


def is_cvat(lines: list[str]) -> bool:
    """Tell whether the first lines of an XML file are CVAT's."""
    return any("<annotations" in line for line in lines)


def read_cvat(path: Path, *, classes: Iterable[str] | None, first_frame: int | None) -> TrackSet:
    """Read an XML file of CVAT; see `pamtri_edge.tracks.read_tracks`."""
    rows = Rows(path, first_frame=0 if first_frame is None else first_frame, files=[path])
    track: Attributes | None = None
    images = False
    for name, box, line in _elements(path, form=_CVAT):
        images = images or name == "image"
        if name == "track":
            track = box
        # A box that is marked as outside is where the vehicle was last, not where it is.
        if name == "box" and box is not None and track and box.get("outside", "0") != "1":
            rows.read(_add_box, line, track, box)
    if not len(rows) and not rows.skipped:
        found = ". Boxes in images are no tracks: annotate a video, in track mode" if images else ""
        raise SourceError(f"{path} holds no tracks; {_CVAT}{found}.")
    return collect(rows, classes)


def read_detrac(path: Path, *, classes: Iterable[str] | None, first_frame: int | None) -> TrackSet:
    """Read a file of UA-DETRAC; see `pamtri_edge.tracks.read_tracks`."""
    rows = Rows(path, first_frame=1 if first_frame is None else first_frame, files=[path])
    frame: str | None = None
    target: Attributes | None = None
    box: Attributes | None = None
    kind: str | None = None
    pascal_voc = False
    for name, attributes, line in _elements(path, form=_DETRAC):
        if attributes is None:
            if name == "frame":
                frame = None
            if name == "target" and target is not None:
                rows.read(_add_target, line, frame, target.get("id", ""), box, kind)
                target = None
        elif name == "frame":
            frame = attributes.get("num")
        elif name == "target":
            target, box, kind = attributes, None, None
        elif name == "box" and target is not None:
            box = attributes
        elif name == "attribute" and target is not None:
            kind = attributes.get("vehicle_type")
        elif name == "bndbox":
            pascal_voc = True
    if not len(rows) and pascal_voc:
        raise SourceError(
            f"{path} holds Pascal VOC's boxes of a picture, which are no tracks; give the tracks of a video, "
            "or use --detector."
        )
    if not len(rows) and not rows.skipped:
        raise SourceError(f"{path} holds no tracks; {_DETRAC}.")
    # Whatever its type, the data set's targets are vehicles.
    known = ClassList("as UA-DETRAC's types", {k: str(k) for k in rows.labels}, frozenset(rows.labels))
    return collect(rows, classes, known)


def _add_box(rows: Rows, line: int, track: Attributes, box: Attributes) -> None:
    frame, track_id = frame_number(box.get("frame", "")), track_number(track.get("id", ""))
    x1, y1, x2, y2 = (number(box.get(side, ""), side) for side in ("xtl", "ytl", "xbr", "ybr"))
    rows.add(line, frame, track_id, (x1, y1, x2, y2), kind=track.get("label") or None)


def _add_target(
    rows: Rows, line: int, frame: str | None, track: str, box: Attributes | None, kind: str | None
) -> None:
    if frame is None:
        raise BadRowError("a target outside of a frame with a number")
    if box is None or not {"left", "top", "width", "height"} <= box.keys():
        raise BadRowError("a target without a box of left, top, width, height")
    index, track_id = frame_number(frame), track_number(track)
    x, y, w, h = (number(box[side], side) for side in ("left", "top", "width", "height"))
    corners = (x, y, x + w, y + h) if w > 0 and h > 0 else (x, y, x, y)
    rows.add(line, index, track_id, corners, kind=kind)


def _elements(path: Path, *, form: str) -> Iterator[tuple[str, Attributes | None, int]]:
    """Give name, attributes and line of each element that begins, and of each that ends, without attributes.

    Args:
        path: the file, which is not held in memory.
        form: what is expected, for messages.

    Raises:
        SourceError: it is no XML, or one with a document type: entities of its own could grow without end.
    """
    parser = expat.ParserCreate()
    found: list[tuple[str, Attributes | None, int]] = []

    def doctype(name: str, *_: Any) -> None:
        if name.casefold() == "html":
            raise SourceError(f"{path} is a web page, perhaps of a failed download; {form}.")
        raise SourceError(f"{path} has a document type (DTD); {form}, without one.")

    parser.StartElementHandler = lambda name, has: found.append((name, has, parser.CurrentLineNumber))
    parser.EndElementHandler = lambda name: found.append((name, None, parser.CurrentLineNumber))
    parser.StartDoctypeDeclHandler = doctype
    try:
        with open_regular(path, error=SourceError) as file:
            for block in iter(lambda: file.read(_CHUNK), b""):
                parser.Parse(block, False)
                yield from found
                found.clear()
            parser.Parse(b"", True)
            yield from found
    except expat.ExpatError as error:
        raise SourceError(f"{path}:{error.lineno} is no XML ({expat.ErrorString(error.code)}).") from None
    except (LookupError, ValueError) as error:  # an encoding that Python does not know
        raise SourceError(f"{path} cannot be read as XML ({error}).") from None
