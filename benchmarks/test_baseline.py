# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The baseline of the speed table does the same work as ours: without its files, the numbers agree."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from reference.original_pipeline import OriginalPipeline

from pamtri_edge import ops
from pamtri_edge.geometry import Geometry
from pamtri_edge.models import TINY, Pamtri, PoseNet, ReidNet, seeded

Crops = list[NDArray[np.uint8]]


@pytest.fixture(scope="module")
def networks(crops: Crops) -> tuple[PoseNet, ReidNet]:
    return seeded(TINY, pictures=crops)


@pytest.mark.parametrize("flip_test", [True, False])
def test_without_files_the_baseline_is_the_fused_module(
    networks: tuple[PoseNet, ReidNet], crops: Crops, flip_test: bool
) -> None:
    theirs = OriginalPipeline(*networks, flip_test=flip_test, files=False)(crops)
    sizes = np.array([(crop.shape[1], crop.shape[0]) for crop in crops], np.float32)
    fused = Pamtri(*networks, geometry=Geometry.ORIGINAL, flip_test=flip_test, raw_feature=True)
    inputs = (ops.resize(crops), ops.window(crops), sizes)
    with torch.no_grad():
        given = fused(*map(torch.from_numpy, inputs))
    ours = {name: value.numpy() for name, value in zip(fused.output_names, given, strict=True)}
    keypoints = theirs.keypoints / np.concatenate([sizes, np.ones((len(crops), 1))], axis=1)[:, None]
    np.testing.assert_allclose(keypoints, ours["keypoints"], atol=1e-4)
    np.testing.assert_allclose(theirs.feature, ours["embedding"], atol=1e-4)
    np.testing.assert_allclose(theirs.color.softmax(1), ours["color"], atol=1e-4)
    np.testing.assert_allclose(theirs.type.softmax(1), ours["type"], atol=1e-4)


def test_the_files_change_the_features_a_little_and_the_keypoints_not_at_all(
    networks: tuple[PoseNet, ReidNet], crops: Crops
) -> None:
    # 8 bits, JPEG, and two resizings instead of one: these are the original's, and ours has none of them.
    through_files = OriginalPipeline(*networks)(crops)
    direct = OriginalPipeline(*networks, files=False)(crops)
    np.testing.assert_array_equal(through_files.keypoints, direct.keypoints)
    cosine = torch.nn.functional.cosine_similarity(through_files.feature, direct.feature)
    assert 0.99 < cosine.min() < 1 - 1e-5


def test_nothing_is_left_of_the_files(
    networks: tuple[PoseNet, ReidNet], crops: Crops, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    OriginalPipeline(*networks)(crops[:2])
    assert list(tmp_path.iterdir()) == []
