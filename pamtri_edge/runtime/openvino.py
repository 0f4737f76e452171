# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""OpenVINO on the CPU: one compiled network for a single item, run on several at a time.

A batch is not given to the network as a batch. The network is compiled once, for one item, with as many
streams as threads, and the items of a batch run side by side, one a stream. Against a network with a batch
axis this is faster (no barrier between threads after each operator, which costs most where other programs
use the processor too), needs less memory (activations of `streams` items instead of a whole batch, one set
of kernels instead of one a batch size), and makes an item's result independent of its batch, to the bit.
What it costs: a batch of one uses one thread.

A second network, compiled with all threads for a batch of one, was tried: on two threads it gave the same
bits, and was 1.1 (int8) to 1.4 times (float32) as fast for 1.4 to 1.9 times the processor time, since threads
wait for one another after each operator (`benchmarks/RESULTS.md`). It would be compiled and held beside this
one, and take the processors from decoding and tracking; so there is none.
"""

from __future__ import annotations

import ctypes
import logging
import os
import threading
import weakref
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from pamtri_edge.errors import BundleError, EngineError, is_scarcity
from pamtri_edge.manifest import TensorSpec
from pamtri_edge.processors import available_processors
from pamtri_edge.runtime.backend import Floats, check_inputs, closed, empty_output
from pamtri_edge.runtime.compiled_cache import (
    CompiledKey,
    compiled_key,
    forget_compiled,
    keep_compiled,
    read_compiled,
)
from pamtri_edge.runtime.forking import FORKS, computing
from pamtri_edge.runtime.network_file import Content, broken, check_specs, last_line, network_bytes
from pamtri_edge.runtime.openvino_library import compile_for_cpu, load_openvino

openvino = load_openvino()

MAX_STREAMS: Final = 8
"""Streams cost memory (about 45 MB each for the paper's networks); beyond this, streams get more threads."""

_COMPUTING: Final = (RuntimeError, ValueError, TypeError, IndexError, MemoryError)
"""What computing a network of unknown origin may raise."""

_ARITHMETIC: Final = {"i8": "int8", "u8": "int8", "f16": "fp16", "bf16": "bf16", "f32": "fp32"}

_log = logging.getLogger(__name__)


class OpenVinoBackend:
    """Runs a bundle's network with OpenVINO on the CPU.

    Arithmetic follows the file: `INFERENCE_PRECISION_HINT` is f32, so that OpenVINO does not fall back to
    bfloat16 by itself; a float16 file is computed in float32, quantized layers in int8.

    A forked process, whose engine has lost its threads, makes an engine of its own when it first runs: the
    same file, so the same numbers.

    Args:
        model: the ONNX file.
        threads: how many threads to use; None for all that this process may use.
        content: gives the file's bytes; None reads `model`.
        keep: take the compiled network from the user's cache, or put it there; see `compiled_cache`.

    Attributes:
        name: "openvino".
        device: "cpu".
        arithmetic: what the convolutions are computed in, as the compiled network reports it.

    Raises:
        BundleError: OpenVINO cannot read or compile the file.
    """

    name: Final = "openvino"
    device: Final = "cpu"

    def __init__(
        self, model: Path, *, threads: int | None = None, content: Content | None = None, keep: bool = False
    ) -> None:
        self._model = model
        self._threads = threads or available_processors()
        self._content = content
        self._keep = keep
        self._lock = threading.Lock()
        self._closed = False
        with computing():
            engine = self._made()
        self._engine: _Engine | None = engine
        self.arithmetic = engine.arithmetic
        _living.add(self)
        _log.debug("%s: %d streams on %d threads, %s", model, engine.streams, self._threads, self.arithmetic)

    def run(self, inputs: Mapping[str, Floats]) -> dict[str, Floats]:
        """Return the outputs by name for the inputs by name; see `Backend.run`."""
        with computing():
            return self._ready().run(inputs)

    def close(self) -> None:
        """Give the network's memory back; may be called twice."""
        with self._lock:
            self._closed = True
            engine, self._engine = self._engine, None
        if engine is not None:
            engine.close()

    def compile_again(self) -> bool:
        """Make the engine anew if it came out of the cache, whose file is removed; say whether it did."""
        with computing(), self._lock:
            engine = self._engine
            if engine is None or engine.kept is None:
                return False
            forget_compiled(engine.kept)
            engine.close()
            self._keep = False
            self._engine = self._made()
            self.arithmetic = self._engine.arithmetic
            return True

    def _made(self) -> _Engine:
        content = network_bytes(self._model, self._content)
        return _Engine.of(self._model, content, self._threads, keep=self._keep)

    def _ready(self) -> _Engine:
        with self._lock:
            if self._closed:
                raise closed()
            if self._engine is None:  # this process was forked
                self._engine = self._made()
            return self._engine

    def _leave_behind(self) -> None:
        """Forget the parent's engine, in a forked process.

        Its threads do not exist here: running on it would wait for them for ever, and destroying it, at the
        end of the process too, would abort. So it is neither run nor destroyed.
        """
        self._lock = threading.Lock()  # another thread of the parent may have held it
        if self._engine is not None:
            _keep_for_ever(self._engine)
            self._engine = None


_living: Final[weakref.WeakSet[OpenVinoBackend]] = weakref.WeakSet()


def _after_fork() -> None:
    for backend in list(_living):
        backend._leave_behind()


def _keep_for_ever(engine: _Engine) -> None:
    forget = ctypes.pythonapi.Py_IncRef
    forget.argtypes, forget.restype = [ctypes.py_object], None
    forget(engine)


if FORKS:
    os.register_at_fork(after_in_child=_after_fork)


class _Engine:
    """A compiled network and its idle requests."""

    def __init__(self, model: Path, compiled: Any, *, kept: CompiledKey | None = None) -> None:
        self._model = model
        # A compiled network is one for a single item; what it was made of had an open batch axis.
        self._inputs = tuple(_spec(port) for port in compiled.inputs)
        self._outputs = tuple(_spec(port) for port in compiled.outputs)
        self.arithmetic = _arithmetic(compiled)
        self.streams = int(compiled.get_property("NUM_STREAMS"))
        self.compiled: Any = compiled
        self.kept = kept  # where in the cache it was found
        self.idle: list[Any] = []
        self._lock = threading.Lock()

    @classmethod
    def of(cls, model: Path, content: bytes, processors: int, *, keep: bool = False) -> _Engine:
        """Compile a network, or take it from the cache where that has it."""
        properties: dict[str, Any] = {
            "INFERENCE_PRECISION_HINT": "f32",
            "NUM_STREAMS": min(processors, MAX_STREAMS),
            "INFERENCE_NUM_THREADS": processors,
            "ENABLE_CPU_PINNING": False,  # two programs would pin themselves to the same processors
        }
        key = compiled_key(content, openvino.get_version(), properties) if keep else None
        if key is not None and (found := _imported(key, properties)) is not None:
            return cls(model, found, kept=key)
        compiled = _compiled(model, content, properties)
        if key is not None:
            keep_compiled(key, compiled.export_model)
        _trim_heap()
        return cls(model, compiled)

    def run(self, inputs: Mapping[str, Floats]) -> dict[str, Floats]:
        """Return the outputs by name for the inputs by name; see `Backend.run`."""
        arrays, count = check_inputs(inputs, self._inputs)
        results = {spec.name: empty_output(spec, count) for spec in self._outputs}
        running: deque[tuple[Any, int]] = deque()
        try:
            for item in range(count):
                if len(running) < self.streams:
                    request = self._take()
                else:
                    request = self._finish(*running.popleft(), results)
                single = {name: array[item : item + 1] for name, array in arrays.items()}
                running.append((request, item))
                request.start_async(single, share_inputs=True)
            while running:
                self._give_back(self._finish(*running.popleft(), results))
        except _COMPUTING as error:
            raise broken(self._model, "OpenVINO", error) from error
        finally:
            for request, _ in running:  # only after an exception; their results are of no use
                request.cancel()
        return results

    def close(self) -> None:
        with self._lock:
            self.compiled = None
            self.idle.clear()

    def _finish(self, request: Any, item: int, results: dict[str, Floats]) -> Any:
        request.wait()
        for index, spec in enumerate(self._outputs):
            results[spec.name][item] = request.get_output_tensor(index).data[0]
        return request

    def _take(self) -> Any:
        with self._lock:
            if self.compiled is None:  # another thread closed it meanwhile
                raise closed()
            return self.idle.pop() if self.idle else self.compiled.create_infer_request()

    def _give_back(self, request: Any) -> None:
        with self._lock:
            if self.compiled is not None:
                self.idle.append(request)


def _compiled(model: Path, content: bytes, properties: dict[str, Any]) -> Any:
    """Read a network and compile it for single items."""
    try:
        core = openvino.Core()
        network = core.read_model(content)
        inputs = tuple(_spec(port) for port in network.inputs)
        check_specs(model, "input", inputs)
        network.reshape({spec.name: [1, *spec.shape[1:]] for spec in inputs})
        check_specs(model, "output", tuple(_spec(port) for port in network.outputs))
        return compile_for_cpu(core, network, properties)
    except BundleError:
        raise
    except Exception as error:  # of whatever kind OpenVINO and its binding raise for a file of unknown origin
        if is_scarcity(error):
            raise EngineError(
                f"OpenVINO {openvino.__version__} lacks memory or threads to load {model} "
                f"({last_line(error)}). Allow this process more (the limits of its container, ulimit -v, "
                "ulimit -u), or give it fewer threads."
            ) from error
        raise BundleError(
            f"OpenVINO {openvino.__version__} cannot load {model}: {last_line(error)}. "
            "Export the bundle again, or upgrade OpenVINO: pip install --upgrade openvino"
        ) from error


def _imported(key: CompiledKey, properties: dict[str, Any]) -> Any:
    """Return the compiled network that the cache has under a key; None where it has none that can be used."""
    content = read_compiled(key)
    if content is None:
        return None
    try:
        compiled = openvino.Core().import_model(content, "CPU", properties)
    except Exception as error:
        _log.info("the compiled network in the cache is not used: %s", last_line(error))
        return None
    del content
    _trim_heap()
    return compiled


def _trim_heap() -> None:
    """Give back what reading and compiling left free in the heap: 150 MB for the paper's networks."""
    with suppress(OSError, AttributeError):  # glibc alone has it
        ctypes.CDLL(None).malloc_trim(0)


def _spec(port: Any) -> TensorSpec:
    """Return the form of an input or output: no sizes at all where even their number is open."""
    shape = port.partial_shape
    if shape.rank.is_dynamic or not len(shape):
        return TensorSpec(port.any_name, ())
    sizes = [dimension.get_length() if dimension.is_static else None for dimension in shape]
    return TensorSpec(port.any_name, (None if sizes[0] == 1 else sizes[0], *sizes[1:]))


def _arithmetic(compiled: Any) -> str:
    """Return the narrowest type in which a convolution or matrix product of the compiled network runs."""
    found = set()
    for node in compiled.get_runtime_model().get_ordered_ops():
        info = node.get_rt_info()
        kind = str(info["layerType"].astype(str)) if "layerType" in info else ""
        if kind in ("Convolution", "FullyConnected", "MatMul"):
            found.add(str(info["runtimePrecision"].astype(str)))
    return next((word for precision, word in _ARITHMETIC.items() if precision in found), "fp32")
