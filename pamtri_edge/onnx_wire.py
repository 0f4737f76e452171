# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Whether an ONNX file keeps weights in other files, told from its bytes alone.

A bundle's networks carry their weights, since its checksums cover no other file. The engines would read such
weights from wherever the file says, and the package onnx is not needed to run a bundle.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from pamtri_edge.errors import BundleError

_TENSOR: Final = "TensorProto"
_MESSAGES: Final[Mapping[str, Mapping[int, str]]] = {
    "ModelProto": {7: "GraphProto", 20: "TrainingInfoProto", 25: "FunctionProto"},
    "TrainingInfoProto": {1: "GraphProto", 2: "GraphProto"},
    "GraphProto": {1: "NodeProto", 5: _TENSOR, 15: "SparseTensorProto"},
    "FunctionProto": {7: "NodeProto", 11: "AttributeProto"},
    "NodeProto": {5: "AttributeProto"},
    "AttributeProto": {
        5: _TENSOR,
        6: "GraphProto",
        10: _TENSOR,
        11: "GraphProto",
        22: "SparseTensorProto",
        23: "SparseTensorProto",
    },
    "SparseTensorProto": {1: _TENSOR, 2: _TENSOR},
}
"""The fields of onnx.proto through which a tensor can be reached."""

_EXTERNAL_DATA: Final = 13  # field of TensorProto
_MOST_FIELDS: Final = 1 << 20  # the paper's networks have 20 thousand
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def refuse_outside_weights(content: bytes, source: Path) -> None:
    """Refuse a network whose weights lie in other files.

    Args:
        content: the bytes of the ONNX file.
        source: how errors call it.

    Raises:
        BundleError: a tensor names another file; or the bytes, which may do so, cannot be followed.
    """
    # Where the weights are is said by an entry with the key "location"; most files have no such word at all.
    if b"location" not in content:
        return
    try:
        outside = _names_files(memoryview(content))
    except (IndexError, ValueError) as error:
        raise BundleError(f"{source} is not a readable ONNX file. Export the bundle again.") from error
    if outside:
        raise BundleError(
            f"{source} keeps weights in other files, which a bundle's checksums do not cover. Export the "
            "bundle again with pamtri-export, or save the network as one file: "
            "onnx.save(onnx.load(FILE), FILE)."
        )


def _names_files(content: memoryview) -> bool:
    waiting = [("ModelProto", content)]
    left = _MOST_FIELDS
    while waiting:
        kind, message = waiting.pop()
        for number, value in _fields(message):
            left -= 1
            if left < 0:
                raise ValueError("too many fields")
            if kind == _TENSOR:
                if number == _EXTERNAL_DATA:
                    return True
            elif value is not None and number in _MESSAGES[kind]:
                waiting.append((_MESSAGES[kind][number], value))
    return False


def _fields(message: memoryview) -> Iterator[tuple[int, memoryview | None]]:
    """Give the number of every field, and its content where it is a message or a text."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        wire = tag & 7
        if wire == _BYTES:
            length, at = _varint(message, at)
            if at + length > len(message):
                raise ValueError("a field reaches past its message")
            yield tag >> 3, message[at : at + length]
            at += length
            continue
        if wire == _VARINT:
            _, at = _varint(message, at)
        elif wire in (_FIXED64, _FIXED32):
            at += 8 if wire == _FIXED64 else 4
        else:
            raise ValueError("a group, which ONNX does not have")
        yield tag >> 3, None


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError("a number of more than 64 bits")
