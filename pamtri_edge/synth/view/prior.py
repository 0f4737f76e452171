# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Where cameras stand and what they see of vehicles: distributions by name, or from a JSON file."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

import numpy as np

from pamtri_edge.errors import InputError

_PERCENTILES: Final = (0.0, 0.05, 0.25, 0.50, 0.75, 0.95, 1.0)


@dataclass(frozen=True)
class CameraPrior:
    """How the cameras of a set are distributed. Angles in degrees, sizes in pixels of the frame.

    Attributes:
        name: for records.
        azimuth_modes: (azimuth, spread) of vehicles that drive toward a camera; each camera takes one.
        elevation_percentiles: elevation of the camera above the vehicle's horizon at 0, 5, 25, 50, 75, 95
            and 100 percent.
        free_share: share of cameras, 0..1, that see all azimuths alike and elevations of `free_elevation`.
        free_elevation: lowest and highest.
        mount_height: lowest and highest above the road, meters.
        crop_size: smallest and largest of the cameras' median crops (longer side of a car of 4.5 m).
        crop_limits: no crop's longer side is smaller or larger.
        margin: mean and spread of what a detector leaves around a vehicle, as shares of its box.
        truncated: share of the crops that a border of the frame cuts.
    """

    name: str
    azimuth_modes: tuple[tuple[float, float], ...] = ((0.0, 60.0),)
    elevation_percentiles: tuple[float, ...] = (3.0, 6.0, 13.0, 22.0, 33.0, 48.0, 58.0)
    free_share: float = 0.0
    free_elevation: tuple[float, float] = (4.0, 55.0)
    mount_height: tuple[float, float] = (4.0, 9.0)
    crop_size: tuple[float, float] = (60.0, 280.0)
    crop_limits: tuple[float, float] = (32.0, 400.0)
    margin: tuple[float, float] = (0.04, 0.04)
    truncated: float = 0.08

    def __post_init__(self) -> None:
        if len(self.elevation_percentiles) != len(_PERCENTILES):
            raise InputError(
                f"elevation_percentiles has {len(self.elevation_percentiles)} values; expected "
                f"{len(_PERCENTILES)}, at 0, 5, 25, 50, 75, 95 and 100 percent."
            )
        elevations = (*self.elevation_percentiles, *self.free_elevation)
        if list(self.elevation_percentiles) != sorted(self.elevation_percentiles) or not (
            min(elevations) >= 0.5 and max(elevations) <= 85.0
        ):
            raise InputError(f"elevations {elevations} must ascend and lie in 0.5..85 degrees.")
        for name in ("free_share", "truncated"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise InputError(f"{name} is {getattr(self, name)}; expected a share, 0..1.")
        for name in ("free_elevation", "mount_height", "crop_size", "crop_limits"):
            low, high = getattr(self, name)
            if not 0.0 < low <= high:
                raise InputError(f"{name} is {low}, {high}; expected 0 < lowest <= highest.")
        if self.crop_limits[0] < 8.0:
            raise InputError(f"crop_limits begin at {self.crop_limits[0]}; expected 8 pixels or more.")
        if not self.azimuth_modes or any(spread < 0 for _, spread in self.azimuth_modes):
            raise InputError("azimuth_modes must hold at least one (azimuth, spread), spread 0 or more.")

    def elevation(self, rank: float, *, steep: bool) -> float:
        """Return the elevation at a rank, a standard normal number; `steep`: of the free cameras."""
        share = 0.5 * (1.0 + math.erf(rank / math.sqrt(2.0)))
        if steep:
            low, high = self.free_elevation
            return low + (high - low) * share
        return float(np.interp(share, _PERCENTILES, self.elevation_percentiles))


_VERI_SECTORS = ((15.0, 24.0), (15.0, 24.0), (-15.0, 24.0))
"""Front sector -30..60 degrees and rear sector 120..210 hold 94 % of the views."""

PRIORS: Final[dict[str, CameraPrior]] = {
    prior.name: prior
    for prior in (
        CameraPrior(
            "veri",
            azimuth_modes=_VERI_SECTORS,
            elevation_percentiles=(4.0, 7.7, 11.2, 14.5, 18.3, 25.9, 36.0),
            free_share=0.4,
            mount_height=(4.0, 7.0),
            crop_size=(140.0, 380.0),
            crop_limits=(60.0, 400.0),
        ),
        CameraPrior(
            "cityflow",
            azimuth_modes=((0.0, 30.0), (40.0, 20.0), (-40.0, 20.0)),
            elevation_percentiles=(5.0, 9.0, 15.0, 21.0, 29.0, 40.0, 52.0),
            free_share=0.3,
            mount_height=(5.0, 12.0),
            crop_size=(48.0, 220.0),
            crop_limits=(32.0, 400.0),
        ),
        CameraPrior(
            "overpass",
            azimuth_modes=((0.0, 14.0), (12.0, 10.0), (-12.0, 10.0)),
            elevation_percentiles=(8.0, 14.0, 20.0, 27.0, 34.0, 42.0, 50.0),
            free_share=0.1,
            mount_height=(5.0, 12.0),
            crop_size=(48.0, 220.0),
            crop_limits=(32.0, 400.0),
        ),
        CameraPrior(
            "uniform",
            free_share=1.0,
            free_elevation=(3.0, 60.0),
            mount_height=(2.5, 14.0),
            crop_size=(40.0, 320.0),
            crop_limits=(28.0, 400.0),
        ),
    )
}
"""`veri`: statistics of the VeRi labels (elevation and azimuth by affine structure from motion over the
keypoints), with 40 % free cameras. `cityflow`: farther and steeper junction cameras. `overpass`:
above the lanes of a motorway, from the front or from behind. `uniform`: anything."""


def camera_prior(name: str) -> CameraPrior:
    """Return a prior by name (`veri`, `cityflow`, `overpass`, `uniform`) or from a JSON file of its fields.

    Raises:
        InputError: the name is unknown, the file cannot be read, or a field does not fit.
    """
    if name in PRIORS:
        return PRIORS[name]
    path = Path(name)
    if path.suffix.lower() != ".json":
        raise InputError(
            f"camera prior {name!r} is unknown; accepted are {', '.join(PRIORS)} or a .json file."
        )
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"the camera prior {path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise InputError(f"the camera prior {path} is not JSON: {error}.") from error
    return _from_values(values, path)


def _from_values(values: Any, path: Path) -> CameraPrior:
    names = [field.name for field in fields(CameraPrior)]
    if not isinstance(values, dict) or not set(values) <= set(names):
        found = sorted(set(values) - set(names)) if isinstance(values, dict) else type(values).__name__
        raise InputError(f"{path} has {found}; accepted are {', '.join(names)}.")
    try:
        read = {name: _frozen(value) for name, value in values.items()}
        return CameraPrior(**{"name": path.stem, **read})
    except (TypeError, ValueError) as error:
        raise InputError(f"the camera prior {path} does not fit: {error}") from error


def _frozen(value: Any) -> Any:
    return tuple(_frozen(one) for one in value) if isinstance(value, list) else value
