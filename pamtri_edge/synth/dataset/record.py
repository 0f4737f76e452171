# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The labels of one picture, exactly as every way of writing them needs them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from pamtri_edge.errors import InputError
from pamtri_edge.vehicle import NUM_KEYPOINTS


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
