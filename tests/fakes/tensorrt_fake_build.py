# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The fake TensorRT's builder: from an ONNX file to a plan, which is that file with a header."""

from __future__ import annotations

import json
import struct
import warnings
from types import SimpleNamespace

import numpy as np
import onnx

from cupy_fake_device import gpu

MAGIC = b"fake-plan"


class HostMemory(bytes):
    """What the builder returns: bytes with a size."""

    @property
    def nbytes(self):
        return len(self)


class Tensor:
    def __init__(self, trt, value):
        self.name = value.name
        sizes = [
            dim.dim_value if dim.HasField("dim_value") else -1 for dim in value.type.tensor_type.shape.dim
        ]
        self.shape = tuple(sizes)
        self.dtype = trt.DataType.FLOAT


class Layer:
    def __init__(self, trt, node, halves):
        kinds = {"Conv": trt.LayerType.CONVOLUTION, "DequantizeLinear": trt.LayerType.DEQUANTIZE}
        self.type = kinds.get(node.op_type, trt.LayerType.IDENTITY)
        half = any(name in halves for name in node.input)
        self._dtype = trt.DataType.HALF if half else trt.DataType.FLOAT

    def get_input(self, index):
        return SimpleNamespace(dtype=self._dtype)


class Network:
    def __init__(self, trt, flags, *, typed):
        self._trt = trt
        self.flags = flags
        self.typed = typed
        self.model = None
        self.name = ""

    @property
    def num_layers(self):
        return len(self.model.graph.node)

    @property
    def num_inputs(self):
        return len(self._inputs())

    def get_layer(self, index):
        weights = self.model.graph.initializer
        halves = {tensor.name for tensor in weights if tensor.data_type == onnx.TensorProto.FLOAT16}
        return Layer(self._trt, self.model.graph.node[index], halves)

    def get_input(self, index):
        return Tensor(self._trt, self._inputs()[index])

    def _inputs(self):
        weights = {tensor.name for tensor in self.model.graph.initializer}
        return [value for value in self.model.graph.input if value.name not in weights]


class OnnxParser:
    def __init__(self, network, logger):
        self._network = network
        self._errors = []

    @property
    def num_errors(self):
        return len(self._errors)

    def get_error(self, index):
        return self._errors[index]

    def parse_from_file(self, path):
        try:
            model = onnx.load(path)
        except Exception as error:  # the real one reports whatever is wrong and returns False
            self._errors.append(f"In node -1 with name: and operator: (parseFromFile): {error}")
            return False
        refusal = self.trt.record.refuse_parse
        if refusal is not None:
            self._errors.append(refusal)
            return False
        self._network.model = model
        self._network.name = model.graph.name
        return True


class Profile:
    def __init__(self):
        self.shapes = {}

    def set_shape(self, input, min, opt, max):  # noqa: A002 - TensorRT's names
        self.shapes[input] = [list(min), list(opt), list(max)]


class Config:
    def __init__(self, trt):
        self._trt = trt
        self.profiles = []
        self.cleared = set()
        self.pools = {}
        self.progress_monitor = None
        self.timing_cache = None

    def add_optimization_profile(self, profile):
        self.profiles.append(profile)
        return len(self.profiles) - 1

    def clear_flag(self, flag):
        self.cleared.add(flag)

    def set_memory_pool_limit(self, pool, size):
        self.pools[pool] = size

    def create_timing_cache(self, serialized_timing_cache):
        if self._trt.flavour == "tensorrt_rtx":
            warnings.warn(
                "Deprecated in TensorRT-RTX 1.2. Timing cache operations are no-ops in TensorRT-RTX.",
                DeprecationWarning,
                stacklevel=2,
            )
        return TimingCache(serialized_timing_cache)

    def set_timing_cache(self, cache, ignore_mismatch):
        if cache.content and not cache.content.startswith(_stamp(self._trt)):
            return False
        self.timing_cache = cache
        return True


class TimingCache:
    def __init__(self, content):
        self.content = bytes(content)

    def serialize(self):
        return HostMemory(self.content)


class Builder:
    def __init__(self, logger):
        assert hasattr(logger, "log"), "a logger that was not constructed"
        self._logger = logger

    def create_network(self, flags=0):
        named = self.trt.NetworkDefinitionCreationFlag
        typed = self.trt.always_typed or bool(flags >> int(named.STRONGLY_TYPED) & 1)
        network = Network(self.trt, flags, typed=typed)
        self.trt.record.networks.append(network)
        return network

    def create_optimization_profile(self):
        return Profile()

    def create_builder_config(self):
        config = Config(self.trt)
        self.trt.record.configurations.append(config)
        return config

    def build_serialized_network(self, network, config):
        record = self.trt.record
        record.builds += 1
        monitor = config.progress_monitor
        if monitor is not None:
            assert monitor._constructed, "IProgressMonitor.__init__ was not called"
        record.during_build()
        if not self._go_on(monitor):
            self._logger.log(self.trt.ILogger.Severity.ERROR, "the build was cancelled")
            return None
        if record.refuse_build is not None:
            self._logger.log(self.trt.ILogger.Severity.ERROR, record.refuse_build)
            return None
        cache = config.timing_cache
        if cache is None or not cache.content:
            record.timed += 1
        if cache is not None:
            cache.content = _stamp(self.trt) + b":tactics"
        model = network.model.SerializeToString()
        header = {
            **_place(self.trt),
            "name": network.name,
            "typed": network.typed,
            "profiles": [profile.shapes for profile in config.profiles],
            "size": len(model),
        }
        text = json.dumps(header).encode()
        return HostMemory(MAGIC + struct.pack("<I", len(text)) + text + model)

    def _go_on(self, monitor):
        if monitor is None:
            return True
        monitor.phase_start("Building engine", None, 2)
        monitor.phase_start("Computing profile costs", "Building engine", 4)
        for step in range(4):
            if not monitor.step_complete("Computing profile costs", step):
                return False
        monitor.phase_finish("Computing profile costs")
        for step in range(2):
            if not monitor.step_complete("Building engine", step):
                return False
        monitor.phase_finish("Building engine")
        return True


def read_plan(plan):
    """Return a plan's header and ONNX bytes, or None for what is no whole plan."""
    plan = bytes(plan)
    if not plan.startswith(MAGIC):
        return None
    start = len(MAGIC) + 4
    (length,) = struct.unpack("<I", plan[len(MAGIC) : start])
    try:
        header = json.loads(plan[start : start + length])
    except ValueError:
        return None
    model = plan[start + length :]
    return (header, model) if len(model) == header["size"] else None


def _place(trt):
    return {"version": trt.__version__, "flavour": trt.flavour, "compute": list(gpu().compute)}


def _stamp(trt):
    return json.dumps(_place(trt)).encode()


def float32_size(shape):
    """Return the bytes of a float32 tensor."""
    return int(np.prod(shape)) * 4
