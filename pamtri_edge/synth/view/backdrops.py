# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A user's own pictures behind synthetic vehicles: a folder of photos, or a video without its traffic."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from pamtri_edge.errors import InputError, SourceError
from pamtri_edge.pictures import SUFFIXES, list_pictures, read_picture
from pamtri_edge.printable import printable
from pamtri_edge.synth.view.filters import Floats, resized
from pamtri_edge.video.sources import open_source

_LARGEST: Final = 1280
_SMALLEST: Final = 16
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
        sized = resized(np.ascontiguousarray(part), width, height)
        linear: Floats = np.power(sized.astype(np.float32) * np.float32(1 / 255), np.float32(2.2))
        return linear


def open_backgrounds(path: str | Path) -> Backgrounds:
    """Read a folder of pictures, one picture, or a video.

    Of a video, the median over time is taken: of all of it and of its halves, so that what moves is gone.

    Raises:
        SourceError: there is nothing there, or nothing that can be read.
    """
    path = Path(path)
    if not path.exists():
        raise SourceError(f"there is no folder, picture or video {printable(path)} for backgrounds.")
    if not path.is_dir() and path.suffix.lower() not in SUFFIXES:
        return Backgrounds(_medians(path), path)
    try:
        pictures = [read_picture(file) for file in (list_pictures(path) if path.is_dir() else [path])]
    except InputError as error:
        raise SourceError(f"backgrounds: {error}") from error
    large = tuple(_limited(picture) for picture in pictures if min(picture.shape[:2]) >= _SMALLEST)
    if not large:
        raise SourceError(
            f"{printable(path)} is too small for a background; expected {_SMALLEST} pixels a side or more."
        )
    return Backgrounds(large, path)


def _limited(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    scale = _LARGEST / max(picture.shape[:2])
    if scale < 1.0:
        smaller = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        picture = np.asarray(smaller, np.uint8)
    return np.ascontiguousarray(picture)


def _medians(path: Path) -> tuple[NDArray[np.uint8], ...]:
    frames = _spread_frames(path)
    medians = []
    for begin, end in _VIDEO_SHARES:
        part = frames[int(begin * len(frames)) : max(1, int(end * len(frames)))]
        if part:
            medians.append(np.median(np.stack(part), axis=0).astype(np.uint8))
    return tuple(medians)


def _spread_frames(path: Path) -> list[NDArray[np.uint8]]:
    """Return up to 31 frames spread over a video, (H, W, 3) RGB."""
    video = open_source(str(path))
    step = max(1, (video.total or 0) // _MEDIAN_FRAMES)
    frames: list[NDArray[np.uint8]] = []
    try:
        for index, frame in enumerate(video.frames()):
            if frame.cut and frames and _limited(frame.picture).shape != frames[0].shape:
                break  # a median is over pictures of one size
            if index % step == 0:
                frames.append(_limited(frame.picture))
            if len(frames) == _MEDIAN_FRAMES:
                break
    except SourceError:  # a cut video shows the road all the same
        if not frames:
            raise
    finally:
        video.close()
    return frames
