# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A folder of images as a video."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from pamtri_edge.errors import SourceError
from pamtri_edge.video.frames import Frame

DEFAULT_FPS: Final = 10.0
"""CityFlow's rate; traffic data sets that come as images are about as fast."""

_SUFFIXES: Final = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp")


def natural_key(name: str) -> list[tuple[int, str]]:
    """Return a sort key under which "frame10" comes after "frame9"."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]


class ImageFolder:
    """The images of one folder in natural order, all of one size.

    Args:
        path: the folder; files of other kinds in it are left out.
        fps: frames a second.
        duration: stop after so many seconds; None for all.

    Raises:
        SourceError: no image is in it.
    """

    def __init__(self, path: Path, *, fps: float = DEFAULT_FPS, duration: float | None = None) -> None:
        files = [file for file in path.iterdir() if file.suffix.lower() in _SUFFIXES and file.is_file()]
        if not files:
            raise SourceError(f"the folder {path} holds no images; expected {', '.join(_SUFFIXES)}.")
        self._files = sorted(files, key=lambda file: natural_key(file.name))
        self._duration = duration
        self.label = str(path)
        self.name = path.resolve().name
        self.live = False
        self.rate: float | None = fps
        self.total: int | None = len(files) if duration is None else min(len(files), round(duration * fps))
        self.lost = 0
        self.started: datetime | None = None

    def frames(self) -> Iterator[Frame]:
        """Give the images in order; see `Source`."""
        shape = None
        for index, file in enumerate(self._files):
            time_s = index / (self.rate or DEFAULT_FPS)
            if self._duration is not None and time_s >= self._duration:
                return
            picture = cv2.imread(str(file), cv2.IMREAD_COLOR)
            where = f"{self.label} ended early at frame {index} of {len(self._files)}"
            if picture is None:
                raise SourceError(f"{where}: {file.name} is not a picture that can be read.")
            shape = shape or picture.shape
            if picture.shape != shape:
                raise SourceError(
                    f"{where}: {file.name} is {picture.shape[1]}x{picture.shape[0]}, the images before it "
                    f"{shape[1]}x{shape[0]}; expected one size."
                )
            yield Frame(index, time_s, np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8))

    def close(self) -> None:
        """Do nothing: no file stays open."""
