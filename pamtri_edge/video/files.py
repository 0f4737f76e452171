# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A video file."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pamtri_edge.errors import SourceError
from pamtri_edge.video.frames import Frame
from pamtri_edge.video.pyav import PictureMaker, decode, hide_password, import_av, reason

if TYPE_CHECKING:
    from av import VideoFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream

# Durations in headers are rounded, and may count a frame that an edit list hides: a shortfall within these
# limits is no sign of a cut file.
_TOLERANCE: Final = 0.03
_SLACK_S: Final = 0.25


class VideoFile:
    """A video file, read to its end; times are the file's own, so a variable frame rate is kept.

    A packet that cannot be decoded costs its frame, and reading goes on; a file that breaks off, or holds
    clearly less than its header says, ends in a `SourceError` after its last good frame.

    Args:
        path: the file, or the address of one.
        duration: stop after so many seconds; None for all.

    Raises:
        SourceError: it is no video.
        MissingDependencyError: PyAV is not installed.
    """

    def __init__(self, path: str | Path, *, duration: float | None = None) -> None:
        self._av = import_av()
        self._duration = duration
        self.label = hide_password(str(path))
        self.name = Path(self.label).stem
        self.live = False
        self.lost = 0
        self.started: datetime | None = None
        try:
            self._container: InputContainer = self._av.open(str(path))
        except self._av.error.EOFError as error:
            raise SourceError(f"{self.label} holds no frames: it ends behind its header.") from error
        except self._av.error.FFmpegError as error:
            raise SourceError(
                f"{self.label} is not a video that can be read, or was cut off before its index was written "
                f"({reason(error)})."
            ) from error
        if not self._container.streams.video:
            kinds = ", ".join(sorted({stream.type for stream in self._container.streams})) or "nothing"
            self._container.close()
            raise SourceError(f"{self.label} holds no video (streams in it: {kinds}).")
        self._stream = self._container.streams.video[0]
        rate = self._stream.average_rate or self._stream.guessed_rate
        self.rate: float | None = float(rate) if rate else None
        self._promised_s = _promised_seconds(self._container, self._stream)
        self.total: int | None = self._stream.frames or None
        if self.rate and self._promised_s:
            self.total = self.total or round(self._promised_s * self.rate)
        if self.rate and duration is not None:
            self.total = min(self.total or 2**31, max(round(duration * self.rate), 1))

    def frames(self) -> Iterator[Frame]:
        """Give the frames in order; see `Source`."""
        make_picture = PictureMaker()
        good, broken, index, time_s, end_s, first = 0, 0, -1, 0.0, 0.0, None
        trouble: Exception | None = None
        for item in self._decode():
            if isinstance(item, Exception):
                trouble = item
                broken += 1
                continue
            before = time_s
            if item.time is None:
                time_s = (index + broken + 1) / (self.rate or 25.0)
            else:
                first = item.time if first is None else first
                time_s = max(item.time - first, time_s)
            # Some headers count from zero, others from the first frame: the later reading is the lenient one.
            end_s = max(time_s, item.time or 0.0)
            if self._duration is not None and time_s >= self._duration:
                return
            if broken:
                # One broken packet may cost all frames up to the next key frame; the clock tells how many.
                gap = round((time_s - before) * self.rate) - 1 if self.rate else 0
                self.lost += max(broken, gap)
                index += max(broken, gap)
                trouble, broken = None, 0
            good, index = good + 1, index + 1
            yield Frame(index, time_s, make_picture(item))
        self.lost += broken
        self._check_end(good, end_s, trouble)

    def close(self) -> None:
        """Close the file."""
        self._container.close()

    def _decode(self) -> Iterator[VideoFrame | Exception]:
        try:
            yield from decode(self._container, self._stream, self.label)
        except self._av.error.FFmpegError as error:
            yield error

    def _check_end(self, good: int, end_s: float, trouble: Exception | None) -> None:
        why = f" ({reason(trouble)})" if trouble else ""
        if good == 0:
            raise SourceError(f"{self.label} holds no frames that can be decoded{why}.")
        reached = end_s + (1.0 / self.rate if self.rate else 0.0)
        promised = self._promised_s
        if trouble is None and (promised is None or reached >= promised * (1 - _TOLERANCE) - _SLACK_S):
            return
        about = f" of about {self.total}" if self.total and self.total > good else ""
        raise SourceError(
            f"{self.label} ended early at frame {good}{about}{why}; the file is cut or damaged."
        )


def _promised_seconds(container: InputContainer, stream: VideoStream) -> float | None:
    """Return how long the header says that the video is, or None where it does not say.

    Seconds, not frames: under a variable frame rate a header's rate tells little of their number.
    """
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    if container.duration and len(container.streams) == 1:  # a sound track may be longer than the pictures
        return container.duration / 1e6
    return None
