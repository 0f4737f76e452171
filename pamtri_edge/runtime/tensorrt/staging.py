# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The way of a tensor between host and GPU, the same to use whether memory is shared or not.

A discrete GPU gets copies from page-locked memory, of which there are two pieces, so that one is filled while
the other is read. On a Jetson host and GPU share their memory: there PyCUDA maps the inputs' page-locked
memory into the GPU's address space, and pictures are not copied. The GPU does not cache such memory, so what
it works on itself stays in memory of its own, and the outputs, some kilobytes a vehicle, are copied. PyCUDA
works in the primary context, which CuPy and TensorRT use, too; `pycuda.autoinit` would make another one.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from pamtri_edge.manifest import TensorSpec
from pamtri_edge.runtime.backend import Floats, shape_of
from pamtri_edge.runtime.tensorrt.buckets import LARGEST
from pamtri_edge.runtime.tensorrt.device import Gpu

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Channel:
    """A tensor on both sides.

    Attributes:
        hosts: (32, ...) float32 NumPy arrays, one for each of the staging's slots.
        device: (32, ...) float32 CuPy array, what the engine reads or writes.
    """

    hosts: tuple[Floats, ...]
    device: Any


class Staging:
    """Makes channels and moves what is in them, on CuPy's current stream and without waiting.

    It copies between page-locked host memory and memory of the GPU.

    Attributes:
        slots: how many pieces of host memory a channel has. One may be filled while others are on their way.
    """

    slots = 2

    def __init__(self, cupy: Any) -> None:
        self._cupy = cupy
        self._pinned = importlib.import_module("cupyx").empty_pinned

    def channel(self, spec: TensorSpec, *, output: bool) -> Channel:
        """Return a channel for a tensor that the device reads (an input) or writes, full of zeros."""
        shape = shape_of(spec, LARGEST)
        hosts = tuple(self._pinned(shape, np.float32) for _ in range(self.slots))
        for host in hosts:
            host.fill(0)
        return Channel(hosts, self._cupy.zeros(shape, np.float32))

    def upload(self, channel: Channel, slot: int, count: int) -> None:
        """Bring the first `count` items of a slot to the device; the slot is in use until that ran."""
        channel.device[:count].set(channel.hosts[slot][:count])

    def download(self, channel: Channel, slot: int, count: int) -> None:
        """Bring the first `count` items of the device to a slot; they are there once that ran."""
        channel.device[:count].get(out=channel.hosts[slot][:count], blocking=False)

    def close(self) -> None:
        """Give back what CuPy does not free with the channels; may be called twice."""


class MappedStaging(Staging):
    """Inputs in memory that host and GPU share, through PyCUDA; outputs are copied."""

    slots = 1  # the device reads the very memory, so there is no other to fill meanwhile

    def __init__(self, cupy: Any, gpu: Gpu, driver: Any) -> None:
        super().__init__(cupy)
        self._index = gpu.index
        self._driver = driver
        driver.init()
        self._context: Any = driver.Device(gpu.index).retain_primary_context()
        self._hosts: list[Any] = []

    def channel(self, spec: TensorSpec, *, output: bool) -> Channel:
        """Return a channel, of an input with one memory on both sides."""
        if output:
            return super().channel(spec, output=True)
        shape = shape_of(spec, LARGEST)
        with self._in_context():
            host = self._driver.pagelocked_empty(
                shape, np.float32, mem_flags=self._driver.host_alloc_flags.DEVICEMAP
            )
            pointer = int(host.base.get_device_pointer())
        host.fill(0)
        self._hosts.append(host)
        memory = self._cupy.cuda.UnownedMemory(pointer, host.nbytes, host, self._index)
        device = self._cupy.ndarray(shape, np.float32, self._cupy.cuda.MemoryPointer(memory, 0))
        return Channel((host,), device)

    def upload(self, channel: Channel, slot: int, count: int) -> None:
        """Do nothing: what the host wrote is what the device reads."""

    def close(self) -> None:
        """Free the memory, with which the device must be done, and let go of the primary context."""
        if self._context is None:
            return
        with self._in_context():
            for host in self._hosts:
                host.base.free()
        self._hosts.clear()
        self._context.detach()
        self._context = None

    @contextmanager
    def _in_context(self) -> Iterator[None]:
        self._context.push()
        try:
            yield
        finally:
            self._context.pop()


def create_staging(cupy: Any, gpu: Gpu) -> Staging:
    """Return what suits a GPU: mapped inputs where its memory is the host's and PyCUDA is there."""
    if gpu.integrated:
        try:
            driver = importlib.import_module("pycuda.driver")
        except ImportError as error:
            _log.info(
                "PyCUDA cannot be imported (%s), so pictures are copied instead of shared with the GPU; "
                "install it: pip install 'pamtri-edge[pycuda]'",
                error,
            )
        else:
            return MappedStaging(cupy, gpu, driver)
    return Staging(cupy)
