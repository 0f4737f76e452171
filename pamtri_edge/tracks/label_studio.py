# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Label Studio's JSON of a video: a sequence a vehicle, of boxes in percent of the picture, frames from 1.

Between two boxes of a sequence the vehicle moves evenly, unless the first says that it is out of sight.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from pamtri_edge.errors import SourceError
from pamtri_edge.printable import counted
from pamtri_edge.tracks.seen import Layout, Seen, corners, records_of

_SIDES: Final = ("x", "y", "width", "height")
_LONGEST: Final = 100_000  # frames between two boxes


def label_studio_layout(value: Any, path: Path) -> Layout | None:
    """Return the boxes of a file of Label Studio's; None for another one.

    Raises:
        SourceError: it has the tracks of several videos.
    """
    tasks = [list(_sequences(task)) for task in (value if isinstance(value, list) else [value])]
    tasks = [found for found in tasks if found]
    if not tasks:
        return None
    if len(tasks) > 1:
        raise SourceError(
            f"{path} holds the annotations of {counted(len(tasks), 'video')}; expected the tracks of one. "
            "Export each task by itself."
        )
    return Layout(_seen(tasks[0]), first_frame=1, relative=True)


def _sequences(value: Any) -> Iterator[tuple[object, object, list[dict[str, Any]]]]:
    """Give id, class and boxes of every sequence in what tasks, annotations and results nest them in."""
    stack = [(value, None)]
    while stack:
        one, name = stack.pop()
        if isinstance(one, list):
            stack.extend((part, None) for part in reversed(one))
        elif isinstance(one, dict):
            boxes = records_of(one.get("sequence"))
            if boxes and all("frame" in box and "x" in box for box in boxes):
                labels = one.get("labels")
                yield name or one.get("id"), labels[0] if isinstance(labels, list) and labels else None, boxes
            else:
                stack.extend((part, one.get("id")) for part in reversed(one.values()))


def _seen(sequences: list[tuple[object, object, list[dict[str, Any]]]]) -> Iterator[Seen]:
    named = [name for name, _, _ in sequences]
    for place, (name, kind, boxes) in enumerate(sequences, 1):
        track = name if None not in named and len(set(map(str, named))) == len(named) else place
        following = [*boxes[1:], None]
        for box, after in zip(boxes, following, strict=True):
            if box.get("enabled") is False:
                continue
            here = _sides(box)
            yield Seen(box["frame"], track, here, kind)
            there = _sides(after) if after else ()
            first, last = box["frame"], after["frame"] if after else None
            if not (here and there and isinstance(first, int) and isinstance(last, int)):
                continue
            for frame in range(first + 1, min(last, first + _LONGEST)):
                part = (frame - first) / (last - first)
                yield Seen(frame, track, [a + part * (b - a) for a, b in zip(here, there, strict=True)], kind)


def _sides(box: dict[str, Any]) -> list[float]:
    """Return x1, y1, x2, y2 in parts of the picture; nothing where there are none."""
    found: list[Any] = list(corners([box.get(side) for side in _SIDES]))
    return [side / 100 for side in found]
