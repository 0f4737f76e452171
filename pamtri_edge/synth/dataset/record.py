# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""One picture as it goes to disk, with its labels exactly as every way of writing them needs them."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from pamtri_edge.errors import InputError
from pamtri_edge.synth.dataset.plan import SynthPlan
from pamtri_edge.vehicle import NUM_KEYPOINTS

if TYPE_CHECKING:
    from pamtri_edge.synth.dataset.fleet import Vehicle
    from pamtri_edge.synth.view.scene import View


@dataclass(frozen=True, kw_only=True)
class Record:
    """The labels of one picture.

    Numbers are rounded when the record is made, so that one that was written and read again is equal.

    Attributes:
        image: file name.
        part: name of the part that it belongs to: "train", "query" or "test".
        vehicle: the vehicle's id.
        camera: the camera's number.
        view: number of the view of this vehicle.
        color: name, of `vehicle.COLORS`.
        type: name, of `vehicle.TYPES`.
        width: of the stored picture, in pixels.
        height: likewise.
        crop_width: pixels that the crop was wide in its camera's frame, before it was stretched.
        crop_height: likewise.
        keypoints: 36 points (x, y) in pixels of the stored picture; may lie outside it.
        visible: 36 flags: nothing stands before the point, which is inside the picture.
        visible_veri: 36 flags as VeRi's annotators set them, who also mark roof corners they cannot see.
        box: x1, y1, x2, y2 of what is seen of the vehicle, in pixels of the stored picture.
        azimuth: where the camera stands, in degrees: 0 before the vehicle, 90 at its left.
        elevation: of the camera above the vehicle, in degrees.
        distance: from the camera to the vehicle, in meters.
        size: bytes of the stored picture.
        sha256: of the stored picture.
    """

    image: str
    part: str
    vehicle: int
    camera: int
    view: int
    color: str
    type: str
    width: int
    height: int
    crop_width: int
    crop_height: int
    keypoints: tuple[tuple[float, float], ...]
    visible: tuple[bool, ...]
    visible_veri: tuple[bool, ...]
    box: tuple[float, float, float, float]
    azimuth: float
    elevation: float
    distance: float
    size: int
    sha256: str

    def __post_init__(self) -> None:
        for name in ("keypoints", "visible", "visible_veri"):
            found = len(getattr(self, name))
            if found != NUM_KEYPOINTS:
                raise InputError(f"{self.image}: {found} {name}; a vehicle has {NUM_KEYPOINTS}.")

    def to_json(self) -> dict[str, Any]:
        """Return the record as a JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Record:
        """Return the record that `to_json` gave.

        Raises:
            KeyError, TypeError: the object is none.
        """
        given = {field.name: data[field.name] for field in fields(cls)}
        given["keypoints"] = tuple((float(x), float(y)) for x, y in given["keypoints"])
        for name in ("visible", "visible_veri"):
            given[name] = tuple(bool(flag) for flag in given[name])
        given["box"] = tuple(float(side) for side in given["box"])
        return cls(**given)


@dataclass(frozen=True)
class Shot:
    """A picture as it goes to disk.

    Attributes:
        jpeg: the picture.
        mask: the part mask as PNG, (size, size) uint8 of segments 0..12, 255 for none; None if unwanted.
        record: its labels.
    """

    jpeg: bytes
    mask: bytes | None
    record: Record


def shot(plan: SynthPlan, identity: int, view: int, vehicle: Vehicle, seen: View) -> Shot:
    """Return a rendered view as it goes to disk."""
    mask = cv2.imencode(".png", seen.parts)[1].tobytes() if plan.masks else None
    high, wide = seen.image.shape[:2]
    points = np.round(np.asarray(seen.keypoints, np.float64) * np.array([wide, high]), 3)
    x1, y1, x2, y2 = (round(float(side), 2) for side in seen.box)
    record = Record(
        image=plan.image_name(identity, view),
        part=plan.part(identity, view).name,
        vehicle=plan.vehicle_id(identity),
        camera=plan.camera_id(plan.camera(identity, view)),
        view=view,
        color=vehicle.color,
        type=vehicle.type,
        width=wide,
        height=high,
        crop_width=seen.width,
        crop_height=seen.height,
        keypoints=tuple((x, y) for x, y in points.tolist()),
        visible=tuple(seen.visible.tolist()),
        visible_veri=tuple(seen.visible_veri.tolist()),
        box=(x1, y1, x2, y2),
        azimuth=round(seen.azimuth, 2),
        elevation=round(seen.elevation, 2),
        distance=round(seen.distance, 2),
        size=len(seen.jpeg),
        sha256=hashlib.sha256(seen.jpeg).hexdigest(),
    )
    return Shot(seen.jpeg, mask, record)
