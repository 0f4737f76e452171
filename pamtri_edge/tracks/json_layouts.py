# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""JSON of label tools and data sets, COCO's, Scalabel's and Label Studio's; and what readers of JSON give.

COCO's has images with the number of their frame, annotations with the id of their track: COCO-VID and
MMTracking write `frame_id` and `instance_id`, TAO `frame_index` and `track_id`, CVAT's export of a video has
the id among the attributes and the frame in the name of the picture. Scalabel's, which BDD100K's tracks come
in, has frames with labels, a label with an id and `box2d`. Label Studio's of a video has a sequence a
vehicle, of boxes in percent of the picture, frames from 1; between two boxes of a sequence the vehicle moves
evenly, unless the first says that it is out of sight.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pamtri_edge.errors import SourceError
from pamtri_edge.printable import counted

_COCO_FRAME: Final = ("frame_id", "frame_index", "frame_number", "frame")
_TRACK: Final = ("track_id", "instance_id", "tracking_id", "object_id", "trackid")
_VIDEO: Final = "video_id"
_SCALABEL_FRAME: Final = ("frameIndex", "index")
_CORNERS: Final = ("x1", "y1", "x2", "y2")
_SIZES: Final = ("x", "y", "width", "height")
_LONGEST_GAP: Final = 100_000  # frames between two boxes
_PICTURE: Final = re.compile(r".*?(\d{1,18})(?:\.[A-Za-z0-9]{1,5})?", re.ASCII | re.DOTALL)
"""The name of a picture, which ends with its number."""


@dataclass(frozen=True)
class Seen:
    """A box of a layout of JSON.

    Attributes:
        frame: number of its frame, as the file counts.
        track: id of its track.
        box: x1, y1, x2, y2.
        kind: name of its class.
        score: confidence.
    """

    frame: object
    track: object
    box: Sequence[object]
    kind: object = None
    score: object = None


@dataclass(frozen=True)
class Layout:
    """What a layout says of a file.

    Attributes:
        seen: its boxes.
        first_frame: number of the first frame; None where the boxes alone tell.
        relative: boxes are in parts of the picture.
    """

    seen: Iterable[Seen]
    first_frame: int | None = 0
    relative: bool = False


def text_of(value: object) -> str:
    """Return a value of JSON as a table has it: "" for null."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, int | float):
        return repr(value)
    return "" if value is None else json.dumps(value)


def coco_layout(value: Any, path: Path) -> Layout | None:
    """Return the boxes of a file of COCO's; None for another one.

    Raises:
        SourceError: it has no track ids, or several videos.
    """
    if not (isinstance(value, dict) and isinstance(value.get("annotations"), list)):
        return None
    images = [image for image in _records_of(value.get("images")) if "id" in image]
    if not images:
        return None
    videos = {str(image[_VIDEO]) for image in images if _VIDEO in image}
    _check_one(videos, path)
    annotations = _records_of(value["annotations"])
    if annotations and all(_track(one) is None for one in annotations):
        raise SourceError(
            f"{path} holds no tracks: none of COCO's {counted(len(annotations), 'annotation')} has a "
            "track_id or instance_id. Detections become tracks in a tracker; or use --detector."
        )
    frames = _coco_frames(images)
    names = {str(one.get("id")): one.get("name") for one in _records_of(value.get("categories"))}
    return Layout(_coco_boxes(annotations, frames, names), _first_frame(frames.values()))


def _coco_frames(images: list[dict[str, Any]]) -> dict[str, int]:
    """Return the frame of each image by its id: as it says, as its name says, or by its place."""
    numbers: list[Any] = [_first_of(image, _COCO_FRAME) for image in images]
    if not all(isinstance(one, int) for one in numbers):
        numbers = _picture_numbers([image.get("file_name") for image in images])
    return {str(image["id"]): frame for image, frame in zip(images, numbers, strict=True)}


def _track(annotation: dict[str, Any]) -> object:
    attributes = annotation.get("attributes")
    found = _first_of(annotation, _TRACK)
    return _first_of(attributes, _TRACK) if found is None and isinstance(attributes, dict) else found


def _coco_boxes(
    annotations: list[dict[str, Any]], frames: dict[str, int], names: dict[str, Any]
) -> Iterator[Seen]:
    for one in annotations:
        if one.get("iscrowd") or one.get("ignore"):
            continue
        kind = one.get("category_id")
        yield Seen(
            frames.get(str(one.get("image_id"))),
            _track(one),
            _corners(one.get("bbox")),
            names.get(str(kind), kind),
            _first_of(one, ("score", "confidence")),
        )


def scalabel_layout(value: Any, path: Path) -> Layout | None:
    """Return the boxes of a file of Scalabel's; None for another one.

    Raises:
        SourceError: it has several videos.
    """
    frames = _records_of(value.get("frames") if isinstance(value, dict) else value)
    if not any("box2d" in label for frame in frames for label in _records_of(frame.get("labels"))):
        return None
    videos = {str(frame["videoName"]) for frame in frames if frame.get("videoName")}
    _check_one(videos, path)
    numbers: list[Any] = [_first_of(frame, _SCALABEL_FRAME) for frame in frames]
    if None in numbers:
        numbers = _picture_numbers([frame.get("name") for frame in frames])
    first = _first_frame(one for one in numbers if isinstance(one, int))
    return Layout(_scalabel_boxes(frames, numbers), first)


def _scalabel_boxes(frames: list[dict[str, Any]], numbers: list[Any]) -> Iterator[Seen]:
    for frame, number in zip(frames, numbers, strict=True):
        for label in _records_of(frame.get("labels")):
            box = label.get("box2d")
            attributes = label.get("attributes")
            if not isinstance(box, dict) or (
                isinstance(attributes, dict) and attributes.get("crowd") is True
            ):
                continue
            sides = [box.get(side) for side in _CORNERS]
            yield Seen(number, label.get("id"), sides, label.get("category"), label.get("score"))


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
    return Layout(_moving_boxes(tasks[0]), first_frame=1, relative=True)


def _sequences(value: Any) -> Iterator[tuple[object, object, list[dict[str, Any]]]]:
    """Give id, class and boxes of every sequence in what tasks, annotations and results nest them in."""
    stack = [(value, None)]
    while stack:
        one, name = stack.pop()
        if isinstance(one, list):
            stack.extend((part, None) for part in reversed(one))
        elif isinstance(one, dict):
            boxes = _records_of(one.get("sequence"))
            if boxes and all("frame" in box and "x" in box for box in boxes):
                labels = one.get("labels")
                yield name or one.get("id"), labels[0] if isinstance(labels, list) and labels else None, boxes
            else:
                stack.extend((part, one.get("id")) for part in reversed(one.values()))


def _moving_boxes(sequences: list[tuple[object, object, list[dict[str, Any]]]]) -> Iterator[Seen]:
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
            for frame in range(first + 1, min(last, first + _LONGEST_GAP)):
                part = (frame - first) / (last - first)
                yield Seen(frame, track, [a + part * (b - a) for a, b in zip(here, there, strict=True)], kind)


def _sides(box: dict[str, Any]) -> list[float]:
    """Return x1, y1, x2, y2 in parts of the picture; nothing where there are none."""
    found: list[Any] = list(_corners([box.get(side) for side in _SIZES]))
    return [side / 100 for side in found]


def _check_one(videos: Collection[str], path: Path) -> None:
    """Refuse a file of several videos.

    Raises:
        SourceError: it has them.
    """
    if len(videos) > 1:
        raise SourceError(
            f"{path} holds {counted(len(videos), 'video')}; expected the tracks of one. Give each a file of "
            "its own."
        )


def _first_frame(frames: Iterable[int]) -> int | None:
    """Return the number of the first frame where frames begin with it; None where the boxes must tell."""
    first = min(frames, default=0)
    return first if first in (0, 1) else None


def _first_of(record: Mapping[str, Any], keys: Iterable[str]) -> Any:
    """Return the first of the values that is there and not None."""
    return next((record[key] for key in keys if record.get(key) is not None), None)


def _corners(sizes: object) -> Sequence[object]:
    """Return x1, y1, x2, y2 of x, y, width, height; nothing where these are no four numbers."""
    if not isinstance(sizes, list) or len(sizes) != 4:
        return ()
    if not all(isinstance(one, int | float) for one in sizes):
        return ()
    x, y, w, h = sizes
    return (x, y, x + w, y + h) if w > 0 and h > 0 else (x, y, x, y)


def _picture_numbers(names: Sequence[object]) -> list[int]:
    """Return the numbers that names of pictures end with; their places where some have none, or two one."""
    found = [_PICTURE.fullmatch(name) if isinstance(name, str) else None for name in names]
    numbers = [int(one[1]) for one in found if one]
    return numbers if len(set(numbers)) == len(names) else list(range(len(names)))


def _records_of(value: object) -> list[dict[str, Any]]:
    """Return the objects of a list; none of what is no list."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
