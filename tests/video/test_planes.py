# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Frames of Y, U, V become the RGB that the standards define, whatever their matrix, range and layout."""

from __future__ import annotations

import numpy as np
import pytest

from pamtri_edge.errors import SourceError
from pamtri_edge.video.pyav import PictureMaker
from planes_of_yuv import Planes, to_rgb

av = pytest.importorskip("av")
SPECIFIED = {"bt709": 1, "bt601": 6, "smpte240m": 7}


@pytest.fixture
def planes(rng):
    def make(height: int, width: int) -> Planes:
        half = ((height + 1) // 2, (width + 1) // 2)
        levels = [rng.integers(0, 256, shape, np.uint8) for shape in ((height, width), half, half)]
        return Planes(*levels)

    return make


def frame_of(planes: Planes, form: str):
    """Return a decoded frame, whose rows lie further apart than they are long."""
    height, width = planes.luma.shape
    frame = av.VideoFrame(width, height, form)
    pairs = {"nv12": (planes.u, planes.v), "nv21": (planes.v, planes.u)}.get(form)
    rest = [planes.u, planes.v] if pairs is None else [np.stack(pairs, axis=-1).reshape(len(planes.u), -1)]
    for plane, values in zip(frame.planes, [planes.luma, *rest], strict=True):
        rows = np.zeros((plane.buffer_size // plane.line_size, plane.line_size), np.uint8)
        rows[: values.shape[0], : values.shape[1]] = values
        plane.update(rows.tobytes())
    return frame


def check(picture, expected):
    apart = np.abs(picture.astype(int) - expected)
    assert apart.max() <= 1
    assert (apart > 0).mean() < 0.001


@pytest.mark.parametrize("form", ["yuv420p", "nv12", "nv21"])
@pytest.mark.parametrize("size", [(48, 64), (37, 51), (1, 1), (2, 3)])
def test_chroma_is_interpolated_in_every_layout_and_size(planes, form, size):
    given = planes(*size)
    check(PictureMaker()(frame_of(given, form), "h264"), to_rgb(given, "bt601", "mpeg2"))


@pytest.mark.parametrize("matrix", SPECIFIED)
@pytest.mark.parametrize("full", [False, True])
def test_the_matrix_and_the_range_are_the_streams(planes, matrix, full):
    given = planes(40, 60)
    frame = frame_of(given, "yuv420p")
    frame.colorspace, frame.color_range = SPECIFIED[matrix], 2 if full else 1
    check(PictureMaker()(frame, "hevc"), to_rgb(given, matrix, "mpeg2", full=full))


@pytest.mark.parametrize(("height", "matrix"), [(576, "bt601"), (720, "bt709")])
def test_a_stream_that_names_no_matrix_has_that_of_its_height(planes, height, matrix):
    given = planes(height, 32)
    check(PictureMaker()(frame_of(given, "yuv420p"), "h264"), to_rgb(given, matrix, "mpeg2"))


def test_the_chroma_of_jpegs_lies_between_the_pixels(planes):
    given = planes(40, 60)
    frame = frame_of(given, "yuvj420p")
    check(PictureMaker()(frame, "mjpeg"), to_rgb(given, "bt601", "jpeg", full=True))


def test_a_format_that_ffmpeg_does_not_turn_into_rgb_is_refused():
    with pytest.raises(SourceError, match=r"pixels have the format rgb4, .* convert it first"):
        PictureMaker()(av.VideoFrame(32, 24, "rgb4"), "rawvideo")


@pytest.mark.parametrize("form", ["yuv444p", "yuv422p", "gray", "rgb24", "yuv420p10le"])
def test_other_formats_are_left_to_ffmpeg(form):
    red = np.full((24, 32, 3), (200, 60, 20), np.uint8)
    frame = av.VideoFrame.from_ndarray(red, format="rgb24").reformat(format=form)
    picture = PictureMaker()(frame, "h264").astype(int)
    assert picture.shape == (24, 32, 3)
    assert form == "gray" or picture[12, 16] == pytest.approx((200, 60, 20), abs=4)


@pytest.mark.parametrize("form", ["yuv420p", "yuv444p10le"])
def test_a_matrix_that_nobody_knows_is_told_once_and_the_usual_one_is_taken(rng, caplog, form):
    picture = rng.integers(0, 256, (8, 8, 3), np.uint8).repeat(8, axis=0).repeat(8, axis=1)
    make, frames = PictureMaker(), []
    for matrix in (2, 3, 8):  # unspecified, reserved, YCgCo
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=form)
        frame.colorspace = matrix
        frames.append(make(frame, "h264"))
    np.testing.assert_array_equal(frames[1], frames[0])
    np.testing.assert_array_equal(frames[2], frames[0])
    assert [record.getMessage()[:47] for record in caplog.records] == [
        "the video names a color matrix that is not know"
    ]
