# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The second way to an engine, through torch-tensorrt; the exported program is real, the compiler is not."""

from __future__ import annotations

import importlib
import json
import sys

import pytest
import torch

import cupy_fake
import tensorrt_fake
import torch_tensorrt_fake
from pamtri_edge import Reidentifier, samples
from pamtri_edge.errors import EngineError, InputError, MissingDependencyError
from pamtri_edge.export import export_bundle, plan_export
from pamtri_edge.export.engines import torch_engine
from pamtri_edge.runtime.tensorrt.library import load_library
from simulated_gpu import Gpu


@pytest.fixture
def torch_tensorrt(machine, monkeypatch):
    """Install the torch-tensorrt that belongs to TensorRT 11.1, and let torch see the GPU."""
    machine.trt = tensorrt_fake.install(monkeypatch, version="11.1.0.106")
    monkeypatch.setattr(torch_engine, "gpu_is_seen", lambda: True)
    monkeypatch.setattr(torch_engine, "DEVICE", "cpu")
    return torch_tensorrt_fake.install(monkeypatch)


def test_its_engine_has_the_bundles_layout_and_runs_it(machine, torch_tensorrt, tiny_options):
    result = export_bundle(tiny_options(engine=True, via="torch-tensorrt", precision="fp16"))
    (judged,) = result.report.engines
    judgement = judged.judgement
    assert (judged.via, judgement.arithmetic, judgement.failures) == ("torch-tensorrt 2.14.0", "fp16", ())
    (path,) = (result.path / "engines").glob("*.json")
    record = json.loads(path.read_text())
    assert record["model"] == "model.onnx"
    assert record["via"] == "torch-tensorrt 2.14.0"
    assert record["profiles"] == "1/16/32 8 16 32"
    assert record["library"] == "TensorRT 11.1.0.106"
    assert machine.trt.record.builds == 0
    (call,) = torch_tensorrt.calls
    assert call.disable_tf32
    assert {value.dtype for value in call.program.state_dict.values()} >= {torch.float16}
    with Reidentifier.load(result.path, backend="tensorrt", build=False) as reid:
        assert reid.embed(samples.crops(5)).embeddings.shape[0] == 5


@pytest.mark.parametrize(("returned", "names"), [("tensor", "one"), ("tuple", ("one",)), ("two", ("a", "b"))])
def test_outputs_are_named_in_the_structure_that_the_module_returns(returned, names):
    class Returning(torch.nn.Module):
        def forward(self, x):
            return {"tensor": x + 1, "tuple": (x + 1,), "two": (x + 1, x + 2)}[returned]

    program = torch.export.export(Returning(), (torch.zeros(2),))
    flat = [names] if isinstance(names, str) else list(names)
    assert torch_engine._structured(flat, program) == names


class Doubling(torch.nn.Module):
    """Takes and gives what a bundle's networks do, and takes no time."""

    input_names, output_names = ("images",), ("embedding",)

    def forward(self, images):
        return images + images


def test_what_it_cannot_compile_is_one_sentence(torch_tensorrt):
    torch_tensorrt.refuse = "Unsupported operator aten.made_up\nand a long trace"
    with pytest.raises(EngineError, match=r"cannot compile the network: .*aten.made_up\. Leave out --via"):
        torch_engine.compile_plan(torch_tensorrt, Doubling(), precision="fp32")


@pytest.fixture
def refused(tiny_options):
    """Return what plans an export that must be refused in one line."""

    def plan(error, match):
        with pytest.raises(error, match=match) as found:
            plan_export(tiny_options(engine=True, via="torch-tensorrt"))
        assert "\n" not in str(found.value)

    return plan


def test_a_torch_without_cuda_is_refused(torch_tensorrt, refused, monkeypatch):
    monkeypatch.setattr(torch_engine, "gpu_is_seen", lambda: False)
    monkeypatch.setattr(torch.version, "cuda", None)
    refused(MissingDependencyError, r"this PyTorch \(.*\) was built without CUDA")
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    refused(MissingDependencyError, r"this PyTorch \(.*\) sees none")


def test_without_torch_tensorrt_it_is_said_how_to_get_it(torch_tensorrt, refused, monkeypatch):
    monkeypatch.delitem(sys.modules, "torch_tensorrt")
    refused(MissingDependencyError, r"pip install 'pamtri-edge\[torch-tensorrt\]'")


def test_an_older_torch_tensorrt_is_refused(torch_tensorrt, refused):
    torch_tensorrt.__version__ = "2.13.0"
    refused(MissingDependencyError, r"torch-tensorrt 2.13.0 is installed; 2.14 or later")


@pytest.mark.parametrize(
    "error",
    [
        Exception("import error when try to import _TensorRTProxyModule, got error libnvinfer.so.11"),
        OSError("libtorchtrt.so: undefined symbol: _ZN2at4_ops"),
        ModuleNotFoundError("No module named 'dllist'", name="dllist"),
    ],
    ids=["another TensorRT", "another PyTorch", "a package of its own is missing"],
)
def test_one_that_does_not_fit_is_refused_with_the_versions_here(torch_tensorrt, refused, monkeypatch, error):
    def import_module(name):
        if name == "torch_tensorrt":
            raise error
        return importlib.import_module(name)

    monkeypatch.setattr(torch_engine, "import_module", import_module)
    refused(MissingDependencyError, r"cannot be imported \(.*\); each release belongs to .*11.1.0.106")


def test_engines_of_tensorrt_rtx_are_not_its_business(machine, refused, monkeypatch):
    cupy_fake.install(monkeypatch, Gpu(compute=(8, 9)))
    tensorrt_fake.install(monkeypatch, version="1.7.1.116", flavour="tensorrt_rtx")
    monkeypatch.setenv("PAMTRI_TENSORRT", "tensorrt_rtx")
    refused(EngineError, "TensorRT-RTX 1.7.1.116 is in use here")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"engine": True, "via": "torch-tensorrt", "precision": "int8"},
            "has no int8 form; use --precision fp16",
        ),
        ({"via": "torch-tensorrt"}, "--engine"),
        ({"build": False}, "--engine"),
        ({"engine": True, "via": "onnx"}, "via is 'onnx'; accepted: 'tensorrt', 'torch-tensorrt'"),
    ],
)
def test_options_of_engines_that_make_no_sense_are_refused(tiny_options, changes, said):
    with pytest.raises(InputError, match=said):
        tiny_options(**changes)


def test_the_module_that_is_compiled_is_left_as_it_was(torch_tensorrt, tiny_modules):
    library = load_library()
    module = next(iter(tiny_modules.values()))
    before = {name: value.clone() for name, value in module.state_dict().items()}
    found = torch_engine.load_torch_tensorrt(library)
    built = torch_engine.compile_plan(found, module.reid_stage(), precision="fp16")
    for name, value in module.state_dict().items():
        assert value.dtype == before[name].dtype
        assert torch.equal(value, before[name])
    engine = library.module.Runtime(library.logger).deserialize_cuda_engine(built.plan)
    names = [engine.get_tensor_name(number) for number in range(engine.num_io_tensors)]
    assert names[:2] == ["stack", "keypoint_vector"]
    assert [tuple(engine.get_tensor_shape(name)) for name in names[2:]] == [(-1, 32), (-1, 10), (-1, 9)]
