# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The videos of a pack: addresses and files, as DeepStream names them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pamtri_edge.errors import InputError
from pamtri_edge.printable import printable

DEEPSTREAM: Final = "/opt/nvidia/deepstream/deepstream"
"""Where DeepStream is installed, on Jetsons and elsewhere."""
SAMPLE: Final = f"file://{DEEPSTREAM}/samples/streams/sample_1080p_h264.mp4"
_ADDRESS: Final = re.compile(r"[a-z][a-z0-9+.-]*://")
_LIVE: Final = ("rtsp://", "rtsps://")
_KNOWN: Final = (*_LIVE, "http://", "https://", "file://")


def is_live(source: str) -> bool:
    """Tell whether a source is a camera, whose frames do not wait."""
    return source.startswith(_LIVE)


def sources(named: Sequence[str]) -> tuple[str, ...]:
    """Return the addresses of what was named, or of DeepStream's own sample video where nothing is.

    Args:
        named: addresses, or paths of files.

    Raises:
        InputError: an address that DeepStream does not read, or a file that is not there.
    """
    return tuple(_source(one) for one in named or [SAMPLE])


def _source(named: str) -> str:
    if not named.isprintable() or not named:
        raise InputError(f"--source {printable(named)!r} holds characters that no address has.")
    if _ADDRESS.match(named):
        if not named.startswith(_KNOWN):
            raise InputError(f"--source {named}: expected a file, or an address with {', '.join(_KNOWN)}.")
        return named
    path = Path(named)
    if not path.is_file():
        raise InputError(f"--source {named} is not there; give a video, or an address such as rtsp://...")
    return f"file://{path.resolve()}"
