# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""COCO's JSON with tracks: images with the number of their frame, annotations with the id of their track.

COCO-VID and MMTracking write `frame_id` and `instance_id`, TAO `frame_index` and `track_id`, CVAT's export of
a video has the id among the attributes and the frame in the name of the picture.
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

_FRAME: Final = ("frame_id", "frame_index", "frame_number", "frame")
_TRACK: Final = ("track_id", "instance_id", "tracking_id", "object_id", "trackid")
_VIDEO: Final = "video_id"


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
    frames = _frames(images)
    names = {str(one.get("id")): one.get("name") for one in records_of(value.get("categories"))}
    return Layout(_seen(annotations, frames, names), first_frame(frames.values()))


def _frames(images: list[dict[str, Any]]) -> dict[str, int]:
    """Return the frame of each image by its id: as it says, as its name says, or by its place."""
    told = [first_of(image, _FRAME) for image in images]
    if all(isinstance(one, int) for one in told):
        return {str(image["id"]): frame for image, frame in zip(images, told, strict=True)}
    numbers = picture_numbers([image.get("file_name") for image in images])
    if numbers is None:
        numbers = list(range(len(images)))
    return {str(image["id"]): frame for image, frame in zip(images, numbers, strict=True)}


def _track(annotation: dict[str, Any]) -> object:
    attributes = annotation.get("attributes")
    found = first_of(annotation, _TRACK)
    return first_of(attributes, _TRACK) if found is None and isinstance(attributes, dict) else found


def _seen(annotations: list[dict[str, Any]], frames: dict[str, int], names: dict[str, Any]) -> Iterator[Seen]:
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
