# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The parts of PyCUDA that we use: page-locked memory mapped into the device, in the primary context.

Page-locked memory can be made and freed only while the context is current, and a context that is left on the
stack, or retained and never let go, is there to be seen: `contexts`, `stack`.
"""

from __future__ import annotations

import ctypes
import sys
from types import ModuleType, SimpleNamespace

import numpy as np

from cupy_fake_device import state

stack = []
"""The contexts that are current, the last one on top."""
contexts = []
"""The primary contexts that were retained and not let go."""


class Allocation:
    """What a page-locked array's `base` is."""

    def __init__(self, gpu, size):
        self._gpu = gpu
        self.memory = gpu.pin(max(size, 1))
        self._address = gpu.map_host(self.memory)

    def get_device_pointer(self):
        return self._address

    def free(self):
        assert stack, "freed without a current context"
        self._gpu.unmap_host(self._address)
        self._gpu.unpin(self.memory.ctypes.data)


class _Array(np.ndarray):
    """An array whose `base` is its allocation, as PyCUDA's."""

    base = None


class Context:
    def __init__(self, gpu):
        self.gpu = gpu
        contexts.append(self)

    def push(self):
        stack.append(self)

    def pop(self):
        assert stack[-1] is self
        stack.pop()

    def detach(self):
        contexts.remove(self)


class Device:
    def __init__(self, number):
        assert _state.ready, "pycuda.driver.init() was not called"
        self._gpu = state.gpus[number]

    def retain_primary_context(self):
        return Context(self._gpu)


_state = SimpleNamespace(ready=False)


def init(flags=0):
    _state.ready = True


def pagelocked_empty(shape, dtype, order="C", mem_flags=0):
    assert stack, "no current context"
    assert mem_flags & host_alloc_flags.DEVICEMAP
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    allocation = Allocation(stack[-1].gpu, size)
    buffer = (ctypes.c_uint8 * size).from_buffer(allocation.memory)
    array = _Array(shape, dtype, buffer=buffer)
    array.base = allocation
    return array


host_alloc_flags = SimpleNamespace(PORTABLE=1, DEVICEMAP=2, WRITECOMBINED=4)


def install(monkeypatch):
    """Make `import pycuda.driver` give this module; importing `pycuda.autoinit` fails the test."""
    _state.ready = False
    stack.clear()
    contexts.clear()
    package = ModuleType("pycuda")
    package.driver = sys.modules[__name__]
    for name, module in {"pycuda": package, "pycuda.driver": package.driver, "pycuda.autoinit": None}.items():
        monkeypatch.setitem(sys.modules, name, module)
