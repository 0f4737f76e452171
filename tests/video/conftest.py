# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Small videos and a re-identifier without a network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

WIDTH, HEIGHT, FPS = 160, 120, 25

VideoWriter = Callable[..., Path]
Boxes = Callable[[int], list[tuple[int, int, int, int, tuple[int, int, int]]]]


@pytest.fixture(scope="session")
def write_video() -> VideoWriter:
    """Return a function that writes a video of moving rectangles, and their tracks beside it.

    Its arguments: path, frames; options (of the container), codec (options of libx264), pts (of each frame,
    in 1/25 s), boxes (index -> list of (x, y, w, h, color) drawn on the road; a track each color), tracks
    (frames that these have, if not those of the video).
    """
    import av

    def write(
        path: Path,
        frames: int = 50,
        *,
        options: dict[str, str] | None = None,
        codec: dict[str, str] | None = None,
        pts: Sequence[int] | None = None,
        boxes: Boxes | None = None,
        size: tuple[int, int] = (WIDTH, HEIGHT),
        tracks: int | None = None,
    ) -> Path:
        with av.open(str(path), "w", options=options or {}) as container:
            stream = container.add_stream(
                "libx264", rate=FPS, options=codec or {"preset": "ultrafast", "g": "10", "threads": "1"}
            )
            stream.width, stream.height = size
            stream.pix_fmt = "yuv420p"
            container.start_encoding()
            for index in range(frames):
                frame = av.VideoFrame.from_ndarray(_picture(index, boxes, size), format="rgb24")
                frame.pts = index if pts is None else pts[index]
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        if boxes is not None:
            ids: dict[Any, int] = {}
            rows = [(k + 1, *box) for k in range(frames if tracks is None else tracks) for box in boxes(k)]
            lines = [
                f"{frame},{ids.setdefault(color, len(ids) + 1)},{x},{y},{w},{h},1,2,-1\n"
                for frame, x, y, w, h, color in rows
            ]
            path.with_suffix(".txt").write_text("".join(lines))
        return path

    return write


def _picture(index: int, boxes: Boxes | None, size: tuple[int, int]) -> NDArray[np.uint8]:
    picture = np.full((size[1], size[0], 3), 70, np.uint8)
    picture[:16, :16] = (10, 250, 10)  # a corner to tell the picture's orientation by
    picture[size[1] // 2 :] = np.random.default_rng(1).integers(60, 90, (size[1] - size[1] // 2, size[0], 1))
    for x, y, w, h, color in [] if boxes is None else boxes(index):
        picture[max(y, 0) : max(y + h, 0), max(x, 0) : max(x + w, 0)] = color
        inner = picture[max(y + h // 4, 0) : max(y + h // 2, 0), max(x + w // 4, 0) : max(x + w // 2, 0)]
        inner[:] = (255 - color[0], 255 - color[1], 255 - color[2])
    return picture


class FakeReidentifier:
    """Gives each crop an embedding, a color and keypoints that follow from its mean colour; no network.

    Attributes:
        batches: the size of every batch that was asked for.
        interrupt_at: raise KeyboardInterrupt at this call (1 is the first); 0 for never.
        closed: it was left as a context.
    """

    DIM = 8

    def __init__(self, *, trained: bool = True, attributes: bool = True, pose: bool = True) -> None:
        self.manifest = SimpleNamespace(
            name="fake",
            trained=trained,
            embedding_space="sha256:fake",
            embedding_dim=self.DIM,
            colors=("red", "green", "blue") if attributes else None,
            types=("car", "truck") if attributes else None,
        )
        self.batches: list[int] = []
        self.crops: list[NDArray[np.uint8]] = []
        self.interrupt_at = 0
        self.closed = False
        self.quality = 0.6
        self._attributes = attributes
        self._pose = pose

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: Any) -> None:
        self.closed = True

    def embed(self, batch: Sequence[NDArray[np.uint8]]) -> Any:
        self.batches.append(len(batch))
        self.crops.extend(batch)
        if len(self.batches) == self.interrupt_at:
            raise KeyboardInterrupt
        means = np.array([crop.reshape(-1, 3).mean(axis=0) for crop in batch], np.float32)
        count = len(batch)
        embeddings = np.full((count, self.DIM), 0.1, np.float32)
        embeddings[:, :3] += means / 255
        colors = np.exp(means / 20)
        keypoints = np.tile(np.linspace(0.1, 0.9, 36, dtype=np.float32)[None, :, None], (count, 1, 3))
        keypoints[..., 2] = self.quality
        return SimpleNamespace(
            embeddings=embeddings,
            color_probs=colors / colors.sum(axis=1, keepdims=True) if self._attributes else None,
            type_probs=np.tile(np.float32([0.25, 0.75]), (count, 1)) if self._attributes else None,
            keypoints=keypoints if self._pose else None,
            quality=np.full(count, self.quality, np.float32) if self._pose else None,
        )


@pytest.fixture(scope="session")
def fake_reidentifier() -> type[FakeReidentifier]:
    return FakeReidentifier
