# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Tracks in JSON: the layouts of label tools and data sets, and objects of one's own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pamtri_edge.errors import SourceError
from pamtri_edge.tracks import read_tracks

Make = Callable[..., Path]

_CATEGORIES = [{"id": 1, "name": "car"}, {"id": 2, "name": "person"}]


def _coco(image: dict[str, Any], annotation: dict[str, Any], *, step: str) -> dict[str, Any]:
    """COCO's with a car in frames 0 and 2 of three, a person, and a crowd."""
    images = [
        {"id": 10 + k, **{key: value.format(k) if key == "file_name" else k for key, value in image.items()}}
        for k in range(3)
    ]
    box = {"image_id": 10, "category_id": 1, "bbox": [10, 20, 30, 40]}
    boxes = [
        {**box, **annotation},
        {**box, **annotation, "image_id": 12, "bbox": [11, 21, 30, 40]},
        {**box, step: 8, "category_id": 2},
        {**box, step: 9, "iscrowd": 1},
    ]
    return {"images": images, "annotations": boxes, "categories": _CATEGORIES}


def _scalabel(**more: str) -> list[dict[str, Any]]:
    def label(k: int) -> dict[str, Any]:
        box = {"x1": 10 + k, "y1": 20 + k, "x2": 40 + k, "y2": 60 + k}
        return {"id": "7", "category": "car", "attributes": {"crowd": False}, "box2d": box}

    return [
        {"name": "b-01.jpg", "frameIndex": 0, "labels": [label(0)], **more},
        {"name": "b-02.jpg", "frameIndex": 1, "labels": None, **more},
        {"name": "b-03.jpg", "frameIndex": 2, "labels": [label(1)], **more},
    ]


def _found(k: int) -> dict[str, Any]:
    box = {"x1": 10.0 + k, "y1": 20.0 + k, "x2": 40.0 + k, "y2": 60.0 + k}
    return {"name": "car", "class": 2, "confidence": 0.9, "box": box, "track_id": 7}


_LAYOUTS: dict[str, Any] = {
    "COCO-VID": _coco({"frame_id": ""}, {"instance_id": 7}, step="instance_id"),
    "TAO": _coco({"frame_index": ""}, {"track_id": 7}, step="track_id"),
    "CVAT's COCO": _coco({"file_name": "frame_{:06d}.PNG"}, {"attributes": {"track_id": 7}}, step="track_id"),
    "BDD100K": _scalabel(videoName="b"),
    "Scalabel": {"frames": _scalabel(), "config": {}},
    "Ultralytics, a list a frame": [[_found(0)], [], [_found(1), {**_found(9), "track_id": None}]],
    "objects in frames": {
        "frames": [
            {"frame": 2 * k, "objects": [{"track_id": 7, "bbox": [10 + k, 20 + k, 30, 40]}]} for k in (0, 1)
        ]
    },
    "boxes in tracks": {
        "video": "a.mp4",
        "tracks": [
            {
                "id": 7,
                "label": "car",
                "boxes": [{"frame": 2 * k, "xyxy": [10 + k, 20 + k, 40 + k, 60 + k]} for k in (0, 1)],
            },
            {"id": 8, "label": "person", "boxes": [{"frame": 0, "xyxy": [0, 0, 9, 9]}]},
        ],
    },
    "tracks as keys": {"7": [{"frame": 2 * k, "bbox": [10 + k, 20 + k, 30, 40]} for k in (0, 1)]},
    "Darwin": {
        "annotations": [
            {
                "id": "7",
                "name": "car",
                "frames": {
                    str(2 * k): {"bounding_box": {"x": 10 + k, "y": 20 + k, "w": 30, "h": 40}} for k in (0, 1)
                },
            }
        ]
    },
    "Roboflow": [
        {
            "frame": 2 * k,
            "predictions": [
                {"x": 25 + k, "y": 40 + k, "width": 30, "height": 40, "class": "car", "tracker_id": 7}
            ],
        }
        for k in (0, 1)
    ],
    "OpenDataCam": [
        {
            "frameId": 2 * k,
            "objects": [{"id": 7, "x": 25 + k, "y": 40 + k, "w": 30, "h": 40, "bearing": 90, "name": "car"}],
        }
        for k in (0, 1)
    ],
    "frames as keys": {str(2 * k): [{"id": 7, "bbox": [10 + k, 20 + k, 40 + k, 60 + k]}] for k in (0, 1)},
}


@pytest.mark.parametrize("layout", _LAYOUTS)
def test_a_layout_of_json_gives_the_tracks_of_its_vehicles(track_file: Make, layout: str) -> None:
    encoding = "utf-16" if layout == "TAO" else "utf-8-sig"
    tracks = read_tracks(track_file(json.dumps(_LAYOUTS[layout]).encode(encoding), "a.json"))
    assert [[box.box for box in tracks.at(frame)] for frame in range(3)] == [
        [(10, 20, 40, 60)],
        [],
        [(11, 21, 41, 61)],
    ]
    assert tracks.ids == (7,)


def test_label_studios_boxes_move_evenly_between_those_that_were_drawn(
    track_file: Make, caplog: pytest.LogCaptureFixture
) -> None:
    def at(frame: int, x: float, *, enabled: bool = True) -> dict[str, Any]:
        return {"frame": frame, "enabled": enabled, "rotation": 0, "x": x, "y": 20, "width": 10, "height": 20}

    boxes = [at(1, 10), at(3, 30, enabled=False), at(6, 60)]
    value = {"framesCount": 6, "sequence": boxes, "labels": ["Car"]}
    task = {
        "id": 1,
        "annotations": [{"id": 5, "result": [{"id": "aX7", "type": "videorectangle", "value": value}]}],
    }
    tracks = read_tracks(track_file(json.dumps([task]), "a.json")).in_pixels(100, 100)
    assert {frame: tracks.at(frame)[0].box[0] for frame in tracks.frames} == pytest.approx(
        {0: 10, 1: 20, 5: 60}
    )
    assert "track ids are names; their numbers are from 1 on, as they come: 'aX7' is 1" in caplog.text
    with pytest.raises(SourceError, match="annotations of 2 videos; expected the tracks of one"):
        read_tracks(track_file(json.dumps([task, task]), "two.json"))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (_coco({"frame_id": ""}, {}, step="x"), "none of COCO's 4 annotations has a track_id"),
        (
            {**_LAYOUTS["TAO"], "images": [{"id": 1, "video_id": 1}, {"id": 2, "video_id": 2}]},
            "holds 2 videos",
        ),
        ([*_scalabel(videoName="a"), *_scalabel(videoName="b")], "holds 2 videos"),
        ([{"frame": 1, "bbox": [0, 0, 9, 9]}], "none is named like a track id.*Of JSON read are COCO's"),
        (
            {"shapes": [], "version": "5"},
            r"no tracks in a known way \(an object with the keys 'shapes', 'version'",
        ),
    ],
)
def test_json_without_the_tracks_of_one_video_is_refused(track_file: Make, value: Any, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        read_tracks(track_file(json.dumps(value), "a.json"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"frames": [', "looks like JSON, but is not"),
        ("[" * 10**5, "nested too deep"),
        ("[" * 400 + "]" * 400, "tracks"),
    ],
)
def test_json_that_is_none_is_refused(track_file: Make, text: str, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        read_tracks(track_file(text, "a.json"))
