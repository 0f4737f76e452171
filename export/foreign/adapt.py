# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A network as bundles need it: any batch, fixed sides, float32, operators of one opset, no dead ends.

Nothing here is trusted: what comes out is compared with the file as it was given before anything is written.
"""

from __future__ import annotations

import copy
import tempfile
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
    version_converter,
)

from pamtri_edge.errors import ExportError
from pamtri_edge.export.foreign.batch import known_sizes, opened
from pamtri_edge.export.foreign.file import NetworkFile, default_opset, nodes_of
from pamtri_edge.export.foreign.form import Form
from pamtri_edge.export.foreign.plain import expanded, plain
from pamtri_edge.export.onnx.graph import OPSET
from pamtri_edge.export.onnx.rules import MAX_OPSET, MIN_OPSET
from pamtri_edge.export.onnx.session import session
from pamtri_edge.printable import printable

_IR_VERSION: Final = 10  # of opset 18 to 20
_FLOATS: Final = (TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.DOUBLE)
_PADDED: Final = ("AveragePool", "Conv", "MaxPool")
_OF_FRAMES: Final = 11  # the opset that let Resize say what its coordinates are


def adapted(file: NetworkFile, form: Form) -> ModelProto:
    """Return a network with one input and one output, as a bundle's graph takes it in.

    Raises:
        ExportError: it cannot be written in the operators of opset 17 to 20, or ONNX Runtime refuses it.
    """
    model = copy.deepcopy(file.model)
    _only(model, form)
    _narrow(model)
    model = plain(model, form, file.path)
    model = _simplified(_converted(opened(model, form), file.path), file.path)
    _state_pads(model)
    _narrow(model)  # what was folded may be of another type again
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


def _narrow(model: ModelProto) -> None:
    """Make all floats float32, and whole pixels too: precision is typed in afterwards, as for all bundles."""
    graph = model.graph
    for tensor in graph.initializer:
        _narrow_tensor(tensor)
    for value in (*graph.input, *graph.output, *graph.value_info):
        if value.type.tensor_type.elem_type in (*_FLOATS, TensorProto.UINT8):
            value.type.tensor_type.elem_type = TensorProto.FLOAT
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == AttributeProto.TENSOR:
                _narrow_tensor(attribute.t)
            elif node.op_type == "Cast" and attribute.name == "to" and attribute.i in _FLOATS:
                attribute.i = TensorProto.FLOAT


def _narrow_tensor(tensor: TensorProto) -> None:
    if tensor.data_type in _FLOATS:
        wide = numpy_helper.to_array(tensor).astype(np.float32)
        tensor.CopyFrom(numpy_helper.from_array(wide, tensor.name))


def _converted(model: ModelProto, path: Path) -> ModelProto:
    version = default_opset(model)
    model = expanded(model)
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
    if version < _OF_FRAMES:
        _keep_frames(converted)
    return expanded(converted)  # what had no definition in the older opset


def _keep_frames(model: ModelProto) -> None:
    """Say of Resize what was its only way before it could be said; the converter does not."""
    for node in model.graph.node:
        named = {each.name for each in node.attribute}
        if node.op_type == "Resize" and "coordinate_transformation_mode" not in named:
            node.attribute.append(helper.make_attribute("coordinate_transformation_mode", "asymmetric"))
            node.attribute.append(helper.make_attribute("nearest_mode", "floor"))


def _simplified(model: ModelProto, path: Path) -> ModelProto:
    """Fold constants, and batch normalizations into convolutions, as ONNX Runtime does."""
    model.ir_version = min(max(model.ir_version, 8), _IR_VERSION)
    with tempfile.TemporaryDirectory(prefix="pamtri-") as folder:
        target = Path(folder) / "model.onnx"
        try:
            session(model, level="ENABLE_BASIC", simplified=target)
            found = onnx.load(target)
        except Exception as error:  # onnxruntime raises whatever its C++ does
            raise ExportError(
                f"{printable(path)}, written in opset {OPSET} with any batch, is refused by ONNX Runtime "
                f"({_reason(error)}). Export it anew with opset_version={OPSET} and a dynamic batch."
            ) from error
    version = default_opset(found)
    del found.opset_import[:]
    found.opset_import.append(helper.make_opsetid("", version))
    del found.metadata_props[:]
    return found


def _state_pads(model: ModelProto) -> None:
    """Say in numbers the pads that keep a size, as TensorFlow has them: not every engine finds these."""
    unknown = [node for node in model.graph.node if any(each.name == "auto_pad" for each in node.attribute)]
    known = known_sizes(model) if unknown else {}
    for node in unknown:
        told = {each.name: helper.get_attribute_value(each) for each in node.attribute}
        sizes, kernel = known.get(node.input[0]), told.get("kernel_shape")
        if kernel is None and len(node.input) > 1:
            kernel = (known.get(node.input[1]) or ())[2:]
        same = told["auto_pad"] in (b"SAME_UPPER", b"SAME_LOWER") and node.op_type in _PADDED
        sides = [side for side in (sizes or ())[2:] if isinstance(side, int)]
        if not same or not kernel or len(sides) != len(kernel):
            continue
        before, after = [], []
        ones = [1] * len(kernel)
        for side, width, step, gap in zip(
            sides, kernel, told.get("strides", ones), told.get("dilations", ones), strict=True
        ):
            total = max(0, (-(-side // step) - 1) * step + (width - 1) * gap + 1 - side)
            low = total // 2 if told["auto_pad"] == b"SAME_UPPER" else total - total // 2
            before.append(low)
            after.append(total - low)
        kept = [each for each in node.attribute if each.name not in ("auto_pad", "pads")]
        del node.attribute[:]
        node.attribute.extend([*kept, helper.make_attribute("pads", [*before, *after])])


def _reason(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return printable(lines[0][:300].rstrip(".")) if lines else repr(error)
