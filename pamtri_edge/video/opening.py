# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Opening what FFmpeg reads (files, addresses, devices): which stream is the video, and at what rate."""

from __future__ import annotations

import errno
import logging
import math
import re
import socket
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from pamtri_edge.errors import SourceError
from pamtri_edge.video.clock import believable, measured_rate
from pamtri_edge.video.pyav import import_av, reason

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream

_log = logging.getLogger(__name__)

_LOOK_AHEAD: Final = 64
"""Packets of the fullest stream that are looked at before the first is decoded."""

_STAMPED: Final = 0.8
"""Part of the packets that must have a time stamp for a rate to be measured."""

_MOST_AHEAD: Final = 1024
_MOST_AHEAD_BYTES: Final = 64 * 2**20

_STILL: Final = re.compile("m?jpe?g.*|jpeg.*|a?png|bmp|tiff|webp|gif|p[bgpna]m|psd|qoi|svg")
"""Codecs of pictures: one frame of them is a still picture, many may be a video."""

_TEXT: Final = frozenset({"tty", "bin", "xbin", "adf", "idf"})
"""Formats under which FFmpeg draws the letters of a text file as a video."""

_TIMEOUT_WORDS: Final = "nothing came for {:g} s"

_AVFMT_TS_DISCONT: Final = 0x0200
_GAP_S: Final = 60.0
_GAP_OF_DISCONTINUOUS_S: Final = 10.0
"""In formats whose clock may leap (MPEG-TS and its like) FFmpeg itself takes more than 10 s for a leap."""


class OpenError(Exception):
    """Something could not be opened or read on; says why without any address.

    Attributes:
        hopeless: the next try would meet the same.
        ended: it was empty, or ended behind its header.
    """

    def __init__(self, why: str, *, hopeless: bool = False, ended: bool = False) -> None:
        super().__init__(why)
        self.hopeless = hopeless
        self.ended = ended


def open_container(
    place: str,
    *,
    kind: str | None = None,
    options: Mapping[str, str] | None = None,
    timeout_s: float | None = None,
) -> InputContainer:
    """Open a file, an address or a device.

    Args:
        place: what FFmpeg calls it.
        kind: FFmpeg's name of the format; None has it found out.
        options: FFmpeg's options.
        timeout_s: opening it, and each reading from it, may take so long; None for without end.

    Raises:
        OpenError: it cannot be opened. Neither it nor what it was raised in holds the place, which may be an
            address with a password.
    """
    av = import_av()
    begin = time.monotonic()
    try:
        container: InputContainer = av.open(
            place,
            format=kind,
            options=dict(options or {}),
            timeout=timeout_s,
            **_forgiving(av),
        )
        return container
    except (av.error.FFmpegError, OSError, ValueError, UnicodeError) as error:
        failure = described(error, timeout_s)
        if isinstance(error, OSError) and error.errno == errno.EIO and _names_nothing(place):
            failure = OpenError("no host of that name is known here")
    if timeout_s is not None and time.monotonic() - begin >= timeout_s:  # whatever FFmpeg makes of it
        failure = OpenError(_TIMEOUT_WORDS.format(timeout_s))
    raise failure  # outside of the handler: no chain of errors leads to the address


def _names_nothing(place: str) -> bool:
    """Tell whether the name of an address's host is not known, which FFmpeg calls an input/output error."""
    try:
        host = urlsplit(place).hostname
        if host:
            socket.getaddrinfo(host, None)
    except socket.gaierror:
        return True
    except ValueError:  # no address, or a host that cannot be a name
        return False
    return False


def _forgiving(av: ModuleType) -> dict[str, str]:
    """Return what has PyAV open a file whose titles are not UTF-8: they are of no interest here.

    PyAV 19 does so by itself, and has no such option any more.
    """
    return {"metadata_errors": "replace"} if int(av.__version__.partition(".")[0]) < 19 else {}


def described(error: Exception, timeout_s: float | None = None) -> OpenError:
    """Return what FFmpeg or the system says of an error, in words and without addresses."""
    errors = import_av().error
    if isinstance(error, OpenError):
        return error
    if isinstance(error, errors.ExitError) and timeout_s is not None:
        return OpenError(_TIMEOUT_WORDS.format(timeout_s))
    hopeless = (
        errors.HTTPUnauthorizedError,
        errors.HTTPForbiddenError,
        errors.HTTPNotFoundError,
        errors.ProtocolNotFoundError,
    )
    return OpenError(
        reason(error),
        hopeless=isinstance(error, hopeless),
        ended=isinstance(error, errors.EOFError),
    )


@dataclass(frozen=True)
class Video:
    """The video in a container.

    Attributes:
        stream: its stream.
        packets: gives the stream's packets from the first on.
        rate: frames a second; None where neither header nor time stamps tell.
        longest_gap_s: two frames that are further apart are so because the clock jumped.
    """

    stream: VideoStream
    packets: Packets
    rate: float | None
    longest_gap_s: float


def find_video(container: InputContainer, label: str, *, live: bool = False) -> Video:
    """Return the video in a container: the stream with most frames that is no cover or other still picture.

    Args:
        container: what was opened.
        label: how messages call it.
        live: it comes in real time, so that looking ahead would cost seconds.

    Raises:
        SourceError: there is none, or none that can be decoded.
    """
    if container.format.name in _TEXT:
        raise SourceError(f"{label} is a text, not a video.")
    streams = list(container.streams.video)
    pictured = [stream for stream in streams if _is_attached(stream)]
    candidates = [stream for stream in streams if stream not in pictured]
    if not candidates:
        raise SourceError(_no_video(container, label, pictures=len(pictured)))
    known = [stream for stream in candidates if stream.codec_context is not None]
    if not known:
        raise SourceError(
            f"{label} holds video in a codec that FFmpeg does not know; convert it to H.264 or H.265 first."
        )
    packets = Packets(container, known)
    if not live:
        packets.look_ahead()
    moving = [stream for stream in known if not _is_still(container, stream, packets)]
    if not moving:
        raise SourceError(_no_video(container, label, pictures=len(known)))
    stream = max(moving, key=lambda one: (one.frames or 0, packets.seen(one), _area(one)))
    if len(moving) > 1:
        _log.warning(
            "%s holds %d videos; the one with most frames is read, of %d x %d pixels",
            label, len(moving), stream.codec_context.width, stream.codec_context.height,
        )  # fmt: skip
    packets.keep_only(stream)
    gap = _GAP_OF_DISCONTINUOUS_S if int(container.format.flags) & _AVFMT_TS_DISCONT else _GAP_S
    return Video(stream, packets, _rate(stream, packets.times(stream)), gap)


class Packets:
    """The packets of some streams; the first can be looked at before they are taken.

    Args:
        container: what they are in.
        streams: of which streams.
    """

    def __init__(self, container: InputContainer, streams: list[VideoStream]) -> None:
        self._source = _demuxed(container, streams)
        self._ahead: deque[Packet[Any]] = deque()
        self._error: Exception | None = None
        self._wanted: int | None = None
        self.all_seen = False

    def look_ahead(self) -> None:
        """Read the first packets, a few seconds of video at most."""
        seen: dict[int, int] = {}
        size = 0
        while True:
            try:
                packet = next(self._source, None)
            except import_av().error.FFmpegError as error:
                self._error = error  # told in its place
                return
            if packet is None:
                return
            self._ahead.append(packet)
            if packet.size == 0:  # the signs of the end, one a stream
                self.all_seen = True
                continue
            size += packet.size
            index = packet.stream.index
            seen[index] = seen.get(index, 0) + 1
            if seen[index] >= _LOOK_AHEAD or len(self._ahead) >= _MOST_AHEAD or size >= _MOST_AHEAD_BYTES:
                return

    def seen(self, stream: VideoStream) -> int:
        """Return how many packets of a stream were looked at."""
        return sum(packet.stream.index == stream.index and packet.size > 0 for packet in self._ahead)

    def times(self, stream: VideoStream) -> list[float]:
        """Return the time stamps, in seconds, of the packets of a stream that were looked at.

        None at all where many packets lack one: what is left tells nothing of the distance of two frames.
        """
        stamps = [
            float(packet.pts * packet.time_base)
            for packet in self._ahead
            if packet.stream.index == stream.index and packet.pts is not None and packet.time_base
        ]
        return stamps if len(stamps) >= _STAMPED * self.seen(stream) else []

    def keep_only(self, stream: VideoStream) -> None:
        """Give the packets of this stream alone from now on."""
        self._wanted = stream.index

    def __iter__(self) -> Iterator[Packet[Any]]:
        """Give the packets in order, each once."""
        while self._ahead:
            packet = self._ahead.popleft()
            if packet.stream.index == self._wanted:
                yield packet
        if self._error is not None:
            raise self._error
        for packet in self._source:
            if packet.stream.index == self._wanted:
                yield packet


def _demuxed(container: InputContainer, streams: list[VideoStream]) -> Iterator[Packet[Any]]:
    """Give the packets of some streams, and at the end a sign of it for each."""
    # Of streams that begin later than the file, PyAV has a place but no object; it is met behind our signs.
    with suppress(IndexError):
        yield from container.demux(*streams)


def _is_attached(stream: VideoStream) -> bool:
    names = {one.name for one in type(stream.disposition) if one in stream.disposition}
    return bool(names & {"attached_pic", "timed_thumbnails", "still_image"})


def _is_still(container: InputContainer, stream: VideoStream, packets: Packets) -> bool:
    """Tell whether a stream is one picture, which a video of a single H.264 frame is not."""
    if container.format.name.endswith("_pipe") or container.format.name == "image2":
        return packets.all_seen and packets.seen(stream) <= 1
    # A cover that is not marked as one stands beside the video and has no other packet near it.
    alone = packets.all_seen or len(container.streams.video) > 1
    single = stream.frames == 1 or (alone and packets.seen(stream) == 1)
    return single and _STILL.fullmatch(stream.codec_context.name) is not None


def _no_video(container: InputContainer, label: str, *, pictures: int) -> str:
    if pictures:
        beside = sorted({stream.type for stream in container.streams} - {"video"})
        also = f" beside {' and '.join(beside)}" if beside else ""
        return f"{label} holds a still picture{also}, but no video; a folder of pictures is taken as one."
    kinds = ", ".join(sorted({stream.type for stream in container.streams})) or "nothing"
    return f"{label} holds no video (streams in it: {kinds})."


def _area(stream: VideoStream) -> int:
    return int(stream.codec_context.width * stream.codec_context.height)


def _rate(stream: VideoStream, times: list[float]) -> float | None:
    """Return the rate of the header where it can be, else that of the first time stamps.

    The header's is also not believed where it is far from what the stamps say: it may be the number of
    frames over a time in which the clock jumped.
    """
    told = believable(stream.average_rate)
    measured = measured_rate(times)
    seen = [rate for rate in (measured, measured_rate(times, repeats=True)) if rate is not None]
    if told is not None and (not seen or any(abs(math.log2(told / rate)) <= 1.0 for rate in seen)):
        return told
    return measured or told or believable(stream.guessed_rate)
