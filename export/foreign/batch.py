# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A network of any batch: where one was fixed, also in the sizes and the constants inside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, helper, numpy_helper, shape_inference

from pamtri_edge.export.foreign.carried import followed
from pamtri_edge.export.foreign.file import default_opset
from pamtri_edge.export.foreign.form import Form, Size, sizes_of
from pamtri_edge.export.foreign.plain import computed, constants_of

BATCH: Final = "batch"
"""Name of the axis that may vary."""

_OF_EXPAND: Final = 8  # the opset that brought it
_AXES_AS_INPUT: Final = 13  # the opset from which Squeeze takes them so


def opened(model: ModelProto, form: Form) -> ModelProto:
    """Let the batch vary; where it was fixed, also in the shapes that the network states inside."""
    known = known_sizes(model)
    if form.batch is not None:
        constants = {**constants_of(model.graph), **_stated(model, form)}
        known |= {name: array.shape for name, array in constants.items()}
        _open_reshapes(model, form, form.batch, known, constants)
        _open_constants(model, form, form.batch, known, constants)
    _name_squeezed(model, known)
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


def known_sizes(model: ModelProto) -> dict[str, tuple[Size, ...] | None]:
    """Return the sizes of tensors, as far as they can be inferred."""
    try:
        graph = shape_inference.infer_shapes(model, data_prop=True).graph
    except Exception:  # what cannot be inferred is not known; the comparison finds what that leaves
        graph = model.graph
    weights = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    return {
        **weights,
        **{value.name: sizes_of(value) for value in (*graph.value_info, *graph.input, *graph.output)},
    }


def _name_squeezed(model: ModelProto, known: Mapping[str, tuple[Size, ...] | None]) -> None:
    """Say which axes a Squeeze takes off that says none: never the batch, of one picture neither."""
    as_input = default_opset(model) >= _AXES_AS_INPUT
    for index, node in enumerate(model.graph.node):
        sizes = known.get(node.input[0]) if node.op_type == "Squeeze" else None
        if sizes is None or len(node.input) > 1 or node.attribute:
            continue
        axes = [axis for axis, size in enumerate(sizes) if axis and size == 1]
        if not axes:
            node.op_type = "Identity"
        elif as_input:
            name = f"pamtri.axes{index}"
            model.graph.initializer.append(numpy_helper.from_array(np.array(axes, np.int64), name))
            node.input.append(name)
        else:
            node.attribute.append(helper.make_attribute("axes", axes))


def _stated(model: ModelProto, form: Form) -> dict[str, NDArray[Any]]:
    """Compute what is made of constants alone, and is joined with the picture's or says how to reshape it."""
    pictured, wanted = {form.input}, set[str]()
    for node in model.graph.node:
        if pictured & set(node.input):
            pictured.update(node.output)
            wanted.update(node.input if node.op_type == "Concat" else node.input[1:2])
    made = {name for node in model.graph.node for name in node.output}
    found = computed(model, form, sorted((wanted & made) - pictured), [form.batch or 1])
    return found[0] if found else {}


def _open_reshapes(
    model: ModelProto,
    form: Form,
    batch: int,
    known: Mapping[str, tuple[Size, ...] | None],
    constants: Mapping[str, NDArray[Any]],
) -> None:
    """Let the axis of a new shape that holds the pictures take what is left: -1 says so in ONNX.

    Where it is not known, and the shape begins with the batch, that.
    """
    places = followed(model, form, batch, known, constants)
    for index, node in enumerate(model.graph.node):
        if node.op_type != "Reshape" or len(node.input) < 2 or node.input[1] not in constants:
            continue
        place, sizes = places.get(node.output[0]), known.get(node.output[0])
        wanted = [size for size in sizes or () if isinstance(size, int)]
        if place is not None and len(wanted) == len(sizes or ()):
            wanted[place.axis] = -1
        else:
            wanted = constants[node.input[1]].tolist()
            before = known.get(node.input[0])
            if not wanted or not before or not wanted[0] == before[0] == batch:
                continue
            wanted[0] = 0  # as many as there were
        name = f"pamtri.shape{index}"
        model.graph.initializer.append(numpy_helper.from_array(np.array(wanted, np.int64), name))
        node.input[1] = name
        del node.attribute[:]  # allowzero, its only one


def _open_constants(
    model: ModelProto,
    form: Form,
    batch: int,
    known: Mapping[str, tuple[Size, ...] | None],
    constants: Mapping[str, NDArray[Any]],
) -> None:
    """Say for every picture what is written down for a batch of one size: a class token, a size."""
    graph = model.graph
    if default_opset(model) < _OF_EXPAND:
        return
    pictured = {form.input}
    nodes = [
        helper.make_node("Shape", [form.input], ["pamtri.shape"]),
        helper.make_node("Gather", ["pamtri.shape", "pamtri.first"], ["pamtri.count"]),
    ]

    def constant(name: str, values: Sequence[int]) -> str:
        graph.initializer.append(numpy_helper.from_array(np.array(values, np.int64), name))
        return name

    def counted(name: str, sizes: Sequence[int]) -> str:
        """Return the name of sizes of which the first is how many pictures there are."""
        others = constant(f"{name}.others", sizes[1:])
        nodes.append(helper.make_node("Concat", ["pamtri.count", others], [f"{name}.sizes"], axis=0))
        return f"{name}.sizes"

    first = constant("pamtri.first", [0])
    for index, node in enumerate(graph.node):
        if pictured & set(node.input):
            pictured.update(node.output)
        told = {each.name: each for each in node.attribute}
        mark = f"pamtri.repeated{index}"
        if node.op_type == "Resize" and len(node.input) > 3 and "axes" not in told:
            wanted = constants.get(node.input[3])
            if wanted is not None and len(wanted) and wanted[0] == batch and pictured & set(node.output):
                node.input[3] = counted(mark, wanted.tolist())
        joined = node.op_type == "Concat" and told["axis"].i and pictured & set(node.output)
        for place, name in enumerate(node.input) if joined else ():
            sizes = known.get(name)
            if name in pictured or not sizes or sizes[0] != batch:
                continue
            every = counted(f"{mark}.{place}", [1] * len(sizes))
            nodes.append(helper.make_node("Gather", [name, first], [f"{mark}.{place}.row"]))
            nodes.append(helper.make_node("Expand", [f"{mark}.{place}.row", every], [f"{mark}.{place}"]))
            node.input[place] = f"{mark}.{place}"
        nodes.append(NodeProto.FromString(node.SerializeToString()))
    del graph.node[:]
    graph.node.extend(nodes)
