# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""pamtridraw in whole pipelines: a clip in, an overlay and events out."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pamtri_edge import _core

WIDTH, HEIGHT, FRAMES = 320, 240, 4
BOX = (20, 60, 110, 150)


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "table.csv"
    rows = [f"{frame},7,{','.join(map(str, BOX))}" for frame in range(FRAMES)]
    path.write_text("\n".join(["frame,id,x1,y1,x2,y2", *rows, ""]))
    return path


def pictures(path):
    """Return the frames of a file of raw RGB, (N, H, W, 3)."""
    return np.fromfile(path, np.uint8).reshape(-1, HEIGHT, WIDTH, 3).astype(int)


def source(form):
    size = f"width={WIDTH},height={HEIGHT},framerate=25/1"
    return f"videotestsrc num-buffers={FRAMES} ! video/x-raw,format={form},{size}"


@pytest.mark.parametrize("form", ["RGB", "NV12"])
def test_a_clip_in_overlay_and_events_out(launch, table, tmp_path, form):
    raw = tmp_path / "overlay.rgb"
    done = launch(
        f"{source(form)} ! pamtritracks location={table} ! pamtri bundle=fake sync=true batch=1 ! "
        f"tee name=t ! queue ! pamtrisink uri=file:{tmp_path / 'events.jsonl'} t. ! queue ! "
        f"pamtridraw line-width=8 ! videoconvert ! video/x-raw,format=RGB ! filesink location={raw}"
    )
    assert done.returncode == 0, done.stderr
    (event,) = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert (event["track_id"], event["frames"]["seen"]) == (7, FRAMES)
    frames = pictures(raw)
    assert len(frames) == FRAMES
    x1, y1, x2, y2 = BOX
    color = _core.track_color(7)
    for frame in frames:
        for x, y in ((x1, 110), (x2, 110), (60, y1), (60, y2)):
            assert np.abs(frame[y, x] - color).max() <= 12
        label = frame[y1 - 12 : y1 - 4, x1 + 2 : x1 + 90]
        assert (np.abs(label - color).max(axis=2) <= 40).mean() > 0.3  # its ground
        assert (label.max(axis=2) < 110).any()  # its letters
