# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The fake CuPy's devices, streams, events and graphs."""

from __future__ import annotations

import threading
import weakref
from contextlib import suppress
from types import SimpleNamespace

from simulated_gpu import CudaError, Gpu

state = SimpleNamespace(gpus=[Gpu()], pool=None, pinned_pool=None)
"""The GPUs of the machine and CuPy's pools of memory."""
_local = threading.local()


def reset(gpus, pool, pinned_pool):
    """Begin anew with other GPUs, device 0 current and the default stream."""
    state.gpus, state.pool, state.pinned_pool = gpus, pool, pinned_pool
    for number, one in enumerate(gpus):
        one._next_address += number << 40  # CUDA's addresses are unique among all GPUs
    _local.__dict__.clear()


def gpu():
    """Return the current device's GPU."""
    return state.gpus[device_id()]


def device_id():
    return getattr(_local, "device", 0)


def device_of(pointer):
    """Return the number of the GPU whose living memory an address is in."""
    for index, one in enumerate(state.gpus):
        with suppress(CudaError):
            one.view(pointer, 1)
            return index
    raise CudaError(f"cudaErrorIllegalAddress: {pointer:#x} is no device memory")


def attributes_of(pointer):
    return SimpleNamespace(device=device_of(pointer))


class Device:
    def __init__(self, device=None):
        self.id = device_id() if device is None else int(device)
        self._outer = []

    def __enter__(self):
        self._outer.append(device_id())
        self.use()
        return self

    def __exit__(self, *error):
        _local.device = self._outer.pop()

    def __eq__(self, other):
        return isinstance(other, Device) and other.id == self.id

    __hash__ = None

    def __int__(self):
        return self.id

    def use(self):
        set_device(self.id)

    def synchronize(self):
        state.gpus[self.id].synchronize()

    @property
    def compute_capability(self):
        return "".join(map(str, state.gpus[self.id].compute))

    @property
    def mem_info(self):
        here = state.gpus[self.id]
        return here.total - here.used, here.total


def set_device(device):
    if not 0 <= device < len(state.gpus):
        raise CudaError("cudaErrorInvalidDevice: invalid device ordinal")
    _local.device = device


# Streams, events, graphs.


class _BaseStream:
    def __init__(self, ptr, device_id):
        self.ptr = ptr
        self.device_id = device_id

    @property
    def _queue(self):
        return state.gpus[self.device_id if self.device_id >= 0 else device_id()].queue(self.ptr)

    def __eq__(self, other):
        return isinstance(other, _BaseStream) and other.ptr == self.ptr

    def __hash__(self):
        return self.ptr

    def __cuda_stream__(self):
        return 0, self.ptr

    def __enter__(self):
        if self.device_id not in (-1, device_id()):
            raise RuntimeError(
                f"The device that the stream is created on ({self.device_id}) does not match with the "
                f"current device ({device_id()})"
            )
        _streams().append(self)
        return self

    def __exit__(self, *error):
        _streams().pop()

    @property
    def done(self):
        return not self._queue.waiting

    def synchronize(self):
        self._queue.synchronize()

    def record(self, event=None):
        event = Event() if event is None else event
        event.record(self)
        return event

    def wait_event(self, event):
        if event._recorded is not None:
            self._queue.wait_for(*event._recorded)

    def begin_capture(self, mode=None):
        if self.ptr == 0:
            raise RuntimeError("cannot capture on the default (legacy) stream")
        self._queue.begin_capture()

    def end_capture(self):
        return Graph._of(self._queue.end_capture())


class Stream(_BaseStream):
    def __init__(self, null=False, non_blocking=False, ptds=False, priority=None):
        if null:
            super().__init__(0, -1)
            return
        queue = gpu().create_queue(blocking=not non_blocking)
        super().__init__(queue.handle, device_id())
        weakref.finalize(self, gpu().destroy_queue, queue.handle).atexit = False

    @classmethod
    def from_external(cls, obj):
        _, ptr = obj.__cuda_stream__()
        return ExternalStream(ptr)


class ExternalStream(_BaseStream):
    def __init__(self, ptr, device_id=-1):
        super().__init__(ptr, device_id)


Stream.null = Stream(null=True)


def _streams():
    if not hasattr(_local, "streams"):
        _local.streams = [Stream.null]
    return _local.streams


def get_current_stream(device_id=-1):
    return _streams()[-1]


class Event:
    def __init__(self, block=False, disable_timing=False, interprocess=False):
        self._recorded = None
        self._time = None

    def record(self, stream=None):
        queue = (get_current_stream() if stream is None else stream)._queue
        queue.refuse_in_capture("recording a plain event")
        queue.put("wait", self._note_time(queue.gpu))
        self._recorded = queue, queue.issued

    def _note_time(self, here):
        def note():
            self._time = here.clock

        return note

    @property
    def done(self):
        return self._recorded is None or self._recorded[0].done >= self._recorded[1]

    def synchronize(self):
        if self._recorded is not None:
            self._recorded[0].drain(self._recorded[1])


def get_elapsed_time(start_event, end_event):
    return end_event._time - start_event._time


class Graph:
    def __init__(self):
        raise NotImplementedError("must be created via stream capture")

    @classmethod
    def _of(cls, work):
        graph = cls.__new__(cls)
        graph._work = work
        return graph

    def upload(self, stream=None):
        (get_current_stream() if stream is None else stream)._queue.put("upload", lambda: None)

    def launch(self, stream=None):
        queue = (get_current_stream() if stream is None else stream)._queue
        for name, work in self._work:
            queue.put(name, work)
