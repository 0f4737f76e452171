# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A network stream: RTSP and whatever else FFmpeg opens by an address."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pamtri_edge.addresses import is_address, parse_address, redact_text
from pamtri_edge.errors import SourceError
from pamtri_edge.printable import counted, printable
from pamtri_edge.video.files import NETWORK_TIMEOUT_S
from pamtri_edge.video.frames import Frame
from pamtri_edge.video.opening import OpenError, described, find_video, open_container
from pamtri_edge.video.pyav import PictureMaker, decode, import_av

if TYPE_CHECKING:
    from av import VideoFrame
    from av.container import InputContainer

_log = logging.getLogger(__name__)

_QUEUE: Final = 4
"""Decoded frames that wait for the rest of the pipeline; of more, the oldest are dropped."""

Opener = Callable[[str], "InputContainer"]


@dataclass(frozen=True)
class Reconnect:
    """How a stream that breaks is taken up again.

    Attributes:
        attempts: tries in a row without one frame before it is given up.
        first_wait_s: pause before the second try; each further pause is twice as long.
        longest_wait_s: no pause is longer.
        timeout_s: a connection that gives nothing for so long counts as broken.
    """

    attempts: int = 6
    first_wait_s: float = 1.0
    longest_wait_s: float = 30.0
    timeout_s: float = NETWORK_TIMEOUT_S

    def wait_s(self, failures: int) -> float:
        """Return the pause after so many failures in a row (1 or more)."""
        return min(self.first_wait_s * 2.0 ** (failures - 1), self.longest_wait_s)


class Stream:
    """A stream that is read as fast as it comes, in a thread of its own.

    Time is wall time since the first frame. Where the pipeline is slower than the stream, frames are
    dropped rather than delayed. A stream that breaks is opened again with growing pauses.

    Args:
        address: such as rtsp://user:password@camera/stream; or a device, given an opener for it.
        duration: stop after so many seconds of wall time; None for without end.
        reconnect: how often and how patiently to try again.
        opener: opens the address as a PyAV container; None for FFmpeg's own protocols.
        queue: how many frames may wait.
    """

    def __init__(
        self,
        address: str,
        *,
        duration: float | None = None,
        reconnect: Reconnect | None = None,
        opener: Opener | None = None,
        queue: int = _QUEUE,
    ) -> None:
        self._av = import_av()
        parsed = parse_address(address) if is_address(address) else None
        self._given = address
        self._address = address if parsed is None else parsed.to_open
        # UDP would lose packets of large frames on a busy network, which shows as gray smears.
        self._transports = deque(("tcp", "udp"))
        self._duration = duration
        self._reconnect = reconnect or Reconnect()
        self._opener = opener or self._open
        self._queue: deque[tuple[int, float, VideoFrame]] = deque()
        self._room = queue
        self._changed = threading.Condition()
        self._stopped = threading.Event()
        self._outcome: SourceError | None = None
        self._thread: threading.Thread | None = None
        self._codec = ""
        self.label = printable(address) if parsed is None else parsed.shown
        self.name = printable(Path(address).name) if parsed is None else parsed.name
        self.live = True
        self.rate: float | None = None
        self.total: int | None = None
        self.lost = 0
        self.started: datetime | None = None

    def frames(self) -> Iterator[Frame]:
        """Give the frames as they come; see `Source`."""
        make_picture = PictureMaker()
        begin = time.monotonic()
        self._thread = threading.Thread(target=self._read, name="pamtri-stream", daemon=True)
        self._thread.start()
        first: float | None = None
        while True:
            limit = None if self._duration is None else (begin if first is None else first) + self._duration
            item = self._next(limit)
            if item is None:
                break
            index, moment, frame = item
            if first is None:
                first = moment
                age = time.monotonic() - moment
                self.started = datetime.fromtimestamp(time.time() - age, timezone.utc)
            picture = make_picture(frame, self._codec)
            yield Frame(index, moment - first, picture, make_picture.resized)
        self._stopped.set()
        if self._outcome is not None:
            raise self._outcome
        if first is None:
            raise SourceError(f"{self.label} gave no frames.")

    def close(self) -> None:
        """Stop reading; the connection closes at its next packet or timeout."""
        self._stopped.set()
        with self._changed:
            self._queue.clear()
            self._changed.notify_all()
        # Once: who closes many cameras that are silent, each twice, would wait for each of them again.
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(timeout=2.0)

    def _next(self, limit: float | None) -> tuple[int, float, VideoFrame] | None:
        """Wait for the next frame; None at the end of the stream or past the time limit."""
        with self._changed:
            while not self._queue:
                left = None if limit is None else limit - time.monotonic()
                if self._stopped.is_set() or (left is not None and left <= 0):
                    return None
                # Never without a timeout, which would hold back Ctrl-C.
                self._changed.wait(timeout=0.2 if left is None else min(left, 0.2))
            item = self._queue.popleft()
        return None if limit is not None and item[1] >= limit else item

    def _read(self) -> None:
        """Read until stopped, ended or given up; runs in the thread."""
        failures, index, read = 0, 0, 0
        while not self._stopped.is_set():
            before, opened, finite, hopeless = read, False, False, False
            try:
                with closing(self._opener(self._address)) as container:
                    opened = True
                    finite = container.duration is not None and container.duration > 0
                    for item in self._decode(container):
                        self._put(index, item)
                        index += 1
                        read += not isinstance(item, Exception)  # what cannot be decoded is no picture
                why = "it ended"
            except (OpenError, self._av.error.FFmpegError, OSError) as error:
                failure = described(error, self._reconnect.timeout_s)
                why, hopeless = str(failure), failure.hopeless
                finite = False
            except SourceError as error:
                why, hopeless = str(error).rstrip("."), finite
            except Exception as error:  # a thread's error would vanish otherwise
                self._outcome = SourceError(f"{self.label} cannot be read ({self._redacted(error)}).")
                break
            if hopeless:
                self._outcome = SourceError(f"{self.label} cannot be opened ({why}).")
                break
            if finite:
                break
            if opened and read == before:
                self._transports.rotate()  # one way may open and yet carry nothing
            failures = 1 if read > before else failures + 1
            if failures >= self._reconnect.attempts:
                self._outcome = SourceError(
                    f"{self.label} was given up after {counted(failures, 'try', 'tries')} ({why}); "
                    f"{counted(read, 'frame was', 'frames were')} read."
                )
                break
            wait = self._reconnect.wait_s(failures)
            _log.warning("%s: %s; trying again in %.3g s", self.label, why, wait)
            self._stopped.wait(wait)
        self._stopped.set()
        with self._changed:
            self._changed.notify_all()

    def _decode(self, container: InputContainer) -> Iterator[VideoFrame | Exception]:
        video = find_video(container, "it", live=True)
        self._codec = video.stream.codec_context.name
        for item in decode(video.packets, video.stream, self.label):
            if self._stopped.is_set():
                return
            yield item

    def _put(self, index: int, item: VideoFrame | Exception) -> None:
        with self._changed:
            if isinstance(item, Exception):
                self.lost += 1
                return
            if len(self._queue) >= self._room:
                self._queue.popleft()
                self.lost += 1
            self._queue.append((index, time.monotonic(), item))
            self._changed.notify()

    def _open(self, address: str) -> InputContainer:
        """Open an address; one of RTSP over TCP first, then over UDP, and later first as it worked before."""
        timeout_s = self._reconnect.timeout_s
        if not address.startswith("rtsp:"):
            return open_container(address, timeout_s=timeout_s)
        failures: dict[str, str] = {}
        for transport in list(self._transports):
            try:
                container = open_container(
                    address, options={"rtsp_transport": transport}, timeout_s=timeout_s
                )
            except OpenError as error:
                if error.hopeless or self._stopped.is_set():
                    raise
                failures[transport] = str(error)
            else:
                while self._transports[0] != transport:
                    self._transports.rotate()
                return container
        tcp, udp = failures["tcp"], failures["udp"]
        raise OpenError(f"{tcp}, over TCP and over UDP" if tcp == udp else f"{tcp} over TCP, {udp} over UDP")

    def _redacted(self, error: Exception) -> str:
        return redact_text(str(error), [self._address, self._given])
