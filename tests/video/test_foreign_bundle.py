# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A bundle of another project's network runs on videos and matches."""

from __future__ import annotations

import json
from functools import partial

import numpy as np
import onnx
import pytest

from foreign_networks import DIM, tiny_network
from in_process import run_in_process
from pamtri_edge import Reidentifier
from pamtri_edge.cli import app
from pamtri_edge.events import read_events
from pamtri_edge.export.foreign.bundle import export_network
from pamtri_edge.export.foreign.specification import ForeignNetwork
from pamtri_edge.export.options import ExportOptions

call = partial(run_in_process, app, columns=200)


def test_a_bundle_without_pose_tells_embeddings_that_match_and_that_nothing_else_is_known(
    tmp_path, write_video
):
    onnx.save(tiny_network(batch="N"), tmp_path / "tiny.onnx")
    network = ForeignNetwork(path=tmp_path / "tiny.onnx")
    bundle = export_network(
        ExportOptions(network=network, output=tmp_path / "tiny.pamtri", parity_crops=2)
    ).path
    car, van = (90, 40, 56, 52, (220, 30, 30)), (10, 30, 56, 52, (30, 40, 220))
    clip = write_video(tmp_path / "street.mp4", 20, boxes=lambda index: [car, van])
    words = ["--tracks", clip.with_suffix(".txt")] * 2 + ["--camera", "north", "--camera", "south"]
    words += ["--bundle", bundle, "--device", "cpu", "--no-video"]
    code, _, err = call("run", clip, clip, *words, "--output", tmp_path / "out")
    assert code == 0, err
    north, south = tmp_path / "out" / "north", tmp_path / "out" / "south"
    for event in read_events(north / "events.jsonl"):
        assert (event.color, event.type, event.keypoints, event.quality) == (None,) * 4
        assert not event.below_gate
        assert event.vector.shape == (DIM,)
        assert np.linalg.norm(event.vector) == pytest.approx(1.0, abs=1e-3)
        assert event.embedding_space == Reidentifier.load(bundle).manifest.embedding_space
    code, out, err = call("match", north, south, "--threshold", "0.5", "--json")
    assert code == 0, err
    assert {(row["track_a"], row["track_b"]) for row in json.loads(out)["matches"]} == {(1, 1), (2, 2)}
    code, out, err = call("match", north, south, "--bundle", bundle)
    assert code == 0, err
    assert "no threshold" in out
