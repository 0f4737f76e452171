# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""TensorRT-RTX parses and builds every form of graph, without a GPU.

It is no oracle for TensorRT 10.3, whose rules stand in `pamtri_edge.export.rules`, but it has a real parser,
a real builder, and strong typing. No runtime is created: that crashes a process without a driver.
"""

from __future__ import annotations

import platform

import pytest

from pamtri_edge import samples
from pamtri_edge.export.pictures import graph_inputs, parts
from pamtri_edge.export.precision import half, quantise
from pamtri_edge.geometry import Geometry

try:
    import tensorrt_rtx as trt
except ImportError:
    if platform.system() == "Linux" and platform.machine() in ("x86_64", "aarch64"):
        REASON = "TensorRT-RTX is not installed; it has a wheel for this machine: pip install tensorrt-rtx"
    else:
        REASON = "TensorRT-RTX has no wheel for this platform"
    pytest.skip(REASON, allow_module_level=True)


def build(model):
    """Return the engine's bytes, or fail with what the parser says."""
    logger = trt.Logger(trt.Logger.ERROR)
    builder = trt.Builder(logger)
    flags = trt.NetworkDefinitionCreationFlag
    typed = 1 << int(flags.STRONGLY_TYPED) if hasattr(flags, "STRONGLY_TYPED") else 0
    network = builder.create_network(typed)
    parser = trt.OnnxParser(network, logger)
    parsed = parser.parse(model.SerializeToString())
    assert parsed, [str(parser.get_error(index)) for index in range(parser.num_errors)]
    profile = builder.create_optimization_profile()
    for index in range(network.num_inputs):
        tensor = network.get_input(index)
        fixed = tuple(tensor.shape)[1:]
        profile.set_shape(tensor.name, (1, *fixed), (2, *fixed), (4, *fixed))
    configuration = builder.create_builder_config()
    configuration.add_optimization_profile(profile)
    plan = builder.build_serialized_network(network, configuration)
    assert plan is not None
    return network, plan


@pytest.mark.parametrize("precision", ["fp32", "fp16", "int8"])
@pytest.mark.parametrize("geometry", list(Geometry))
def test_every_precision_and_geometry_builds(tiny_graphs, geometry, precision):
    graph = tiny_graphs[geometry]
    if precision == "fp16":
        graph = half(graph)
    elif precision == "int8":
        names = [value.name for value in graph.graph.input]
        graph = quantise(graph, list(parts(graph_inputs(samples.crops(2), names), 1)))
    network, plan = build(graph)
    assert plan.nbytes > 0
    assert {network.get_input(i).name for i in range(network.num_inputs)} == {
        value.name for value in graph.graph.input
    }
    for index in range(network.num_outputs):
        assert network.get_output(index).dtype == trt.DataType.FLOAT
        batch, *fixed = network.get_output(index).shape
        assert batch == -1
        assert all(size > 0 for size in fixed)
