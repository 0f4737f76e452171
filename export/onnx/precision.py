# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Precision typed into the graph: float16 or int8 inside the two networks, float32 everywhere else.

A typed file gives the same numbers under every strongly typed engine, and needs no builder flags. Both forms
are made from the float32 graph, whose batch normalizations are already folded into the convolutions: folding
first and rounding once halves the error of the heatmaps against exporting a module in half precision.
"""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from pamtri_edge.errors import ExportError
from pamtri_edge.export.onnx.calibration import activation_ranges
from pamtri_edge.export.onnx.graph import in_network, scope_of

Floats = NDArray[np.float32]

_QUANTISED: Final = ("Conv", "Gemm", "MatMul")
"""Operators whose inputs and weights become int8.

Their outputs do not, nor do additions: rounding between a convolution and its ReLU, or before a dense layer's
concatenation, doubles the error (cosine of the `lite` re-identification network 0.982 with, 0.992 without)
for 14 % of the time on a CPU; TensorRT's guidance for explicit quantization is the same.
"""

_FLOAT: Final = ("network.final_layer", "network.base._conv_stem", "network.base._blocks.0")
"""Parts of the networks that stay in float32 in float16 and int8 files, by their dotted names.

The layer that makes the heatmaps is cheap, and what it rounds lands in the keypoints. The stem of an
EfficientNet-Lite and its first block have 32 channels at the highest resolution, 5 % of the work, and make
two thirds of the whole network's error: a depthwise convolution straight on edges. With them the least cosine
of the shipped `lite` on rendered crops is 0.99998, without the block 0.99985.
"""

_FLOAT_BESIDE_HALF: Final = (*_FLOAT, "network.conv1", "network.base.conv0", "network.base.norm5")
"""What does in a float16 file.

The first layer of the pose network: rounding the normalized picture is the largest single error of the
heatmaps; it and the last are 0.3 % of the work of the paper's pose network. And the first of
re-identification where it takes the stack as such, in the two-network form: its blank channels are large sums
that cancel (see `models.stem`, which spares the fused graph that). And its last normalization: its rounded
bias moves every embedding the same way, which whitening would enlarge.
"""

_FLOAT_BESIDE_INT8: Final = (
    *_FLOAT,
    *("stem.coarse.left", "stem.coarse.right", "stem.coarse.top", "stem.coarse.bottom"),
)
"""What does in an int8 file.

The strips of the stem subtract what its main convolution adds too much along the border; rounded apart they
would not cancel.
"""

_WIDEST_HALF: Final = float(np.finfo(np.float16).max)


def half(model: ModelProto) -> ModelProto:
    """Return the graph with both networks in float16 and casts at their borders.

    Args:
        model: a float32 graph of `export_graph`; it is left as it is.

    Raises:
        ExportError: a weight is too large for float16.
    """
    typed = copy.deepcopy(model)
    graph = typed.graph
    floats = _float_tensors(typed)
    weights = {tensor.name: tensor for tensor in graph.initializer}
    inside = [(node, _is_half(node)) for node in model.graph.node]
    made_inside = {name for node, network in inside if network for name in node.output}
    needed_outside = {name for node, network in inside if not network for name in node.input}
    needed_outside |= {value.name for value in graph.output}
    nodes: list[NodeProto] = []
    halves: set[str] = set()
    for original, network in inside:
        node = copy.deepcopy(original)
        for index, name in enumerate(node.input if network else ()):
            # Sizes and scales of a Resize are float32 whatever it resizes.
            if name not in floats or (node.op_type == "Resize" and index > 0):
                continue
            if name in made_inside:
                if name in needed_outside:
                    node.input[index] = _half_name(name)
                continue
            if name not in halves:
                halves.add(name)
                if name in weights:
                    graph.initializer.append(_half_weight(weights[name]))
                else:
                    nodes.append(_cast(name, _half_name(name), TensorProto.FLOAT16))
            node.input[index] = _half_name(name)
        nodes.append(node)
        for index, name in enumerate(node.output if network else ()):
            if name in needed_outside and name in floats:
                node.output[index] = _half_name(name)
                nodes.append(_cast(_half_name(name), name, TensorProto.FLOAT))
    del graph.node[:]
    graph.node.extend(nodes)
    del graph.value_info[:]  # their types are no longer true
    drop_unused(graph)
    return typed


def quantize(
    model: ModelProto,
    batches: Sequence[Mapping[str, Floats]],
    *,
    weight_bits: int = 7,
    folder: Path | None = None,
    advance: Callable[[], None] = lambda: None,
) -> ModelProto:
    """Return the graph with convolutions and products of both networks in int8, symmetric, as Q/DQ.

    Weights are stored as int8, a scale a channel; biases stay float32. The range of an activation is the one
    with the least squared error over the calibration pictures (see `calibration`).

    Args:
        model: a float32 graph of `export_graph`; it is left as it is.
        batches: inputs of the graph by name, one batch a calibration picture.
        weight_bits: 7 for weights of -64 to 64, still stored as int8: processors without VNNI add pairs of
            products in 16 bits, which products of full weights overflow. 8 for these.
        folder: where temporary files may lie; None for the system's place. Nothing stays.
        advance: called after each batch.

    Raises:
        ExportError: there is nothing to quantize or to calibrate with, or onnxruntime refused.
    """
    from onnxruntime import quantization as ort  # type: ignore[import-untyped]

    chosen = [node for node in model.graph.node if _is_quantized(node)]
    if not chosen or not batches:
        missing = "layer to quantize" if not chosen else "calibration picture"
        raise ExportError(f"int8 needs at least one {missing}.")
    activations = list(dict.fromkeys(node.input[0] for node in chosen))
    ranges = activation_ranges(model, activations, batches, advance=advance)
    source = copy.deepcopy(model)
    # The exporter has folded and inferred already; this keeps onnxruntime from asking for it.
    source.metadata_props.add(key="onnx.quant.pre_process", value="onnxruntime.quant")
    with tempfile.TemporaryDirectory(dir=folder, prefix=".int8-") as place:
        before, after = Path(place) / "fp32.onnx", Path(place) / "int8.onnx"
        onnx.save(source, before)
        try:
            ort.quantize_static(
                before,
                after,
                _OneBatch(batches[0]),
                quant_format=ort.QuantFormat.QDQ,
                op_types_to_quantize=list(_QUANTISED),
                nodes_to_quantize=[node.name for node in chosen],
                per_channel=True,
                activation_type=ort.QuantType.QInt8,
                weight_type=ort.QuantType.QInt8,
                reduce_range=weight_bits == 7,
                extra_options={
                    "ActivationSymmetric": True,
                    "WeightSymmetric": True,
                    "QuantizeBias": False,
                    "AddQDQPairToWeight": False,
                    "OpTypesToExcludeOutputQuantization": list(_QUANTISED),
                    "TensorQuantOverrides": {
                        name: [{"rmin": np.float32(-limit), "rmax": np.float32(limit)}]
                        for name, limit in ranges.items()
                    },
                },
            )
        except (RuntimeError, ValueError, TypeError) as error:
            raise ExportError(f"onnxruntime could not quantize the network: {error}") from error
        typed = onnx.load(after)
    _adopt_names(typed, model)
    return typed


class _OneBatch:
    """The reader that onnxruntime insists on; the ranges that it would find are given to it instead."""

    def __init__(self, batch: Mapping[str, Floats]) -> None:
        self._batches = iter([dict(batch)])

    def get_next(self) -> dict[str, Floats] | None:
        return next(self._batches, None)


def _is_half(node: NodeProto) -> bool:
    return in_network(node) and not _is_in(node, _FLOAT_BESIDE_HALF)


def _is_quantized(node: NodeProto) -> bool:
    return node.op_type in _QUANTISED and in_network(node) and not _is_in(node, _FLOAT_BESIDE_INT8)


def _is_in(node: NodeProto, parts: tuple[str, ...]) -> bool:
    """Tell whether a node, or the weight that it applies, belongs to one of some parts of the module."""
    names = (scope_of(node), *node.input[1:2])
    return any(f".{part}." in f".{name}." for name in names for part in parts)


def _float_tensors(model: ModelProto) -> set[str]:
    """Return the names of the float32 tensors of a graph, weights included."""
    graph = onnx.shape_inference.infer_shapes(model).graph
    typed = {value.name: value.type.tensor_type.elem_type for value in graph.value_info}
    typed |= {value.name: value.type.tensor_type.elem_type for value in (*graph.input, *graph.output)}
    typed |= {tensor.name: tensor.data_type for tensor in graph.initializer}
    return {name for name, kind in typed.items() if kind == TensorProto.FLOAT}


def _half_name(name: str) -> str:
    return f"{name}.half"


def _half_weight(tensor: TensorProto) -> TensorProto:
    values = numpy_helper.to_array(tensor)
    if values.size and float(np.abs(values).max()) > _WIDEST_HALF:
        raise ExportError(
            f"{tensor.name} holds {np.abs(values).max():.3g}, more than float16 can ({_WIDEST_HALF:g}); "
            "export with --precision fp32 or int8."
        )
    return numpy_helper.from_array(values.astype(np.float16), _half_name(tensor.name))


def _cast(source: str, target: str, kind: int) -> NodeProto:
    return helper.make_node("Cast", [source], [target], name=f"/Cast_to_{target}", to=kind)


def drop_unused(graph: Any) -> None:
    """Take out the weights that no node of a graph uses."""
    used = {name for node in graph.node for name in node.input}
    kept = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)


def _adopt_names(typed: ModelProto, model: ModelProto) -> None:
    """Restore what the quantizer put its own words into."""
    typed.graph.name = model.graph.name
    typed.producer_name, typed.producer_version = model.producer_name, model.producer_version
    typed.ir_version = model.ir_version
    del typed.metadata_props[:]
    typed.metadata_props.extend(model.metadata_props)
    del typed.opset_import[:]
    typed.opset_import.extend(model.opset_import)
