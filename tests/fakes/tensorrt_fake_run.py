# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The fake TensorRT's runtime: engines and contexts that run a plan's ONNX on the simulated GPU's streams."""

from __future__ import annotations

import hashlib
import tempfile
import weakref
from functools import lru_cache
from pathlib import Path

import numpy as np

from cupy_fake_device import gpu
from simulated_gpu import OutOfMemoryError
from tensorrt_fake_build import Tensor, float32_size, read_plan

PROGRAMS = {}
"""What computes the engines that name a number here, in place of their ONNX."""

SCRATCH = 4096
"""Bytes that a context needs for each item of its profile's largest batch."""

RTX_KNOWS = {(7, 5), (8, 0), (8, 6), (8, 9), (12, 0), (12, 1)}
"""Compute capabilities that TensorRT-RTX 1.7.1 has kernels for."""


class Runtime:
    def __init__(self, logger):
        assert self.trt.record.driver, "the real runtime crashes the process where there is no driver"
        self._logger = logger

    def deserialize_cuda_engine(self, serialized_engine):
        self.trt.record.loads += 1
        error = self.trt.ILogger.Severity.ERROR
        read = read_plan(serialized_engine)
        if read is None:
            self._logger.log(error, "IRuntime::deserializeCudaEngine: Error Code 1: Serialization failed")
            return None
        header, model = read
        if (header["flavour"], header["version"]) != (self.trt.flavour, self.trt.__version__):
            self._logger.log(
                error,
                "The engine plan file is not compatible with this version of TensorRT, expecting library "
                f"version {self.trt.__version__} got {header['version']}, please rebuild.",
            )
            return None
        if self.trt.flavour == "tensorrt_rtx" and gpu().compute not in RTX_KNOWS:
            major, minor = gpu().compute
            self._logger.log(error, f"Error Code 1: Internal Error (Unsupported SM: 0x{major}{minor})")
            return None
        if tuple(header["compute"]) != gpu().compute:
            self._logger.log(error, "The engine plan file is generated on an incompatible device")
            return None
        try:
            return Engine(self.trt, header, model)
        except OutOfMemoryError:
            self._logger.log(error, "IRuntime::deserializeCudaEngine: Error Code 2: OutOfMemory")
            return None


class Engine:
    def __init__(self, trt, header, model):
        import onnx

        self._trt = trt
        self._header = header
        self._graph = PROGRAMS[header["program"]] if "program" in header else _graph(model)
        graph = onnx.load_from_string(model).graph
        weights = {tensor.name for tensor in graph.initializer}
        inputs = [Tensor(trt, value) for value in graph.input if value.name not in weights]
        self._inputs = {tensor.name: tensor for tensor in inputs}
        self._outputs = {value.name: Tensor(trt, value) for value in graph.output}
        self._names = [*self._inputs, *self._outputs]
        self._gpu = gpu()
        address = self._gpu.allocate(max(len(model), 1))
        weakref.finalize(self, self._gpu.free, address).atexit = False

    name = property(lambda self: self._header["name"])
    num_io_tensors = property(lambda self: len(self._names))
    num_optimization_profiles = property(lambda self: len(self._header["profiles"]))
    device_memory_size_v2 = property(
        lambda self: max(
            map(self.get_device_memory_size_for_profile_v2, range(self.num_optimization_profiles))
        )
    )

    def get_device_memory_size_for_profile_v2(self, profile_index):
        shapes = self._header["profiles"][profile_index]
        return SCRATCH * max(largest[0] for _, _, largest in shapes.values())

    def get_tensor_name(self, index):
        return self._names[index]

    def get_tensor_mode(self, name):
        return self._trt.TensorIOMode.INPUT if name in self._inputs else self._trt.TensorIOMode.OUTPUT

    def get_tensor_shape(self, name):
        return (self._inputs | self._outputs)[name].shape

    def get_tensor_dtype(self, name):
        return self._trt.DataType.FLOAT

    def get_tensor_profile_shape(self, name, profile_index):
        return [tuple(shape) for shape in self._header["profiles"][profile_index][name]]

    def create_runtime_config(self):
        return RuntimeConfig()

    def create_execution_context(self, strategy=0):
        if isinstance(strategy, RuntimeConfig):
            strategy = strategy.strategy
        try:
            return Context(self._trt, self, strategy)
        except OutOfMemoryError:
            return None


class RuntimeConfig:
    def __init__(self):
        self.strategy = 0
        self.dynamic_shapes_kernel_specialization_strategy = 0

    def set_execution_context_allocation_strategy(self, strategy):
        self.strategy = strategy


class Context:
    """One execution context.

    After a change of profile or shape the next run updates the context's state, which cannot be captured.
    """

    def __init__(self, trt, engine, strategy):
        self._trt = trt
        self.engine = engine
        self._user_managed = strategy == trt.ExecutionContextAllocationStrategy.USER_MANAGED
        self._scratch = None
        self._profile = 0
        self._shapes = {}
        self._addresses = {}
        self._settled = False
        # What every context has for itself, and its scratch memory where the user gives none.
        size = 1024 + (0 if self._user_managed else engine.device_memory_size_v2)
        address = engine._gpu.allocate(size)
        weakref.finalize(self, engine._gpu.free, address).atexit = False
        if not self._user_managed:
            self._scratch = address + 1024, engine.device_memory_size_v2
        trt.record.contexts.append(weakref.ref(self))

    active_optimization_profile = property(lambda self: self._profile)

    def set_device_memory(self, memory, size):
        if memory % 256 or size < self.engine.get_device_memory_size_for_profile_v2(self._profile):
            raise RuntimeError(f"{size} bytes at {memory:#x} are not what the context needs")
        self._scratch = memory, size

    def set_optimization_profile_async(self, profile_index, stream_handle):
        if not 0 <= profile_index < self.engine.num_optimization_profiles:
            # The binding turns what C++ returns into this; only success is ever returned.
            raise RuntimeError("Error in set optimization profile async.")
        place = self.engine._gpu.queue(stream_handle)
        place.put("profile", lambda: None)
        self._profile, self._settled = profile_index, False
        self._shapes.clear()
        return True

    def set_input_shape(self, name, shape):
        smallest, _, largest = self.engine.get_tensor_profile_shape(name, self._profile)
        if not all(low <= size <= high for low, size, high in zip(smallest, shape, largest, strict=True)):
            return False
        if self._shapes.get(name) != tuple(shape):
            self._shapes[name], self._settled = tuple(shape), False
        return True

    def set_tensor_address(self, name, memory):
        if name not in self.engine._names:
            return False
        self._addresses[name] = memory
        return True

    def get_tensor_shape(self, name):
        if name in self._shapes:
            return self._shapes[name]
        (count,) = {shape[0] for shape in self._shapes.values()}
        return (count, *self.engine.get_tensor_shape(name)[1:])

    def execute_async_v3(self, stream_handle):
        engine, device = self.engine, self.engine._gpu
        queue = device.queue(stream_handle)
        lacking = set(engine._inputs) - set(self._shapes) or set(engine._names) - set(self._addresses)
        if lacking or self._scratch is None:
            return False
        if queue.captured is not None and (not self._settled or self._trt.record.refuse_capture):
            queue.spoiled = "the context updated its state"
            return False
        self._settled = True
        places = {
            name: (self._addresses[name], self.get_tensor_shape(name)) for name in engine._names
        }  # as they are now: a captured run keeps them
        scratch, record = self._scratch, self._trt.record

        def run():
            device.view(*scratch).fill(0xFF)
            arrays = {
                name: device.view(address, float32_size(shape)).view(np.float32).reshape(shape)
                for name, (address, shape) in places.items()
            }
            results = engine._graph({name: arrays[name] for name in engine._inputs})
            for name in engine._outputs:
                arrays[name][...] = results[name]
                if len(arrays[name]) == record.wrong_at:
                    arrays[name][-1] = 0

        queue.put(f"run {engine.name}", run)
        return True


@lru_cache(maxsize=32)
def _graph(model):
    """Return a function that computes an ONNX file."""
    import torch

    from pamtri_edge.runtime.torch.graph import read_graph

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{hashlib.sha256(model).hexdigest()}.onnx"
        path.write_bytes(model)
        graph = read_graph(path, device=torch.device("cpu"))

    def compute(inputs):
        with torch.inference_mode():
            results = graph.run({name: torch.from_numpy(array.copy()) for name, array in inputs.items()})
        return {name: tensor.numpy() for name, tensor in results.items()}

    return compute
