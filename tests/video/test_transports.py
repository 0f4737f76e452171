# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""RTSP over TCP and over UDP, before a camera of a few lines."""

import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import av
import numpy as np
import pytest

from pamtri_edge.errors import SourceError
from pamtri_edge.video.streams import Reconnect, Stream

QUICK = Reconnect(attempts=2, first_wait_s=0.01, longest_wait_s=0.02, timeout_s=4.0)

SDP = (
    "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=camera\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1\r\na=control:track1\r\n"
)


@dataclass
class UdpCamera:
    """Answers RTSP; carries its pictures over UDP, or not at all.

    Attributes:
        carries: whether UDP is accepted; TCP never is.
        asked: the transports that were asked for.
    """

    carries: bool
    asked: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def answer(self, connection: socket.socket) -> None:
        with suppress(OSError), connection, connection.makefile("rb") as lines:
            port = 0
            while request := lines.readline().decode():
                fields = dict(re.findall(r"(\S+): (.*)", "\n".join(iter(lambda: _line(lines), ""))))
                method, code, more, body = request.split()[0], "200 OK", "", ""
                if method == "DESCRIBE":
                    body, more = SDP, "Content-Type: application/sdp\r\n"
                elif method == "SETUP":
                    wanted = fields["Transport"]
                    self.asked.append("tcp" if "TCP" in wanted else "udp")
                    found = re.search(r"client_port=(\d+)", wanted)
                    if found is None or not self.carries:
                        code = "461 Unsupported Transport"
                    else:
                        port = int(found[1])
                        more = f"Transport: {wanted};server_port=40000-40001\r\nSession: 7\r\n"
                elif method == "PLAY":
                    threading.Thread(target=self._send, args=(port,), daemon=True).start()
                reply = (
                    f"RTSP/1.0 {code}\r\nCSeq: {fields['CSeq']}\r\n{more}Content-Length: {len(body)}\r\n\r\n"
                )
                connection.sendall((reply + body).encode())

    def _send(self, port: int) -> None:
        with av.open(f"rtp://127.0.0.1:{port}", "w", format="rtp") as out:
            options = {
                "preset": "ultrafast",
                "tune": "zerolatency",
                "g": "5",
                "x264-params": "repeat-headers=1",
            }
            stream: Any = out.add_stream("libx264", rate=25, options=options)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            for index in range(250):
                if self.over.wait(0.02):
                    return
                frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), index, np.uint8), format="rgb24")
                frame.pts = index
                out.mux(stream.encode(frame))


def _line(lines: Any) -> str:
    return str(lines.readline().decode().strip())


@contextmanager
def _serving(camera: UdpCamera) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            with suppress(OSError):
                while True:
                    connection = server.accept()[0]
                    threading.Thread(target=camera.answer, args=(connection,), daemon=True).start()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield f"rtsp://admin:pass%23word@127.0.0.1:{server.getsockname()[1]}/live"
        camera.over.set()
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def test_a_camera_that_has_udp_alone_is_read_over_udp() -> None:
    camera = UdpCamera(carries=True)
    with _serving(camera) as address:
        stream = Stream(address, reconnect=QUICK)
        frames = stream.frames()
        shapes = [next(frames).picture.shape for _ in range(3)]
        stream.close()
    assert shapes == [(48, 64, 3)] * 3
    assert camera.asked == ["tcp", "udp"]


def test_a_camera_that_takes_neither_is_told_with_both_ways() -> None:
    camera = UdpCamera(carries=False)
    with _serving(camera) as address:
        stream = Stream(address, reconnect=QUICK)
        with pytest.raises(
            SourceError, match=r"given up after 2 tries \(.*over TCP.*over UDP\); 0 frames"
        ) as told:
            list(stream.frames())
        stream.close()
    assert camera.asked == ["tcp", "udp"] * 2
    assert "pass" not in str(told.value)


def test_a_camera_that_says_nothing_is_given_up_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        patience = Reconnect(attempts=1, timeout_s=0.3)
        stream = Stream(f"rtsp://127.0.0.1:{server.getsockname()[1]}/live", reconnect=patience)
        begin = time.monotonic()
        with pytest.raises(SourceError, match=r"nothing came for 0\.3 s, over TCP and over UDP"):
            list(stream.frames())
        stream.close()
        assert time.monotonic() - begin < 5
