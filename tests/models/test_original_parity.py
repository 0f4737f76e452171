# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The original's own programs, where a clone of them is at hand, and ours give the same numbers."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from pamtri_edge import samples

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]  # their code is of its time


@pytest.fixture(scope="module")
def programs() -> Iterator[tuple[Any, Any]]:
    """The module `benchmarks/original_parity.py` and the original that it imported from the clone."""
    clone = os.environ.get("PAMTRI_ORIGINAL")
    if not clone:
        pytest.skip("no clone of NVlabs/PAMTRI is named; set PAMTRI_ORIGINAL to its folder")
    folder = str(Path(__file__).resolve().parents[2] / "benchmarks")
    before = set(sys.modules)
    sys.path.insert(0, folder)
    try:
        module = importlib.import_module("original_parity")
        yield module, module.repository.open_repository(Path(clone))
    finally:
        sys.path.remove(folder)
        for name in set(sys.modules) - before:
            if name.partition("_")[0] == "original" or name.partition(".")[0] == "torchvision":
                del sys.modules[name]


@pytest.fixture(scope="module")
def crops(programs: tuple[Any, Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("crops")
    for index, picture in enumerate(samples.crops(2, seed=1)):
        cv2.imwrite(str(folder / f"{index}.png"), np.ascontiguousarray(picture[..., ::-1]))
    return programs[0].read_crops(folder, 2)


@pytest.fixture(scope="module")
def pose(programs: tuple[Any, Any], crops: Any) -> Any:
    return programs[0].draw_pose(programs[1], crops)


def test_the_networks_agree_on_identical_tensors(programs: tuple[Any, Any], crops: Any, pose: Any) -> None:
    parity, original = programs
    variants = [spec for spec in parity.VARIANTS if parity.variant_name(spec) in ("RGB", "K", "MT+K+H+S")]
    rows = list(parity.network_rows(original, crops, pose, variants))
    assert len(rows) == 5
    assert [row for row in rows if not row.passed] == []


def test_the_steps_from_a_picture_to_the_embedding_agree(
    programs: tuple[Any, Any], crops: Any, pose: Any
) -> None:
    parity, original = programs
    variants = [spec for spec in parity.END_TO_END if parity.variant_name(spec) in ("MT+K+H", "MT+K+S")]
    rows = list(parity.end_rows(original, crops, pose, variants, (True,)))
    assert len(rows) == 8
    assert sum(row.limit is not None for row in rows) == 2
    assert [row for row in rows if not row.passed] == []
    assert max(row.keypoint for row in rows) < 1e-3  # three decimals of a CSV file
