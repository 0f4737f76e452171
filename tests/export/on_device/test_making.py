# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Exports with an engine: made, measured, refused, taken over; on a GPU that is simulated."""

from __future__ import annotations

import json
import sys

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from pamtri_edge import Reidentifier, samples
from pamtri_edge.bundle import open_bundle
from pamtri_edge.errors import ExportError, MissingDependencyError
from pamtri_edge.export import ParityError, cli, export_bundle, plan_export
from pamtri_edge.export.engines import making
from pamtri_edge.export.engines.making import EngineMaker
from pamtri_edge.runtime.tensorrt.engine_cache import NoEngineError
from tiny_networks import ORIGINAL, WHOLE


def engine_files(bundle):
    return sorted(path for path in (bundle / "engines").iterdir() if path.suffix == ".engine")


@pytest.fixture
def exported(machine, tiny_options):
    return export_bundle(tiny_options(engine=True))


def test_the_engine_lies_in_the_bundle_with_its_record_and_figures_and_runs_it(machine, exported):
    (engine,) = engine_files(exported.path)
    record = json.loads(engine.with_suffix(".json").read_text())
    assert record["via"] == "tensorrt"
    assert record["model"] == "model.onnx"
    assert machine.trt.record.builds == 1
    assert not [name for name in exported.manifest.files if name.startswith("engines")]
    assert engine.name in {name.rpartition("/")[2] for name in exported.sizes}
    assert not list(exported.path.rglob(".*")), "no lock and no temporary file is left"
    (judged,) = exported.report.engines
    judgement = judged.judgement
    assert judgement.failures == ()
    assert (judgement.engine, judged.via) == ("TensorRT 10.16.0.72", "tensorrt")
    assert judgement.own.crops == judgement.crops == 3
    assert judgement.own.minimum > 0.99999
    parity = json.loads((exported.path / "manifest.json").read_text())["parity"]
    assert parity["engines"][0]["own_keypoints"]["crops"] == 3
    assert parity["engines"][0]["device"] == "Simulated GPU (sm_87)"
    with Reidentifier.load(exported.path, backend="tensorrt", build=False) as reid:
        assert reid.embed(samples.crops(3)).embeddings.shape[0] == 3
    assert machine.trt.record.builds == 1
    for path in (exported.path / "engines").iterdir():
        path.unlink()
    open_bundle(exported.path)  # they take no part in its checks


@pytest.fixture
def wrong_engine(monkeypatch):
    """Let the builder build another network than the file's."""
    genuine = making.build_plan

    def build_plan(library, model, **options):
        changed = onnx.load(model)
        for tensor in changed.graph.initializer:
            if tensor.name.endswith("network.fc_vid.weight"):
                values = numpy_helper.to_array(tensor).copy()
                values[: len(values) // 2] *= -1
                tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
        other = model.with_name("other.onnx")
        onnx.save(changed, other)
        built = genuine(library, other, **options)
        other.unlink()
        return built

    monkeypatch.setattr(making, "build_plan", build_plan)


def test_an_engine_that_is_another_network_is_refused_though_its_file_is_right(
    machine, wrong_engine, tiny_options, tmp_path
):
    with pytest.raises(ParityError, match="the engine of the fp32 file is not the network") as refused:
        export_bundle(tiny_options(engine=True))
    failures = refused.value.report.failures
    assert any("from its own keypoints, the least cosine is" in text for text in failures)
    assert all(text.startswith("TensorRT 10.16.0.72 (fp32): ") for text in failures)
    assert not list(tmp_path.glob("*tiny*"))


def test_the_command_shows_an_engines_figures_and_warns_where_drift_is_allowed(
    machine, wrong_engine, tiny_options, monkeypatch, capsys
):
    kept = ("engine", "via", "build", "profile", "allow_drift")
    monkeypatch.setattr(cli, "ExportOptions", lambda **given: tiny_options(**{k: given[k] for k in kept}))
    flags = ("--engine", "--profile", "--allow-drift")
    monkeypatch.setattr(sys, "argv", ["pamtri-export", "--model", "lite", *flags])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    said = capsys.readouterr()
    assert stop.value.code == 0
    assert "TensorRT 10.16.0.72 on Simulated GPU (sm_87)" in said.out
    assert "Engine on Simulated GPU (sm_87), via tensorrt, against PyTorch" in said.out
    assert "from the engine's own keypoints: crops" in said.out
    assert "Milliseconds a batch: fused, TensorRT 10.16.0.72" in said.out
    assert "TensorRT 10.16.0.72 (fp32): from its own keypoints, the least cosine is" in said.err


def test_an_engine_that_would_fail_the_self_test_is_refused(machine, tiny_options, monkeypatch, tmp_path):
    genuine = EngineMaker.check

    def check(self, golden):
        golden.expected["quality"][...] += np.float32(0.5)
        genuine(self, golden)

    monkeypatch.setattr(EngineMaker, "check", check)
    with pytest.raises(ExportError, match="would fail the bundle's self-test: quality differs"):
        export_bundle(tiny_options(engine=True))
    assert not list(tmp_path.glob("*tiny*"))


def test_two_networks_get_two_engines_and_the_quicker_form_is_noted(machine, tiny_options):
    result = export_bundle(tiny_options(engine=True, staged=True, profile=True))
    names = [json.loads(path.with_suffix(".json").read_text())["model"] for path in engine_files(result.path)]
    assert sorted(names) == ["model.onnx", "staged.pose.onnx", "staged.reid.onnx"]
    assert [run.judgement.engine for run in result.report.engines] == [
        "TensorRT 10.16.0.72",
        "TensorRT 10.16.0.72, two engines",
    ]
    assert result.report.failures == ()
    (choice,) = (result.path / "engines").glob("*.choice.json")
    assert json.loads(choice.read_text())["picked"] in ("fused", "staged")
    fused, staged = result.profiles
    assert list(fused.milliseconds) == ["copy to the device", "network", "copy to the host", "whole"]
    assert list(staged.milliseconds) == [
        "copy to the device",
        "pose network",
        "decode",
        "stack",
        "re-identification network",
        "quality",
        "copy to the host",
        "whole",
    ]
    assert staged.sizes == (1, 2)


def test_without_building_an_export_is_refused_where_no_engine_is(machine, tiny_options, tmp_path):
    with pytest.raises(NoEngineError, match=r"no engine of model.onnx .* leave out --no-build"):
        export_bundle(tiny_options(engine=True, build=False))
    assert not list(tmp_path.glob("*tiny*"))
    assert machine.trt.record.builds == 0


def test_the_engine_of_the_bundle_that_is_replaced_is_taken_over_unless_it_has_other_weights(
    machine, exported, tiny_options
):
    result = export_bundle(tiny_options(engine=True, build=False, overwrite=True))
    assert engine_files(result.path)
    assert machine.trt.record.builds == 1
    result = export_bundle(tiny_options(engine=True, overwrite=True, model=WHOLE, **ORIGINAL))
    assert machine.trt.record.builds == 2
    assert len(engine_files(result.path)) == 1


def test_the_plan_names_what_makes_the_engine(machine, tiny_options):
    assert plan_export(tiny_options(engine=True)).engine == "TensorRT 10.16.0.72 on Simulated GPU (sm_87)"
    assert plan_export(tiny_options()).engine is None


def refused_before_any_work(options, error, match):
    """Expect an error of one sentence or two from both the plan and the export, and nothing written."""
    for act in (plan_export, export_bundle):
        with pytest.raises(error, match=match) as refused:
            act(options)
        assert "\n" not in str(refused.value)
    assert not options.final.exists()


def test_without_a_driver_it_is_refused_before_any_work(machine, tiny_options, monkeypatch):
    monkeypatch.setattr("pamtri_edge.libcuda.LIBCUDA", "libcuda-that-is-not-there.so.1")
    refused_before_any_work(tiny_options(engine=True), MissingDependencyError, "needs an NVIDIA driver")


def test_without_tensorrt_it_is_refused_before_any_work(machine, tiny_options, monkeypatch):
    for name in ("tensorrt", "tensorrt_rtx"):
        monkeypatch.setitem(sys.modules, name, None)
    refused_before_any_work(tiny_options(engine=True), MissingDependencyError, "no TensorRT can be used here")
