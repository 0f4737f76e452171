# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""From a torch module to one ONNX graph whose nodes say which part of the module they come from."""

from __future__ import annotations

import ast
import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Final, TypeAlias

import torch
from onnx import ModelProto, NodeProto
from torch import Tensor, nn

from pamtri_edge.errors import ExportError
from pamtri_edge.geometry import IMAGE_SIZE
from pamtri_edge.models.pamtri import Pamtri
from pamtri_edge.models.stages import KeypointModule, PoseStage, ReidStage
from pamtri_edge.vehicle import NUM_KEYPOINTS
from pamtri_edge.version import VERSION

Exportable: TypeAlias = Pamtri | PoseStage | ReidStage
"""What a bundle has of our own networks; it has `input_names`, `output_names` and tensors in these orders."""

OPSET: Final = 18
"""Accepted by TensorRT from 10.0 on, and the oldest that torch writes without converting down."""

HEATMAPS: Final = "heatmaps"
"""Name of the tensor that leaves the pose stage, inside the fused graph too."""

NETWORKS: Final = ("pose.network", "reid.network", "reid.stem", "network", "stem")
"""Scopes of the networks in the fused graph and in a stage's graph; all other nodes are glue."""

_WHOLE: Final = ("whitening", "pool", "middle", "parts")
"""Parts of the networks that always compute in float32."""

_SAMPLES: Final = 2  # torch would take a sample batch of 1 for a constant
_SCOPES: Final = "pkg.torch.onnx.name_scopes"
_KNOWN_WARNINGS: Final = (
    r"`isinstance\(treespec, LeafSpec\)` is deprecated",
    r"# The axis name: batch will not be used",  # said of the second input, which has the same batch
)
_KNOWN_LOGGERS: Final = ("torch.onnx._internal.exporter._registration", "onnxscript", "onnx_ir")


def export_graph(
    module: Exportable | KeypointModule, *, name: str, metadata: Mapping[str, str] | None = None
) -> ModelProto:
    """Export a module with a dynamic batch and all other sizes fixed.

    A node is named `scope/Operator_n`, its scope as in `module.named_modules()`, so that `NETWORKS` tell the
    networks from the glue around them. The tensor that leaves the pose stage is named `HEATMAPS`.

    Args:
        module: the fused module or one of its stages, in eval mode.
        name: the graph's name.
        metadata: what goes into the file's `metadata_props`.

    Returns:
        The model with all weights inside.

    Raises:
        ExportError: torch could not express the module in ONNX.
    """
    batch = torch.export.Dim("batch", min=1, max=1 << 16)
    try:
        with _quiet(), torch.no_grad():
            program = torch.onnx.export(
                module,
                tuple(sample_input(each, module) for each in module.input_names),
                dynamo=True,
                opset_version=OPSET,
                input_names=list(module.input_names),
                output_names=list(module.output_names),
                dynamic_shapes=tuple({0: batch} for _ in module.input_names),
                verbose=False,
            )
    except torch.onnx.errors.OnnxExporterError as error:
        if _is_interruption(error):
            raise KeyboardInterrupt from error
        raise ExportError(f"torch cannot express this network in ONNX: {_reason(error)}") from error
    assert program is not None  # it is None only for dynamo=False
    model: ModelProto = program.model_proto
    _tidy(model, name=name, metadata=metadata or {})
    _name_heatmaps(model)
    return model


def _is_interruption(error: BaseException | None) -> bool:
    """Tell whether it began with Ctrl-C, after which PyTorch may stumble over what was not loaded yet."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


def _reason(error: BaseException) -> str:
    """Return the first line of what began it: the errors around it tell how to debug PyTorch's exporter."""
    while error.__cause__ is not None:
        error = error.__cause__
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def scope_of(node: NodeProto) -> str:
    """Return the part of the module that a node comes from, "" for the top; see `export_graph`."""
    return node.name.rpartition("/")[0]


def in_network(node: NodeProto) -> bool:
    """Tell whether a node belongs to one of the two networks, and so to what a precision is typed into.

    Whitening and pooling do not, though they are parts of re-identification's module: the one subtracts a
    mean, enlarges what is left and takes lengths, the other may take the mean of cubes, all of which half
    precision would spoil.
    """
    scope = f"{scope_of(node)}."
    apart = (f"{network}.{part}." for network in NETWORKS for part in _WHOLE)
    return scope.startswith(tuple(f"{network}." for network in NETWORKS)) and not scope.startswith(
        tuple(apart)
    )


def sample_input(name: str, module: nn.Module) -> Tensor:
    """Return a batch of the right form; its values do not matter, but must be possible ones."""
    if name == "crop_size":
        return torch.tensor([[200.0, 120.0], [90.0, 150.0]])
    if name == "keypoint_vector":
        return torch.linspace(-0.5, 0.5, _SAMPLES * 3 * NUM_KEYPOINTS).view(_SAMPLES, -1)
    channels = module.network.spec.channels if isinstance(module, ReidStage) else 3
    shape = (_SAMPLES, channels, IMAGE_SIZE, IMAGE_SIZE)
    return torch.linspace(0.0, 255.0, torch.Size(shape).numel()).view(shape)


def _tidy(model: ModelProto, *, name: str, metadata: Mapping[str, str]) -> None:
    """Name the nodes by scope, and drop what the exporter notes down: source paths of this machine."""
    for index, node in enumerate(model.graph.node):
        notes = {entry.key: entry.value for entry in node.metadata_props}
        scopes = ast.literal_eval(notes.get(_SCOPES, "['', '']"))
        node.name = f"{scopes[-2]}/{node.op_type}_{index}"  # the last scope is the operator's own
        del node.metadata_props[:]
        node.doc_string = ""
    graph = model.graph
    graph.name = name
    for value in (*graph.input, *graph.output, *graph.value_info, *graph.initializer):
        del value.metadata_props[:]
    model.producer_name = "pamtri-edge"
    model.producer_version = VERSION
    del model.metadata_props[:]
    del graph.metadata_props[:]
    for key, value in metadata.items():
        model.metadata_props.add(key=key, value=value)


def _name_heatmaps(model: ModelProto) -> None:
    """Give the tensor between pose and the rest its name: what leaves scope `pose` is one tensor."""
    made, used = set[str](), set[str]()
    for node in model.graph.node:
        if f"{scope_of(node)}.".startswith("pose."):
            made.update(node.output)
        else:
            used.update(node.input)
    if not made:
        return
    leaving = made & used
    if len(leaving) != 1:
        raise ExportError(f"the pose stage hands on {len(leaving)} tensors ({sorted(leaving)}), not one.")
    rename(model, leaving.pop(), HEATMAPS)


def rename(model: ModelProto, old: str, new: str) -> None:
    """Give an inner tensor of a graph another name, wherever it stands."""
    for node in model.graph.node:
        for names in (node.input, node.output):
            for index, entry in enumerate(names):
                if entry == old:
                    names[index] = new
    for value in model.graph.value_info:
        if value.name == old:
            value.name = new


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence what the exporter says on every run and no user can act on."""
    with ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        for message in _KNOWN_WARNINGS:
            warnings.filterwarnings("ignore", message=message)
        for logger in map(logging.getLogger, _KNOWN_LOGGERS):
            stack.callback(logger.setLevel, logger.level)
            logger.setLevel(logging.ERROR)
        yield
