# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Scalabel's JSON, which BDD100K's tracks come in: frames with labels, a label with an id and `box2d`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from pamtri_edge.tracks.seen import (
    Layout,
    Seen,
    check_one,
    first_frame,
    first_of,
    picture_numbers,
    records_of,
)

_FRAME: Final = ("frameIndex", "index")
_SIDES: Final = ("x1", "y1", "x2", "y2")


def scalabel_layout(value: Any, path: Path) -> Layout | None:
    """Return the boxes of a file of Scalabel's; None for another one.

    Raises:
        SourceError: it has several videos.
    """
    frames = records_of(value.get("frames") if isinstance(value, dict) else value)
    if not any("box2d" in label for frame in frames for label in records_of(frame.get("labels"))):
        return None
    videos = {str(frame["videoName"]) for frame in frames if frame.get("videoName")}
    check_one(videos, path)
    numbers: list[Any] = [first_of(frame, _FRAME) for frame in frames]
    if None in numbers:
        numbers = picture_numbers([frame.get("name") for frame in frames]) or list(range(len(frames)))
    return Layout(_seen(frames, numbers), first_frame(one for one in numbers if isinstance(one, int)))


def _seen(frames: list[dict[str, Any]], numbers: list[Any]) -> Iterator[Seen]:
    for frame, number in zip(frames, numbers, strict=True):
        for label in records_of(frame.get("labels")):
            box = label.get("box2d")
            attributes = label.get("attributes")
            if not isinstance(box, dict) or (
                isinstance(attributes, dict) and attributes.get("crowd") is True
            ):
                continue
            sides = [box.get(side) for side in _SIDES]
            yield Seen(number, label.get("id"), sides, label.get("category"), label.get("score"))
