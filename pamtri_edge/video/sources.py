# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Which kind of source a name means."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from pamtri_edge.errors import SourceError
from pamtri_edge.video.files import VideoFile
from pamtri_edge.video.frames import Source
from pamtri_edge.video.images import DEFAULT_FPS, ImageFolder
from pamtri_edge.video.streams import Reconnect, Stream

_ADDRESS: Final = re.compile(r"^[a-z][a-z0-9+.-]+://", re.IGNORECASE)

# A whole file behind an address is read at our own pace, where a stream would lose what comes too fast.
_VIDEO_AT_ADDRESS: Final = re.compile(r"^(https?|file)://.*\.(mp4|m4v|mov|mkv|avi|webm)$", re.IGNORECASE)


def is_address(source: str) -> bool:
    """Tell whether a source is a network address rather than a path."""
    return _ADDRESS.match(source) is not None


def open_source(
    source: str,
    *,
    fps: float | None = None,
    duration: float | None = None,
    reconnect: Reconnect | None = None,
) -> Source:
    """Open a video file, a folder of images or a network stream.

    Args:
        source: a path, or an address such as rtsp://camera/stream.
        fps: frames a second of a folder of images (10 unless given).
        duration: stop after so many seconds; None for all.
        reconnect: how a broken stream is taken up again.

    Raises:
        SourceError: there is nothing of that name, or it is no video.
        MissingDependencyError: PyAV is needed and not installed.
    """
    if is_address(source):
        if _VIDEO_AT_ADDRESS.match(source):
            return VideoFile(source, duration=duration)
        return Stream(source, duration=duration, reconnect=reconnect or Reconnect())
    path = Path(source)
    if path.is_dir():
        return ImageFolder(path, fps=fps or DEFAULT_FPS, duration=duration)
    if path.exists():
        return VideoFile(path, duration=duration)
    raise SourceError(
        f"there is no video {path}; expected a video file, a folder of images, or an address such as "
        "rtsp://camera/stream."
    )
