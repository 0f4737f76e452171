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

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def here(one_thread: None) -> Setting:
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
        assert path._stack[:, -13:].unique().numel() == 2  # drawn and blank, normalised


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


def test_every_row_is_kept_as_soon_as_it_is_there_and_none_is_begun_too_late(
    here: Setting, fused: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[list[Row]] = []
    clock = [0.0]
    monkeypatch.setattr(gpu_end_to_end.time, "monotonic", lambda: clock[0])

    def later(_: Setting) -> Subject:
        clock[0] = 450.0
        return Subject(lambda: fused, "fp16")

    recipes = (
        Recipe(PLAIN_FP32, EAGER, lambda _: Subject(lambda: fused, "fp32")),
        Recipe("slow", OURS, later),
        Recipe("ours: compiled", OURS, lambda _: Subject(lambda: fused, "fp16")),
        Recipe("quick", OURS, lambda _: Subject(lambda: fused, "fp16")),
    )
    monkeypatch.setattr(gpu_end_to_end, "recipes", lambda: iter(recipes))
    gpu_end_to_end.batch_rows(
        here,
        "",
        HostClock(),
        rounds=3,
        block=0.0,
        keep=lambda rows: kept.append([dict(row) for row in rows]),
        end=500.0,
    )
    first = next(rows for rows in kept if "milliseconds" in rows[-1])
    assert [(row["name"], row["provisional"]) for row in first] == [(PLAIN_FP32, True)]
    assert len(kept) >= len(recipes)
    last = {row["name"]: row for row in kept[-1]}
    assert last["ours: compiled"]["failure"] == "the time was up"
    assert {name for name, row in last.items() if "milliseconds" in row} == {PLAIN_FP32, "slow", "quick"}
    assert not any("provisional" in row for row in last.values())


def timed(name: str, kind: str, milliseconds: float, note: str = "", **times: float) -> Row:
    ratios = {
        f"times_{other}": {"median": ratio, "low": ratio - 0.1, "high": ratio + 0.1}
        for other, ratio in times.items()
    }
    names = {f"best_{other}": f"the {other} one" for other in times}
    return {"name": name, "kind": kind, "milliseconds": milliseconds, "note": note, **ratios, **names}


@pytest.fixture
def others() -> list[Row]:
    """The rows that ours are held against."""
    return [timed(one.name, one.kind, 5.0) for one in subjects.recipes() if one.kind != OURS]


def test_our_fastest_is_judged_against_the_best_of_each_kind(others: list[Row]) -> None:
    rows = [
        timed("slow", OURS, 3.0, eager=1.0, compiled=0.5),
        timed("fast", OURS, 2.0, eager=1.6, compiled=0.95),
    ]
    _, eager, compiled = gpu_end_to_end.targets([*others, *rows], 8)
    assert eager.met
    assert "fast; the eager one" in eager.found
    assert compiled.met  # not slower, within the interval
    rows = [timed("fast", OURS, 2.0, eager=1.4, compiled=0.8)]
    assert [target.met for target in gpu_end_to_end.targets([*others, *rows], 8)] == [True, False, False]


def test_a_batch_without_a_row_of_ours_has_shown_nothing(others: list[Row]) -> None:
    right, *_ = gpu_end_to_end.targets(others, 8)
    assert right.met is False
    assert "none of ours" in right.found


def test_without_a_compiled_row_nothing_is_claimed_of_it(others: list[Row]) -> None:
    _, eager, compiled = gpu_end_to_end.targets([*others, timed("fast", OURS, 2.0, eager=2.0)], 1)
    assert eager.met
    assert compiled.met is None


def test_with_rows_left_out_nothing_is_claimed(others: list[Row]) -> None:
    some = [row for row in others if "NHWC" not in row["name"]]
    _, eager, compiled = gpu_end_to_end.targets([*some, timed("fast", OURS, 2.0, eager=2.0, compiled=2.0)], 1)
    assert eager.met is None
    assert compiled.met


def test_a_compiled_row_that_became_no_graphs_is_not_the_one_to_beat() -> None:
    rows = [
        timed("graphs", "compiled", 2.0),
        timed("none", "compiled", 1.0, note="torch refused to capture CUDA graphs"),
    ]
    blocks = {"graphs": [Block(2.0, 0)], "none": [Block(1.0, 0)]}
    assert gpu_end_to_end.fastest(rows, blocks, "compiled") == "graphs"


def test_skipped_graphs_are_noticed(here: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    from torch._dynamo.utils import counters

    def refusing(*_: Any, **__: Any) -> Any:
        counters["inductor"]["cudagraph_skips"] += 1
        return lambda crops: crops

    monkeypatch.setattr(subjects, "compiler", lambda *_, **__: refusing)
    assert "refused" in subjects._graphed(here, torch.nn.Identity()).note


def test_the_share_of_the_kernels_is_that_of_one_run_of_them(
    here: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[int] = []

    class Path:
        def __call__(self, crops: torch.Tensor) -> None:
            assert crops is here.crops

        def between(self, times: int) -> Any:
            taken.append(times)
            return lambda: None

    def blocks(subjects: Any, **_: Any) -> dict[str, list[Block]]:
        subjects["path"]()
        subjects["kernels"]()
        return {"path": [Block(0.010, 0)] * 3, "kernels": [Block(0.0002 * taken[-1], 0)] * 3}

    specs: list[Any] = []
    monkeypatch.setattr(gpu_end_to_end, "interleave", blocks)
    monkeypatch.setattr(gpu_end_to_end, "setting", lambda spec, *_: specs.append(spec) or here)
    monkeypatch.setattr(gpu_end_to_end, "staged_path", lambda here, compiled: Path())
    shares = gpu_end_to_end.kernel_shares(TINY, 2, CPU, HostClock(), rounds=3, block=0.0)
    assert [spec[1].segments for spec in specs] == [False, True]
    assert [share["variant"] for share in shares] == ["heatmaps", "heatmaps and segments"]
    assert shares[0]["share"]["median"] == pytest.approx(0.02)
    assert shares[0]["kernels_milliseconds"] == pytest.approx(0.2)
    target = gpu_end_to_end.share_target(shares)
    assert target.met
    assert "2.00%" in target.found
    shares[1]["share"]["median"] = 0.041
    assert gpu_end_to_end.share_target(shares).met is False


@pytest.mark.slow
def test_torch_can_compile_plain_pytorch_as_one_graph(here: Setting, fused: Any) -> None:
    plain = PlainPyTorch(*here.networks(half=False))
    with torch.no_grad():
        assert equal(subjects.compiler(here)(plain)(here.crops), fused)


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

    def test_one_peak_taken_for_another_is_no_other_network(self, outputs: Any) -> None:
        moved = outputs[3].clone()
        moved[0, :3] += 0.3
        assert agreement((*outputs[:3], moved, outputs[4]), outputs).good
        moved[:, :3] += 0.3
        assert not agreement((*outputs[:3], moved, outputs[4]), outputs).good
        turned = outputs[0] + 0.4 * torch.eye(4, 8)[:1]  # the same for all
        few = torch.cat([turned[:1], outputs[0][1:]])
        assert agreement((few, *outputs[1:]), outputs).cosine < 0.99
        assert agreement((few, *outputs[1:]), outputs).good
        assert not agreement((outputs[0] + 0.9 * torch.eye(4, 8), *outputs[1:]), outputs).good

    def test_nan_and_a_missing_row_are_none(self, outputs: Any) -> None:
        assert not agreement((outputs[0] * float("nan"), *outputs[1:]), outputs).good
        assert not agreement((outputs[0][:3], *outputs[1:]), outputs).good
