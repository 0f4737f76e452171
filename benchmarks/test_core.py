# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What the decisions cost: time a vehicle and frame, memory a track."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np

from pamtri_edge import _core

VEHICLES = 20
FRAMES = 100

MEMORY = """
import sys
import numpy as np
from pamtri_edge import _core

def resident():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS"))

tracks = _core.Tracks(_core.TracksSpec())
values = [np.full(size, 1.0, np.float32) for size in (512, 10, 9)]
count = int(sys.argv[1])
before = resident()
for track in range(count):
    handle = tracks.see(0, track, 0.0)
    tracks.offer(handle, _core.Sighting(0.0, (0, 0, 60, 60), False, 0.0), 1.0)
    for ticket in tracks.due(0.0):
        tracks.answer(ticket, 0.5, *values)
print((resident() - before) / count)
"""


def run_frames() -> None:
    """A hundred frames of twenty vehicles that drive nearer, from boxes to answers, without pixels."""
    tracks = _core.Tracks(_core.TracksSpec())
    values = [np.full(size, 1.0, np.float32) for size in (512, 10, 9)]
    for frame in range(FRAMES):
        side = 30.0 + frame
        corners = np.arange(VEHICLES) * 90.0 + 5
        boxes = np.stack([corners, 0 * corners + 5, corners + side, 0 * corners + 5 + side], axis=1)
        handles = [tracks.see(0, track, frame / 25) for track in range(VEHICLES)]
        for index, sighting in _core.sightings(boxes, 1920, 1080, frame / 25, "exact", 2.0):
            wanted = tracks.wants_detail(handles[index], sighting)
            tracks.offer(handles[index], sighting, 1.0 if wanted else None)
        while tickets := tracks.due(frame / 25):
            for ticket in tickets:
                tracks.answer(ticket, 0.3, *values)
            tracks.settle()
    for handle in tracks.open():
        tracks.end(handle)
    while tickets := tracks.due(math.inf):
        for ticket in tickets:
            tracks.answer(ticket, 0.3, *values)
        tracks.settle()
    assert len(tracks.take_closed()) == VEHICLES


def test_decisions(benchmark) -> None:
    benchmark.pedantic(run_frames, rounds=20, warmup_rounds=1)
    if benchmark.stats is not None:  # None with --benchmark-disable
        each = benchmark.stats.stats.min / (VEHICLES * FRAMES) * 1e6
        benchmark.extra_info["microseconds_a_vehicle_and_frame"] = each
        print(f"\n{each:.2f} microseconds a vehicle and frame")
        assert each < 20


def test_memory_of_a_track() -> None:
    done = subprocess.run([sys.executable, "-c", MEMORY, "5000"], capture_output=True, text=True, check=True)
    each = float(done.stdout)
    print(f"\n{each * 1000 / 1e6:.1f} MB in 1,000 tracks with embeddings of 512 numbers")
    assert 1e5 < each * 1000 < 10e6  # less than an embedding a track would be no measurement
