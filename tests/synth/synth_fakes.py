# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A renderer that costs nothing: pictures and labels that follow from seed, identity and view alone.

A module of its own, because processes that draw import it by its name.
"""

from __future__ import annotations

import errno
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np

from pamtri_edge.errors import InputError
from pamtri_edge.synth.dataset.plan import Job, SynthPlan
from pamtri_edge.synth.dataset.record import Shot, shot
from pamtri_edge.vehicle import COLORS, TYPES


class FakeStudio:
    def __init__(self, plan: SynthPlan) -> None:
        self.plan = plan

    def draw(self, job: Job) -> Iterator[Shot]:
        for view in range(job.first, job.first + job.views):
            yield self.shot(job, view)

    def shot(self, job: Job, view: int) -> Shot:
        color = self.plan.color(job.identity) or COLORS[job.identity % 10]
        vehicle = SimpleNamespace(color=color, type=TYPES[job.identity % 9])
        return shot(self.plan, job.identity, view, vehicle, fake_view(self.plan, job.identity, view))


class SlowStudio(FakeStudio):
    """Takes its time, so that there is some to stop it."""

    def shot(self, job: Job, view: int) -> Shot:
        time.sleep(0.02)
        return super().shot(job, view)


class DyingStudio(FakeStudio):
    """Its process is killed in the middle of the second identity."""

    def shot(self, job: Job, view: int) -> Shot:
        if job.identity == 1 and view == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().shot(job, view)


class BrokenStudio(FakeStudio):
    """Cannot read what the plan names."""

    def __init__(self, plan: SynthPlan) -> None:
        raise InputError("the backgrounds in nowhere/ cannot be read.")


class FullDiskStudio(FakeStudio):
    """The disk is full when the third identity comes."""

    def shot(self, job: Job, view: int) -> Shot:
        if job.identity == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().shot(job, view)


class CountingStudio(FakeStudio):
    """Leaves a mark for every picture that it draws, beside the data set."""

    def shot(self, job: Job, view: int) -> Shot:
        folder = Path(os.environ["SYNTH_MARKS"])
        (folder / f"{job.identity}-{view}").touch()
        return super().shot(job, view)


def fake_view(plan: SynthPlan, identity: int, view: int) -> SimpleNamespace:
    """Return what the renderer returns for a view."""
    rng = np.random.default_rng([plan.seed, plan.drawn_identity(identity), view])
    image = rng.integers(0, 256, (plan.size, plan.size, 3), np.uint8)
    parts = rng.choice(np.array([0, 5, 12, 255], np.uint8), (plan.size, plan.size))
    jpeg = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes()
    visible = rng.random(36) < 0.6
    return SimpleNamespace(
        image=image,
        jpeg=jpeg,
        width=233,
        height=194,
        keypoints=rng.uniform(-0.1, 1.1, (36, 2)).astype(np.float32),
        visible=visible,
        visible_veri=visible | (rng.random(36) < 0.2),
        parts=parts,
        box=(2.0, 3.0, plan.size - 2.0, plan.size - 3.0),
        azimuth=float(rng.uniform(0, 360)),
        elevation=float(rng.uniform(5, 40)),
        distance=float(rng.uniform(4, 30)),
    )
