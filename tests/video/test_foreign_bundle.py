# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Bundles of another project's network run on videos and match, with our pose network beside and without."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import onnx
import pytest

from foreign_networks import DIM, tiny_network
from in_process import run_in_process
from pamtri_edge import Reidentifier, samples
from pamtri_edge.cli import app
from pamtri_edge.events import Event, read_events
from pamtri_edge.export.foreign.bundle import export_network
from pamtri_edge.export.foreign.specification import ForeignNetwork
from pamtri_edge.export.options import ExportOptions
from pamtri_edge.models.checkpoints import save_checkpoint
from remembered_exports import remembered_seeded
from tiny_networks import SMALLEST

CAR = (90, 40, 56, 52, (220, 30, 30))
VAN = (10, 30, 56, 52, (30, 40, 220))


@pytest.fixture(scope="module")
def foreign_bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return a bundle of a tiny network alone, and one with a tiny pose network beside it."""
    folder = tmp_path_factory.mktemp("bundles")
    onnx.save(tiny_network(batch="N"), folder / "tiny.onnx")
    pose, _ = remembered_seeded(SMALLEST, pictures=samples.crops(16))
    save_checkpoint(pose, folder / "pose.safetensors")
    made = {}
    for name, weights in (("alone", None), ("posed", folder / "pose.safetensors")):
        options = ExportOptions(
            network=ForeignNetwork(path=folder / "tiny.onnx"),
            pose=weights,
            output=folder / f"{name}.pamtri",
            parity_crops=2,
        )
        made[name] = export_network(options).path
    return made


call = partial(run_in_process, app, columns=200)


@pytest.fixture(scope="module")
def seen(
    tmp_path_factory: pytest.TempPathFactory,
    write_video: Callable[..., Path],
    foreign_bundles: dict[str, Path],
) -> dict[str, tuple[Path, list[Event]]]:
    """Return, for each bundle, the folder and the events of a still car and a still van."""
    found = {}
    for which, camera in (("alone", "north"), ("posed", "south")):
        folder = tmp_path_factory.mktemp(which)
        clip = write_video(folder / f"{camera}.mp4", 20, boxes=lambda index: [CAR, VAN])
        words = ["--tracks", clip.with_suffix(".txt"), "--bundle", foreign_bundles[which], "--camera", camera]
        code, _, err = call("run", clip, *words, "--output", folder / "out", "--device", "cpu")
        assert code == 0, err
        found[which] = folder / "out", list(read_events(folder / "out" / "events.jsonl"))
    return found


def test_a_bundle_without_pose_tells_embeddings_and_that_nothing_else_is_known(seen, foreign_bundles):
    _, events = seen["alone"]
    assert len(events) == 2
    for event in events:
        assert (event.color, event.type, event.keypoints, event.quality) == (None,) * 4
        assert not event.below_gate
        assert event.vector.shape == (DIM,)
        assert np.linalg.norm(event.vector) == pytest.approx(1.0, abs=1e-3)
        assert event.embedding_space == Reidentifier.load(foreign_bundles["alone"]).manifest.embedding_space


def test_one_with_pose_tells_keypoints_and_quality_which_the_gate_goes_by(seen):
    _, events = seen["posed"]
    for event in events:
        assert (event.color, event.type) == (None, None)
        assert event.keypoints is not None
        assert len(event.keypoints) == 36
        assert event.quality is not None
        assert 0.0 <= event.quality <= 1.0
        assert event.below_gate == (event.quality < 0.15)
        assert event.below_gate_reason == (("pose-unsure",) if event.below_gate else ())


def test_events_of_the_two_match_since_pose_does_not_enter_the_embedding(seen, foreign_bundles):
    north, south = seen["alone"][0], seen["posed"][0]
    words = [north, south, "--threshold", "0.5", "--no-gate", "--json"]
    code, out, err = call("match", *words)
    assert code == 0, err
    pairs = {(row["track_a"], row["track_b"]) for row in json.loads(out)["matches"]}
    assert pairs == {(1, 1), (2, 2)}
    code, out, err = call("match", north, south, "--bundle", foreign_bundles["alone"], "--no-gate")
    assert code == 0, err
    assert "no threshold" in out
