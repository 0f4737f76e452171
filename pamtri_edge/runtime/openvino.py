# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""OpenVINO on the CPU: one compiled network for a single item, run on several at a time.

A batch is not given to the network as a batch. The network is compiled once, for one item, with as many
streams as threads, and the items of a batch run side by side, one a stream. Against a network with a batch
axis this is faster (no barrier between threads after each operator, which costs most where other programs
use the processor too), needs less memory (activations of `streams` items instead of a whole batch, one set
of kernels instead of one a batch size), and makes an item's result independent of its batch, to the bit.
What it costs: a batch of one uses one thread.
"""

from __future__ import annotations

import ctypes
import logging
import threading
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from pamtri_edge.errors import BundleError, InputError, MissingDependencyError
from pamtri_edge.manifest import TensorSpec
from pamtri_edge.runtime.backend import Floats, available_processors, check_inputs, empty_output

try:
    import openvino
except ImportError as error:  # pragma: no cover - the base install has it
    raise MissingDependencyError(
        f"OpenVINO cannot be imported ({error}); install it: pip install openvino"
    ) from error

MAX_STREAMS: Final = 8
"""Streams cost memory (about 45 MB each for the paper's networks); beyond this, streams get more threads."""

_ARITHMETIC: Final = {"i8": "int8", "u8": "int8", "f16": "fp16", "bf16": "bf16", "f32": "fp32"}

_log = logging.getLogger(__name__)


class OpenVinoBackend:
    """Runs a bundle's network with OpenVINO on the CPU.

    Arithmetic follows the file: `INFERENCE_PRECISION_HINT` is f32, so that OpenVINO does not fall back to
    bfloat16 by itself; a float16 file is computed in float32, quantised layers in int8.

    Args:
        model: the ONNX file.
        threads: how many threads to use; None for all that this process may use.

    Attributes:
        name: "openvino".
        device: "cpu".
        arithmetic: what the convolutions are computed in, as the compiled network reports it.

    Raises:
        BundleError: OpenVINO cannot read or compile the file.
    """

    name: Final = "openvino"
    device: Final = "cpu"

    def __init__(self, model: Path, *, threads: int | None = None) -> None:
        processors = threads or available_processors()
        properties: dict[str, Any] = {
            "INFERENCE_PRECISION_HINT": "f32",
            "NUM_STREAMS": min(processors, MAX_STREAMS),
            "INFERENCE_NUM_THREADS": processors,
            "ENABLE_CPU_PINNING": False,  # two programs would pin themselves to the same processors
        }
        try:
            core = openvino.Core()
            network = core.read_model(model)
            self._inputs = tuple(_spec(port) for port in network.inputs)
            self._outputs = tuple(_spec(port) for port in network.outputs)
            network.reshape({spec.name: [1, *spec.shape[1:]] for spec in self._inputs})
            compiled = core.compile_model(network, "CPU", properties)
        except RuntimeError as error:
            raise BundleError(
                f"OpenVINO {openvino.__version__} cannot load {model}: {_last_line(error)}. "
                "Export the bundle again, or upgrade OpenVINO: pip install --upgrade openvino"
            ) from error
        del network
        _trim_heap()
        self.arithmetic = _arithmetic(compiled)
        self._streams = int(compiled.get_property("NUM_STREAMS"))
        self._compiled: Any = compiled
        self._idle: list[Any] = []
        self._lock = threading.Lock()
        _log.debug("%s: %d streams on %d threads, %s", model, self._streams, processors, self.arithmetic)

    def run(self, inputs: Mapping[str, Floats]) -> dict[str, Floats]:
        """Return the outputs by name for the inputs by name; see `Backend.run`."""
        self._check_open()
        arrays, count = check_inputs(inputs, self._inputs)
        results = {spec.name: empty_output(spec, count) for spec in self._outputs}
        running: deque[tuple[Any, int]] = deque()
        try:
            for item in range(count):
                if len(running) < self._streams:
                    request = self._take()
                else:
                    request = self._finish(*running.popleft(), results)
                single = {name: array[item : item + 1] for name, array in arrays.items()}
                running.append((request, item))
                request.start_async(single, share_inputs=True)
            while running:
                self._give_back(self._finish(*running.popleft(), results))
        finally:
            for request, _ in running:  # only after an exception; their results are of no use
                request.cancel()
        return results

    def close(self) -> None:
        """Give the network's memory back; may be called twice."""
        with self._lock:
            self._compiled = None
            self._idle.clear()

    def _finish(self, request: Any, item: int, results: dict[str, Floats]) -> Any:
        request.wait()
        for index, spec in enumerate(self._outputs):
            results[spec.name][item] = request.get_output_tensor(index).data[0]
        return request

    def _take(self) -> Any:
        with self._lock:
            self._check_open()  # another thread may have closed it meanwhile
            return self._idle.pop() if self._idle else self._compiled.create_infer_request()

    def _check_open(self) -> None:
        if self._compiled is None:
            raise InputError("the backend was closed; load the bundle again.")

    def _give_back(self, request: Any) -> None:
        with self._lock:
            if self._compiled is not None:
                self._idle.append(request)


def _trim_heap() -> None:
    """Give back what reading and compiling left free in the heap: 150 MB for the paper's networks."""
    with suppress(OSError, AttributeError):  # glibc alone has it
        ctypes.CDLL(None).malloc_trim(0)


def _spec(port: Any) -> TensorSpec:
    sizes = [dimension.get_length() if dimension.is_static else None for dimension in port.partial_shape]
    return TensorSpec(port.any_name, (None, *sizes[1:]))


def _arithmetic(compiled: Any) -> str:
    """Return the narrowest type in which a convolution or matrix product of the compiled network runs."""
    found = set()
    for node in compiled.get_runtime_model().get_ordered_ops():
        info = node.get_rt_info()
        kind = str(info["layerType"].astype(str)) if "layerType" in info else ""
        if kind in ("Convolution", "FullyConnected", "MatMul"):
            found.add(str(info["runtimePrecision"].astype(str)))
    for precision, word in _ARITHMETIC.items():
        if precision in found:
            return word
    return "fp32"


def _last_line(error: Exception) -> str:
    """Return the line of OpenVINO's many that says what is wrong."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1].rstrip(".") if lines else repr(error)
