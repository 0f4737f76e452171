# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A clip of ten frames from its file to fused tracks; in the network's place one answer to everything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from gate import Pair

from pamtri_edge.tracks import TrackBox
from pamtri_edge.video.encode import VideoWriter
from pamtri_edge.video.journal import Journal
from pamtri_edge.video.sources import open_source

FRAMES = 10
VEHICLES = 4
WIDTH, HEIGHT = 640, 352


class OneAnswer:
    """Says the same of every crop, at once."""

    manifest = SimpleNamespace(trained=True)

    def embed(self, batch: Sequence[Any]) -> Any:
        """Return an embedding, color, type and quality for each crop."""
        count = len(batch)
        each = {"embeddings": 64, "color_probs": 10, "type_probs": 9}
        answers = {name: np.full((count, size), 1 / size, np.float32) for name, size in each.items()}
        return SimpleNamespace(**answers, keypoints=None, quality=np.full(count, 0.5, np.float32))


def boxes(frame: int) -> dict[int, tuple[int, int, int, int]]:
    """Return x1, y1, x2, y2 of vehicles that come nearer."""
    side = 80 + 5 * frame
    return {n: (10 + 155 * n, 20 + 10 * n, 10 + 155 * n + side, 20 + 10 * n + side) for n in range(VEHICLES)}


@contextmanager
def pair(folder: Path) -> Iterator[Pair]:
    """Give source and journal beside PyAV and the sharpest crops."""
    pytest.importorskip("av")
    from reference.plain_video import sharpest

    clip = folder / "clip.mp4"
    _write(clip)

    def follow() -> int:
        source = open_source(str(clip))
        journal = Journal(OneAnswer())
        for frame in source.frames():
            journal.observe(frame, [TrackBox(n, box) for n, box in boxes(frame.index).items()])
        source.close()
        journal.end_all()
        return len(journal.take())

    assert follow() == len(sharpest(clip, boxes)) == VEHICLES
    yield Pair(follow, lambda: sharpest(clip, boxes))


def _write(path: Path) -> None:
    coarse = np.random.default_rng(0).integers(0, 256, (44, 80, 3), dtype=np.uint8)
    picture = cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    writer = VideoWriter(path, rate=25)
    for index in range(FRAMES):
        writer.write(np.roll(picture, 3 * index, axis=1), index / 25)
    writer.close()
