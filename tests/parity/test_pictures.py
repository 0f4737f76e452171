# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Crops from a folder, and the inputs that a graph takes of them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from pamtri_edge import ops, samples
from pamtri_edge.datasets.parts import picture_files
from pamtri_edge.errors import InputError
from pamtri_edge.parity.pictures import (
    graph_inputs,
    parts,
    read_pictures,
    spread,
)


def test_pictures_are_read_as_rgb_in_the_order_of_their_names(tmp_path):
    red, blue = np.zeros((2, 8, 6, 3), np.uint8)
    red[..., 0], blue[..., 2] = 255, 255
    cv2.imwrite(str(tmp_path / "b.png"), red[..., ::-1])
    cv2.imwrite(str(tmp_path / "a.PNG"), blue[..., ::-1])
    (tmp_path / "labels.csv").write_text("not a picture")
    pictures = read_pictures(picture_files(tmp_path), source="here")
    assert pictures.names == ("a.PNG", "b.png")
    np.testing.assert_array_equal(pictures.crops[1], red)
    np.testing.assert_array_equal(pictures.crops[0], blue)


def test_a_broken_picture_is_named(tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"broken\.jpg is something else, not a picture"):
        read_pictures(picture_files(tmp_path), source="here")


def test_a_few_of_many_are_spread_over_all():
    files = [Path(f"{index:03d}.jpg") for index in range(100)]
    assert spread(files, 4) == [files[0], files[33], files[66], files[99]]
    assert spread(files, 200) == files


def test_inputs_of_the_original_geometry_have_a_window_and_the_size():
    crops = samples.crops(2)
    inputs = graph_inputs(crops, ["images", "pose_images", "crop_size"])
    assert set(graph_inputs(crops, ["images"])) == {"images"}
    np.testing.assert_array_equal(inputs["images"], ops.resize(crops))
    np.testing.assert_array_equal(inputs["pose_images"], ops.window(crops))
    assert inputs["crop_size"].dtype == np.float32
    assert inputs["crop_size"].tolist() == [[crop.shape[1], crop.shape[0]] for crop in crops]


def test_parts_keep_the_inputs_together():
    inputs = graph_inputs(samples.crops(5), ["images", "pose_images", "crop_size"])
    found = list(parts(inputs, 2))
    assert [len(part["crop_size"]) for part in found] == [2, 2, 1]
    np.testing.assert_array_equal(np.concatenate([p["crop_size"] for p in found]), inputs["crop_size"])
