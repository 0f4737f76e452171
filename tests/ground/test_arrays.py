# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What is taken as pictures, and what a user is told about what is not."""

import numpy as np
import pytest

from pamtri_edge.arrays import (
    check_choice,
    check_color_order,
    check_crops,
    check_picture,
    is_device_array,
    lined_up,
)
from pamtri_edge.errors import InputError, PamtriError


def picture(height=4, width=6, channels=3, dtype=np.uint8):
    return np.zeros((height, width, channels), dtype)


class OnDevice:
    __cuda_array_interface__ = None


class DLPack:
    def __init__(self, kind):
        self.kind = kind

    def __dlpack_device__(self):
        return (self.kind, 0)


@pytest.mark.parametrize("one", [picture(), picture(1, 1), picture(8, 12)[::2, ::-1]])
def test_a_picture_comes_back_as_it_is_not_copied_a_pixel_or_a_view_too(one):
    assert check_picture(one, "crop 0") is one


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (picture()[..., 0], "cv2.COLOR_GRAY2RGB"),
        (picture(channels=1), "cv2.COLOR_GRAY2RGB"),
        (picture(channels=4), "picture[..., :3]"),
        (np.zeros((3, 32, 32), np.uint8), "channel-first"),
        (np.zeros((2, 4, 6, 3), np.uint8), "(2, 4, 6, 3)"),
        (picture(dtype=np.float32) + 0.5, "dtype float32 with values 0.5..0.5"),
        (np.full((4, 6, 3), np.nan), "holds NaN or infinity"),
        (np.full((4, 6, 3), np.inf, np.float16), "holds NaN or infinity"),
        (picture(dtype=np.int64), "dtype int64"),
        (picture(dtype=bool), "dtype bool"),
        (picture(height=0), "no pixels"),
        (picture(width=0), "no pixels"),
        ([[0, 0, 0]], "is a list"),
        (None, "is None, which"),
        ("car.jpg", "is a str"),
        (OnDevice(), "CUDA memory"),
        (DLPack(2), "CUDA memory"),
    ],
)
def test_what_is_no_picture_is_refused_with_what_was_found_and_what_is_accepted(value, words):
    with pytest.raises(InputError) as error:
        check_picture(value, "crop 7")
    said = str(error.value)
    assert said.startswith("crop 7 ")
    assert words in said
    assert "(H, W, 3) uint8" in said


@pytest.mark.parametrize(
    ("values", "formula"),
    [
        (np.linspace(0, 1, 12).reshape(2, 2, 3), lambda picture: (255 * picture + 0.5).astype(np.uint8)),
        (np.linspace(0, 255, 12).reshape(2, 2, 3), lambda picture: (picture + 0.5).astype(np.uint8)),
        (np.arange(12).reshape(2, 2, 3), lambda picture: (picture + 0.5).astype(np.uint8)),
        (np.linspace(-1, 1, 12).reshape(2, 2, 3), lambda picture: (127.5 * picture + 128).astype(np.uint8)),
        (np.full((2, 2, 3), 65535, np.uint16), lambda picture: (picture >> 8).astype(np.uint8)),
    ],
)
def test_a_picture_of_other_numbers_is_told_how_it_becomes_one_of_bytes(values, formula):
    with pytest.raises(InputError) as caught:
        check_picture(values, "crop 0")
    hint = str(caught.value).partition(" with (")[2].removesuffix(".")
    expected = formula(values)
    assert np.array_equal(eval(f"({hint}", {"picture": values, "np": np}), expected)
    assert check_picture(expected, "crop 0") is expected


def test_a_batch_is_a_list_a_tuple_an_iterator_or_one_array():
    batch = [picture(4, 6), picture(9, 2)]
    for form in (batch, tuple(batch), iter(batch)):
        assert [one.shape for one in check_crops(form)] == [(4, 6, 3), (9, 2, 3)]
    assert [one.shape for one in check_crops(np.zeros((5, 4, 6, 3), np.uint8))] == [(4, 6, 3)] * 5


@pytest.mark.parametrize("nothing", [[], (), np.zeros((0, 4, 6, 3), np.uint8), np.array([])])
def test_an_empty_batch_is_a_batch(nothing):
    assert check_crops(nothing) == []


@pytest.mark.parametrize(
    ("batch", "words"),
    [
        (picture(), "pass a list: embed([crop])"),
        (picture(channels=4), "pass a list: embed([crop])"),
        (picture()[..., 0], "expected (N, H, W, 3) uint8 or a list"),
        ("car.jpg", "the batch is a str"),
        (b"bytes", "the batch is bytes; those of a picture"),
        (7, "the batch is an int"),
        (None, "the batch is None, which"),
        ([picture(), picture(channels=4)], "crop 1 has shape (4, 6, 4)"),
        (np.zeros((2, 4, 6, 3), np.float32), "crop 0 has dtype float32"),
        (np.zeros((2, 3, 32, 32), np.uint8), "crop 0 has shape (3, 32, 32)"),
    ],
)
def test_a_batch_of_something_else_is_refused_and_the_crop_is_named(batch, words):
    with pytest.raises(InputError) as error:
        check_crops(batch)
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (OnDevice(), True),
        (DLPack(2), True),
        (DLPack(13), True),
        (DLPack(1), False),
        (picture(), False),
        (3, False),
    ],
)
def test_device_arrays_are_recognized_by_their_protocols(value, expected):
    assert is_device_array(value) is expected


def test_a_choice_is_one_of_a_few_words():
    assert check_choice("cpu", ("auto", "cpu"), "device") == "cpu"
    with pytest.raises(InputError, match="device is 'gpu'; accepted: 'auto', 'cpu'"):
        check_choice("gpu", ("auto", "cpu"), "device")


def test_a_color_order_is_rgb_or_bgr():
    assert check_color_order("rgb") == "rgb"
    assert check_color_order("bgr") == "bgr"
    with pytest.raises(InputError, match="color_order is 'RGB'; accepted: 'rgb', 'bgr'"):
        check_color_order("RGB")


def test_a_refusal_is_one_of_the_projects_errors_and_a_value_error():
    assert issubclass(InputError, PamtriError)
    assert issubclass(InputError, ValueError)


@pytest.mark.parametrize("shape", [(3,), (2, 36, 3), (1, 52, 256, 256), (0, 3)])
def test_memory_for_a_result_begins_with_a_cache_line(shape):
    memory = lined_up(shape)
    assert memory.shape == shape
    assert memory.dtype == np.float32
    assert memory.flags.c_contiguous
    assert memory.flags.writeable
    assert memory.size == 0 or memory.ctypes.data % 64 == 0
