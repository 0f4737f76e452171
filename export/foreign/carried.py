# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Where the pictures of a batch are in each tensor of a network whose batch is fixed.

Attention lays them behind the tokens, windows before the channels: sizes alone do not tell. They are followed
from the input through what turns, takes off, adds and joins axes. Where that could be read in two ways the
usual one is taken; whether it was right is found by computing several pictures together and alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, helper

from pamtri_edge.export.foreign.form import Form, Size

Sizes = Mapping[str, "tuple[Size, ...] | None"]
Constants = Mapping[str, NDArray[Any]]


class Place(NamedTuple):
    """The axis that the pictures are in, and how many of its steps are before a next picture's."""

    axis: int
    before: int = 1


def followed(
    model: ModelProto, form: Form, batch: int, known: Sizes, constants: Constants
) -> dict[str, Place]:
    """Return where the pictures are, by the names of the tensors in which that is known."""
    places = {form.input: Place(0)}
    for node in model.graph.node:
        source = next((name for name in node.input if name in places), None)
        sizes = _whole(known.get(source or ""))
        if source is None or sizes is None:
            continue
        for name in node.output:
            found = _place(node, places[source], sizes, _whole(known.get(name)), constants, batch)
            if found is not None:
                places[name] = found
    return places


def reshaped(place: Place, sizes: Sequence[int], target: Sequence[int], batch: int) -> Place | None:
    """Return where the pictures of a tensor are after it was reshaped; None where no axis can hold them."""
    ahead = math.prod(sizes[: place.axis]) * place.before  # numbers before a next picture's, row by row
    reached = 1
    for axis, size in enumerate(target):
        end = reached * size
        if reached == ahead and size % batch == 0:
            joined = size != batch and axis > 0 and len(target) < len(sizes)
            return Place(axis - 1, target[axis - 1]) if joined and batch == 1 else Place(axis)
        if reached < ahead < end and size % (ahead // reached * batch) == 0:
            return Place(axis, ahead // reached)
        reached = end
    last = len(target) - 1
    return Place(last, target[last]) if target and reached == ahead and batch == 1 else None


def _place(
    node: NodeProto,
    place: Place,
    sizes: tuple[int, ...],
    result: tuple[int, ...] | None,
    constants: Constants,
    batch: int,
) -> Place | None:
    told = {each.name: helper.get_attribute_value(each) for each in node.attribute}
    rank = len(sizes)
    if place.axis >= rank:
        return None
    kind = node.op_type
    if kind == "Transpose":
        return Place(list(told.get("perm", range(rank)[::-1])).index(place.axis), place.before)
    if kind in ("Reshape", "Flatten"):
        return None if result is None else reshaped(place, sizes, result, batch)
    if kind == "Gather":
        along = told.get("axis", 0) % rank
        more = 0 if result is None else len(result) - rank
        return (
            None
            if place.axis == along
            else Place(place.axis + (more if place.axis > along else 0), place.before)
        )
    if kind in ("Squeeze", "Unsqueeze") or (
        kind.startswith(("Reduce", "ArgM")) and not told.get("keepdims", 1)
    ):
        given = told.get("axes", told.get("axis"))
        listed = constants.get(node.input[1]) if len(node.input) > 1 else None
        axes = listed.tolist() if listed is not None else [given] if isinstance(given, int) else given
        if axes is None:
            return None
        if kind != "Unsqueeze":
            taken = {axis % rank for axis in axes}
            return Place(place.axis - sum(axis < place.axis for axis in taken), place.before)
        added = {axis % (rank + len(axes)) for axis in axes}
        kept = [axis for axis in range(rank + len(axes)) if axis not in added]
        return Place(kept[place.axis], place.before)
    # The rest computes number by number, along other axes, or with what has axes less.
    return Place(place.axis + (0 if result is None else max(0, len(result) - rank)), place.before)


def _whole(sizes: tuple[Size, ...] | None) -> tuple[int, ...] | None:
    if sizes is None:
        return None
    whole = tuple(size for size in sizes if isinstance(size, int))
    return whole if len(whole) == len(sizes) else None
