# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Writing H.264 video."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from pamtri_edge.errors import InputError
from pamtri_edge.files.atomic import publish, temporary_beside
from pamtri_edge.video.clock import HIGHEST_RATE, USUAL_RATE
from pamtri_edge.video.pyav import import_av, reason

_CLOCK: Final = Fraction(1, 90_000)

# Fast, and little memory: the encoder otherwise looks forty frames ahead.
_OPTIONS: Final = {"preset": "superfast", "crf": "24", "threads": "2", "rc-lookahead": "8", "bf": "0"}


class VideoWriter:
    """Writes an MP4 (H.264, yuv420p) that appears under its final name when it is closed.

    The first frame sets the size, rounded up to even; a frame of another size is scaled to fit into it, with
    black beside or above and below. Times may be uneven; they must not go back.

    Args:
        path: the final name, ending in ".mp4".
        rate: frames a second, a hint for the encoder.

    Raises:
        InputError: the file cannot be written.
        MissingDependencyError: PyAV is not installed.
    """

    def __init__(self, path: Path, *, rate: float | None = None) -> None:
        self._av = import_av()
        self.path = path
        self._part = temporary_beside(path)
        self._rate = Fraction(min(max(rate or USUAL_RATE, 0.01), HIGHEST_RATE)).limit_denominator(1001)
        self._container: Any = None
        self._stream: Any = None
        self._last = -1
        self._shape = (0, 0)  # rows and columns of the first frame

    def write(self, picture: NDArray[np.uint8], time_s: float) -> None:
        """Append a (H, W, 3) uint8 RGB picture.

        Raises:
            InputError: the disk is full or gone.
        """
        if self._container is None:
            self._shape = (picture.shape[0], picture.shape[1])
            high, wide = (side + side % 2 for side in self._shape)
            self._start(wide, high)
        picture = _evened(_fitted(picture, self._shape))
        frame = self._av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame.time_base = _CLOCK
        self._last = frame.pts = max(round(time_s / _CLOCK), self._last + 1)
        self._encode(frame)

    def close(self) -> None:
        """Finish the file and give it its final name; nothing is left if no frame was written, or it fails.

        Raises:
            InputError: the disk is full or gone, or the folder is.
        """
        if self._container is None:
            return
        try:
            self._encode(None)
            self._close_container()
            publish(self._part, self.path, flush=False)
        except OSError as error:  # such as that its folder was removed meanwhile
            raise InputError(f"{self.path} cannot be finished: {reason(error)}.") from error
        finally:
            self.discard()

    def discard(self) -> None:
        """Leave nothing behind; for after a failed write."""
        try:
            if self._container is not None:
                self._close_container()
        finally:
            self._part.unlink(missing_ok=True)

    def _start(self, wide: int, high: int) -> None:
        try:
            container = self._av.open(str(self._part), "w", format="mp4")
            stream = container.add_stream("libx264", rate=self._rate, options=dict(_OPTIONS))
            stream.width, stream.height = wide, high
            stream.pix_fmt = "yuv420p"
            stream.codec_context.time_base = _CLOCK
            container.start_encoding()
        except (OSError, self._av.error.FFmpegError) as error:
            raise InputError(f"{self.path} cannot be written: {reason(error)}.") from error
        self._container, self._stream = container, stream

    def _encode(self, frame: Any) -> None:
        try:
            self._container.mux(self._stream.encode(frame))
        except (OSError, self._av.error.FFmpegError) as error:
            raise InputError(f"{self.path} cannot be written on: {reason(error)}.") from error

    def _close_container(self) -> None:
        container, self._container = self._container, None
        try:
            container.close()
        except (OSError, self._av.error.FFmpegError) as error:
            raise InputError(f"{self.path} cannot be finished: {reason(error)}.") from error


def _fitted(picture: NDArray[np.uint8], shape: tuple[int, int]) -> NDArray[np.uint8]:
    """Return the picture scaled to fit into so many rows and columns, centered on black."""
    if picture.shape[:2] == shape:
        return picture
    scale = min(shape[0] / picture.shape[0], shape[1] / picture.shape[1])
    high, wide = (max(round(side * scale), 1) for side in picture.shape[:2])
    method = cv2.INTER_AREA if scale < 1.0 else cv2.INTER_LINEAR
    canvas = np.zeros((*shape, 3), np.uint8)
    top, left = (shape[0] - high) // 2, (shape[1] - wide) // 2
    canvas[top : top + high, left : left + wide] = cv2.resize(picture, (wide, high), interpolation=method)
    return canvas


def _evened(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the picture with its last row and column repeated where their number is odd, as H.264 wants."""
    high, wide = picture.shape[:2]
    if high % 2 == 0 and wide % 2 == 0:
        return picture
    return np.asarray(cv2.copyMakeBorder(picture, 0, high % 2, 0, wide % 2, cv2.BORDER_REPLICATE), np.uint8)
