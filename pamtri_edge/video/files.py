# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A video file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pamtri_edge import _core
from pamtri_edge.addresses import is_address, parse_address
from pamtri_edge.errors import SourceError
from pamtri_edge.files.kinds import PEEK, kind_of_other
from pamtri_edge.files.regular import open_regular
from pamtri_edge.printable import printable
from pamtri_edge.video.frames import Frame
from pamtri_edge.video.opening import OpenError, described, find_video, open_container
from pamtri_edge.video.pyav import PictureMaker, decode, import_av, reason

if TYPE_CHECKING:
    from av import VideoFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream

# Durations in headers are rounded, and may count a frame that an edit list hides: a shortfall within these
# limits is no sign of a cut file.
_TOLERANCE: Final = 0.03
_SLACK_S: Final = 0.25

# A playlist that its recorder did not end is read again so often before it counts as ended; FFmpeg's own
# thousand times take minutes. Other formats leave these options alone.
_PLAYLIST_OPTIONS: Final = {"m3u8_hold_counters": "10", "max_reload": "10"}

NETWORK_TIMEOUT_S: Final = 10.0
"""An address that gives nothing for so long is given up."""


class VideoFile:
    """A video file, read to its end; times are the file's own, so a variable frame rate is kept.

    A packet that cannot be decoded costs its frame, and reading goes on; a file that breaks off, or holds
    clearly less than its header says, ends in a `SourceError` after its last good frame.

    Where a time stamp is missing, stands still, goes back or leaps far ahead, as in recordings joined by
    `cat` or after a camera set its clock, time goes on by the frame rate; the core decides it.

    Args:
        path: the file, or the address of one.
        duration: stop after so many seconds; None for all.
        timeout_s: an address that gives nothing for so long is given up.

    Raises:
        SourceError: it is no video.
        MissingDependencyError: PyAV is not installed.
    """

    def __init__(
        self, path: str | Path, *, duration: float | None = None, timeout_s: float = NETWORK_TIMEOUT_S
    ) -> None:
        self._av = import_av()
        self._duration = duration
        self.label, self.name, place = _called(path)
        self._timeout_s = timeout_s if is_address(os.fspath(path)) else None
        self.live = False
        self.lost = 0
        self.started: datetime | None = None
        self._container = self._opened(place)
        try:
            self._video = find_video(self._container, self.label)
        except BaseException:
            self._container.close()
            raise
        stream = self._video.stream
        self.rate: float | None = self._video.rate
        self._promised_s = _promised_seconds(self._container, stream, self.rate)
        self.total: int | None = stream.frames or None
        if self.rate and self._promised_s:
            self.total = self.total or round(self._promised_s * self.rate) or None
        if self.rate and duration is not None:
            self.total = min(self.total or 2**31, max(round(duration * self.rate), 1))

    def frames(self) -> Iterator[Frame]:
        """Give the frames in order; see `Source`."""
        make_picture, codec = PictureMaker(), self._video.stream.codec_context.name
        clock = _core.FrameClock(self.rate, self._video.longest_gap_s)
        good, broken, index, time_s, end_s = 0, 0, -1, 0.0, 0.0
        trouble: Exception | None = None
        for item in self._decode():
            if isinstance(item, Exception):
                trouble = item
                broken += 1
                continue
            before = time_s
            time_s, cut = clock.tick(item.time, broken)
            # Some headers count from zero, others from the first frame: the later reading is the lenient one.
            end_s = max(end_s, time_s, item.time or 0.0)
            if self._duration is not None and time_s >= self._duration:
                return
            if broken:
                # One broken packet may cost all frames up to the next key frame; the clock tells how many.
                gap = round((time_s - before) * self.rate) - 1 if self.rate else 0
                self.lost += max(broken, gap)
                index += max(broken, gap)
                trouble, broken = None, 0
            good, index = good + 1, index + 1
            picture = make_picture(item, codec)
            yield Frame(index, time_s, picture, cut or make_picture.resized)
        self.lost += broken
        self._check_end(good, end_s, trouble)

    def close(self) -> None:
        """Close the file."""
        self._container.close()

    def _opened(self, place: str) -> InputContainer:
        try:
            return open_container(place, options=_PLAYLIST_OPTIONS, timeout_s=self._timeout_s)
        except OpenError as error:
            failure = error
        if failure.ended:
            raise SourceError(f"{self.label} holds no frames: it is empty, or ends behind its header.")
        if self._timeout_s is not None:
            raise SourceError(f"{self.label} cannot be opened ({failure}).")
        with open_regular(place, error=SourceError) as file:
            start = file.read(PEEK)
        kind = kind_of_other(start)
        if not start.strip(b"\0"):
            kind = "nothing but zeros" if start else "empty (0 bytes)"
        if kind is not None:
            raise SourceError(f"{self.label} is {kind}, not a video; expected a video file. Fetch it again.")
        raise SourceError(
            f"{self.label} is not a video that can be read, or was cut off before its index was written "
            f"({failure})."
        )

    def _decode(self) -> Iterator[VideoFrame | Exception]:
        try:
            yield from decode(self._video.packets, self._video.stream, self.label)
        except self._av.error.FFmpegError as error:
            yield described(error, self._timeout_s)

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


def _called(path: str | Path) -> tuple[str, str, str]:
    """Return how messages call a file, a name for its camera, and what FFmpeg is given to open."""
    text = os.fspath(path)
    if is_address(text):
        address = parse_address(text)
        return address.shown, address.name, address.to_open
    # A path, whatever is in the name: FFmpeg takes what stands before a colon for a protocol (10:30.mp4).
    return printable(text), printable(Path(text).stem), os.path.join(".", text)  # noqa: PTH118 - a Path has no "."


def _promised_seconds(container: InputContainer, stream: VideoStream, rate: float | None) -> float | None:
    """Return how long the header says that the video is, or None where it does not say.

    Seconds, not frames: under a variable frame rate a header's rate tells little of their number. An AVI has
    one rate, and FFmpeg shortens the duration of one that was cut: there the number of frames counts.
    """
    if container.format.name == "avi" and stream.frames and rate:
        return stream.frames / rate
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    if container.duration and len(container.streams) == 1:  # a sound track may be longer than the pictures
        return container.duration / 1e6
    return None
