# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A folder of images as a video."""

from __future__ import annotations

import configparser
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

from pamtri_edge.errors import InputError, SourceError
from pamtri_edge.pictures import list_pictures, read_picture
from pamtri_edge.printable import printable
from pamtri_edge.video.clock import believable
from pamtri_edge.video.frames import Frame

DEFAULT_FPS: Final = 10.0
"""CityFlow's rate; traffic data sets that come as images are about as fast."""


_SEQUENCE_IMAGES: Final = "img1"
_SEQUENCE_FILE: Final = "seqinfo.ini"


def natural_key(name: str) -> list[tuple[int, str]]:
    """Return a sort key under which "frame10" comes after "frame9"."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]


def sequence_rate(folder: Path) -> float | None:
    """Return the frames a second that a sequence of MOTChallenge tells in its seqinfo.ini; None for none."""
    told = configparser.ConfigParser(interpolation=None)
    try:
        if (folder / _SEQUENCE_FILE).is_file():
            told.read(folder / _SEQUENCE_FILE, encoding="utf-8")
        return believable(told.getfloat("Sequence", "frameRate", fallback=None))
    except (configparser.Error, ValueError, OSError):
        return None


class ImageFolder:
    """The images of one folder in natural order; where their size changes, tracks end (`Frame.cut`).

    A sequence of MOTChallenge has its images in the folder `img1`, and its rate beside that; either folder
    may be given.

    Args:
        path: the folder; files of other kinds in it are left out.
        fps: frames a second; None takes what a sequence tells, or `DEFAULT_FPS`.
        duration: stop after so many seconds; None for all.

    Raises:
        SourceError: no image is in it.
    """

    def __init__(self, path: Path, *, fps: float | None = None, duration: float | None = None) -> None:
        images = path / _SEQUENCE_IMAGES
        whole = path.resolve()
        sequence = whole.parent if whole.name == _SEQUENCE_IMAGES else whole
        fps = fps or sequence_rate(sequence) or DEFAULT_FPS
        try:
            files = list_pictures(images if images.is_dir() else path)
        except InputError as error:
            raise SourceError(str(error)) from error
        self._files = sorted(files, key=lambda file: natural_key(file.name))
        self._duration = duration
        self.label = printable(path)
        self.name = printable(sequence.name)
        self.live = False
        self.rate: float | None = fps
        self.total: int | None = len(files) if duration is None else min(len(files), round(duration * fps))
        self.lost = 0
        self.started: datetime | None = None

    def frames(self) -> Iterator[Frame]:
        """Give the images in order; see `Source`."""
        shape: tuple[int, ...] | None = None
        for index, file in enumerate(self._files):
            time_s = index / (self.rate or DEFAULT_FPS)
            if self._duration is not None and time_s >= self._duration:
                return
            where = f"{self.label} ended early at frame {index} of {len(self._files)}"
            try:
                picture = read_picture(file)
            except InputError as error:
                raise SourceError(f"{where}: {error}") from error
            cut = shape is not None and picture.shape != shape
            shape = picture.shape
            yield Frame(index, time_s, picture, cut)

    def close(self) -> None:
        """Do nothing: no file stays open."""
