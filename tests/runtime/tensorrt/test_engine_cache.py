# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Engines on disk: found again, told apart, rebuilt or refused, and never half there."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import logging
import multiprocessing
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

import cupy_fake
import tensorrt_fake
from pamtri_edge.errors import BundleError, EngineError
from pamtri_edge.files.atomic import write_atomically
from pamtri_edge.runtime.tensorrt.backend import TensorRtBackend
from pamtri_edge.runtime.tensorrt.build import Built
from pamtri_edge.runtime.tensorrt.engine_cache import NoEngineError, cached_engine
from pamtri_edge.runtime.tensorrt.fingerprint import Fingerprint
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


def test_an_engine_file_is_a_pure_plan(load: Load, machine: Any, bundle: Path) -> None:
    load()
    (path,) = engines(bundle)
    runtime = machine.trt.Runtime(machine.trt.Logger())
    assert runtime.deserialize_cuda_engine(path.read_bytes()) is not None


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


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("gpu", "the GPU was 'Simulated GPU', is 'Other GPU'"),
        ("compute", "the GPU's architecture was 'sm_87', is 'sm_90'"),
        ("version", "TensorRT was 'TensorRT 10.16.0.72', is 'TensorRT 10.3.0.26'"),
        ("flavour", "TensorRT was 'TensorRT 10.16.0.72', is 'TensorRT-RTX 1.7.1.116'"),
        ("cuda", "CUDA was '13.0', is '12.6'"),
        ("l4t", "the Jetson's L4T was none, is '36.4.0'"),
        ("onnx", r"the network was [0-9a-f]{12}\.\.\., is [0-9a-f]{12}\.\.\. \(SHA-256\)"),
        ("precision", "the precision was none, is 'fp16'"),
    ],
)
def test_an_engine_of_something_else_is_explained_refused_and_rebuilt(
    load: Load,
    machine: Any,
    models: dict[str, Path],
    bundle: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    change: str,
    said: str,
) -> None:
    if change == "flavour":  # a GPU that both know
        cupy_fake.install(monkeypatch, Gpu(name="Simulated GPU", compute=(8, 9)))
    load().close()
    trt = machine.trt
    if change in ("gpu", "compute"):
        cupy_fake.install(
            monkeypatch,
            Gpu(name="Other GPU") if change == "gpu" else Gpu(name="Simulated GPU", compute=(9, 0)),
        )
    elif change == "version":
        trt = tensorrt_fake.install(monkeypatch, version="10.3.0.26")
    elif change == "flavour":
        trt = tensorrt_fake.install(monkeypatch, version="1.7.1.116", flavour="tensorrt_rtx")
        monkeypatch.setenv("PAMTRI_TENSORRT", "tensorrt_rtx")
    elif change == "cuda":
        monkeypatch.setattr(cupy_fake.cuda.runtime, "runtimeGetVersion", lambda: 12060)
    elif change == "l4t":
        (tmp_path / "no_tegra_release").write_text("# R36 (release), REVISION: 4.0, GCID: 1\n")
    elif change == "onnx":
        shutil.copy(models["fp16"], bundle)
    else:
        (bundle.parent / "manifest.json").write_text('{"precision": "fp16"}')
    before = trt.record.builds
    with pytest.raises(NoEngineError, match=f"was built for something else: {said}.*build=True"):
        load(build=False)
    caplog.clear()
    works(load())
    assert trt.record.builds == before + 1
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
        (lambda path: path.write_bytes(b""), "is truncated or damaged: it has 0 bytes of"),
        (lambda path: path.write_bytes(path.read_bytes()[:-1] + b"\0"), "is truncated or damaged"),
        (lambda path: path.with_suffix(".json").unlink(), "has no readable record beside it"),
        (lambda path: path.with_suffix(".json").write_text("{"), "has no readable record beside it"),
        (lambda path: path.with_suffix(".json").write_text("[1]"), "has no readable record beside it"),
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


def test_an_engine_that_comes_with_a_read_only_bundle_is_used(
    load: Load, machine: Any, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load().close()

    def refused(*arguments: object, **options: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "touch", refused)
    monkeypatch.setattr(Path, "mkdir", refused)
    works(load())
    assert machine.trt.record.builds == 1


def test_a_disk_that_takes_no_engine_costs_the_engine_on_disk_only(
    load: Load, bundle: Path, caplog: pytest.LogCaptureFixture
) -> None:
    load().close()
    (path,) = engines(bundle)
    path.unlink()
    path.mkdir()
    works(load())
    assert f"the engine was built, but {path} cannot be written (Is a directory)" in caplog.text
    assert [file.name for file in path.parent.iterdir() if file.suffix == ".tmp"] == []


def test_what_a_killed_process_left_of_an_engine_goes_with_the_next_build(load: Load, bundle: Path) -> None:
    load().close()
    (path,) = engines(bundle)
    path.unlink()
    left = path.with_name(f".{path.name}.99-0.tmp")
    left.write_bytes(b"half")
    works(load())
    assert path.is_file()
    assert not left.exists()


def test_a_write_that_fails_leaves_nothing_of_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "engine").write_bytes(b"old")
    monkeypatch.setattr(Path, "replace", lambda self, target: (_ for _ in ()).throw(OSError(28, "full")))
    with pytest.raises(OSError, match="full"):
        write_atomically(tmp_path / "engine", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["engine"]
    assert (tmp_path / "engine").read_bytes() == b"old"


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


WANTED = Fingerprint("a" * 64, "TensorRT 10.16", "13.0", "sm_87", "GPU", None, "fp32", "1/16/32")


def slowly_built(seconds: float, plan: bytes, log: Path) -> Built:
    with log.open("a") as file:
        file.write("built\n")
    time.sleep(seconds)
    return Built(plan, (), (), 1, "fp32", b"", 0.0, seconds)


def want_the_engine(folder: Path, log: Path) -> bytes:
    """Run in a process of its own."""
    found = cached_engine(
        WANTED, (folder,), lambda timing: slowly_built(0.5, b"plan" * 1000, log), model="model.onnx"
    )
    return found.plan


def test_of_several_processes_one_builds_and_the_others_wait(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    with context.Pool(4) as pool:
        plans = pool.starmap(want_the_engine, [(tmp_path / "engines", tmp_path / "log")] * 4)
    assert plans == [b"plan" * 1000] * 4
    assert (tmp_path / "log").read_text() == "built\n"
    assert not list((tmp_path / "engines").glob("*.tmp"))


def test_every_field_of_a_fingerprint_counts() -> None:
    for field in dataclasses.fields(WANTED):
        other = dataclasses.replace(WANTED, **{field.name: "other"})
        assert other.digest != WANTED.digest
        assert len(other.differences(dataclasses.asdict(WANTED))) == 1
    assert WANTED.differences(dataclasses.asdict(WANTED)) == []
    assert len(WANTED.digest) == 20
