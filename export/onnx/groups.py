# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Groups of layers of the two networks, and int8 graphs in which some of them stay in float32.

A group is what an engineer would call by a name: a stage of the pose network with the transition that leads
into it, a dense block of the re-identification network, the heads. Single layers are too many to measure
one by one, and a float layer between int8 ones costs conversions at both of its borders.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Collection, Mapping
from typing import Final

from onnx import ModelProto, NodeProto

from pamtri_edge.export.onnx.graph import scope_of
from pamtri_edge.export.onnx.precision import drop_unused

_RULES: Final[tuple[tuple[str, str], ...]] = (
    (r"pose\.network\.(?:conv|bn)\d.*", "pose.stem"),
    (r"pose\.network\.transition1.*", "pose.stage2"),
    (r"pose\.network\.transition2.*", "pose.stage3"),
    (r"pose\.network\.transition3.*", "pose.stage4"),
    (r"pose\.network\.(\w+).*", r"pose.\1"),
    (r"reid\.stem.*", "reid.stem"),
    (r"reid\.network\.base\.(?:conv|norm)0.*", "reid.stem"),
    (r"reid\.network\.base\.transition.*", "reid.transitions"),
    (r"reid\.network\.base\._(?:conv_stem|bn0).*", "reid.stem"),
    (r"reid\.network\.base\._blocks\.(\d+).*", r"reid.block\1"),
    (r"reid\.network\.base\._(?:conv_head|bn1).*", "reid.last"),
    (r"reid\.network\.base\.(\w+).*", r"reid.\1"),
    (r"reid\.network\.(?:fc|classifier|neck).*", "reid.heads"),
    (r"network\.(part\d+)", r"\1"),
    (r"(\w+)\..*", r"\1"),
)
"""Scopes and the groups that their layers belong to; the first that fits counts."""

_CONVERSIONS: Final = ("QuantizeLinear", "DequantizeLinear")


def int8_groups(typed: ModelProto, *, stage: str = "") -> dict[str, tuple[str, ...]]:
    """Return the names of the int8 layers' nodes by group, in the order of the graph.

    Args:
        typed: an int8 graph of `precision.quantize`.
        stage: "pose" or "reid" for the graph of one stage, whose scopes do not say it.
    """
    dequantized = {
        name for node in typed.graph.node if node.op_type == "DequantizeLinear" for name in node.output
    }
    found: dict[str, list[str]] = {}
    for node in typed.graph.node:
        if len(node.input) > 1 and node.input[1] in dequantized:
            found.setdefault(group_of(node, stage=stage), []).append(node.name)
    return {group: tuple(names) for group, names in found.items()}


def group_of(node: NodeProto, *, stage: str = "") -> str:
    """Return the group of a layer, such as "pose.stage3" or "reid.heads"; see `int8_groups`."""
    scope = f"{stage}.{scope_of(node)}" if stage else scope_of(node)
    for pattern, group in _RULES:
        if match := re.fullmatch(pattern, scope):
            return match.expand(group)
    return scope


def in_float(typed: ModelProto, model: ModelProto, names: Collection[str]) -> ModelProto:
    """Return the int8 graph with some of its layers as the float32 graph has them.

    Args:
        typed: an int8 graph; it is left as it is.
        model: the float32 graph that it was made of.
        names: nodes that take their inputs and weights as there.
    """
    mixed = copy.deepcopy(typed)
    if not names:
        return mixed
    originals = {node.name: node for node in model.graph.node}
    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    present = {tensor.name for tensor in mixed.graph.initializer}
    rounded = _needed_in_int8(mixed, names)
    for node in mixed.graph.node:
        if node.name not in originals:
            continue
        inputs = originals[node.name].input
        if node.name in names:
            node.input[:] = inputs
        else:  # an addition beside a float layer sums what that layer sees
            pairs = zip(node.input, inputs, strict=True)
            node.input[:] = [given if given in rounded else original for given, original in pairs]
        for name in node.input:
            if name in weights and name not in present:
                mixed.graph.initializer.append(weights[name])
                present.add(name)
    _drop_conversions(mixed)
    drop_unused(mixed.graph)
    return mixed


def layer_weights(model: ModelProto, names: Collection[str]) -> tuple[str, ...]:
    """Return what the networks call the weights of these nodes of a float32 graph."""
    return tuple(node.input[1] for node in model.graph.node if node.name in names)


def names_in(groups: Mapping[str, tuple[str, ...]], chosen: Collection[str]) -> frozenset[str]:
    """Return the nodes of the chosen groups; groups that a graph lacks have none."""
    return frozenset(name for group in chosen for name in groups.get(group, ()))


def _needed_in_int8(typed: ModelProto, floats: Collection[str]) -> set[str]:
    """Return the dequantized tensors, weights among them, that layers outside `floats` take."""
    dequantized = {
        name for node in typed.graph.node if node.op_type == "DequantizeLinear" for name in node.output
    }
    layers = [
        node
        for node in typed.graph.node
        if node.name not in floats and len(node.input) > 1 and node.input[1] in dequantized
    ]
    return {name for node in layers for name in node.input if name in dequantized}


def _drop_conversions(model: ModelProto) -> None:
    """Take out the conversions whose results nobody uses any more; one may have been kept by another."""
    while True:
        used = {name for node in model.graph.node for name in node.input}
        used |= {value.name for value in model.graph.output}
        kept = [
            node
            for node in model.graph.node
            if node.op_type not in _CONVERSIONS or not used.isdisjoint(node.output)
        ]
        if len(kept) == len(model.graph.node):
            return
        del model.graph.node[:]
        model.graph.node.extend(kept)
