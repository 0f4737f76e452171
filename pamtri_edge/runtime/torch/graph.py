# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""An ONNX file as a list of torch steps, resolved once.

Every node becomes one call of a torch function with its attributes bound. What depends on constants alone is
computed when the file is read; every step names the tensors that nobody needs after it, so that they are
freed there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import onnx
import torch
from onnx import numpy_helper
from torch import Tensor

from pamtri_edge.errors import BundleError
from pamtri_edge.manifest import TensorSpec
from pamtri_edge.runtime.network_file import Content, last_line, network_bytes
from pamtri_edge.runtime.torch.nodes import OPERATORS, Node, UnsupportedError
from pamtri_edge.runtime.torch.nodes.half import summed_in_float
from pamtri_edge.runtime.torch.nodes.node import Compute
from pamtri_edge.runtime.torch.nodes.places import TYPES

OPSETS: Final = range(17, 21)
"""Opsets in which the operators mean what is implemented."""


@dataclass(frozen=True)
class Step:
    """One node.

    Attributes:
        compute: function of the input tensors.
        inputs: names of what it takes; "" for an input left out.
        outputs: names of what it gives.
        release: names that are not needed after it.
    """

    compute: Compute
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    release: tuple[str, ...] = ()

    def results(self, given: Sequence[Tensor | None]) -> dict[str, Tensor]:
        """Compute the outputs by name from the inputs in order."""
        computed = self.compute(*given)
        if isinstance(computed, Tensor):
            return {self.outputs[0]: computed}
        return dict(zip(self.outputs, computed, strict=True))


@dataclass(frozen=True)
class Graph:
    """A network as steps.

    Attributes:
        inputs: what it takes.
        outputs: what it gives.
        constants: tensors known beforehand, by name.
        steps: the nodes, in order.
        arithmetic: "int8" if convolutions take quantized weights, "fp16" if they are typed so, else "fp32".
    """

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    constants: Mapping[str, Tensor]
    steps: tuple[Step, ...]
    arithmetic: str

    def run(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Compute the outputs by name; the caller has torch's gradients switched off."""
        values: dict[str, Tensor] = {**self.constants, **inputs}
        for step in self.steps:
            values.update(step.results([values[name] if name else None for name in step.inputs]))
            for name in step.release:
                del values[name]
        return {spec.name: values[spec.name] for spec in self.outputs}


def read_graph(
    path: Path, *, device: torch.device, native_half: bool = True, content: Content | None = None
) -> Graph:
    """Read an ONNX file.

    Args:
        path: the file.
        device: where the weights go. Sizes and axes stay on the CPU, where they are needed.
        native_half: leave float16 nodes to torch as they are; False adds up in float32 and rounds the results
            (see `nodes.half`), which any processor does quickly.
        content: gives the file's bytes; None reads `path`.

    Raises:
        BundleError: the file is unreadable, or holds an operator or a type that is not supported; the
            message names it.
    """
    try:
        return _read(path, network_bytes(path, content), device, native_half)
    except BundleError:
        raise
    except Exception as error:  # of whatever kind onnx and torch raise for a file of unknown origin
        raise BundleError(
            f"{path} is not a readable ONNX file ({last_line(error)}). Export the bundle again."
        ) from error


def _read(path: Path, content: bytes, device: torch.device, native_half: bool) -> Graph:
    model = onnx.load_model_from_string(content)
    opset = next((o.version for o in model.opset_import if o.domain in ("", "ai.onnx")), 0)
    if opset not in OPSETS:
        raise _refusal(path, f"opset {opset}; accepted are {OPSETS[0]} to {OPSETS[-1]}")
    graph = model.graph
    arithmetic = _arithmetic(graph)
    constants = {t.name: _tensor(path, t, device) for t in graph.initializer}
    weights = set(constants)
    inputs = tuple(_spec(value) for value in graph.input if value.name not in weights)
    outputs = tuple(_spec(value) for value in graph.output)
    pending: list[Step] = []
    with torch.inference_mode():
        for node in graph.node:
            step = _resolve(path, node, constants, device, native_half)
            if all(name in constants for name in step.inputs if name):
                constants.update(step.results([constants[name] if name else None for name in step.inputs]))
            else:
                pending.append(step)
    steps = _with_releases(pending, constants, {spec.name for spec in outputs})
    used = {name for step in steps for name in step.inputs} | {spec.name for spec in outputs}
    kept = {name: tensor for name, tensor in constants.items() if name in used}
    return Graph(inputs, outputs, kept, steps, arithmetic)


def _resolve(
    path: Path, node: Any, constants: Mapping[str, Tensor], device: torch.device, native_half: bool
) -> Step:
    operator = node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}::{node.op_type}"
    build = OPERATORS.get(operator)
    if build is None:
        raise _refusal(path, f"operator {operator} (node {node.name!r}) is not supported")
    outputs = tuple(name for name in node.output if name)
    attributes = {a.name: _attribute(path, a, device) for a in node.attribute}
    known = tuple(constants.get(name) for name in node.input)
    try:
        compute = build(Node(operator, attributes, known, len(outputs)))
    except UnsupportedError as error:
        raise _refusal(path, f"{error} (node {node.name!r}) is not supported") from error
    if not native_half:
        compute = summed_in_float(operator, compute, known)
    return Step(compute, tuple(node.input), outputs)


def _with_releases(
    steps: Sequence[Step], constants: Mapping[str, Tensor], results: set[str]
) -> tuple[Step, ...]:
    """Note at each step which tensors it is the last to need, outputs that nobody reads included."""
    readers = Counter(name for step in steps for name in set(step.inputs) if name)
    finished = []
    for step in steps:
        release = [name for name in step.outputs if readers[name] == 0 and name not in results]
        for name in set(step.inputs):
            if not name or name in constants:
                continue
            readers[name] -= 1
            if readers[name] == 0 and name not in results:
                release.append(name)
        finished.append(replace(step, release=tuple(release)))
    return tuple(finished)


def _arithmetic(graph: Any) -> str:
    types = {tensor.name: tensor.data_type for tensor in graph.initializer}
    quantized = {out for node in graph.node if node.op_type == "DequantizeLinear" for out in node.output}
    layers = [node for node in graph.node if node.op_type in ("Conv", "Gemm", "MatMul")]
    if any(name in quantized for node in layers for name in node.input[:2]):
        return "int8"
    half = any(types.get(name) == onnx.TensorProto.FLOAT16 for node in layers for name in node.input[:2])
    return "fp16" if half else "fp32"


def _tensor(path: Path, tensor: Any, device: torch.device) -> Tensor:
    if tensor.data_type not in TYPES:
        found = onnx.TensorProto.DataType.Name(tensor.data_type)
        raise _refusal(path, f"a constant of type {found} ({tensor.name!r}) is not supported")
    value = torch.from_numpy(numpy_helper.to_array(tensor).copy())
    sizes = value.dtype == torch.int64 and value.ndim <= 1
    return value if sizes else value.to(device)


def _attribute(path: Path, attribute: Any, device: torch.device) -> Any:
    value = onnx.helper.get_attribute_value(attribute)
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, onnx.TensorProto):
        return _tensor(path, value, device)
    return value


def _spec(value: Any) -> TensorSpec:
    sizes = [dim.dim_value if dim.HasField("dim_value") else None for dim in value.type.tensor_type.shape.dim]
    if sizes and sizes[0] == 1:
        sizes[0] = None
    return TensorSpec(value.name, tuple(sizes))


def _refusal(path: Path, what: str) -> BundleError:
    return BundleError(
        f"{path}: {what} by the torch backend. Use backend='openvino', or export with this release."
    )
