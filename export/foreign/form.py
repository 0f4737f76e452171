# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Which tensor of a network is its picture, in what form, and which is its embedding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from onnx import ModelProto, TensorProto, ValueInfoProto

from pamtri_edge.errors import InputError
from pamtri_edge.export.foreign.file import NetworkFile
from pamtri_edge.export.foreign.specification import SIDES, ForeignNetwork
from pamtri_edge.printable import printable

Size = int | str | None
"""Of an axis: a number, a name for one that may vary, or unknown."""

_TYPES: Final[Mapping[int, str]] = {
    TensorProto.FLOAT: "float32",
    TensorProto.FLOAT16: "float16",
    TensorProto.DOUBLE: "float64",
    TensorProto.UINT8: "uint8",
}
_COLORS: Final = 3
_SHOWN: Final = 8


@dataclass(frozen=True)
class Form:
    """What a network takes and gives.

    Attributes:
        input: name of the tensor that is the picture.
        output: name of the one that is the embedding.
        layout: "nchw" or "nhwc".
        height: of the pictures.
        width: of the pictures.
        batch: how many pictures it takes at a time; None for any number.
        dtype: NumPy's name of the numbers it takes.
    """

    input: str
    output: str
    layout: str
    height: int
    width: int
    batch: int | None
    dtype: str = "float32"

    @property
    def whole(self) -> bool:
        """Whether it takes pixels as whole numbers of 0 to 255."""
        return self.dtype == "uint8"

    @property
    def shape(self) -> tuple[int | None, int, int, int]:
        """The shape of its input."""
        if self.layout == "nchw":
            return self.batch, _COLORS, self.height, self.width
        return self.batch, self.height, self.width, _COLORS


def form_of(file: NetworkFile, told: ForeignNetwork) -> Form:
    """Find the picture and the embedding of a network.

    Raises:
        InputError: it takes something else than pictures in color, or of a size that neither it nor the user
            states; what the user says contradicts the file; or it is not clear which output is the embedding.
    """
    name = printable(file.path)
    picture = _only_input(file.model, name)
    sizes = sizes_of(picture)
    title = f"{name}: input {printable(picture.name)!r} {shape_text(sizes)}"
    kind = picture.type.tensor_type.elem_type
    if kind not in _TYPES:
        found = TensorProto.DataType.Name(kind)
        raise InputError(
            f"{title} is of type {found}; expected pictures as FLOAT, FLOAT16, DOUBLE or UINT8. Export it so."
        )
    if sizes is None or len(sizes) != 4:
        raise InputError(
            f"{title} is no batch of pictures; expected four axes, (N, 3, height, width) or "
            "(N, height, width, 3)."
        )
    layout = _layout(title, sizes, told.layout)
    rows, columns = (2, 3) if layout == "nchw" else (1, 2)
    height = _side(title, "height", sizes[rows], told.input_size and told.input_size[0])
    width = _side(title, "width", sizes[columns], told.input_size and told.input_size[1])
    batch = sizes[0] if isinstance(sizes[0], int) else None
    return Form(
        input=picture.name,
        output=_output(file.model, name, told.output_name),
        layout=layout,
        height=height,
        width=width,
        batch=batch,
        dtype=_TYPES[kind],
    )


def sizes_of(value: ValueInfoProto) -> tuple[Size, ...] | None:
    """Return the sizes of a tensor's axes; None where it has no shape."""
    tensor = value.type.tensor_type
    if not value.type.HasField("tensor_type") or not tensor.HasField("shape"):
        return None
    return tuple(
        (dim.dim_value if dim.dim_value > 0 else None)
        if dim.HasField("dim_value")
        else (printable(dim.dim_param) or None)
        for dim in tensor.shape.dim
    )


def shape_text(sizes: Sequence[Size] | None) -> str:
    """Return a shape for people, such as "(N, 3, 256, 128)"."""
    if sizes is None:
        return "of no stated shape"
    return f"({', '.join('?' if size is None else str(size) for size in sizes)})"


def _only_input(model: ModelProto, name: str) -> ValueInfoProto:
    weights = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in weights]
    if len(inputs) != 1:
        listed = "; ".join(_described(value) for value in inputs[:_SHOWN]) or "nothing"
        raise InputError(
            f"{name} takes {listed}; expected one input, the pictures. Export it with that alone."
        )
    found: ValueInfoProto = inputs[0]
    return found


def _layout(title: str, sizes: Sequence[Size], told: str | None) -> str:
    fits = {
        layout: sizes[axis] == _COLORS or (told == layout and not isinstance(sizes[axis], int))
        for layout, axis in (("nchw", 1), ("nhwc", 3))
    }
    if told is not None:
        if not fits[told]:
            axis = 1 if told == "nchw" else 3
            raise InputError(
                f"{title} has {sizes[axis]} where layout {told} has its three colors. Give the other "
                "--layout, or leave it out."
            )
        return told
    found = [layout for layout, fit in fits.items() if fit]
    if len(found) == 1:
        return found[0]
    if found:
        raise InputError(
            f"{title} has three of both axes 1 and 3: say which are the colors, --layout nchw or nhwc."
        )
    if any(not isinstance(sizes[axis], int) for axis in (1, 3)):
        raise InputError(f"{title} does not say which axis is the colors: give --layout nchw or nhwc.")
    raise InputError(
        f"{title} takes no pictures in color; expected three channels, (N, 3, height, width) or "
        "(N, height, width, 3)."
    )


def _side(title: str, what: str, size: Size, told: int | None) -> int:
    if not isinstance(size, int):
        if told is None:
            raise InputError(
                f"{title} has an open {what}: say for which size it was trained, --input-size HEIGHTxWIDTH, "
                "such as --input-size 256x128. The bundle's graph then has that size alone."
            )
        return told
    if told is not None and told != size:
        raise InputError(f"{title} has {what} {size}, --input-size says {told}; leave --input-size out.")
    if not SIDES[0] <= size <= SIDES[1]:
        raise InputError(
            f"{title} has {what} {size}; expected pictures of {SIDES[0]} to {SIDES[1]} pixels a side."
        )
    return size


def _output(model: ModelProto, name: str, told: str | None) -> str:
    outputs = {value.name: value for value in model.graph.output}
    listed = "; ".join(_described(value) for value in list(outputs.values())[:_SHOWN])
    if told is not None:
        if told not in outputs:
            raise InputError(f"{name} has no output {printable(told)!r}; it gives {listed}.")
        return told
    if len(outputs) != 1:
        raise InputError(
            f"{name} gives {len(outputs)} outputs: {listed}. Say which is the embedding: --output-name NAME."
        )
    return str(next(iter(outputs)))


def _described(value: ValueInfoProto) -> str:
    return f"{printable(value.name)} {shape_text(sizes_of(value))}"
