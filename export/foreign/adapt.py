# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A network as bundles need it: any batch, fixed sides, float32, operators of one opset, no dead ends.

Nothing here is trusted: what comes out is compared with the file as it was given before anything is written.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
import onnx
from onnx import (
    AttributeProto,
    ModelProto,
    TensorProto,
    helper,
    numpy_helper,
    shape_inference,
    version_converter,
)

from pamtri_edge.errors import ExportError
from pamtri_edge.export.foreign.file import NetworkFile, default_opset, nodes_of
from pamtri_edge.export.foreign.form import Form, sizes_of
from pamtri_edge.export.onnx.graph import OPSET
from pamtri_edge.export.onnx.rules import MAX_OPSET, MIN_OPSET
from pamtri_edge.printable import printable

BATCH: Final = "batch"
"""Name of the axis that may vary."""

_IR_VERSION: Final = 10  # of opset 18 to 20


def adapted(file: NetworkFile, form: Form) -> ModelProto:
    """Return a network with one input and one output, as a bundle's graph takes it in.

    Raises:
        ExportError: it cannot be written in the operators of opset 17 to 20, or ONNX Runtime refuses it.
    """
    model = ModelProto()
    model.CopyFrom(file.model)
    _only(model, form)
    _widen(model)
    model = _simplified(_converted(_open_batch(model, form), file.path), file.path)
    _widen(model)  # what was folded may have become half again: nothing does, and it costs nothing
    return model


def _only(model: ModelProto, form: Form) -> None:
    """Drop other outputs and all that leads to these alone, and the weights among the inputs."""
    graph = model.graph
    kept = [value for value in graph.output if value.name == form.output]
    del graph.output[:]
    graph.output.extend(kept)
    wanted, nodes = {form.output}, []
    for node in reversed(graph.node):
        if wanted & set(node.output):
            nodes.append(node)
            wanted.update(node.input)
            # Graphs inside a node may read tensors of this one by their names.
            wanted.update(name for inner in _inner(node) for name in inner.input)
    nodes.reverse()
    del graph.node[:]
    graph.node.extend(nodes)
    weights = [tensor for tensor in graph.initializer if tensor.name in wanted]
    del graph.initializer[:]
    graph.initializer.extend(weights)
    inputs = [value for value in graph.input if value.name == form.input]
    del graph.input[:]
    graph.input.extend(inputs)
    del graph.value_info[:]
    model.ir_version = max(model.ir_version, 4)  # before it, weights had to be inputs too


def _inner(node: onnx.NodeProto) -> list[onnx.NodeProto]:
    graphs = [
        graph
        for attribute in node.attribute
        if attribute.type in (AttributeProto.GRAPH, AttributeProto.GRAPHS)
        for graph in (attribute.g, *attribute.graphs)
    ]
    return [inner for graph in graphs for inner in nodes_of(graph)]


def _widen(model: ModelProto) -> None:
    """Make float16 float32: precision is typed in afterwards, as for every bundle."""
    graph = model.graph
    for tensor in graph.initializer:
        _widen_tensor(tensor)
    for value in (*graph.input, *graph.output, *graph.value_info):
        if value.type.tensor_type.elem_type == TensorProto.FLOAT16:
            value.type.tensor_type.elem_type = TensorProto.FLOAT
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == AttributeProto.TENSOR:
                _widen_tensor(attribute.t)
            elif node.op_type == "Cast" and attribute.name == "to" and attribute.i == TensorProto.FLOAT16:
                attribute.i = TensorProto.FLOAT


def _widen_tensor(tensor: TensorProto) -> None:
    if tensor.data_type == TensorProto.FLOAT16:
        wide = numpy_helper.to_array(tensor).astype(np.float32)
        tensor.CopyFrom(numpy_helper.from_array(wide, tensor.name))


def _open_batch(model: ModelProto, form: Form) -> ModelProto:
    """Let the batch vary; where it was fixed, also in the shapes that the network states inside."""
    if form.batch is not None:
        _open_reshapes(model, form.batch)
    graph = model.graph
    shape = graph.input[0].type.tensor_type.shape
    for dim, size in zip(shape.dim, form.shape, strict=True):
        dim.Clear()
        if size is not None:
            dim.dim_value = size
    shape.dim[0].Clear()
    shape.dim[0].dim_param = BATCH
    graph.output[0].type.tensor_type.ClearField("shape")
    return model


def _open_reshapes(model: ModelProto, batch: int) -> None:
    """Let shapes that begin with the batch take it from what they reshape: 0 says so in ONNX."""
    graph = model.graph
    inferred = _quietly(lambda: shape_inference.infer_shapes(model, data_prop=True), model).graph
    known = {value.name: sizes_of(value) for value in (*inferred.value_info, *inferred.input)}
    constants = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute and node.attribute[0].name == "value":
            constants[node.output[0]] = node.attribute[0].t
    nodes = []
    for index, node in enumerate(graph.node):
        nodes.append(node)
        tensor = constants.get(node.input[1]) if node.op_type == "Reshape" and len(node.input) > 1 else None
        sizes = known.get(node.input[0])
        if tensor is None or not sizes or sizes[0] != batch:
            continue
        if any(attribute.name == "allowzero" and attribute.i for attribute in node.attribute):
            continue
        wanted = numpy_helper.to_array(tensor).copy()
        if len(wanted) and wanted[0] == batch:
            wanted[0] = 0
            name = f"pamtri.shape{index}"
            graph.initializer.append(numpy_helper.from_array(wanted, name))
            node.input[1] = name


def _converted(model: ModelProto, path: Path) -> ModelProto:
    version = default_opset(model)
    if version == OPSET:
        return model
    try:
        converted = version_converter.convert_version(model, OPSET)
    except Exception as error:  # onnx raises whatever its C++ does
        if MIN_OPSET <= version <= MAX_OPSET:
            return model
        reason = printable(str(error).strip().splitlines()[-1][:200]) if str(error).strip() else repr(error)
        raise ExportError(
            f"{printable(path)} is written in opset {version} of ONNX and cannot be converted to {OPSET} "
            f"({reason}). Export it anew with opset_version={OPSET}."
        ) from error
    return converted


def _simplified(model: ModelProto, path: Path) -> ModelProto:
    """Fold constants, and batch normalizations into convolutions, as ONNX Runtime does."""
    import onnxruntime  # type: ignore[import-untyped]

    model.ir_version = min(max(model.ir_version, 8), _IR_VERSION)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    with tempfile.TemporaryDirectory(prefix="pamtri-") as folder:
        target = Path(folder) / "model.onnx"
        options.optimized_model_filepath = str(target)
        try:
            onnxruntime.InferenceSession(
                model.SerializeToString(), options, providers=["CPUExecutionProvider"]
            )
            found = onnx.load(target)
        except Exception as error:  # onnxruntime raises whatever its C++ does
            raise ExportError(
                f"{printable(path)}, written in opset {OPSET} with any batch, is refused by ONNX Runtime "
                f"({_reason(error)}). Export it anew with opset_version={OPSET} and a dynamic batch."
            ) from error
    versions = default_opset(found)
    del found.opset_import[:]
    found.opset_import.append(helper.make_opsetid("", versions))
    del found.metadata_props[:]
    return found


def _quietly(work: Callable[[], ModelProto], otherwise: ModelProto) -> ModelProto:
    try:
        return work()
    except Exception:  # what cannot be inferred is not known; the comparison finds what that leaves
        return otherwise


def _reason(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return printable(lines[0][:300].rstrip(".")) if lines else repr(error)
