# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The measurement of the rewritten stem with torch: on a CPU the same modules, tiny and in half precision."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import stem
import torch
from pairing import Block

from pamtri_edge import ops, samples
from pamtri_edge.models import TINY

pytestmark = pytest.mark.usefixtures("one_thread")


def untimed(calls: Any, *, rounds: int) -> dict[str, list[Block]]:
    return {name: [Block(1.0, 1.0)] * rounds for name in calls}


def test_both_modules_are_compared_and_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "compile", lambda module, **_: module)
    size: Any = TINY
    calls = stem._torch(size, ops.resize(samples.crops(2, seed=3)), "cpu", True)
    assert list(calls) == [stem.PLAIN, stem.REWRITTEN]
    found = [call() for call in calls.values()]
    assert set(found[0]) == set(found[1]) == {"embedding", "color", "type", "keypoints", "quality"}
    assert not torch.equal(found[0]["embedding"], found[1]["embedding"])  # they are two modules
    monkeypatch.setattr(stem, "interleave", untimed)
    row = stem._measured(calls, 3, "cpu", False)
    assert row["gain"]["median"] == 1
    assert row["least_cosine"] > 0.999
    assert row["median_cosine"] > 0.999
    assert row["largest_difference"]["embedding"] < 0.01
    stem._show([{"size": "tiny", "batch": 2, **row}])


def test_what_describes_a_crop_otherwise_fails_the_program(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    rng = np.random.default_rng(2)

    def strangers(*_: Any) -> dict[str, Any]:
        return {
            name: lambda: {"embedding": rng.normal(size=(1, 64)).astype(np.float32)}
            for name in (stem.PLAIN, stem.REWRITTEN)
        }

    monkeypatch.setattr(stem, "_openvino", strangers)
    monkeypatch.setattr(stem, "interleave", untimed)
    with pytest.raises(SystemExit) as ended:
        stem.main(
            size=["lite"],
            batch=[1],
            precision="fp32",
            device="cpu",
            compiled=False,
            rounds=3,
            threads=1,
            output=tmp_path,
            rehearse=False,
        )
    assert ended.value.code == 1
    (path,) = tmp_path.glob("cpu-stem-*.json")
    assert json.loads(path.read_text())["rows"][0]["size"] == "lite"
