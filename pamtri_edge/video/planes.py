# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Decoded frames of Y, U, V as RGB, exactly as the GStreamer element `pamtri` converts them.

FFmpeg's own conversion of 4:2:0, as it is by default, takes the nearest chroma and is a level off everywhere,
which costs up to 0.03 of an embedding's cosine; its exact one takes eight times as long as ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from pamtri_edge import _native
from pamtri_edge.ops.frames import settled

if TYPE_CHECKING:
    from av import VideoFrame

Plane = NDArray[np.uint8]

_PLANAR: Final = ("yuv420p", "yuvj420p")
_PAIRS: Final = {"nv12": (0, 1), "nv21": (1, 0)}  # places of U and V
_FULL_RANGE: Final = 2  # AVCOL_RANGE_JPEG
_KR_KB: Final = {"bt601": (0.299, 0.114), "bt709": (0.2126, 0.0722)}
_UNSPECIFIED: Final = 2
_MATRICES: Final = {  # AVColorSpace, whose numbers are those of ITU-T H.273
    1: _KR_KB["bt709"],
    4: (0.30, 0.11),
    5: _KR_KB["bt601"],
    6: _KR_KB["bt601"],
    7: (0.212, 0.087),
    9: (0.2627, 0.0593),
}
_RGB: Final = 0
_CONSTANT_LUMINANCE: Final = 10  # of BT.2020; what is named so is nearly always the usual one

_CENTERED: Final = frozenset({"mjpeg", "mpeg1video", "theora", "h263", "flv1", "vp8"})
"""Codecs whose chroma lies between four pixels; the others' is on the first column, where they do not say."""


def settle_matrix(frame: VideoFrame) -> int | None:
    """Give a frame whose matrix neither we nor FFmpeg can turn into RGB another; return the first's number.

    Such a number is nearly always a camera's mistake. None where the frame's own is fine.
    """
    told = int(frame.colorspace)
    if told in _MATRICES or told in (_RGB, _UNSPECIFIED):
        return None
    frame.colorspace = 9 if told == _CONSTANT_LUMINANCE else _UNSPECIFIED
    return told


def rgb_of_planes(frame: VideoFrame, codec: str) -> Plane | None:
    """Return a frame as (H, W, 3) RGB; None where it is not 4:2:0 of 8 bits by a matrix that is known.

    Args:
        frame: the decoded frame.
        codec: FFmpeg's name of what it was decoded from, which tells where chroma lies.
    """
    planes, matrix = _planes(frame), _matrix(frame)
    if planes is None or matrix is None:
        return None
    full = frame.format.name == "yuvj420p" or frame.color_range == _FULL_RANGE
    out = np.empty((frame.height, frame.width, 3), np.uint8)
    _native.planar_to_rgb(*planes, out, *matrix, full, codec not in _CENTERED, False)
    return out


def _matrix(frame: VideoFrame) -> tuple[float, float] | None:
    if frame.colorspace == _UNSPECIFIED:
        return _KR_KB[settled("auto", frame.height)]
    return _MATRICES.get(frame.colorspace)


def _planes(frame: VideoFrame) -> tuple[Plane, Plane, Plane] | None:
    """Return views of luma, U and V."""
    form = frame.format.name
    half = ((frame.height + 1) // 2, (frame.width + 1) // 2)
    if form in _PLANAR:
        return (
            _view(frame, 0, (frame.height, frame.width)),
            _view(frame, 1, half),
            _view(frame, 2, half),
        )
    if form in _PAIRS:
        pairs = _view(frame, 1, (half[0], 2 * half[1]))
        first, second = (pairs[:, place::2] for place in _PAIRS[form])
        return _view(frame, 0, (frame.height, frame.width)), first, second
    return None


def _view(frame: VideoFrame, index: int, shape: tuple[int, int]) -> Plane:
    plane = frame.planes[index]
    rows: Plane = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    return rows[: shape[0], : shape[1]]
