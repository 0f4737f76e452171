# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A detector's file as OpenVINO reads it: inputs and outputs, metadata, the operations at its ends."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pamtri_edge.errors import InputError
from pamtri_edge.files.kinds import ONNX, OPENVINO, PYTORCH, TFLITE, network_kind
from pamtri_edge.files.regular import check_regular
from pamtri_edge.runtime.openvino_library import compile_for_cpu, load_openvino

_USUAL_SIZE: Final = 640  # of a picture, where a network takes any and its metadata names none
_LAYERS: Final = ("Convolution", "GroupConvolution", "MatMul")
_EXPECTED: Final = "a network in ONNX form (.onnx), or 'motion'"
_READ_OTHERWISE: Final = (".xml", ".tflite", ".pdmodel", ".pb")  # by other readers of OpenVINO
_OF_OTHER_PROGRAMS: Final = {
    ".pt": PYTORCH,
    ".pth": PYTORCH,
    ".engine": "a TensorRT engine, bound to one GPU",
    ".plan": "a TensorRT engine, bound to one GPU",
}


@dataclass(frozen=True)
class Port:
    """An input or output.

    Attributes:
        name: as the file has it.
        shape: -1 where it is not fixed.
        dtype: OpenVINO's word for it: f32, f16, u8, i64...
    """

    name: str
    shape: tuple[int, ...]
    dtype: str

    def __str__(self) -> str:
        """Return it for a message, as "images (1, 3, 640, 640) f32"."""
        sides = ", ".join("any" if side < 0 else str(side) for side in self.shape)
        return f"{self.name} ({sides}) {self.dtype}"


class Graph:
    """A network that was read but not compiled yet.

    Attributes:
        path: its file.
        model: OpenVINO's model.
        metadata: what the file says about itself, by key.
    """

    def __init__(self, path: Path, model: Any) -> None:
        self.path = path
        self.model = model
        self.metadata = _metadata(model)

    @property
    def inputs(self) -> list[Port]:
        """The inputs, in the file's order."""
        return [_port(port) for port in self.model.inputs]

    @property
    def outputs(self) -> list[Port]:
        """The outputs, in the file's order."""
        return [_port(port) for port in self.model.outputs]

    def tail(self, output: int = 0) -> list[Any]:
        """Return the operations between the last layers with weights and an output, the nearest first."""
        return list(_backwards(self.model.outputs[output].get_node()))

    def stem(self, number: int) -> list[Any]:
        """Return the operations between an input and the first layers with weights, the nearest first."""
        found: list[Any] = []
        ahead = [self.model.inputs[number].get_node()]
        while ahead:
            for output in ahead.pop(0).outputs():
                for target in output.get_target_inputs():
                    node = target.get_node()
                    if node.get_type_name() not in (*_LAYERS, "ShapeOf") and node not in found:
                        found.append(node)
                        ahead.append(node)
        return found

    def fix(self, picture: int) -> None:
        """Give the inputs fixed shapes, as far as the network lets itself: one picture, of a known size.

        Args:
            picture: the number of the input that takes pictures.
        """
        shapes = {port.name: list(port.shape) for port in self.inputs}
        if not any(side < 0 for shape in shapes.values() for side in shape):
            return
        sides = iter(self._picture_size())
        wanted = shapes[self.inputs[picture].name]
        first = 1 if len(wanted) == 4 else 0
        channels = wanted.index(3, first) if 3 in wanted[first:] else first
        for axis in range(first, len(wanted)):
            if axis != channels:
                side = next(sides)
                wanted[axis] = side if wanted[axis] < 0 else wanted[axis]
            elif wanted[axis] < 0:
                wanted[axis] = 3
        for shape in shapes.values():
            shape[0] = 1 if shape[0] < 0 else shape[0]
        try:
            self.model.reshape(
                {
                    number: [side if side >= 0 else 2 for side in shapes[port.name]]
                    for number, port in enumerate(self.inputs)
                }
            )
        except RuntimeError as error:
            raise InputError(f"{self.path} does not take {wanted} ({last_line(error)}).") from error

    def _picture_size(self) -> tuple[int, int]:
        """Return the height and width that the metadata names (Ultralytics' `imgsz`), or the usual one."""
        try:
            size = ast.literal_eval(self.metadata.get("imgsz", ""))
            high, wide = size if isinstance(size, Sequence) else (size, size)
            if 32 <= int(high) <= 8192 and 32 <= int(wide) <= 8192:
                return int(high), int(wide)
        except (ValueError, SyntaxError, TypeError):
            pass
        return _USUAL_SIZE, _USUAL_SIZE


def read_graph(path: Path) -> Graph:
    """Read a network.

    Raises:
        InputError: the file is missing, no file, or no network that OpenVINO reads.
        MissingDependencyError: OpenVINO is not installed.
    """
    _check_file(path)
    core = load_openvino().Core()
    if path.suffix.lower() not in _READ_OTHERWISE and not _reads_as_onnx(path):
        raise InputError(f"{path} cannot be loaded as a detector (it is no ONNX file); expected {_EXPECTED}.")
    try:
        return Graph(path, core.read_model(str(path)))
    except (RuntimeError, ValueError) as error:
        text = str(error)
        if "EfficientNMS" in text:
            raise InputError(
                f"{path} ends in EfficientNMS_TRT, which TensorRT alone runs; export it without it (YOLOv7: "
                "without --end2end, or with --max-wh for ONNX Runtime)."
            ) from error
        hint = " Are its weights in a second file that was left behind?" if "external" in text.lower() else ""
        raise InputError(f"{path} cannot be loaded as a detector ({last_line(error)}).{hint}") from error


def compile_graph(graph: Graph, threads: int | None) -> Any:
    """Return OpenVINO's compiled model, for the CPU.

    Raises:
        InputError: OpenVINO cannot run the network.
    """
    properties: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
    if threads:
        properties["INFERENCE_NUM_THREADS"] = threads
    try:
        return compile_for_cpu(load_openvino().Core(), graph.model, properties)
    except RuntimeError as error:
        raise InputError(f"{graph.path} cannot be loaded as a detector ({last_line(error)}).") from error


def has(operations: Sequence[Any], *kinds: str) -> bool:
    """Tell whether one of the operations is of one of these types."""
    return any(node.get_type_name() in kinds for node in operations)


def is_layer(node: Any) -> bool:
    """Tell whether an operation is a layer with weights."""
    if node.get_type_name() not in _LAYERS:
        return False
    # A product with a (4, 4) constant is no layer: it turns centers and sizes into corners.
    return node.get_type_name() != "MatMul" or sides(node.input_value(1))[-2:] != (4, 4)


def sides(value: Any) -> tuple[int, ...]:
    """Return the shape of a value in the graph: -1 where it is not fixed, empty where its rank is not."""
    shape = value.get_partial_shape()
    if shape.rank.is_dynamic:
        return ()
    return tuple(side.get_length() if side.is_static else -1 for side in shape)


def last_line(error: BaseException) -> str:
    """Return the line of OpenVINO's many in which it says what is wrong."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__


def _reads_as_onnx(path: Path) -> bool:
    """Tell whether OpenVINO's reader of ONNX takes a file: its other readers print what displeases them."""
    readers = load_openvino().frontend.FrontEndManager()
    return bool(readers.load_by_framework("onnx").supported(str(path)))


def _check_file(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"there is no detector {path} ({reason}); expected {_EXPECTED}.") from error
    check_regular(path, mode, error=InputError, expected=_EXPECTED)
    try:
        kind, remedy = network_kind(path) or (_OF_OTHER_PROGRAMS.get(path.suffix.lower(), ONNX), "")
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror or error}).") from error
    if kind not in (ONNX, OPENVINO, TFLITE):
        remedy = remedy or "Export it: yolo export model=NAME.pt format=onnx, for one."
        raise InputError(f"{path} is {kind}; expected {_EXPECTED}. {remedy}")


def _backwards(start: Any) -> Iterator[Any]:
    ahead, seen = [start], set()
    while ahead:
        node = ahead.pop(0)
        if node.get_friendly_name() in seen or is_layer(node):
            continue
        seen.add(node.get_friendly_name())
        if node.get_type_name() in ("Constant", "Parameter", "ShapeOf"):
            continue
        yield node
        ahead.extend(value.get_node() for value in node.input_values())


def _port(port: Any) -> Port:
    names = sorted(port.get_names())
    name = names[0] if names else port.get_node().get_friendly_name()
    return Port(name, sides(port), port.get_element_type().get_type_name())


def _metadata(model: Any) -> dict[str, str]:
    found = dict(model.get_rt_info().items()).get("framework", {})
    return {key: str(value.value) for key, value in found.items()} if isinstance(found, dict) else {}
