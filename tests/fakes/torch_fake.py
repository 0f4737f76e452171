# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The parts of PyTorch's CUDA tensors that the operations use, on the fake CuPy's simulated GPU.

PyTorch has streams of its own: `torch.cuda.stream(...)` does not change CuPy's current one, nor the reverse.
Memory that PyTorch hands out belongs to the stream that was its current one then.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from types import ModuleType, SimpleNamespace

import numpy as np

import cupy_fake as cupy

_streams = []


class Tensor:
    """A tensor in CUDA memory."""

    def __init__(self, array):
        self.array = array
        self.requires_grad = False

    shape = property(lambda self: self.array.shape)
    dtype = property(lambda self: _Type(f"torch.{self.array.dtype.name}"))
    device = property(lambda self: SimpleNamespace(type="cuda", index=self.array.device.id))

    def data_ptr(self):
        return self.array.data.ptr

    def element_size(self):
        return self.array.itemsize

    def stride(self):
        return tuple(step // self.array.itemsize for step in self.array.strides)

    def __getitem__(self, key):
        return Tensor(self.array[key])

    def __dlpack_device__(self):
        return 2, self.array.device.id

    def __dlpack__(self, *, stream=None, **_):
        """Hand the memory over: the consumer's stream waits for PyTorch's current one."""
        if self.requires_grad:
            raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
        if stream not in (None, -1):
            cupy.cuda.ExternalStream(0 if stream == 1 else stream).wait_event(_streams[-1].record())
        return self.array

    @property
    def __cuda_array_interface__(self):
        if self.requires_grad:
            raise RuntimeError("Can't get __cuda_array_interface__ on Variable that requires grad.")
        return {**self.array.__cuda_array_interface__, "stream": None, "version": 2}


class _Type:
    """A dtype: what counts is how it prints."""

    def __init__(self, name):
        self.name = name

    def __str__(self):
        return self.name


def install(monkeypatch):
    """Make `sys.modules["torch"]` this one; the fake CuPy must be there already. Return the module."""
    _streams.clear()
    _streams.append(cupy.cuda.Stream.null)
    module = ModuleType("torch")
    module.Tensor = Tensor
    module.device = lambda kind, index: SimpleNamespace(type=kind, index=index)
    for name in ("float16", "float32", "uint8"):
        setattr(module, name, np.dtype(name))
    module.empty = _empty
    module.cuda = SimpleNamespace(
        current_stream=lambda device=None: SimpleNamespace(cuda_stream=_streams[-1].ptr),
        default_stream=lambda device=None: cupy.cuda.Stream.null,
        ExternalStream=_external_stream,
        stream=_using,
    )
    monkeypatch.setitem(sys.modules, "torch", module)
    return module


def tensor(host):
    """Return a tensor with the values of an array of NumPy's; it is complete on PyTorch's current stream."""
    with _streams[-1]:
        return Tensor(cupy.asarray(host))


def _empty(shape, *, dtype, device):
    with cupy.cuda.Device(device.index), _streams[-1]:
        return Tensor(cupy.empty(shape, dtype))


def _external_stream(ptr, device=None):
    """Return PyTorch's object for a handle, which it takes for an address.

    No address (0) makes it take a stream of its own pool, and an odd one (cudaStreamLegacy, 1) is read as the
    number of such a stream.
    """
    return cupy.cuda.Stream(non_blocking=True) if ptr in (0, 1) else cupy.cuda.ExternalStream(ptr)


@contextmanager
def _using(stream):
    _streams.append(stream)
    try:
        yield
    finally:
        _streams.pop()
