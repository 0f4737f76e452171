# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Engines on disk: found again, told apart, rebuilt or refused, and never half there."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

import cupy_fake
import tensorrt_fake
from pamtri_edge.errors import BundleError, EngineError
from pamtri_edge.runtime.tensorrt.backend import TensorRtBackend
from pamtri_edge.runtime.tensorrt.engine_cache import NoEngineError
from simulated_gpu import Gpu

Load = Callable[..., TensorRtBackend]


@pytest.fixture(autouse=True)
def _heard(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


def engines(bundle: Path) -> list[Path]:
    return sorted((bundle.parent / "engines").glob("*.engine"))


def works(backend: TensorRtBackend) -> None:
    images = np.random.default_rng(1).normal(size=(3, 3, 16, 16)).astype(np.float32)
    assert np.isfinite(backend.run({"images": images})["embedding"]).all()


def test_an_engine_is_built_once_and_found_again(load: Load, machine: Any, bundle: Path) -> None:
    works(load())
    works(load())
    assert (machine.trt.record.builds, machine.trt.record.loads) == (1, 2)
    (path,) = engines(bundle)
    record = json.loads(path.with_suffix(".json").read_text())
    assert record["library"] == "TensorRT 10.16.0.72"
    assert record["gpu"] == "Simulated GPU"
    assert record["compute"] == "sm_87"
    assert record["profiles"] == "1/16/32 8 16 32"
    assert record["bytes"] == path.stat().st_size
    assert record["model"] == "model.onnx"


@pytest.mark.parametrize("cached", [False, True])
def test_a_network_whose_weights_lie_in_other_files_is_refused(
    load: Load, machine: Any, bundle: Path, cached: bool
) -> None:
    if cached:
        load()
    network = onnx.load(bundle)
    onnx.save(network, bundle, save_as_external_data=True, location="weights", size_threshold=0)
    with pytest.raises(BundleError, match="keeps weights in other files"):
        load()
    assert machine.trt.record.builds == cached


def test_a_build_is_announced_with_its_progress(load: Load, caplog: pytest.LogCaptureFixture) -> None:
    load()
    lines = [record.getMessage() for record in caplog.records]
    announced = "building an engine of model.onnx with TensorRT 10.16.0.72, which can take minutes: none has"
    assert any(line.startswith(announced) for line in lines)
    shares = [int(line.split(": ")[1].split(" %")[0]) for line in lines if " %" in line]
    assert shares == sorted(set(shares))
    assert shares[0] == 0
    assert shares[-1] == 100


def test_progress_goes_to_whom_it_was_promised(load: Load) -> None:
    told: list[tuple[str, float]] = []
    load(progress=lambda phase, share: told.append((phase, share)))
    assert told[0] == ("Building engine", 0.0)
    assert ("Computing profile costs", 0.25) in told
    assert max(share for _, share in told) == 1.0


def test_ctrl_c_ends_a_build_and_leaves_nothing(load: Load, bundle: Path) -> None:
    def interrupted(phase: str, share: float) -> None:
        if share > 0.3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load(progress=interrupted)
    assert engines(bundle) == []
    works(load())


Change = Callable[[pytest.MonkeyPatch, Path, dict[str, Path]], object]
JETSON = "# R36 (release), REVISION: 4.0, GCID: 1\n"
ELSEWHERE: dict[str, Change] = {
    "the GPU was 'Simulated GPU', is 'Other GPU'": lambda patch, *_: cupy_fake.install(
        patch, Gpu(name="Other GPU")
    ),
    "the GPU's architecture was 'sm_87', is 'sm_90'": lambda patch, *_: cupy_fake.install(
        patch, Gpu(name="Simulated GPU", compute=(9, 0))
    ),
    "TensorRT was 'TensorRT 10.16.0.72', is 'TensorRT 10.3.0.26'": lambda patch, *_: tensorrt_fake.install(
        patch, version="10.3.0.26"
    ),
    "CUDA was '13.0', is '12.6'": lambda patch, *_: patch.setattr(
        cupy_fake.cuda.runtime, "runtimeGetVersion", lambda: 12060
    ),
    "the Jetson's L4T was none, is '36.4.0'": lambda _, bundle, __: (
        bundle.parents[1] / "no_tegra_release"
    ).write_text(JETSON),
    r"the network was [0-9a-f]{12}\.\.\., is [0-9a-f]{12}\.\.\. \(SHA-256\)": lambda _, bundle, models: (
        shutil.copy(models["fp16"], bundle)
    ),
    "the precision was none, is 'fp16'": lambda _, bundle, __: bundle.with_name("manifest.json").write_text(
        '{"precision": "fp16"}'
    ),
}
"""What is said of an engine that was built before a change."""


@pytest.mark.parametrize("said", ELSEWHERE)
def test_an_engine_of_something_else_is_explained_refused_and_rebuilt(
    load: Load,
    models: dict[str, Path],
    bundle: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    said: str,
) -> None:
    load().close()
    ELSEWHERE[said](monkeypatch, bundle, models)
    with pytest.raises(NoEngineError, match=f"was built for something else: {said}.*build=True"):
        load(build=False)
    caplog.clear()
    works(load())
    assert len(engines(bundle)) == 2, "the other machine's engine stays"
    assert "was built for something else" in caplog.text


def test_a_plan_of_another_version_under_this_ones_name_is_rebuilt(
    load: Load, machine: Any, bundle: Path, caplog: pytest.LogCaptureFixture
) -> None:
    load().close()
    (path,) = engines(bundle)
    record = json.loads(path.with_suffix(".json").read_text())
    path.with_suffix(".json").write_text(json.dumps({**record, "library": "TensorRT 10.3.0.26"}))
    works(load())
    assert machine.trt.record.builds == 2
    assert "another engine's record (TensorRT was 'TensorRT 10.3.0.26'" in caplog.text


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-100]), "is truncated or damaged: it has"),
        (lambda path: path.with_suffix(".json").unlink(), "has no readable record beside it"),
    ],
)
def test_a_spoiled_engine_is_found_refused_and_rebuilt(
    load: Load, machine: Any, bundle: Path, spoil: Callable[[Path], Any], said: str
) -> None:
    load().close()
    (path,) = engines(bundle)
    spoil(path)
    with pytest.raises(NoEngineError, match=said):
        load(build=False)
    assert machine.trt.record.loads == 1, "TensorRT never sees it"
    works(load())
    works(load(build=False))
    assert machine.trt.record.builds == 2


def test_a_plan_that_tensorrt_does_not_accept_is_told_with_its_reason(
    load: Load, machine: Any, bundle: Path
) -> None:
    load().close()
    (path,) = engines(bundle)
    plan = path.read_bytes().replace(b"10.16.0.72", b"10.16.0.71")
    path.write_bytes(plan)
    record = json.loads(path.with_suffix(".json").read_text())
    record["sha256"] = hashlib.sha256(plan).hexdigest()
    path.with_suffix(".json").write_text(json.dumps(record))
    with pytest.raises(EngineError, match=r"cannot load .*expecting library version 10\.16\.0\.72.*delete"):
        load()


def test_engines_lie_in_the_users_cache_where_the_bundle_cannot_be_written(
    load: Load, machine: Any, bundle: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (bundle.parent / "engines").write_text("not a folder")
    works(load())
    assert len(list((machine.cache / "engines").glob("*.engine"))) == 1
    assert f"engines are kept in {machine.cache / 'engines'}" in caplog.text
    works(load(build=False))


def test_no_place_for_engines_is_told_before_one_is_built(load: Load, machine: Any, bundle: Path) -> None:
    (bundle.parent / "engines").write_text("not a folder")
    machine.cache.write_text("not a folder")
    with pytest.raises(EngineError, match=r"no place to keep an engine: .*engines.*PAMTRI_CACHE"):
        load()
    assert machine.trt.record.builds == 0


def test_what_one_build_timed_serves_the_next_on_the_same_device(
    load: Load, machine: Any, models: dict[str, Path], bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load()
    shutil.copy(models["fp16"], bundle)
    load()
    assert (machine.trt.record.builds, machine.trt.record.timed) == (2, 1)
    other = tensorrt_fake.install(monkeypatch, version="10.3.0.26")
    load()
    assert other.record.timed == 1
    assert len(list((bundle.parent / "engines").glob("*.timing"))) == 2


def test_a_timing_cache_of_something_else_is_left_aside(load: Load, machine: Any, bundle: Path) -> None:
    load()
    (timing,) = (bundle.parent / "engines").glob("*.timing")
    timing.write_bytes(b"of another device")
    (path,) = engines(bundle)
    path.unlink()
    works(load())
    assert machine.trt.record.timed == 2


def test_float32_is_computed_in_float32(load: Load, machine: Any) -> None:
    load()
    (configuration,) = machine.trt.record.configurations
    assert machine.trt.BuilderFlag.TF32 in configuration.cleared


@pytest.mark.parametrize("precision", ["fp32", "fp16", "int8"])
def test_the_arithmetic_is_what_the_file_is_typed_in(
    load: Load, models: dict[str, Path], tmp_path: Path, precision: str
) -> None:
    shutil.copy(models[precision], tmp_path / "model.onnx")
    for _ in range(2):  # built, then from the cache
        assert load(tmp_path / "model.onnx").arithmetic == precision


def test_a_file_that_the_parser_refuses_is_told_with_its_reason(load: Load, machine: Any) -> None:
    machine.trt.record.refuse_parse = "In node 3: Unsupported ONNX data type: INT32"
    with pytest.raises(EngineError, match=r"TensorRT 10\.16\.0\.72 cannot read .*Unsupported ONNX data type"):
        load()
