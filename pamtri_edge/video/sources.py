# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Which kind of source a name means: a file, a folder, an address, or a camera of Video4Linux."""

from __future__ import annotations

import os
import re
import stat
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit
from urllib.request import url2pathname

from pamtri_edge.addresses import is_address, parse_address, redact
from pamtri_edge.errors import SourceError
from pamtri_edge.files.regular import check_regular
from pamtri_edge.video.files import VideoFile
from pamtri_edge.video.frames import Source
from pamtri_edge.video.images import ImageFolder
from pamtri_edge.video.opening import OpenError, open_container
from pamtri_edge.video.pyav import import_av
from pamtri_edge.video.streams import Reconnect, Stream

_VIDEO_AT_ADDRESS: Final = re.compile(r"https?://[^?#]*\.(mp4|m4v|mov|mkv|avi|webm)([?#].*)?", re.IGNORECASE)
_WEB: Final = re.compile(r"https?://", re.IGNORECASE)
_PLAYLISTS: Final = ("hls", "dash")
_LOCAL: Final = re.compile(r"file://", re.IGNORECASE)

_PATTERN: Final = re.compile(r"%\d*d|[*?]", re.ASCII)

_WEBCAMS: Final = "v4l2"
_NUMBER: Final = re.compile(r"[0-9]{1,3}")
_DEVICE: Final = re.compile(r"/dev/(video[0-9]+|v4l/.+)")

_EXPECTED: Final = (
    "a video file, a folder of pictures, an address such as rtsp://camera/stream, or the number of "
    "a camera at this machine, such as 0"
)


def open_source(
    source: str,
    *,
    fps: float | None = None,
    duration: float | None = None,
    reconnect: Reconnect | None = None,
) -> Source:
    """Open a video file, a folder of images, a network stream or a camera at this machine.

    Args:
        source: a path, an address such as rtsp://camera/stream, or the number of a camera, such as "0".
        fps: frames a second of a folder of images; None takes what it tells, or 10.
        duration: stop after so many seconds; None for all.
        reconnect: how a broken stream is taken up again.

    Raises:
        SourceError: there is nothing of that name, or it is no video.
        MissingDependencyError: PyAV is needed and not installed.
    """
    reconnect = reconnect or Reconnect()
    if _LOCAL.match(source):
        source = url2pathname(urlsplit(source).path)
    if is_address(source):
        if _is_whole(source.strip(), reconnect.timeout_s):
            return VideoFile(source, duration=duration, timeout_s=reconnect.timeout_s)
        return Stream(source, duration=duration, reconnect=reconnect)
    mode = _mode(source)
    device = _webcam_device(source)
    if device is not None and (mode is None or stat.S_ISCHR(mode)):
        return open_webcam(device, duration=duration, reconnect=reconnect)
    if mode is None and _PATTERN.search(Path(source).name):
        raise SourceError(
            f"there is no video {redact(source)}, which looks like a pattern of names; expected {_EXPECTED}. "
            f"Give the folder {redact(str(Path(source).parent))}: its pictures are taken in the order of "
            "their numbers."
        )
    if mode is None:
        raise SourceError(f"there is no video {redact(source)}; expected {_EXPECTED}.")
    if stat.S_ISDIR(mode):
        return ImageFolder(Path(source), fps=fps, duration=duration)
    check_regular(source, mode, error=SourceError, expected=_EXPECTED)
    return VideoFile(source, duration=duration)


def _webcam_device(source: str) -> Path | None:
    """Return the device that a source means ("0" or "/dev/video0"); None where it means none."""
    if _NUMBER.fullmatch(source):
        return Path(f"/dev/video{int(source)}")
    return Path(source) if _DEVICE.fullmatch(source) else None


def open_webcam(device: Path, *, duration: float | None, reconnect: Reconnect) -> Stream:
    """Return the stream of a camera at this machine, such as /dev/video0; see `open_source`.

    Raises:
        SourceError: there is no such camera, or this user may not read it.
        MissingDependencyError: PyAV is not installed, or was built without Video4Linux.
    """
    av = import_av()
    if not device.exists():
        others = sorted(str(path) for path in Path("/dev").glob("video*"))
        found = f"here are {', '.join(others)}" if others else "this machine shows no camera at all"
        raise SourceError(f"there is no camera {device}; {found}.")
    if not os.access(device, os.R_OK | os.W_OK):
        raise SourceError(
            f"this user may not read the camera {device}; add the user to its group, usually: "
            "sudo usermod -aG video $USER, then log in again."
        )
    if not {_WEBCAMS, "video4linux2,v4l2"} & set(av.formats_available):
        raise SourceError("this PyAV was built without Video4Linux: cameras at this machine cannot be read.")

    opener = partial(open_container, kind=_WEBCAMS, timeout_s=reconnect.timeout_s)
    return Stream(str(device), duration=duration, reconnect=reconnect, opener=opener)


def _is_whole(address: str, timeout_s: float) -> bool:
    """Tell whether a whole file or recording is behind an address, which has an end.

    It is read once, at our own pace and by its own clock; a stream would lose what comes too fast, and begin
    again at the end.
    """
    if _VIDEO_AT_ADDRESS.fullmatch(address):
        return True
    if not _WEB.match(address):
        return False
    try:
        with closing(open_container(parse_address(address).to_open, timeout_s=timeout_s)) as container:
            has_size = container.size > 0 and container.format.name not in _PLAYLISTS
            return has_size or (container.duration is not None and container.duration > 0)
    except OpenError:
        return False  # a stream tries again, and says why


def _mode(source: str) -> int | None:
    """Return what kind of file a path means; None where there is none.

    Raises:
        SourceError: the system does not tell.
    """
    try:
        return Path(source).stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:  # too long, a loop of links, no permission; a zero byte
        why = getattr(error, "strerror", None) or str(error)
    raise SourceError(f"the video {redact(source)} cannot be looked at: {why}.")
