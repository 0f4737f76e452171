# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A user's own pictures behind synthetic vehicles: a folder of photos, or a video without its traffic."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from pamtri_edge.errors import SourceError
from pamtri_edge.synth.view.raster import Floats

PICTURES: Final = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})

_LARGEST: Final = 1280
_MEDIAN_FRAMES: Final = 31
_VIDEO_SHARES: Final = ((0.0, 1.0), (0.0, 0.5), (0.5, 1.0))


@dataclass(frozen=True)
class Backgrounds:
    """Pictures of empty roads.

    Attributes:
        pictures: (H, W, 3) uint8 RGB each, their sizes may differ.
        source: the folder or video, for messages.
    """

    pictures: tuple[NDArray[np.uint8], ...]
    source: Path

    def window(self, rng: np.random.Generator, camera: int, width: int, height: int) -> Floats:
        """Return (height, width, 3) float32 linear light: a part of the camera's picture.

        A camera always has the same picture; the part is drawn, from its lower three quarters, where roads
        are, and as large as the crop is in its own frame, up to twice and down to half of it.

        Args:
            rng: the view's numbers.
            camera: its number.
            width: of the crop, in pixels.
            height: likewise.
        """
        picture = self.pictures[camera % len(self.pictures)]
        high, wide = picture.shape[:2]
        zoom = float(np.exp(rng.uniform(np.log(0.5), np.log(2.0))))
        w = int(np.clip(width * zoom, 8, wide))
        h = int(np.clip(height * zoom, 8, max(8, 0.75 * high)))
        x = int(rng.integers(0, wide - w + 1))
        y = int(rng.integers(min(high - h, high // 4), high - h + 1))
        part = picture[y : y + h, x : x + w]
        if rng.random() < 0.5:
            part = part[:, ::-1]
        shrinks = width * height < w * h
        sized = cv2.resize(
            np.ascontiguousarray(part),
            (width, height),
            interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR,
        )
        linear: Floats = np.power(sized.astype(np.float32) * np.float32(1 / 255), np.float32(2.2))
        return linear


def open_backgrounds(path: str | Path) -> Backgrounds:
    """Read a folder of pictures, one picture, or a video.

    Of a video, the median over time is taken: of all of it and of its halves, so that what moves is gone.

    Raises:
        SourceError: there is nothing there, or nothing that can be read.
    """
    path = Path(path)
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if file.suffix.lower() in PICTURES)
        pictures = [picture for file in files if (picture := _read(file)) is not None]
        if not pictures:
            raise SourceError(
                f"the folder {path} holds {len(files)} pictures of which none can be read; expected "
                f"{', '.join(sorted(PICTURES))}."
            )
        return Backgrounds(tuple(pictures), path)
    if not path.is_file():
        raise SourceError(f"there is no folder, picture or video {path} for backgrounds.")
    if path.suffix.lower() in PICTURES:
        single = _read(path)
        if single is None:
            raise SourceError(f"the picture {path} cannot be read.")
        return Backgrounds((single,), path)
    return Backgrounds(_medians(path), path)


def _read(path: Path) -> NDArray[np.uint8] | None:
    """Return (H, W, 3) RGB, or None where the file is no picture or too small to be one of a road."""
    data = np.fromfile(path, np.uint8)
    picture = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    if picture is None or min(picture.shape[:2]) < 16:
        return None
    return _limited(picture)


def _limited(bgr: NDArray[Any]) -> NDArray[np.uint8]:
    scale = _LARGEST / max(bgr.shape[:2])
    if scale < 1.0:
        bgr = cv2.resize(bgr, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(bgr[..., ::-1], np.uint8)


def _medians(path: Path) -> tuple[NDArray[np.uint8], ...]:
    frames = _spread_frames(path)
    medians = []
    for begin, end in _VIDEO_SHARES:
        part = frames[int(begin * len(frames)) : max(1, int(end * len(frames)))]
        if part:
            medians.append(np.median(np.stack(part), axis=0).astype(np.uint8))
    return tuple(medians)


def _spread_frames(path: Path) -> list[NDArray[np.uint8]]:
    """Return up to 31 frames spread over a video, RGB."""
    video = cv2.VideoCapture(str(path))
    total = int(video.get(cv2.CAP_PROP_FRAME_COUNT))
    step = max(1, total // _MEDIAN_FRAMES)
    frames: list[NDArray[np.uint8]] = []
    index = 0
    while len(frames) < _MEDIAN_FRAMES and video.grab():
        if index % step == 0:
            got, frame = video.retrieve()
            if got:
                frames.append(_limited(frame))
        index += 1
    video.release()
    if not frames:
        raise SourceError(f"{path} is no video that can be decoded, nor a picture.")
    return frames
