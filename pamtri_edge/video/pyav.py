# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""PyAV at first use: its import, its frames as pictures, its errors in words."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.addresses import redact_text
from pamtri_edge.errors import MissingDependencyError, SourceError
from pamtri_edge.video.planes import rgb_of_planes, settle_matrix

if TYPE_CHECKING:
    from av import VideoFrame
    from av.packet import Packet
    from av.video.stream import VideoStream

_log = logging.getLogger(__name__)

DECODE_THREADS: Final = 2
"""More would keep more frames in flight without being faster than the networks behind them."""


def import_av() -> Any:
    """Return the module `av`.

    Raises:
        MissingDependencyError: PyAV is not installed.
    """
    try:
        import av
    except ImportError as error:
        raise MissingDependencyError(
            f'reading and writing video needs PyAV ({error}): pip install "pamtri-edge[video]"'
        ) from error
    return av


class PictureMaker:
    """Turns decoded frames into upright RGB pictures, keeping one converter for all of them.

    Attributes:
        resized: whether the last picture has another size than the one before.
    """

    def __init__(self) -> None:
        import_av()
        from av.video.reformatter import Interpolation, VideoReformatter

        self.resized = False
        self._shape: tuple[int, ...] | None = None
        self._told = False
        self._reformatter = VideoReformatter()
        self._way = Interpolation.BILINEAR
        for exact in ("ACCURATE_RND", "FULL_CHR_H_INT"):  # PyAV before 18 does not name them
            self._way |= getattr(Interpolation, exact, 0)

    def __call__(self, frame: VideoFrame, codec: str) -> NDArray[np.uint8]:
        """Return the frame as (H, W, 3) uint8 RGB, turned and mirrored as its display matrix says.

        Args:
            frame: the frame.
            codec: FFmpeg's name of what it was decoded from.

        Raises:
            SourceError: its pixels are in a format that FFmpeg does not turn into RGB.
        """
        unknown = settle_matrix(frame)
        if unknown is not None and not self._told:
            self._told = True
            _log.warning(
                "the video names a color matrix that is not known here (number %d of ITU-T H.273); the usual "
                "one is taken, so that colors may be off",
                unknown,
            )
        picture = rgb_of_planes(frame, codec)
        if picture is None:
            try:
                rgb = self._reformatter.reformat(frame, format="rgb24", interpolation=self._way)
            except import_av().error.FFmpegError as error:
                raise SourceError(
                    f"the video's pixels have the format {frame.format.name}, which FFmpeg does not turn "
                    f"into RGB ({reason(error)}); convert it first, to H.264 with yuv420p for one."
                ) from None
            picture = np.asarray(rgb.to_ndarray(), np.uint8)
        picture = _upright(picture, frame)
        self.resized = self._shape not in (None, picture.shape)
        self._shape = picture.shape
        return picture


def _upright(picture: NDArray[np.uint8], frame: VideoFrame) -> NDArray[np.uint8]:
    """Turn and mirror a picture as the display matrix of its frame says, by right angles."""
    side_data: Any = frame.side_data
    if "DISPLAYMATRIX" not in side_data:
        return picture
    # A point (x, y) is shown at (a x + c y, b x + d y), the matrix being a, b, u, c, d, v, ...
    a, b, _, c, d = (int(one) for one in np.frombuffer(bytes(side_data["DISPLAYMATRIX"]), np.int32)[:5])
    if abs(b) + abs(c) > abs(a) + abs(d):
        picture, a, d = picture.swapaxes(0, 1), c, b
    return np.ascontiguousarray(picture[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1])


def decode(
    packets: Iterable[Packet[Any]], stream: VideoStream, label: str
) -> Iterator[VideoFrame | Exception]:
    """Give a stream's frames, and in the place of a packet that cannot be decoded, its error.

    Args:
        packets: the stream's packets.
        stream: the stream.
        label: how the log calls it.

    Raises:
        av.error.FFmpegError: nothing more can be read, before the end.
    """
    av = import_av()
    stream.codec_context.thread_count = DECODE_THREADS
    stream.codec_context.thread_type = "AUTO"
    level = logging.WARNING
    for packet in packets:
        try:
            yield from packet.decode()
        except av.error.EOFError:
            return
        except av.error.FFmpegError as error:
            _log.log(level, "%s: a packet could not be decoded (%s)", label, reason(error))
            level = logging.DEBUG  # damage comes in rows; `Source.lost` counts it
            yield error


def reason(error: Exception) -> str:
    """Return what FFmpeg or the system says of an error, without numbers and addresses."""
    return redact_text(str(getattr(error, "strerror", None) or error))
