# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A network in plainer operators: without what only trains, with what ONNX defines by others written so."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, defs, helper, inliner, numpy_helper

from pamtri_edge.errors import ExportError
from pamtri_edge.export.foreign.file import default_opset
from pamtri_edge.export.foreign.form import Form
from pamtri_edge.export.onnx.rules import OPERATORS
from pamtri_edge.export.onnx.session import session
from pamtri_edge.printable import printable

_SHAPES: Final = ("Shape", "Size")
_SEVERAL: Final = (2, 3)  # pictures: of one alone, sizes of a batch look like sizes that are always 1


def plain(model: ModelProto, form: Form, path: Path) -> ModelProto:
    """Return a network without training's operators, and without branches where sizes decide them.

    Raises:
        ExportError: it was exported in training mode.
    """
    _end_training(model.graph, path)
    _choose_branches(model, form)
    return model


def _end_training(graph: GraphProto, path: Path) -> None:
    """Make Dropout what it is when nothing is trained.

    Raises:
        ExportError: something in the graph trains.
    """
    constants = constants_of(graph)
    for node in graph.node:
        stated = any(each.name == "training_mode" and each.i for each in node.attribute)
        if node.op_type == "Dropout":
            mode = node.input[2] if len(node.input) > 2 else ""
            training = bool(mode) and (mode not in constants or bool(constants[mode].any()))
        else:
            training = node.op_type == "BatchNormalization" and (stated or any(node.output[1:]))
        if training:
            raise ExportError(
                f"{printable(path)} was exported in training mode ({node.op_type} "
                f"{printable(node.name or node.output[0])!r}): it gives other numbers each time, or mixes "
                "the pictures of a batch. Export it again after model.eval()."
            )
        if node.op_type == "Dropout":
            node.CopyFrom(helper.make_node("Identity", [node.input[0]], [node.output[0]], node.name))


def _choose_branches(model: ModelProto, form: Form) -> None:
    """Put in the place of an If the branch that pictures of this size take, where sizes alone decide it."""
    while names := _decided(model.graph):
        taken = _conditions(model, form, names)
        if not taken:
            return
        nodes: list[NodeProto] = []
        for node in model.graph.node:
            if node.op_type != "If" or node.input[0] not in taken:
                nodes.append(node)
                continue
            word = "then_branch" if taken[node.input[0]] else "else_branch"
            branch = next(each.g for each in node.attribute if each.name == word)
            nodes.extend(branch.node)
            model.graph.initializer.extend(branch.initializer)
            for inner, outer in zip(branch.output, node.output, strict=True):
                nodes.append(helper.make_node("Identity", [inner.name], [outer]))
        kept = [NodeProto.FromString(node.SerializeToString()) for node in nodes]
        del model.graph.node[:]
        model.graph.node.extend(kept)


def _decided(graph: GraphProto) -> list[str]:
    """Return the conditions that the values of a picture do not enter."""
    seen = {value.name for value in graph.input}  # what a picture's values enter
    found = []
    for node in graph.node:
        if node.op_type == "If" and node.input[0] not in seen:
            found.append(node.input[0])
        if node.op_type not in _SHAPES and (_has_graph(node) or seen & set(node.input)):
            seen.update(node.output)
    return found


def _has_graph(node: NodeProto) -> bool:
    return any(each.type in (AttributeProto.GRAPH, AttributeProto.GRAPHS) for each in node.attribute)


def _conditions(model: ModelProto, form: Form, names: list[str]) -> dict[str, bool]:
    """Compute conditions for several pictures; those that differ with their number are left out."""
    counts = _SEVERAL if form.batch is None else (form.batch,)
    found: dict[str, set[bool]] = {}
    for values in computed(model, form, names, counts):
        for name, value in values.items():
            found.setdefault(name, set()).add(bool(np.all(value)))
    return {name: told.pop() for name, told in found.items() if len(told) == 1}


def computed(
    model: ModelProto, form: Form, names: Iterable[str], counts: Iterable[int]
) -> list[dict[str, NDArray[Any]]]:
    """Return what tensors hold for black pictures, for each count of these; nothing where that fails.

    Args:
        model: a network that takes float32.
        form: what it takes.
        names: of the tensors.
        counts: how many pictures.
    """
    wanted = list(dict.fromkeys(names))
    asked = copy.deepcopy(model)
    del asked.graph.output[:]
    asked.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in wanted)
    try:
        running = session(asked)
        runs = [
            running.run(None, {form.input: np.zeros((count, *form.shape[1:]), np.float32)})
            for count in counts
        ]
    except Exception:  # onnxruntime raises whatever its C++ does; rules and comparison find what that leaves
        return []
    return [dict(zip(wanted, arrays, strict=True)) for arrays in runs]


def expanded(model: ModelProto) -> ModelProto:
    """Write by others the operators that ONNX defines so, where not every engine has them."""
    wanted = {("", node.op_type) for node in model.graph.node if node.op_type not in OPERATORS}
    if not wanted:
        return model
    typed = copy.deepcopy(model)
    for node in typed.graph.node:
        if ("", node.op_type) in wanted:
            _state_defaults(node, default_opset(model))
    known = {value.name for value in (*typed.graph.input, *typed.graph.value_info)}
    typed.graph.value_info.extend(  # types, which some definitions ask for
        helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
        for tensor in typed.graph.initializer
        if tensor.name not in known
    )
    try:
        expand: Any = inliner.inline_selected_functions
        written: ModelProto = expand(typed, sorted(wanted), inline_schema_functions=True)
    except Exception:  # onnx raises whatever its C++ does, and older ones cannot; the rules name what is left
        return model
    del written.graph.value_info[:]
    return written


def _state_defaults(node: NodeProto, version: int) -> None:
    """Give a node the attributes that it leaves at their defaults: definitions do not know these."""
    if not defs.has(node.op_type):
        return
    given = {each.name for each in node.attribute}
    for name, attribute in defs.get_schema(node.op_type, version).attributes.items():
        if name not in given and attribute.default_value.name:
            node.attribute.append(attribute.default_value)


def constants_of(graph: GraphProto) -> dict[str, np.ndarray[Any, Any]]:
    """Return the constants of a graph by name."""
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute and node.attribute[0].name == "value":
            tensors[node.output[0]] = node.attribute[0].t
    return {name: numpy_helper.to_array(tensor) for name, tensor in tensors.items()}
