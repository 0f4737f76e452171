# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A GPU as its programmer meets it: memory with addresses, streams that run late, events, captured graphs.

Nothing that is put on a stream runs before somebody waits for it (`schedule = "lazy"`), so a missing
synchronization or a missing wait between streams shows as wrong data. `schedule = "random"` runs work at odd
moments instead, which shows memory that is overwritten while another stream still needs it. New memory is
full of 0xFF, which is NaN in floating point; an address outside of living memory is an error, as is whatever
CUDA forbids while a stream is captured.
"""

from __future__ import annotations

import random
import threading
from collections import deque

import numpy as np

POISON = 0xFF


class CudaError(RuntimeError):
    """What the runtime raises; the message begins with CUDA's name of the error."""


class OutOfMemoryError(CudaError):
    """cudaErrorMemoryAllocation."""


class Gpu:
    """One device.

    Attributes:
        total: bytes of memory.
        used: bytes that are allocated now.
        fail_allocations: how many of the next allocations fail.
        schedule: "lazy" or "random".
        log: names of what ran, in the order in which it ran.
        integrated: whether host and device share their memory, as on Tegra.
        clock: milliseconds of work done so far.
        costs: milliseconds that a piece of work takes, by name; 0.01 for all others.
    """

    def __init__(self, *, total=2 << 30, name="Simulated GPU", compute=(8, 7), integrated=False, seed=0):
        self.total = total
        self.name = name
        self.compute = compute
        self.integrated = integrated
        self.schedule = "lazy"
        self.fail_allocations = 0
        self.allocations = 0
        self.used = 0
        self.log = []
        self.clock = 0.0
        self.costs = {}
        self.lock = threading.RLock()
        self._random = random.Random(seed)
        self._blocks = {}
        self._pinned = {}
        self._mapped = set()
        self._next_address = 0x7F00_0000_0000
        self._next_handle = 0x5500_0000
        self.queues = {0: Queue(self, 0, blocking=True)}

    # Memory.

    def allocate(self, size):
        """Return the address of `size` bytes of device memory."""
        with self.lock:
            self.allocations += 1
            if self.fail_allocations or self.used + size > self.total:
                self.fail_allocations = max(0, self.fail_allocations - 1)
                raise OutOfMemoryError("cudaErrorMemoryAllocation: out of memory")
            address = self._map(np.full(size, POISON, np.uint8))
            self.used += size
            return address

    def free(self, address):
        """Free memory once all work is done, as cudaFree does."""
        with self.lock:
            for queue in list(self.queues.values()):
                queue.drain()
            if address not in self._blocks:
                raise CudaError(f"cudaErrorInvalidValue: {address:#x} was not allocated")
            self.used -= len(self._blocks.pop(address))

    def map_host(self, buffer):
        """Return the device's address of page-locked host memory."""
        with self.lock:
            address = self._map(buffer)
            self._mapped.add(address)
            return address

    def unmap_host(self, address):
        with self.lock:
            self._blocks.pop(address, None)
            self._mapped.discard(address)

    def is_mapped(self, address):
        """Tell whether device memory is the host's: on a Tegra the GPU reads that past its caches."""
        with self.lock:
            return any(start <= address < start + len(self._blocks[start]) for start in self._mapped)

    def view(self, address, size):
        """Return `size` bytes of device memory as the device sees them."""
        with self.lock:
            for start, block in self._blocks.items():
                if start <= address and address + size <= start + len(block):
                    return block[address - start : address - start + size]
        raise CudaError(f"cudaErrorIllegalAddress: {size} bytes at {address:#x} are not living device memory")

    def pin(self, size):
        """Return page-locked host memory; it is poisoned when it is given back."""
        with self.lock:
            buffer = np.full(size, POISON, np.uint8)
            self._pinned[buffer.ctypes.data] = buffer
            return buffer

    def unpin(self, address):
        with self.lock:
            self._pinned.pop(address).fill(POISON)

    @property
    def pinned(self):
        """Bytes of page-locked memory that are allocated now."""
        return sum(len(buffer) for buffer in self._pinned.values())

    def is_pinned(self, address):
        with self.lock:
            return any(start <= address < start + len(block) for start, block in self._pinned.items())

    def pinned_view(self, address, size):
        """Return `size` bytes of page-locked memory, which must not have been given back meanwhile."""
        with self.lock:
            for start, block in self._pinned.items():
                if start <= address and address + size <= start + len(block):
                    return block[address - start : address - start + size]
        raise CudaError(f"cudaErrorIllegalAddress: page-locked memory at {address:#x} was given back")

    def _map(self, buffer):
        address = self._next_address
        self._next_address += -(-max(len(buffer), 1) // 512) * 512 + 512  # a gap: overruns are caught
        self._blocks[address] = buffer
        return address

    # Streams.

    def create_queue(self, *, blocking):
        with self.lock:
            self._next_handle += 16
            queue = self.queues[self._next_handle] = Queue(self, self._next_handle, blocking=blocking)
            return queue

    def destroy_queue(self, handle):
        """Forget a stream once its work is done, as cudaStreamDestroy does."""
        with self.lock:
            queue = self.queues.pop(handle, None)
            if queue is not None and queue.captured is None:
                queue.drain()

    def queue(self, handle):
        try:
            return self.queues[handle]
        except KeyError:
            raise CudaError(f"cudaErrorInvalidResourceHandle: stream {handle:#x} does not exist") from None

    def synchronize(self):
        with self.lock:
            for queue in list(self.queues.values()):
                queue.synchronize()

    def happened(self):
        """Something was put on a stream: under the random schedule some of the waiting work runs now."""
        if self.schedule == "random":
            for queue in list(self.queues.values()):
                if queue.captured is None and self._random.random() < 0.4:
                    queue.drain(queue.done + self._random.randint(0, len(queue.waiting)))


class Queue:
    """A stream.

    Attributes:
        handle: the stream's number, 0 for the default stream.
        blocking: whether it and the default stream wait for each other.
        waiting: what has not run yet: (name, function) pairs.
        done: how many pieces of work ran so far.
        captured: the work captured since `begin_capture`, or None.
    """

    def __init__(self, gpu, handle, *, blocking):
        self.gpu = gpu
        self.handle = handle
        self.blocking = blocking
        self.waiting = deque()
        self.done = 0
        self.captured = None
        self.spoiled = None

    @property
    def issued(self):
        return self.done + len(self.waiting)

    def put(self, name, work):
        """Enqueue work; while the stream is captured, record it instead."""
        with self.gpu.lock:
            if self.captured is not None:
                self.captured.append((name, work))
                return
            self._order_with_default()
            self.waiting.append((name, work))
            self.gpu.happened()

    def wait_for(self, queue, upto):
        """Let what follows run after the first `upto` pieces of work of another stream."""
        self.put("wait", lambda: queue.drain(upto))

    def drain(self, upto=None):
        """Run waiting work, all of it or until `upto` pieces ran."""
        with self.gpu.lock:
            while self.waiting and (upto is None or self.done < upto):
                name, work = self.waiting.popleft()
                self.done += 1
                work()
                if name != "wait":
                    self.gpu.clock += self.gpu.costs.get(name, 0.01)
                    self.gpu.log.append(name)

    def synchronize(self):
        with self.gpu.lock:
            self.refuse_in_capture("waiting for the stream")
            self._order_with_default()
            self.drain()

    def begin_capture(self):
        with self.gpu.lock:
            if self.handle == 0 or self.captured is not None:
                raise CudaError("cudaErrorStreamCaptureUnsupported: this stream cannot be captured")
            self.captured, self.spoiled = [], None

    def end_capture(self):
        with self.gpu.lock:
            if self.captured is None:
                raise CudaError("cudaErrorIllegalState: the stream is not being captured")
            captured, self.captured = self.captured, None
            if self.spoiled is not None:
                raise CudaError(f"cudaErrorStreamCaptureInvalidated: {self.spoiled}")
            return captured

    def refuse_in_capture(self, what):
        if self.captured is not None:
            self.spoiled = what
            raise CudaError(f"cudaErrorStreamCaptureUnsupported: {what} is not permitted during capture")

    def _order_with_default(self):
        """The default stream and blocking streams wait for each other."""
        if self.handle == 0:
            others = [queue for queue in self.gpu.queues.values() if queue.blocking and queue is not self]
            for queue in others:
                if queue.captured is not None:
                    queue.spoiled = "the default stream was used"
                    raise CudaError("cudaErrorStreamCaptureImplicit: the default stream during a capture")
        else:
            others = [self.gpu.queues[0]] if self.blocking else []
        for queue in others:
            if queue.waiting:
                self.waiting.append(("wait", _draining(queue, queue.issued)))


def _draining(queue, upto):
    return lambda: queue.drain(upto)
