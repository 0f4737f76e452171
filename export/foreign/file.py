# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Reading an ONNX file that anyone made: one graph of standard operators with all its weights inside."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

import numpy as np
from google.protobuf.message import DecodeError
from onnx import (
    AttributeProto,
    GraphProto,
    ModelProto,
    NodeProto,
    TensorProto,
    defs,
    helper,
    inliner,
    numpy_helper,
)

from pamtri_edge.bundle_files import read_regular
from pamtri_edge.errors import BundleError, InputError
from pamtri_edge.files.kinds import ONNX, network_kind
from pamtri_edge.manifest_fields import REMEDY
from pamtri_edge.printable import printable

_LIMIT: Final = (2 << 30) - 1  # what one ONNX file can hold
_LISTED: Final = 5
_STANDARD: Final = ("", "ai.onnx")
_QUANTIZED: Final = (
    "ConvInteger", "DequantizeLinear", "DynamicQuantizeLinear", "MatMulInteger", "QGemm", "QuantizeLinear"
)  # fmt: skip
_FLOATS: Final = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE)


@dataclass(frozen=True, eq=False)
class NetworkFile:
    """An ONNX file as it was read.

    Attributes:
        path: where it is.
        model: its network, weights of other files taken in.
        sha256: of the file's bytes.
        identity: digest of these bytes and of the weights in other files.
    """

    path: Path
    model: ModelProto
    sha256: str
    identity: str


def read_network(path: Path) -> NetworkFile:
    """Read a network.

    Raises:
        InputError: the file is missing, not a regular file, not ONNX or damaged; it keeps weights outside its
            folder, is too large, uses operators that are not ONNX's own, or holds weights that are NaN.
    """
    content = _content(path, f"Give --network {_in_folder(path) or 'a file in ONNX format'}.")
    model = _parsed(path, content)
    digest = hashlib.sha256(content)
    sha256 = digest.hexdigest()
    read: dict[Path, bytes] = {}  # each file once, however many weights it holds
    for tensor in _tensors(model.graph):
        if tensor.data_location == TensorProto.EXTERNAL:
            digest.update(_take_in(path, tensor, read))
    _inline_functions(path, model)
    _refuse_foreign_operators(path, model)
    _refuse_nan(path, model)
    return NetworkFile(path, model, sha256, digest.hexdigest())


def _in_folder(path: Path) -> str:
    """Return the way to the network in a folder, as Hugging Face has them; "" where there is not one."""
    inside = [*path.glob("*.onnx"), *path.glob("onnx/*.onnx")] if path.is_dir() else []
    return printable(min(inside)) if inside else ""


def _content(path: Path, remedy: str) -> bytes:
    try:
        return read_regular(path, limit=_LIMIT)
    except BundleError as error:
        raise InputError(printable(str(error).replace(REMEDY, remedy))) from error


def _parsed(path: Path, content: bytes) -> ModelProto:
    model = ModelProto()
    try:
        model.ParseFromString(content)
    except (DecodeError, RecursionError, ValueError):
        model = ModelProto()
    if not model.graph.node or not model.opset_import:
        kind, remedy = network_kind(path) or ("", "")
        found = "it is damaged, or of another format" if kind in ("", ONNX) else f"it is {kind}"
        raise InputError(
            f"{printable(path)} is not an ONNX network: {found}. "
            f"{remedy or 'Export it to ONNX first (torch.onnx.export and its like).'}"
        )
    newest = defs.onnx_opset_version()
    if default_opset(model) > newest:
        raise InputError(
            f"{printable(path)} is written in opset {default_opset(model)} of ONNX; opsets up to {newest} "
            "are known here. Export it anew with an older one (opset_version=17), or upgrade: pip install "
            "--upgrade onnx onnxruntime"
        )
    return model


def _take_in(path: Path, tensor: TensorProto, read: dict[Path, bytes]) -> bytes:
    """Replace a reference to another file by the bytes there, and return them."""
    told = {entry.key: entry.value for entry in tensor.external_data}
    name = told.get("location", "")
    folder = path.parent.resolve()
    try:
        place = (folder / name).resolve()
        outside = not place.is_relative_to(folder)
    except (OSError, ValueError, RuntimeError):
        outside = True
    if outside or not name or PurePosixPath(name).is_absolute():
        raise InputError(
            f"{printable(path)} keeps weights in {printable(name)!r}, outside its own folder; weights are "
            "read from beside the network only. Save it as one file: onnx.save(onnx.load(FILE), FILE)."
        )
    if place not in read:
        remedy = f"It holds weights of {path}: copy it too, into the same folder."
        read[place] = _content(place, remedy)
    content = read[place]
    try:
        offset = int(told.get("offset", 0))
        length = int(told.get("length", len(content) - offset))
    except ValueError:
        offset = length = -1
    if offset < 0 or length < 0 or offset + length > len(content):
        raise InputError(
            f"{printable(path)}: weights {printable(tensor.name)!r} reach past the end of {printable(name)}: "
            "one of the two files is cut off or of another export. Copy both again."
        )
    tensor.raw_data = content[offset : offset + length]
    del tensor.external_data[:]
    tensor.data_location = TensorProto.DEFAULT
    return tensor.raw_data


def _inline_functions(path: Path, model: ModelProto) -> None:
    if model.functions:
        try:
            model.CopyFrom(inliner.inline_local_functions(model))
        except Exception as error:  # onnx raises whatever its C++ does
            raise InputError(
                f"{printable(path)}: its local functions cannot be resolved ({error})."
            ) from error


def _refuse_foreign_operators(path: Path, model: ModelProto) -> None:
    custom = sorted(
        {
            printable(f"{node.domain}::{node.op_type}")
            for node in nodes_of(model.graph)
            if node.domain not in _STANDARD
        }
    )
    if custom:
        refuse_quantized(path, model)
        more = f" and {len(custom) - _LISTED} more" if len(custom) > _LISTED else ""
        raise InputError(
            f"{printable(path)} uses operators that are not ONNX's own "
            f"({', '.join(custom[:_LISTED])}{more}), "
            "which no engine here knows. Export the network without them; of a file that ONNX Runtime "
            "optimized, take the one before."
        )


def refuse_quantized(path: Path, model: ModelProto) -> None:
    """Refuse a network of whole numbers.

    Raises:
        InputError: it is one.
    """
    found = {node.op_type for node in nodes_of(model.graph)}
    named = sorted(name for name in found if name in _QUANTIZED or name.startswith("QLinear"))
    if named:
        raise InputError(
            f"{printable(path)} is quantized ({', '.join(named[:_LISTED])}) as not every engine has it; "
            "give --network the file from before that, in floating point: --precision int8 quantizes that, "
            "fitted to --calibration."
        )


def _refuse_nan(path: Path, model: ModelProto) -> None:
    for tensor in _tensors(model.graph):
        if tensor.data_type not in _FLOATS:
            continue
        try:
            values = numpy_helper.to_array(tensor)
        except (ValueError, TypeError) as error:
            held = math.prod(tensor.dims)
            raise InputError(
                f"{printable(path)}: weights {printable(tensor.name)!r} should be {held} numbers and are not "
                f"({error}). The file is damaged; export or copy it again."
            ) from error
        wrong = int(np.isnan(values).sum())
        if wrong:
            raise InputError(
                f"{printable(path)}: {wrong} of the {values.size} weights in {printable(tensor.name)!r} are "
                "NaN: "
                "its training diverged, or the file is damaged. Export another checkpoint."
            )


def nodes_of(graph: GraphProto) -> Iterator[NodeProto]:
    """Give the nodes of a graph and of the graphs inside them."""
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs) if _has_graph(attribute) else ():
                yield from nodes_of(inner)


def _has_graph(attribute: AttributeProto) -> bool:
    return attribute.type in (AttributeProto.GRAPH, AttributeProto.GRAPHS)


def _tensors(graph: GraphProto) -> Iterator[TensorProto]:
    """Give all constants of a graph, those in nodes and inner graphs too."""
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == AttributeProto.TENSOR:
                yield attribute.t
            elif attribute.type == AttributeProto.TENSORS:
                yield from attribute.tensors
            elif _has_graph(attribute):
                for inner in (attribute.g, *attribute.graphs):
                    yield from _tensors(inner)


def default_opset(model: ModelProto) -> int:
    """Return the version of ONNX's own operators that a network is written in."""
    versions = [entry.version for entry in model.opset_import if entry.domain in _STANDARD]
    return max(versions, default=helper.make_opsetid("", 1).version)
