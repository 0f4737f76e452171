# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The frame, and what gives frames."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Frame:
    """One picture of a video.

    Attributes:
        index: its number, from 0. A frame that was lost keeps its number, so that tracks stay aligned.
        time_s: seconds since the first frame.
        picture: (H, W, 3) uint8 RGB, upright; its size may change at a cut, and only there.
        cut: the clock jumped or the size changed before it: no track goes on from the frame before.
    """

    index: int
    time_s: float
    picture: NDArray[np.uint8]
    cut: bool = False


class Source(Protocol):
    """A video file, a folder of images or a stream.

    Attributes:
        label: how messages call it; holds no password.
        name: a short name for the camera.
        live: frames come in real time, and those that come too fast are lost.
        rate: frames a second, where known.
        total: how many frames it should have, where known; an estimate for most files.
    """

    label: str
    name: str
    live: bool
    rate: float | None
    total: int | None

    @property
    def lost(self) -> int:
        """Frames that could not be decoded or came too fast."""

    @property
    def started(self) -> datetime | None:
        """The moment of the first frame, for live sources once it came; else None."""

    def frames(self) -> Iterator[Frame]:
        """Give the frames in order.

        Raises:
            SourceError: the source holds no frames, or ended before it should.
        """

    def close(self) -> None:
        """Let go of the file or connection."""
