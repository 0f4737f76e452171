# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Where the pictures of a plan are drawn: one studio a process."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

import cv2
import numpy as np

from pamtri_edge.synth.dataset.plan import Job, SynthPlan
from pamtri_edge.synth.dataset.record import Record
from pamtri_edge.synth.specification.streams import Stream

if TYPE_CHECKING:
    from pamtri_edge.synth.body.mesh import Mesh
    from pamtri_edge.synth.dataset.fleet import Fleet, Vehicle
    from pamtri_edge.synth.specification.vehicle import VehicleSpec
    from pamtri_edge.synth.view.scene import View

_OTHERS: Final = 3
_DRAWING: Final = ("specification", "body", "paint", "view")
"""The rooms whose code decides what a picture looks like."""


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


class Studio(Protocol):
    """What draws a plan's pictures."""

    def draw(self, job: Job) -> Iterator[Shot]:
        """Draw a job's views in order; each depends on the plan's seed, its identity and its view alone."""


OpenStudio = Callable[[SynthPlan], Studio]
"""Opens a studio for a plan; called once in every process."""


class RenderStudio:
    """Draws with the project's own renderer.

    Args:
        plan: the data set.

    Attributes:
        fleet: builds the plan's vehicles.

    Raises:
        InputError: cameras or meshes of the plan cannot be read.
        SourceError: its backgrounds cannot be read.
    """

    def __init__(self, plan: SynthPlan) -> None:
        from pamtri_edge.synth.dataset.fleet import Fleet

        self._plan = plan
        self.fleet = Fleet(plan)
        self._prior = open_prior(plan.prior)
        self._backgrounds = open_backgrounds(plan)

    def draw(self, job: Job) -> Iterator[Shot]:
        """Draw a job's views in order."""
        vehicle = self.fleet.vehicle(job.identity)
        for view in range(job.first, job.first + job.views):
            yield shot(self._plan, job.identity, view, vehicle, self.render(vehicle, job.identity, view))

    def render(self, vehicle: Vehicle, identity: int, view: int) -> View:
        """Render a view of an identity, whose vehicle has been built; from any thread."""
        from pamtri_edge.synth.view.scene import render_view

        plan = self._plan
        drawn = plan.drawn_identity(identity)
        return render_view(
            vehicle.mesh,
            vehicle.spec,
            seed=plan.seed,
            identity=drawn,
            view=view,
            camera=plan.drawn_camera(plan.camera(identity, view)),
            prior=self._prior,
            backgrounds=self._backgrounds,
            size=plan.size,
            supersampling=plan.supersampling,
            others=others_of(plan, self.fleet, identity, view),
        )


def others_of(plan: SynthPlan, fleet: Fleet, identity: int, view: int) -> list[tuple[Mesh, VehicleSpec]]:
    """Return the vehicles that may stand near an identity's in a view."""
    rng = np.random.default_rng([plan.seed, plan.drawn_identity(identity), view, Stream.OTHERS])
    passers = fleet.passers_by()
    chosen = [passers[k] for k in rng.choice(len(passers), _OTHERS, replace=False)]
    return [(other.mesh, other.spec) for other in chosen]


def shot(plan: SynthPlan, identity: int, view: int, vehicle: Vehicle, seen: View) -> Shot:
    """Return a rendered view as it goes to disk."""
    mask = None
    if plan.masks:
        mask = cv2.imencode(".png", seen.parts)[1].tobytes()
    high, wide = seen.image.shape[:2]
    scale = np.array([wide, high])
    points = np.round(np.asarray(seen.keypoints, np.float64) * scale, 3)
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
        crop_width=int(seen.width),
        crop_height=int(seen.height),
        keypoints=tuple((float(x), float(y)) for x, y in points),
        visible=tuple(bool(flag) for flag in seen.visible),
        visible_veri=tuple(bool(flag) for flag in seen.visible_veri),
        box=_box(seen.box),
        azimuth=round(float(seen.azimuth), 2),
        elevation=round(float(seen.elevation), 2),
        distance=round(float(seen.distance), 2),
        size=len(seen.jpeg),
        sha256=hashlib.sha256(seen.jpeg).hexdigest(),
    )
    return Shot(seen.jpeg, mask, record)


def _box(box: Any) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = (round(float(side), 2) for side in box)
    return x1, y1, x2, y2


def renderer_fingerprint() -> str:
    """Return a hash of the code that draws pictures: where it is equal, so are the pictures."""
    from pamtri_edge import _render

    rooms = Path(__file__).parents[1]
    sources = [path for room in _DRAWING for path in sorted((rooms / room).glob("*.py"))]
    digest = hashlib.sha256()
    for path in (*sources, Path(_render.__file__)):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def open_prior(name: str) -> Any:
    """Return the camera prior of that name, or of that JSON file.

    Raises:
        InputError: there is none.
    """
    from pamtri_edge.synth.view.prior import camera_prior

    return camera_prior(name)


def open_backgrounds(plan: SynthPlan) -> Any:
    """Return the plan's backgrounds; None for drawn streets.

    Raises:
        SourceError: they cannot be read.
    """
    if plan.backgrounds is None:
        return None
    from pamtri_edge.synth.view.background import open_backgrounds

    return open_backgrounds(plan.backgrounds)
