# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""`Reidentifier.load` with compiled networks that earlier processes kept."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from pamtri_edge import Reidentifier, samples
from pamtri_edge.runtime import compiled_cache
from pamtri_edge.runtime.openvino import OpenVinoBackend

KEEP = """
from pamtri_edge import Reidentifier
Reidentifier.load(backend="openvino", threads=2).close()
"""


def described() -> list[bytes]:
    """Return what the shipped weights say of a few crops: without a path, they are loaded."""
    with Reidentifier.load(backend="openvino", threads=2) as reid:
        assert reid.manifest.trained
        found = reid.embed(samples.crops(3))
    arrays = found.embeddings, found.color_probs, found.type_probs, found.keypoints, found.quality
    return [np.asarray(array).tobytes() for array in arrays]


@pytest.mark.slow
def test_the_shipped_weights_give_the_same_bits_compiled_here_and_kept_by_another_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("PAMTRI_BUNDLE", raising=False)
    monkeypatch.setenv("PAMTRI_CACHE", str(tmp_path))
    monkeypatch.setenv("PAMTRI_NO_CACHE", "1")
    without = described()
    assert not caplog.records, "trained weights need no warning"
    assert not list(tmp_path.iterdir())
    monkeypatch.setenv("PAMTRI_NO_CACHE", "0")
    done = subprocess.run([sys.executable, "-c", KEEP], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    (kept,) = (tmp_path / "openvino").iterdir()
    written = kept.stat().st_mtime_ns
    assert described() == without
    assert kept.stat().st_mtime_ns > written, "used, and not written again under another name"
    assert list((tmp_path / "openvino").iterdir()) == [kept]


def test_a_kept_network_that_fails_the_self_test_is_compiled_again(
    micro_bundle: Path, kept_folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Reidentifier.load(micro_bundle, backend="openvino", threads=1) as reid:
        meant = reid.embed(samples.crops(2)).embeddings
    (path,) = kept_folder.iterdir()
    words = json.loads(path.read_bytes()[-compiled_cache._TRAILER :])
    names = ("network", "library", "properties", "processor")
    key = compiled_cache.CompiledKey(**{name: words[name] for name in names})
    other = OpenVinoBackend(_of_other_weights(micro_bundle, tmp_path), threads=1)
    assert other._engine is not None
    compiled_cache.keep_compiled(key, other._engine.compiled.export_model)
    caplog.set_level(logging.WARNING)
    with Reidentifier.load(micro_bundle, backend="openvino", threads=1) as reid:
        np.testing.assert_array_equal(reid.embed(samples.crops(2)).embeddings, meant)
    (record,) = caplog.records
    assert "is compiled again" in record.getMessage()
    assert not list(kept_folder.iterdir())


def test_another_bundle_under_the_same_name_is_another_network(
    micro_bundle: Path, kept_folder: Path, tmp_path: Path
) -> None:
    model = tmp_path / "model.onnx"
    model.write_bytes((micro_bundle / "model.onnx").read_bytes())
    OpenVinoBackend(model, threads=1, keep=True)
    model.write_bytes(_of_other_weights(micro_bundle, tmp_path).read_bytes())
    again = OpenVinoBackend(model, threads=1, keep=True)
    assert again._engine is not None
    assert again._engine.kept is None
    assert len(list(kept_folder.iterdir())) == 2


def _of_other_weights(bundle: Path, folder: Path) -> Path:
    network = onnx.load(bundle / "model.onnx")
    for tensor in network.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype == np.float32 and values.size > 100:
            tensor.CopyFrom(numpy_helper.from_array(values[::-1].copy(), tensor.name))
    onnx.save(network, folder / "other.onnx")
    return folder / "other.onnx"
