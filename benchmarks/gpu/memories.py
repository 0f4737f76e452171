# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Where the operations are measured: CuPy's arrays on a GPU, or NumPy's, to rehearse."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from gpu.clocks import Call, Clock, CupyClock, HostClock

POISON: Final = 0xFF
"""Every byte of an array before an operation writes it: NaN in floating point."""


class Memory(Protocol):
    """Arrays, a clock for what is done to them, and the copy that it is compared with."""

    @property
    def clock(self) -> Clock:
        """Times calls on these arrays."""
        ...

    @property
    def dtypes(self) -> tuple[str, ...]:
        """What the operations take here, of "float32", "float16" and "uint8"."""
        ...

    def current(self) -> AbstractContextManager[Any]:
        """Return a context in which operations run where the clock looks."""
        ...

    def upload(self, values: NDArray[Any]) -> Any:
        """Return a copy there of a host array."""
        ...

    def download(self, values: Any) -> NDArray[Any]:
        """Return a copy on the host."""
        ...

    def poisoned(self, shape: tuple[int, ...], dtype: str) -> Any:
        """Return a new array, every byte of it `POISON`."""
        ...

    def any_nan(self, values: Any) -> bool:
        """Tell whether a value is NaN."""
        ...

    def different(self, one: Any, other: Any) -> int:
        """Return how many values of two arrays differ; NaN differs from everything."""
        ...

    def copy(self, size: int) -> Call:
        """Return a call that copies so many bytes from one array to another."""
        ...

    def synchronize(self) -> None:
        """Wait for all work on the device, whoever put it there."""
        ...

    def release(self) -> None:
        """Give the memory of arrays that are gone back to the device."""
        ...


class CudaMemory:
    """CuPy's arrays, on a stream of their own.

    Attributes:
        clock: events on that stream.
        dtypes: all.
    """

    dtypes: Final = ("float32", "float16", "uint8")

    def __init__(self) -> None:
        from pamtri_edge.ops.driver import load_cupy

        self._cupy = load_cupy()
        self._stream = self._cupy.cuda.Stream(non_blocking=True)
        with self._stream:
            self.clock = CupyClock(self._cupy, self._stream)

    def current(self) -> AbstractContextManager[Any]:
        """Return a context in which the stream is CuPy's current one."""
        stream: AbstractContextManager[Any] = self._stream
        return stream

    def upload(self, values: NDArray[Any]) -> Any:
        """Return a copy on the device."""
        return self._cupy.asarray(values)

    def download(self, values: Any) -> NDArray[Any]:
        """Return a copy on the host; this waits for the stream."""
        copied: NDArray[Any] = values.get(stream=self._stream)
        return copied

    def poisoned(self, shape: tuple[int, ...], dtype: str) -> Any:
        """Return a new array full of NaN."""
        array = self._cupy.empty(shape, dtype)
        array.data.memset_async(POISON, array.nbytes, self._stream)
        return array

    def any_nan(self, values: Any) -> bool:
        """Tell whether a value is NaN."""
        return bool(self._cupy.isnan(values).any())

    def different(self, one: Any, other: Any) -> int:
        """Return how many values of two arrays differ; NaN differs from everything."""
        return int((one != other).sum())

    def synchronize(self) -> None:
        """Wait for all work on the device, whoever put it there."""
        self._cupy.cuda.runtime.deviceSynchronize()

    def copy(self, size: int) -> Call:
        """Return a `cudaMemcpyAsync` from device to device."""
        source, target = (self.poisoned((size,), "uint8") for _ in range(2))
        return lambda: target.data.copy_from_device_async(source.data, size, self._stream)

    def release(self) -> None:
        """Let CuPy's pool give back what it holds for later."""
        self._stream.synchronize()
        self._cupy.get_default_memory_pool().free_all_blocks()


class HostMemory:
    """NumPy's arrays, which the operations take as float32 alone.

    Attributes:
        clock: the host's.
        dtypes: float32.
    """

    dtypes: Final = ("float32",)

    def __init__(self) -> None:
        self.clock = HostClock()

    def current(self) -> AbstractContextManager[Any]:
        """Return a context that changes nothing."""
        return nullcontext()

    def upload(self, values: NDArray[Any]) -> Any:
        """Return a copy."""
        return values.copy()

    def download(self, values: Any) -> NDArray[Any]:
        """Return a copy."""
        copied: NDArray[Any] = values.copy()
        return copied

    def poisoned(self, shape: tuple[int, ...], dtype: str) -> Any:
        """Return a new array full of NaN."""
        array = np.empty(shape, dtype)
        array.view(np.uint8)[...] = POISON
        return array

    def any_nan(self, values: Any) -> bool:
        """Tell whether a value is NaN."""
        return bool(np.isnan(values).any())

    def different(self, one: Any, other: Any) -> int:
        """Return how many values of two arrays differ; NaN differs from everything."""
        return int((one != other).sum())

    def synchronize(self) -> None:
        """Do nothing: the host's work is done when its call returns."""

    def copy(self, size: int) -> Call:
        """Return a copy from one array to another."""
        source, target = np.zeros(size, np.uint8), np.zeros(size, np.uint8)
        return lambda: np.copyto(target, source)

    def release(self) -> None:
        """Do nothing: the arrays are gone when nobody holds them."""


def open_memory(*, rehearsal: bool) -> Memory:
    """Return the GPU's memory, or the host's for a rehearsal."""
    choose: Callable[[], Memory] = HostMemory if rehearsal else CudaMemory
    return choose()
