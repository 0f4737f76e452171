# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The fake CuPy's memory: a pool that keeps one list of free blocks a stream, and page-locked memory."""

from __future__ import annotations

import ctypes
import threading
import weakref
from contextlib import contextmanager

import numpy as np

from cupy_fake_device import device_id, get_current_stream, gpu, state
from simulated_gpu import OutOfMemoryError as NoMemory

_local = threading.local()


class OutOfMemoryError(MemoryError):
    pass


class MemoryPool:
    """Keeps what was freed for the next array of that size on the same stream, without waiting for it."""

    def __init__(self, allocator=None):
        self._free = {}
        self._lock = threading.RLock()
        self._in_use = 0

    def _take(self, size):
        rounded = -(-size // 512) * 512
        key = device_id(), get_current_stream().ptr, rounded
        with self._lock:
            if self._free.get(key):
                address = self._free[key].pop()
            else:
                try:
                    address = gpu().allocate(rounded)
                except NoMemory:
                    self.free_all_blocks()
                    try:
                        address = gpu().allocate(rounded)
                    except NoMemory:
                        raise OutOfMemoryError(f"Out of memory allocating {rounded:,} bytes") from None
            self._in_use += rounded
        return address, (lambda: self._give_back(key, address))

    def _give_back(self, key, address):
        with self._lock:
            self._free.setdefault(key, []).append(address)
            self._in_use -= key[2]

    def malloc(self, size):
        return MemoryPointer(PooledMemory(self, size), 0)

    def free_all_blocks(self, stream=None):
        with self._lock:
            for (device, handle, _), addresses in self._free.items():
                while addresses and (stream is None or stream.ptr == handle):
                    state.gpus[device].free(addresses.pop())

    def used_bytes(self):
        return self._in_use

    def total_bytes(self):
        return self._in_use + sum(key[2] * len(free) for key, free in self._free.items())


class UnownedMemory:
    def __init__(self, ptr, size, owner, device_id=-1):
        self.ptr, self.size, self._owner = ptr, size, owner
        self.device_id = device_id() if device_id < 0 else device_id


class PooledMemory:
    def __init__(self, pool, size):
        self.ptr, give_back = pool._take(size) if size else (0, lambda: None)
        self.size, self.device_id = size, device_id()
        weakref.finalize(self, give_back).atexit = False


class MemoryPointer:
    def __init__(self, mem, offset):
        self.mem, self.ptr, self.device_id = mem, mem.ptr + offset, mem.device_id

    def __int__(self):
        return self.ptr

    def __add__(self, offset):
        return MemoryPointer(self.mem, self.ptr - self.mem.ptr + offset)

    def memset_async(self, value, size, stream=None):
        device = state.gpus[self.device_id]
        ptr = self.ptr
        if not size:
            return
        (stream or get_current_stream())._queue.put("memset", lambda: device.view(ptr, size).fill(value))

    def copy_from_device_async(self, src, size, stream=None):
        to, source = state.gpus[self.device_id], state.gpus[src.device_id]
        here, there = self.ptr, src.ptr

        def copy():
            to.view(here, size)[:] = source.view(there, size)

        (stream or get_current_stream())._queue.put("device copy", copy)


def alloc(size):
    return getattr(_local, "allocator", state.pool.malloc)(size)


@contextmanager
def using_allocator(allocator):
    before = getattr(_local, "allocator", None)
    _local.allocator = allocator
    try:
        yield
    finally:
        if before is None:
            del _local.allocator
        else:
            _local.allocator = before


def get_default_memory_pool():
    return state.pool


class PinnedMemoryPool:
    """Keeps page-locked memory that was freed, and hands it on at once, whoever still copies from it."""

    def __init__(self):
        self._free = []

    def malloc(self, size):
        device = gpu()
        kept = next((one for one in self._free if one[0] is device and len(one[1]) == size), None)
        if kept is None:
            memory = device.pin(size)
        else:
            self._free.remove(kept)
            memory = kept[1]
        pointer = (ctypes.c_uint8 * len(memory)).from_buffer(memory)
        weakref.finalize(pointer, self._give_back, device, memory).atexit = False
        return pointer

    def _give_back(self, device, memory):
        memory.fill(0xFF)
        self._free.append((device, memory))

    def free_all_blocks(self):
        while self._free:
            device, memory = self._free.pop()
            device.unpin(memory.ctypes.data)


def get_default_pinned_memory_pool():
    return state.pinned_pool


def alloc_pinned_memory(size):
    return state.pinned_pool.malloc(max(size, 1))


def empty_pinned(shape, dtype=float, order="C"):
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    return np.ndarray(shape, dtype, buffer=alloc_pinned_memory(size), order=order)
