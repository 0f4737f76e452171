# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The peers compute what we compute; otherwise their speed would say nothing."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from peers import Absent, Setting, glue
from peers.limits import _Integers

from pamtri_edge import ops


def test_the_glue_between_the_networks_is_our_decode_and_stack() -> None:
    rng = np.random.default_rng(2)
    heatmaps = rng.normal(0.2, 0.4, (3, 36, 64, 64)).astype(np.float32)
    heatmaps[0, 0] = -1  # no peak above 0
    np.testing.assert_allclose(glue.keypoints_of(heatmaps), ops.decode(heatmaps), atol=1e-6)
    images = rng.uniform(0, 255, (3, 3, 256, 256)).astype(np.float32)
    np.testing.assert_allclose(glue.stack_of(images, heatmaps), ops.stack(images, heatmaps), atol=1e-4)
    assert glue.stack_of(images, None).shape == (3, 3, 256, 256)


def test_the_glue_in_front_of_the_networks_is_our_resize() -> None:
    crops = [np.random.default_rng(3).integers(0, 256, (90, 150, 3)).astype(np.uint8)]
    assert np.abs(glue.batch_of(crops) - ops.resize(crops)).max() <= 1


def test_the_int8_limit_is_computed_in_int8() -> None:
    limit = _Integers(threads=1)
    kinds = {
        str(node.get_rt_info()["runtimePrecision"].astype(str))
        for node in limit.compiled.get_runtime_model().get_ordered_ops()
        if str(node.get_rt_info()["layerType"].astype(str)) == "Convolution"
    }
    assert kinds <= {"i8", "u8"}
    assert kinds


def test_who_is_absent_is_said_with_a_reason(tmp_path: Path) -> None:
    extractors = pytest.importorskip("peers.extractors")
    with ExitStack() as stack:
        found = list(extractors.subjects(Setting(tmp_path, 1, (1,), stack, lambda _: None)))
    absent = {one.name: one.reason for one in found if isinstance(one, Absent)}
    assert "DL Streamer" in absent
    assert all(absent.values())


def test_a_peer_that_does_not_work_is_said_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    extractors = pytest.importorskip("peers.extractors")
    broken = tmp_path / "boxmot"
    broken.mkdir()
    (broken / "__init__.py").write_text("raise OSError('libcudart.so.13 is missing')")
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.partition(".")[0] == "boxmot"]:
        monkeypatch.delitem(sys.modules, name)
    with ExitStack() as stack:
        found = list(extractors.subjects(Setting(tmp_path, 1, (1,), stack, lambda _: None, only="boxmot")))
    reasons = [one.reason for one in found if isinstance(one, Absent) and "boxmot" in one.name]
    assert reasons == ["boxmot cannot be used: OSError: libcudart.so.13 is missing"]
