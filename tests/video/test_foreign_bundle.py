# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A bundle of another project's network, which tells nothing but embeddings, runs on a video all the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest

from foreign_networks import DIM, tiny_network
from pamtri_edge import Reidentifier
from pamtri_edge.events import read_events
from pamtri_edge.export.foreign.bundle import export_network
from pamtri_edge.export.foreign.specification import ForeignNetwork
from pamtri_edge.export.options import ExportOptions
from pamtri_edge.tracks import read_tracks
from pamtri_edge.video.follow import FileFollower
from pamtri_edge.video.gate import GateSpec
from pamtri_edge.video.run import RunSpec, VideoRun
from pamtri_edge.video.sources import open_source
from pamtri_edge.video.write import OutputFolder

CAR = (90, 40, 44, 32, (220, 30, 30))


def test_its_events_have_an_embedding_and_say_that_nothing_else_is_known(
    tmp_path: Path, write_video: Callable[..., Path]
) -> None:
    onnx.save(tiny_network(batch="N"), tmp_path / "tiny.onnx")
    options = ExportOptions(
        network=ForeignNetwork(path=tmp_path / "tiny.onnx"), output=tmp_path / "tiny.pamtri", parity_crops=2
    )
    bundle = export_network(options).path
    clip = write_video(tmp_path / "clip.mp4", 20, boxes=lambda index: [CAR])
    rows = [f"{frame},1,90,40,44,32,1,2,-1\n" for frame in range(1, 21)]
    clip.with_suffix(".txt").write_text("".join(rows))
    follower = FileFollower(read_tracks(clip.with_suffix(".txt")))
    spec = RunSpec(camera="north", gate=GateSpec(min_side=24))
    loaded = Reidentifier.load(bundle, device="cpu")
    VideoRun(open_source(str(clip)), follower, loaded, OutputFolder(tmp_path / "out"), spec).run()
    (event,) = read_events(tmp_path / "out" / "events.jsonl")
    assert (event.color, event.type, event.keypoints, event.quality) == (None,) * 4
    assert not event.below_gate
    assert event.vector.shape == (DIM,)
    assert np.linalg.norm(event.vector) == pytest.approx(1.0, abs=1e-3)
    assert event.embedding_space == loaded.manifest.embedding_space
