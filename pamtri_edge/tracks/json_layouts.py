# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""JSON of label tools and data sets: COCO's, Scalabel's and Label Studio's.

COCO's has images with the number of their frame, annotations with the id of their track: COCO-VID and
MMTracking write `frame_id` and `instance_id`, TAO `frame_index` and `track_id`, CVAT's export of a video has
the id among the attributes and the frame in the name of the picture. Scalabel's, which BDD100K's tracks come
in, has frames with labels, a label with an id and `box2d`. Label Studio's of a video has a sequence a
vehicle, of boxes in percent of the picture, frames from 1; between two boxes of a sequence the vehicle moves
evenly, unless the first says that it is out of sight.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from pamtri_edge.errors import SourceError
from pamtri_edge.printable import counted
from pamtri_edge.tracks.seen import (
    Layout,
    Seen,
    check_one,
    corners,
    first_frame,
    first_of,
    picture_numbers,
    records_of,
)

_COCO_FRAME: Final = ("frame_id", "frame_index", "frame_number", "frame")
_TRACK: Final = ("track_id", "instance_id", "tracking_id", "object_id", "trackid")
_VIDEO: Final = "video_id"
_SCALABEL_FRAME: Final = ("frameIndex", "index")
_CORNERS: Final = ("x1", "y1", "x2", "y2")
_SIZES: Final = ("x", "y", "width", "height")
_LONGEST_GAP: Final = 100_000  # frames between two boxes


def coco_layout(value: Any, path: Path) -> Layout | None:
    """Return the boxes of a file of COCO's; None for another one.

    Raises:
        SourceError: it has no track ids, or several videos.
    """
    if not (isinstance(value, dict) and isinstance(value.get("annotations"), list)):
        return None
    images = [image for image in records_of(value.get("images")) if "id" in image]
    if not images:
        return None
    videos = {str(image[_VIDEO]) for image in images if _VIDEO in image}
    check_one(videos, path)
    annotations = records_of(value["annotations"])
    if annotations and all(_track(one) is None for one in annotations):
        raise SourceError(
            f"{path} holds no tracks: none of COCO's {counted(len(annotations), 'annotation')} has a "
            "track_id or instance_id. Detections become tracks in a tracker; or use --detector."
        )
    frames = _coco_frames(images)
    names = {str(one.get("id")): one.get("name") for one in records_of(value.get("categories"))}
    return Layout(_coco_boxes(annotations, frames, names), first_frame(frames.values()))


def _coco_frames(images: list[dict[str, Any]]) -> dict[str, int]:
    """Return the frame of each image by its id: as it says, as its name says, or by its place."""
    numbers: list[Any] = [first_of(image, _COCO_FRAME) for image in images]
    if not all(isinstance(one, int) for one in numbers):
        numbers = picture_numbers([image.get("file_name") for image in images])
    return {str(image["id"]): frame for image, frame in zip(images, numbers, strict=True)}


def _track(annotation: dict[str, Any]) -> object:
    attributes = annotation.get("attributes")
    found = first_of(annotation, _TRACK)
    return first_of(attributes, _TRACK) if found is None and isinstance(attributes, dict) else found


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
            corners(one.get("bbox")),
            names.get(str(kind), kind),
            first_of(one, ("score", "confidence")),
        )


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
    numbers: list[Any] = [first_of(frame, _SCALABEL_FRAME) for frame in frames]
    if None in numbers:
        numbers = picture_numbers([frame.get("name") for frame in frames])
    first = first_frame(one for one in numbers if isinstance(one, int))
    return Layout(_scalabel_boxes(frames, numbers), first)


def _scalabel_boxes(frames: list[dict[str, Any]], numbers: list[Any]) -> Iterator[Seen]:
    for frame, number in zip(frames, numbers, strict=True):
        for label in records_of(frame.get("labels")):
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
            boxes = records_of(one.get("sequence"))
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
    found: list[Any] = list(corners([box.get(side) for side in _SIZES]))
    return [side / 100 for side in found]
