# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""TensorRT-RTX parses and builds every form of graph, without a GPU.

It is no oracle for TensorRT 10.3, whose rules stand in `export.onnx.rules`, but it has a real parser,
a real builder, and strong typing. No runtime is created: that crashes a process without a driver.
"""

from __future__ import annotations

import gc
import platform

import onnx
import pytest

from pamtri_edge import samples
from pamtri_edge.errors import EngineError
from pamtri_edge.export.onnx.precision import half, quantize
from pamtri_edge.geometry import Geometry
from pamtri_edge.parity.pictures import graph_inputs, parts
from pamtri_edge.runtime.tensorrt.build import build_plan
from pamtri_edge.runtime.tensorrt.library import load_library

try:
    import tensorrt_rtx as trt
except ImportError:
    if platform.system() == "Linux" and platform.machine() in ("x86_64", "aarch64"):
        REASON = "TensorRT-RTX is not installed; it has a wheel for this machine: pip install tensorrt-rtx"
    else:
        REASON = "TensorRT-RTX has no wheel for this platform"
    pytest.skip(REASON, allow_module_level=True)


@pytest.fixture
def library(monkeypatch):
    """Return TensorRT-RTX, whatever else is installed."""
    monkeypatch.setenv("PAMTRI_TENSORRT", "tensorrt_rtx")
    return load_library(build_only=True)


@pytest.fixture
def build(library, tmp_path):
    """Return a function that builds a graph as the backend does."""

    def build(graph, **options):
        onnx.save(graph, tmp_path / "model.onnx")
        return build_plan(library, tmp_path / "model.onnx", **options)

    return build


def tensors_of(library, path):
    """Return what TensorRT-RTX's parser finds at the ends of a graph: name, shape and type of each tensor."""
    network = trt.Builder(library.logger).create_network(library.network_flags)
    parser = trt.OnnxParser(network, library.logger)
    assert parser.parse_from_file(str(path))
    ends = [network.get_input(place) for place in range(network.num_inputs)]
    ends += [network.get_output(place) for place in range(network.num_outputs)]
    return [(end.name, tuple(end.shape), end.dtype) for end in ends]


# The glue is in float32 whatever the networks are in, and that of `original` is more.
@pytest.mark.parametrize(
    ("geometry", "precision"),
    [(Geometry.ORIGINAL, "fp32"), (Geometry.UNIFIED, "fp16"), (Geometry.UNIFIED, "int8")],
)
def test_every_precision_and_geometry_builds_and_tells_how_far_it_is(
    library, build, tiny_graphs, geometry, precision, tmp_path
):
    graph = tiny_graphs[geometry]
    if precision == "fp16":
        graph = half(graph)
    elif precision == "int8":
        names = [value.name for value in graph.graph.input]
        graph = quantize(graph, list(parts(graph_inputs(samples.crops(2), names), 1)))
    told = []
    built = build(graph, progress=lambda phase, share: told.append((phase, share)))
    assert len({phase for phase, _ in told}) > 3
    assert all(0 <= share <= 1 for _, share in told)
    assert max(share for _, share in told) > 0.8
    assert len(built.plan) > 0
    assert built.arithmetic == precision
    assert built.layers > 0
    found = tensors_of(library, tmp_path / "model.onnx")
    assert [name for name, *_ in found] == [one.name for one in (*graph.graph.input, *graph.graph.output)]
    assert all(shape[0] == -1 and kind == trt.DataType.FLOAT for _, shape, kind in found)


def test_ctrl_c_ends_a_build(build, tiny_graphs):
    def interrupted(phase, share):
        if share > 0.2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(tiny_graphs[Geometry.UNIFIED], progress=interrupted)
    gc.collect()
    assert not [one for one in gc.get_objects() if type(one).__name__ == "Monitor"], "kept with its traceback"


def test_an_operator_that_it_does_not_know_is_told_by_name(build, tiny_graphs):
    graph = onnx.ModelProto()
    graph.CopyFrom(tiny_graphs[Geometry.UNIFIED])
    next(node for node in graph.graph.node if node.op_type == "Conv").op_type = "Warp"
    with pytest.raises(EngineError, match=rf"TensorRT-RTX {trt.__version__} cannot read .*Warp"):
        build(graph)


def test_the_names_that_the_backend_uses_are_the_real_ones():
    """The fake that stands for TensorRT in other tests has no name that the real one lacks."""
    import tensorrt_fake_build as building
    import tensorrt_fake_run as running

    real = {
        building.Builder: trt.Builder,
        building.Network: trt.INetworkDefinition,
        building.OnnxParser: trt.OnnxParser,
        building.Config: trt.IBuilderConfig,
        building.Profile: trt.IOptimizationProfile,
        building.TimingCache: trt.ITimingCache,
        running.Runtime: trt.Runtime,
        running.Engine: trt.ICudaEngine,
        running.Context: trt.IExecutionContext,
        running.RuntimeConfig: trt.IRuntimeConfig,
    }
    for fake, meant in real.items():
        invented = {name for name in vars(fake) if not name.startswith("_")} - set(dir(meant))
        assert not invented, f"{meant.__name__} has no {invented}"
