# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""How much of the device's memory is taken, by the driver's word and by each library's; and taking it all."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, Final, Protocol

Reading = dict[str, int]
"""Bytes by who says so. "device" is the driver's word, which other programs on the GPU move too."""

_SMALLEST: Final = 1 << 20


class DeviceMemory(Protocol):
    """The memory of the device that is soaked."""

    def read(self) -> Reading:
        """Wait for the device and return what is taken."""
        ...

    def settle(self) -> None:
        """Give back what the libraries keep for later."""
        ...

    def exhausted(self) -> Any:
        """Return a context in which there is no memory left."""
        ...


class CudaDeviceMemory:
    """The GPU's memory, and the pools of CuPy and, where it is loaded, torch."""

    def __init__(self) -> None:
        from pamtri_edge.ops.driver import load_cupy

        self._cupy = load_cupy()
        self._runtime = self._cupy.cuda.runtime
        properties = self._runtime.getDeviceProperties(self._runtime.getDevice())
        self._integrated = bool(properties.get("integrated"))

    def read(self) -> Reading:
        """Wait for the device and return what is taken, in all and of each library's pool."""
        gc.collect()
        self._runtime.deviceSynchronize()
        free, total = self._runtime.memGetInfo()
        pool = self._cupy.get_default_memory_pool()
        reading = {"device": total - free, "cupy pool, used": pool.used_bytes()}
        if torch := _torch():
            reading["torch pool, used"] = torch.cuda.memory_allocated()
        return reading

    def settle(self) -> None:
        """Give back what the pools keep for later."""
        gc.collect()
        self._runtime.deviceSynchronize()
        self._cupy.get_default_memory_pool().free_all_blocks()
        if torch := _torch():
            torch.cuda.empty_cache()

    @contextmanager
    def exhausted(self) -> Iterator[None]:
        """Take all that is free, in ever smaller pieces; give it back in the end.

        A device that shares its memory with the host would take the host's programs down with it: there the
        pools alone are told that there is no more.
        """
        self.settle()
        if self._integrated:
            with self._limited():
                yield
            return
        taken: list[int] = []
        try:
            piece = self._runtime.memGetInfo()[0]
            while piece >= _SMALLEST:
                try:
                    taken.append(self._runtime.malloc(piece))
                except (self._runtime.CUDARuntimeError, MemoryError):
                    piece //= 2
            yield
        finally:
            for pointer in taken:
                self._runtime.free(pointer)

    @contextmanager
    def _limited(self) -> Iterator[None]:
        pool, torch = self._cupy.get_default_memory_pool(), _torch()
        before = pool.get_limit()
        pool.set_limit(size=max(1, pool.used_bytes()))
        try:
            if torch:
                torch.cuda.set_per_process_memory_fraction(1e-9)
            yield
        finally:
            pool.set_limit(size=before)
            if torch:
                torch.cuda.set_per_process_memory_fraction(1.0)


class NoDeviceMemory:
    """Stands in where a rehearsal runs on the host: nothing is taken, and nothing can run out."""

    def read(self) -> Reading:
        """Return nothing taken."""
        return {"device": 0}

    def settle(self) -> None:
        """Do nothing."""

    def exhausted(self) -> Any:
        """Return a context that changes nothing."""
        return nullcontext()


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether an exception, or one that it was raised from, says that memory ran out."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, MemoryError) or "outofmemory" in type(seen).__name__.lower():
            return True
        if "out of memory" in str(seen).lower():
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def _torch() -> Any:
    """Return torch if it is loaded and has the GPU."""
    torch = sys.modules.get("torch")
    return torch if torch is not None and torch.cuda.is_available() else None
