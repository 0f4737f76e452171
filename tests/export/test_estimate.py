# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""How long an export takes is measured on the machine at hand."""

from __future__ import annotations

from pamtri_edge.export.estimate import Speed, export_seconds, measure
from pamtri_edge.export.networks import Networks, skeleton
from pamtri_edge.export.options import ExportOptions
from pamtri_edge.models import TINY

SPEED = Speed(pose=0.1, reid=0.2, loop=0.05)


def seconds(given, *, speed=SPEED, **changes):
    asked = {"crops": 80, "calibrating": 0, "pictures": 0, "graphs": 1, "flipped": False}
    return export_seconds(speed, given, **{**asked, **changes})


def test_networks_without_weights_and_without_pose_are_timed():
    given = skeleton(ExportOptions(model=TINY))
    assert next(given.reid.parameters()).is_meta
    speed = measure(given)
    assert speed.pose > 0
    assert speed.reid > 0
    assert speed.loop > 0
    assert next(given.reid.parameters()).is_meta
    assert measure(Networks(None, given.reid, False, {})).pose == 0


def test_more_work_and_a_slower_machine_take_longer():
    given = skeleton(ExportOptions(model=TINY))
    plain = seconds(given)
    slower = Speed(pose=0.2, reid=0.4, loop=0.1)
    assert seconds(given, speed=slower) == 2 * plain
    for change in ({"crops": 160}, {"calibrating": 64}, {"pictures": 9}, {"graphs": 2}, {"flipped": True}):
        assert seconds(given, **change) > plain
