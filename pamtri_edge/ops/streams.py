# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""On which stream an operation runs, what it waits for there, and whose memory its result is.

Without `stream=`, an operation runs on the current stream of the library whose array came first: PyTorch's
for a tensor, CuPy's for everything else. That stream is made to wait, on the device, for the streams on which
the other arrays are complete. With `stream=` the caller answers for that order, and nothing waits. The host
never does.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from pamtri_edge.errors import InputError
from pamtri_edge.ops.device import DeviceArray, described

_LEGACY: Final = (0, 1)  # both mean the default stream (cudaStreamLegacy is 1)
_PER_THREAD: Final = 2  # cudaStreamPerThread


@dataclass(frozen=True)
class Place:
    """Where an operation runs.

    Attributes:
        cupy: the module.
        stream: CuPy's stream object; it is CuPy's current stream while the operation is put on it.
        lead: the array that came first; new arrays are of its library, on its GPU.
        given: whether the caller named the stream.
    """

    cupy: Any
    stream: Any
    lead: DeviceArray
    given: bool

    def empty(self, shape: tuple[int, ...], dtype: str) -> DeviceArray:
        """Return new memory that belongs to this stream."""
        if self.lead.library != "torch":
            return described(self.cupy, self.cupy.empty(shape, dtype), "out", "out")
        torch = sys.modules["torch"]
        device = torch.device("cuda", self.lead.device)
        with ExitStack() as stack:
            if self.given:  # so that PyTorch does not hand the memory on while this stream needs it
                stack.enter_context(torch.cuda.stream(_of_torch(torch, int(self.stream.ptr), device)))
            tensor = torch.empty(shape, dtype=getattr(torch, dtype), device=device)
        return described(self.cupy, tensor, "out", "out")

    def on_host(self, array: DeviceArray) -> np.ndarray[Any, Any]:
        """Return a copy on the host: this waits for the stream."""
        memory = self.cupy.cuda.UnownedMemory(
            array.pointer, array.end - array.pointer, array.owner, array.device
        )
        pointer = self.cupy.cuda.MemoryPointer(memory, 0)
        held = self.cupy.ndarray(array.shape, array.dtype, pointer, array.strides)
        copied: np.ndarray[Any, Any] = held.get(stream=self.stream)
        return copied


@contextmanager
def running(
    cupy: Any, lead: DeviceArray, others: Sequence[DeviceArray], out: DeviceArray | None, stream: Any
) -> Iterator[Place]:
    """Give the place where an operation runs; while it does, that GPU and stream are CuPy's current ones.

    Args:
        cupy: the module.
        lead: the array that came first.
        others: the other inputs.
        out: the caller's memory for the result, if any.
        stream: a stream of CuPy or PyTorch, another with `__cuda_stream__`, a handle; or None.

    Raises:
        InputError: `stream` is none of these.
    """
    with cupy.cuda.Device(lead.device):
        if stream is not None:
            chosen = _stream(cupy, _handle(stream), lead.device)
        elif lead.library == "torch":
            chosen = _stream(cupy, lead.ready, lead.device)
        else:
            chosen = cupy.cuda.get_current_stream(lead.device)
        with chosen:
            if stream is None:
                needed = [array.ready for array in (lead, *others, *(() if out is None else (out,)))]
                for handle in dict.fromkeys(needed):
                    _order(cupy, handle, int(chosen.ptr), lead.device)
            yield Place(cupy, chosen, lead, stream is not None)
            if stream is None and out is not None and out.library != "other" and out.ready is not None:
                # What the library of `out` does next with it is on that library's stream.
                _order(cupy, int(chosen.ptr), out.ready, lead.device)


def current_stream(cupy: Any, tensor: Any) -> Any:
    """Return CuPy's object for the stream that is PyTorch's current one, on the GPU of a tensor of its."""
    device = int(tensor.device.index)
    return _stream(cupy, int(sys.modules["torch"].cuda.current_stream(device).cuda_stream), device)


def _order(cupy: Any, before: int | None, after: int, device: int) -> None:
    """Let one stream wait for what is on another now."""
    if before is None or _same(before, after):
        return
    event = cupy.cuda.Event(disable_timing=True)
    event.record(_stream(cupy, before, device))
    _stream(cupy, after, device).wait_event(event)


def _same(one: int, other: int) -> bool:
    return one == other or (one in _LEGACY and other in _LEGACY)


def _handle(stream: Any) -> int:
    """Return the handle of anybody's stream."""
    if isinstance(stream, int) and not isinstance(stream, bool) and stream >= 0:
        return stream
    for name in ("ptr", "cuda_stream"):  # CuPy's and PyTorch's
        handle = getattr(stream, name, None)
        if isinstance(handle, int):
            return handle
    if hasattr(stream, "__cuda_stream__"):
        return int(stream.__cuda_stream__()[1])
    raise InputError(
        f"stream is a {type(stream).__name__}; expected a stream of CuPy or PyTorch, an object with "
        "__cuda_stream__, or the handle of a stream as a number."
    )


def _stream(cupy: Any, handle: int | None, device: int) -> Any:
    """Return CuPy's object for a stream."""
    if handle is None or handle in _LEGACY:
        return cupy.cuda.Stream.null
    if handle == _PER_THREAD:
        return cupy.cuda.Stream.ptds
    if hasattr(cupy.cuda.Stream, "from_external"):  # CuPy 14 and later, where the other is deprecated
        return cupy.cuda.Stream.from_external(_Foreign(handle))
    return cupy.cuda.ExternalStream(handle, device)


def _of_torch(torch: Any, handle: int, device: Any) -> Any:
    """Return PyTorch's object for a stream; it takes no address for the default one."""
    if handle in _LEGACY:
        return torch.cuda.default_stream(device)
    return torch.cuda.ExternalStream(handle, device=device)


@dataclass(frozen=True)
class _Foreign:
    """A stream of another library, by the protocol that CuPy reads."""

    handle: int

    def __cuda_stream__(self) -> tuple[int, int]:
        return 0, self.handle
