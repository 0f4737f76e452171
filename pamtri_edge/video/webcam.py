# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A camera at this machine, read through Video4Linux."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pamtri_edge.errors import SourceError
from pamtri_edge.video.opening import open_container
from pamtri_edge.video.pyav import import_av
from pamtri_edge.video.streams import Reconnect, Stream

if TYPE_CHECKING:
    from av.container import InputContainer

_FORMAT: Final = "v4l2"
_NUMBER: Final = re.compile(r"[0-9]{1,3}")
_DEVICE: Final = re.compile(r"/dev/(video[0-9]+|v4l/.+)")


def webcam_device(source: str) -> Path | None:
    """Return the device that a source means ("0" or "/dev/video0"); None where it means none."""
    if _NUMBER.fullmatch(source):
        return Path(f"/dev/video{int(source)}")
    return Path(source) if _DEVICE.fullmatch(source) else None


def open_webcam(device: Path, *, duration: float | None = None, reconnect: Reconnect | None = None) -> Stream:
    """Return the stream of a camera at this machine.

    Args:
        device: such as /dev/video0.
        duration: stop after so many seconds; None for without end.
        reconnect: how a camera that was unplugged is waited for.

    Raises:
        SourceError: there is no such camera, or this user may not read it.
        MissingDependencyError: PyAV is not installed, or was built without Video4Linux.
    """
    av = import_av()
    reconnect = reconnect or Reconnect()
    if not device.exists():
        others = sorted(str(path) for path in Path("/dev").glob("video*"))
        found = f"here are {', '.join(others)}" if others else "this machine shows no camera at all"
        raise SourceError(f"there is no camera {device}; {found}.")
    if not device.is_char_device():
        raise SourceError(f"{device} is no camera; expected a device such as /dev/video0.")
    if not os.access(device, os.R_OK | os.W_OK):
        raise SourceError(
            f"this user may not read the camera {device}; add the user to its group, usually: "
            "sudo usermod -aG video $USER, then log in again."
        )
    if not {_FORMAT, "video4linux2,v4l2"} & set(av.formats_available):
        raise SourceError("this PyAV was built without Video4Linux: cameras at this machine cannot be read.")

    def opener(place: str) -> InputContainer:
        return open_container(place, kind=_FORMAT, timeout_s=reconnect.timeout_s)

    return Stream(str(device), duration=duration, reconnect=reconnect, opener=opener)
