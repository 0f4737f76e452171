# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Batches on one stream: chunks go up, run as captured graphs, come down, and nobody waits in between."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from pamtri_edge.errors import EngineError
from pamtri_edge.runtime.tensorrt.buckets import Chunk, chunks
from pamtri_edge.runtime.tensorrt.device import Gpu
from pamtri_edge.runtime.tensorrt.programs import Program
from pamtri_edge.runtime.tensorrt.staging import Staging

Move = Callable[[Chunk, int], None]
"""Puts the inputs or the outputs of a chunk on the stream; the number is the slot of the staging to use."""

_log = logging.getLogger(__name__)


class Execution:
    """Runs a program.

    Args:
        cupy: the module.
        gpu: where it runs.
        stream: on which; a stream of its own that does not wait for the default one.
        program: what runs.
        staging: whose channels the program has.
        graphs: whether to capture CUDA graphs.

    Attributes:
        program: what runs.
        staging: as given.
        stream: as given.
    """

    def __init__(
        self, cupy: Any, gpu: Gpu, stream: Any, program: Program, staging: Staging, *, graphs: bool = True
    ) -> None:
        self.program = program
        self.staging = staging
        self.stream = stream
        self._cupy = cupy
        self._gpu = gpu
        self._capturing = graphs
        self._graphs: dict[int, Any] = {}
        self._done: dict[int, Any] = {}
        # What captured work allocates must stay as it is for as long as the graph may run.
        self._pool: Any = cupy.cuda.MemoryPool()

    @contextmanager
    def current(self) -> Iterator[None]:
        """Make the device and the stream CuPy's current ones."""
        with self._cupy.cuda.Device(self._gpu.index), self.stream:
            yield

    def run(self, count: int, feed: Move, take: Move, finish: Move | None = None) -> None:
        """Run a batch of any size; device and stream are current.

        Args:
            count: how many items.
            feed: puts a chunk's inputs on the stream.
            take: puts the way back of its outputs on the stream.
            finish: called when all of that ran, while the next chunk runs. None does not wait for it.

        Raises:
            EngineError: TensorRT refuses, or memory ran out.
        """
        waiting: deque[tuple[Chunk, int]] = deque()
        for number, chunk in enumerate(chunks(count)):
            slot = number % self.staging.slots
            if len(waiting) == self.staging.slots:
                self._finish(waiting, finish)
            feed(chunk, slot)
            self.launch(chunk.size)
            take(chunk, slot)
            self._done[slot] = self.stream.record()
            if finish is not None:
                waiting.append((chunk, slot))
        while waiting:
            self._finish(waiting, finish)

    def wait_for(self, slot: int) -> None:
        """Wait until what was last sent from a slot of the staging has arrived, so that it may be filled."""
        if slot in self._done:
            self._done[slot].synchronize()

    def launch(self, size: int) -> None:
        """Put a run at a batch size on the stream; the first one captures it.

        Raises:
            EngineError: TensorRT refuses, or memory ran out.
        """
        graph = self._graphs.get(size)
        if graph is not None:
            graph.launch(self.stream)
            return
        self.program.prepare(size)
        self.program.enqueue(size)  # also the warm-up that a capture needs
        if size not in self._graphs:
            self._graphs[size] = self._capture(size) if self._capturing else None

    def close(self) -> None:
        """Wait for what is under way, then give everything back; may be called twice."""
        with self.current():
            with suppress(self._cupy.cuda.runtime.CUDARuntimeError):  # after a failure it fails for good
                self.stream.synchronize()
            self._graphs.clear()
            self.program.close()
            self.staging.close()
            self._pool.free_all_blocks()
            free_pools(self._cupy)

    def _finish(self, waiting: deque[tuple[Chunk, int]], finish: Move | None) -> None:
        chunk, slot = waiting.popleft()
        self.wait_for(slot)
        if finish is not None:
            finish(chunk, slot)

    def _capture(self, size: int) -> Any | None:
        """Return the graph of a run, or None where it cannot be captured, which costs only speed."""
        self.stream.synchronize()
        self.stream.begin_capture()
        try:
            try:
                with self._cupy.cuda.using_allocator(self._pool.malloc):
                    self.program.enqueue(size)
            except BaseException:
                with suppress(Exception):  # a capture that went wrong ends with an error of its own
                    self.stream.end_capture()
                raise
            graph = self.stream.end_capture()
            graph.upload(self.stream)
        except Exception as error:
            _log.warning(
                "the %s network cannot be captured as a CUDA graph at batch size %d (%s); it runs without "
                "one, which is slower for small batches",
                self.program.name,
                size,
                error,
            )
            return None
        return graph


def free_pools(cupy: Any) -> None:
    """Give back what CuPy keeps for later, of the GPU's memory and of the host's that is page-locked."""
    cupy.get_default_memory_pool().free_all_blocks()
    cupy.get_default_pinned_memory_pool().free_all_blocks()


def out_of_memory(cupy: Any, gpu: Gpu, reason: str) -> EngineError:
    """Give CuPy's cached memory back; return the error that says how much is free now."""
    with cupy.cuda.Device(gpu.index):
        free_pools(cupy)
        free, total = cupy.cuda.runtime.memGetInfo()
    return EngineError(
        f"the memory of {gpu.device} ({gpu.name}) ran out: {reason} {free / 2**20:.0f} of "
        f"{total / 2**20:.0f} MiB are free. Close other programs that use it, or pass smaller batches."
    )
