# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The end-to-end comparison, rehearsed on a CPU with tiny networks: what runs there is what is measured."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import gpu_end_to_end
import numpy as np
import pytest
import torch
from gpu import subjects
from gpu.agreement import agreement
from gpu.clocks import HostClock
from gpu.staged_torch import StagedTorch
from gpu.subjects import EAGER, OURS, PLAIN_FP32, Recipe, Setting, Subject
from pairing import Block
from reference.plain_pytorch import PlainPyTorch

from pamtri_edge.models import TINY, Pamtri, seeded
from pamtri_edge.samples import crops

Row = dict[str, Any]
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def here() -> Setting:
    return gpu_end_to_end.setting(TINY, 2, CPU, Path())


@pytest.fixture(scope="module")
def fused(here: Setting) -> tuple[torch.Tensor, ...]:
    """What the exported module says of the crops."""
    with torch.inference_mode():
        return Pamtri(here.pose, here.reid, optimize=False)(here.crops.permute(0, 3, 1, 2).float())


def equal(found: Any, expected: Any) -> bool:
    return len(found) == len(expected) and all(
        torch.allclose(one, other, atol=2e-5) for one, other in zip(found, expected, strict=True)
    )


@pytest.mark.parametrize("channels_last", [False, True])
def test_plain_pytorch_is_the_exported_module(here: Setting, fused: Any, channels_last: bool) -> None:
    networks = here.networks(half=False)
    with torch.inference_mode():
        assert equal(PlainPyTorch(*networks, channels_last=channels_last)(here.crops), fused)


@pytest.mark.parametrize("rewritten", [False, True])
def test_our_path_is_the_exported_module(here: Setting, fused: Any, rewritten: bool) -> None:
    with torch.inference_mode():
        path = subjects.staged_path(here, compiled=False, rewritten=rewritten)
        assert equal(path(here.crops), fused)
        assert not equal(path(here.crops.flip(0)), fused)
        assert equal(path(here.crops), fused)


def test_our_path_draws_segments_where_the_network_takes_them(here: Setting) -> None:
    spec = (TINY[0], dataclasses.replace(TINY[1], segments=True))
    pose, reid = seeded(spec, pictures=crops(2), seed=6)  # with which six segments are convex
    with torch.inference_mode():
        expected = Pamtri(pose, reid, optimize=False)(here.crops.permute(0, 3, 1, 2).float())
        path = StagedTorch(pose, reid, 2)
        assert equal(path(here.crops), expected)
        path._stack.zero_()
        path.between(2)()
        assert path._stack[:, -13:].unique().numel() == 2  # drawn and blank, normalized


def test_every_way_but_tensorrt_runs_agrees_and_is_compared(
    here: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subjects, "compiler", lambda *_, **__: lambda function: function)  # traced elsewhere

    def one_call(subjects: Any, **_: Any) -> dict[str, list[Block]]:
        for call in subjects.values():
            call()
        return {name: [Block(1.0 + place, 0.0)] * 3 for place, name in enumerate(subjects)}

    monkeypatch.setattr(gpu_end_to_end, "interleave", one_call)
    rows = gpu_end_to_end.batch_rows(here, "", HostClock(), rounds=3, block=0.0)
    failed = {row["name"]: row["failure"] for row in rows if "failure" in row}
    assert list(failed) == ["ours: TensorRT"]
    assert all(row["agreement"]["cosine"] > 0.9999 for row in rows if "agreement" in row)
    assert sum("agreement" in row for row in rows) == 7
    ours = next(row for row in rows if row["name"] == "ours: staged")
    assert ours["best_eager"] == PLAIN_FP32
    assert ours["times_eager"]["median"] == pytest.approx(1 / 6)
    gpu_end_to_end.show(rows, 2)


def made(monkeypatch: pytest.MonkeyPatch, here: Setting, *recipes: Recipe) -> list[Row]:
    monkeypatch.setattr(gpu_end_to_end, "recipes", lambda: iter(recipes))
    return gpu_end_to_end.batch_rows(here, "", HostClock(), rounds=3, block=0.0)


def test_a_way_that_fails_or_describes_otherwise_is_not_timed_and_stops_nothing(
    here: Setting, fused: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(_: Setting) -> Subject:
        raise ImportError("no module named tensorrt")

    rows = made(
        monkeypatch,
        here,
        Recipe(PLAIN_FP32, EAGER, lambda _: Subject(lambda: fused, "fp32")),
        Recipe("absent", OURS, missing),
        Recipe("others", OURS, lambda _: Subject(lambda: tuple(one.flip(0) for one in fused), "fp16")),
        Recipe("same", OURS, lambda _: Subject(lambda: fused, "fp16")),
    )
    by_name = {row["name"]: row for row in rows}
    assert by_name["absent"]["failure"] == "ImportError: no module named tensorrt"
    assert "its outputs are others" in by_name["others"]["failure"]
    assert [name for name, row in by_name.items() if "milliseconds" in row] == [PLAIN_FP32, "same"]


class TestAgreement:
    @pytest.fixture
    def outputs(self, rng: np.random.Generator) -> tuple[torch.Tensor, ...]:
        shapes = ((4, 8), (4, 3), (4, 3), (4, 36, 3), (4, 1))
        return tuple(torch.from_numpy(rng.random(shape, np.float32)) for shape in shapes)

    def test_rounding_is_agreement(self, outputs: Any) -> None:
        assert agreement(tuple(one.half() for one in outputs), outputs).good

    @pytest.mark.parametrize("index", [0, 3], ids=["embedding", "keypoints"])
    def test_another_vehicles_output_is_none(self, outputs: Any, index: int) -> None:
        changed = list(outputs)
        changed[index] = outputs[index].flip(0)
        assert not agreement(tuple(changed), outputs).good
