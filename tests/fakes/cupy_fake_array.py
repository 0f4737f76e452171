# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The fake CuPy's array: memory of the simulated GPU with a shape. What is done to it goes on a stream."""

from __future__ import annotations

import operator
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np

from cupy_fake_device import Device, get_current_stream, gpu, state
from cupy_fake_memory import alloc


class ndarray:  # noqa: N801 - CuPy's name
    """An array of the device."""

    __array_priority__ = 100

    def __init__(self, shape, dtype=float, memptr=None, strides=None, order="C"):
        self.shape = (shape,) if isinstance(shape, int) else tuple(shape)
        self.dtype = np.dtype(dtype)
        self.data = alloc(self.nbytes) if memptr is None else memptr
        self.strides = tuple(strides) if strides is not None else _contiguous(self.shape, self.dtype.itemsize)

    ndim = property(lambda self: len(self.shape))
    size = property(lambda self: int(np.prod(self.shape)))
    itemsize = property(lambda self: self.dtype.itemsize)
    nbytes = property(lambda self: self.size * self.dtype.itemsize)
    device = property(lambda self: Device(self.data.device_id))

    @property
    def flags(self):
        whole = self.strides == _contiguous(self.shape, self.itemsize)
        return SimpleNamespace(c_contiguous=whole or self.size == 0)

    @property
    def __cuda_array_interface__(self):
        return {
            "shape": self.shape,
            "typestr": self.dtype.str,
            "data": (self.data.ptr if self.size else 0, False),
            "strides": None if self.flags.c_contiguous else self.strides,
            "version": 3,
            "stream": get_current_stream().ptr or 1,
        }

    def __dlpack_device__(self):
        return 2, self.data.device_id

    def __dlpack__(self, *, stream=None, **_):
        raise NotImplementedError("the fake hands its arrays over as they are")

    def __array__(self, *_, **__):
        raise TypeError("Implicit conversion to a NumPy array is not allowed. Please use `.get()`")

    def __len__(self):
        return self.shape[0]

    def place(self):
        """Return where the array lies, for work that runs on a stream; the array may be gone by then."""
        return _Place(state.gpus[self.data.device_id], self.data.ptr, self.shape, self.strides, self.dtype)

    # Views.

    def __getitem__(self, key):
        shadow = np.lib.stride_tricks.as_strided(np.empty(1, self.dtype), self.shape, self.strides)
        part = shadow[key]
        if not isinstance(part, np.ndarray):
            raise NotImplementedError("the fake gives no single elements")
        if part.size and not np.may_share_memory(part, shadow):
            raise NotImplementedError("the fake gives views alone")
        offset = part.__array_interface__["data"][0] - shadow.__array_interface__["data"][0]
        return ndarray(part.shape, self.dtype, self.data + (offset if part.size else 0), part.strides)

    def reshape(self, *shape):
        wanted = shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape
        whole = self if self.flags.c_contiguous else self.copy()
        final = np.broadcast_to(np.empty((), bool), self.shape).reshape(wanted).shape
        return ndarray(final, self.dtype, whole.data)

    def transpose(self, *axes):
        order = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes
        order = tuple(order) or tuple(reversed(range(self.ndim)))
        shape, strides = ([seq[a] for a in order] for seq in (self.shape, self.strides))
        return ndarray(shape, self.dtype, self.data, strides)

    # Work.

    def __setitem__(self, key, value):
        target = self[key]
        if isinstance(value, np.ndarray):
            value = _from_host(value.astype(self.dtype, copy=False))
        launch_on_stream("assign", lambda to, what: np.copyto(to, what, casting="unsafe"), target, value)

    def fill(self, value):
        self[...] = value

    def copy(self, order="C"):
        result = ndarray(self.shape, self.dtype)
        result[...] = self
        return result

    def astype(self, dtype, copy=True, **_):
        if not copy and np.dtype(dtype) == self.dtype:
            return self
        result = ndarray(self.shape, dtype)
        result[...] = self
        return result

    def argmax(self, axis=None):
        return computed("argmax", lambda array: np.argmax(array, axis), self)

    def tolist(self):
        return self.get().tolist()

    def __add__(self, other):
        return computed("add", operator.add, self, other)

    # Between host and device.

    def set(self, arr, stream=None):
        if not isinstance(arr, np.ndarray):
            raise TypeError("Only numpy.ndarray can be set to cupy.ndarray")
        if arr.dtype != self.dtype:
            raise TypeError(f"{arr.dtype} array cannot be set to {self.dtype} array")
        if arr.shape != self.shape:
            raise ValueError(f"Shape mismatch. Old shape: {self.shape}, new shape: {arr.shape}")
        if not self.flags.c_contiguous:
            raise RuntimeError("Cannot set to non-contiguous array")
        arr = np.ascontiguousarray(arr)
        queue = (stream or get_current_stream())._queue
        if queue.captured is not None:
            queue.spoiled = "a copy from the host"
            raise RuntimeError("the current stream is capturing, so H2D transfers are disallowed")
        # Page-locked memory is read when the copy runs, other memory before this returns.
        place, source = self.place(), _host_place(arr)
        queue.put("copy to device", lambda: np.copyto(place.array(), source()))

    def get(self, stream=None, order="C", out=None, blocking=True):
        stream = stream or get_current_stream()
        queue = stream._queue
        if queue.captured is not None:
            queue.spoiled = "a copy to the host"
            raise RuntimeError("the current stream is capturing, so D2H transfers are disallowed")
        source = self
        if not self.flags.c_contiguous:
            with stream:
                source = self.copy()
        if out is None:
            out = np.empty(self.shape, self.dtype)
        elif out.dtype != self.dtype:
            raise TypeError(f"{out.dtype} array cannot be obtained from {self.dtype} array")
        elif out.shape != self.shape:
            raise ValueError(f"Shape mismatch. Expected shape: {self.shape}, actual shape: {out.shape}")
        pinned = out.size > 0 and gpu().is_pinned(out.ctypes.data)
        place, target = source.place(), _host_place(out) if pinned else lambda: out
        queue.put("copy to host", lambda: np.copyto(target(), place.array()))
        if blocking or not pinned:
            stream.synchronize()
        return out


def _from_host(host):
    array = ndarray(host.shape, host.dtype)
    array.set(host)
    return array


def _host_place(array):
    """Return a function for the array's memory when a copy runs. Memory that can be paged is read now."""
    here, address = gpu(), array.ctypes.data
    if array.size == 0 or not here.is_pinned(address):
        copied = array.copy()
        return lambda: copied
    size, shape, dtype = array.nbytes, array.shape, array.dtype
    return lambda: here.pinned_view(address, size).view(dtype).reshape(shape)


def _contiguous(shape, itemsize):
    strides = []
    for length in reversed(shape):
        strides.insert(0, itemsize)
        itemsize *= max(length, 1)
    return tuple(strides)


class _Place(NamedTuple):
    """An array's place, without a hold on its memory."""

    gpu: object
    address: int
    shape: tuple
    strides: tuple
    dtype: np.dtype

    def array(self):
        """Return the array as NumPy's, on the memory of the device."""
        if 0 in self.shape:
            return np.empty(self.shape, self.dtype)
        spans = ((length - 1) * stride for length, stride in zip(self.shape, self.strides, strict=True))
        memory = self.gpu.view(self.address, sum(spans) + self.dtype.itemsize)
        return np.lib.stride_tricks.as_strided(memory.view(self.dtype), self.shape, self.strides)


def launch_on_stream(name, work, *arguments):
    """Put work on the current stream; it gets arrays of the device as NumPy's, on the device's memory."""
    given = [a.place() if isinstance(a, ndarray) else a for a in arguments]

    def run():
        work(*[a.array() if isinstance(a, _Place) else a for a in given])

    get_current_stream()._queue.put(name, run)


def computed(name, function, *arguments):
    """Put a computation on the current stream and return the array that will hold its result."""
    shadows = [
        np.broadcast_to(np.ones((), a.dtype), a.shape) if isinstance(a, ndarray) else a for a in arguments
    ]
    like = function(*shadows)
    result = ndarray(like.shape, like.dtype)
    launch_on_stream(name, lambda to, *given: np.copyto(to, function(*given)), result, *arguments)
    return result
