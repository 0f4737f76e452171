# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The parts of CuPy that we use, on a simulated GPU: its names, its streams, its pool, its refusals.

`install(monkeypatch)` makes `import cupy` and `import cupyx` give this module, with a fresh GPU:

    gpu = cupy_fake.install(monkeypatch)
    cupy_fake.kernels["decode"] = lambda grid, block, *args: ...   # what RawModule's functions do

A kernel gets its arrays as NumPy arrays on the memory of the device and its scalars as they are; it runs when
its stream does. `gpu.used`, `gpu.pinned`, `gpu.fail_allocations` and `gpu.log` are for tests to look at.
"""

from __future__ import annotations

import sys
from types import ModuleType

import numpy as np

from cupy_fake_array import computed, launch_on_stream, ndarray
from cupy_fake_device import (
    Device,
    Event,
    ExternalStream,
    Graph,
    Stream,
    attributes_of,
    device_id,
    get_current_stream,
    get_elapsed_time,
    gpu,
    reset,
    state,
)
from cupy_fake_memory import (
    MemoryPointer,
    MemoryPool,
    OutOfMemoryError,
    PinnedMemoryPool,
    UnownedMemory,
    alloc,
    alloc_pinned_memory,
    empty_pinned,
    get_default_memory_pool,  # noqa: F401 - a name of CuPy
    get_default_pinned_memory_pool,  # noqa: F401 - likewise
    using_allocator,
)
from simulated_gpu import CudaError, Gpu

__version__ = "14.2.0"
kernels = {}
"""Functions that stand for compiled kernels, by name: called as f(grid, block, *args)."""
sources = []
"""The RawModules that were made, in order, with their `code` and `options`."""


def install(monkeypatch, *gpus):
    """Make CuPy be this module, with fresh GPUs (one, if none are given); return the first."""
    reset(list(gpus) or [Gpu()], MemoryPool(), PinnedMemoryPool())
    kernels.clear()
    sources.clear()
    cupyx = ModuleType("cupyx")
    cupyx.empty_pinned = empty_pinned
    modules = {"cupy": sys.modules[__name__], "cupy.cuda": cuda, "cupyx": cupyx}
    modules.update({f"cupy.cuda.{name}": getattr(cuda, name) for name in ("memory", "runtime", "stream")})
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    return state.gpus[0]


def empty(shape, dtype=float, order="C"):
    return ndarray(shape, dtype)


def zeros(shape, dtype=float, order="C"):
    array = ndarray(shape, dtype)
    array.data.memset_async(0, array.nbytes)
    return array


def asarray(a, dtype=None, order=None, *, blocking=False):
    if not isinstance(a, ndarray) and hasattr(a, "__cuda_array_interface__"):
        interface = a.__cuda_array_interface__
        if interface.get("stream"):  # as CuPy does, the current stream waits for the producer's
            event = Event()
            event.record(ExternalStream(interface["stream"]))
            get_current_stream().wait_event(event)
        kind = np.dtype(interface["typestr"])
        size = int(np.prod(interface["shape"])) * kind.itemsize
        memory = UnownedMemory(interface["data"][0], size, a, 0)
        a = ndarray(interface["shape"], kind, MemoryPointer(memory, 0), interface.get("strides"))
    if isinstance(a, ndarray):
        return a if dtype is None else a.astype(dtype, copy=False)
    host = np.ascontiguousarray(a, dtype)
    array = ndarray(host.shape, host.dtype)
    array.set(host)
    return array


def from_dlpack(array, *, device=None, copy=None):
    """Take what a `__dlpack__` gives for the current stream; the producer orders its work before that."""
    kind, index = array.__dlpack_device__()
    if int(kind) not in (2, 13):
        raise BufferError(f"Unsupported array type of device {kind}")
    if isinstance(array, ndarray):
        return array
    given = array.__dlpack__(stream=get_current_stream().ptr or 1)
    assert given.data.device_id == index
    return given


def clip(a, a_min, a_max, out=None):
    return _into(out, "clip", lambda array: np.clip(array, a_min, a_max), a)


def subtract(x1, x2, out=None):
    return _into(out, "subtract", np.subtract, x1, x2)


def mean(a, axis=None, dtype=None, out=None, keepdims=False):
    workspace = empty(64, np.uint8)  # as CUB's segmented sums take one
    workspace.data.memset_async(0xFF, 64)
    return _into(out, "mean", lambda array: np.mean(array, axis=axis, keepdims=keepdims), a)


def _into(out, name, function, *arguments):
    if out is None:
        return computed(name, function, *arguments)
    launch_on_stream(name, lambda to, *given: np.copyto(to, function(*given)), out, *arguments)
    return out


def is_available():
    return bool(state.gpus)


class RawModule:
    def __init__(self, *, code=None, path=None, options=(), backend="nvrtc", name_expressions=None, **others):
        self.code, self.options, self.name_expressions = code, options, name_expressions
        sources.append(self)

    def compile(self, log_stream=None):
        pass

    def get_function(self, name):
        if name not in kernels:
            raise CudaError(f"CUDA_ERROR_NOT_FOUND: named symbol not found ({name})")
        return RawKernel(name)


class RawKernel:
    def __init__(self, name):
        self.name = name

    def __call__(self, grid, block, args, *, shared_mem=0, stream=None):
        function = kernels[self.name]
        launch_on_stream(self.name, lambda *given: function(grid, block, *given), *args)


def _properties(device):
    here = state.gpus[device]
    return {
        "name": here.name.encode(),
        "major": here.compute[0],
        "minor": here.compute[1],
        "integrated": int(here.integrated),
        "totalGlobalMem": here.total,
    }


cuda = ModuleType("cupy.cuda")
cuda.memory, cuda.runtime, cuda.stream = (
    ModuleType(f"cupy.cuda.{n}") for n in ("memory", "runtime", "stream")
)
for _thing in (Device, Stream, ExternalStream, Event, Graph, MemoryPool, UnownedMemory, MemoryPointer):
    setattr(cuda, _thing.__name__, _thing)
for _thing in (
    get_current_stream,
    get_elapsed_time,
    alloc,
    alloc_pinned_memory,
    is_available,
    using_allocator,
):
    setattr(cuda, _thing.__name__, _thing)
cuda.memory.OutOfMemoryError = OutOfMemoryError
cuda.stream.get_current_stream = get_current_stream
cuda.runtime.CUDARuntimeError = CudaError
cuda.runtime.getDevice = device_id
cuda.runtime.getDeviceCount = lambda: len(state.gpus)
cuda.runtime.getDeviceProperties = _properties
cuda.runtime.runtimeGetVersion = lambda: 13000
cuda.runtime.driverGetVersion = lambda: 13000
cuda.runtime.pointerGetAttributes = attributes_of
cuda.runtime.deviceSynchronize = lambda: gpu().synchronize()
cuda.runtime.memGetInfo = lambda: Device().mem_info
