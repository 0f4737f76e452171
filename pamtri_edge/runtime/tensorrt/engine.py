# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""One engine on the GPU: its weights, and an execution context for every batch size that it is run at."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pamtri_edge.errors import EngineError
from pamtri_edge.manifest import TensorSpec
from pamtri_edge.runtime.backend import shape_of
from pamtri_edge.runtime.tensorrt.buckets import BUCKETS
from pamtri_edge.runtime.tensorrt.build import PROFILES
from pamtri_edge.runtime.tensorrt.library import Library


class Engine:
    """A deserialized engine.

    Each batch size has a context of its own, because a captured graph keeps the state of the context that it
    was captured from. They run one after the other on one stream, so they share one piece of scratch memory.

    Args:
        library: the TensorRT that built it.
        plan: its bytes.
        path: where these come from, for messages.

    Attributes:
        inputs: what it takes.
        outputs: what it gives.
        scratch_bytes: how much scratch memory its contexts need.

    Raises:
        EngineError: TensorRT does not accept the plan, memory ran out, the engine is tuned for other batches
            than ours, or a tensor is not float32.
    """

    def __init__(self, library: Library, plan: bytes, path: Path) -> None:
        self._library = library
        self._path = path
        library.logger.errors.clear()
        self._runtime: Any = library.create_runtime()
        self._engine: Any = self._runtime.deserialize_cuda_engine(plan)
        if self._engine is None:
            raise EngineError(
                f"{library.title} cannot load {path}: {library.last_errors()}. Close other programs that use "
                "the GPU if memory ran out; else delete the file, and it is built anew."
            )
        # Asked here, since choosing a profile that is not there raises, without saying which.
        profiles = int(self._engine.num_optimization_profiles)
        if profiles != len(PROFILES):
            raise EngineError(
                f"{path} has {profiles} batch profile{'s' * (profiles != 1)}; the engines of this release "
                f"have {len(PROFILES)} ({', '.join(map(str, PROFILES))}). Delete the file, and it is built "
                "anew."
            )
        names = [self._engine.get_tensor_name(index) for index in range(self._engine.num_io_tensors)]
        modes = library.module.TensorIOMode
        by_mode = {name: self._engine.get_tensor_mode(name) for name in names}
        self.inputs = tuple(self._spec(name) for name in names if by_mode[name] == modes.INPUT)
        self.outputs = tuple(self._spec(name) for name in names if by_mode[name] == modes.OUTPUT)
        self.scratch_bytes = int(self._engine.device_memory_size_v2)
        self._contexts: dict[int, Any] = {}

    def prepare(self, size: int, arrays: Mapping[str, Any], scratch: Any, stream: Any) -> None:
        """Make the context for a batch size, unless there is one.

        Args:
            size: one of `buckets.BUCKETS`.
            arrays: the CuPy array of every input and output, by name; they must outlive the engine.
            scratch: CuPy array of at least `scratch_bytes` bytes, likewise.
            stream: on which the engine will run.

        Raises:
            EngineError: memory ran out.
        """
        if size in self._contexts:
            return
        context = self._library.create_context(self._engine)
        if context is None:
            raise EngineError(
                f"there is too little GPU memory to run {self._path.name} at batch size {size}: "
                f"{self._library.last_errors()}. Close other programs that use the GPU."
            )
        try:  # the one setter that raises instead of returning False
            steps = [context.set_optimization_profile_async(BUCKETS[size], stream.ptr)]
        except RuntimeError as error:
            self._library.logger.errors.append(str(error))
            steps = [False]
        context.set_device_memory(scratch.data.ptr, scratch.nbytes)
        steps += [context.set_input_shape(spec.name, shape_of(spec, size)) for spec in self.inputs]
        steps += [
            context.set_tensor_address(spec.name, arrays[spec.name].data.ptr)
            for spec in (*self.inputs, *self.outputs)
        ]
        if not all(steps):
            raise EngineError(
                f"{self._library.title} refuses to run {self._path.name} at batch size {size}: "
                f"{self._library.last_errors()}. Delete the file, and it is built anew."
            )
        self._contexts[size] = context

    def enqueue(self, size: int, stream: Any) -> None:
        """Put a run at a prepared batch size on a stream, or into the graph that it is captured for.

        Raises:
            EngineError: TensorRT refuses.
        """
        if not self._contexts[size].execute_async_v3(stream.ptr):
            raise EngineError(
                f"{self._library.title} failed to run {self._path.name} at batch size {size}: "
                f"{self._library.last_errors()}."
            )

    def close(self) -> None:
        """Free contexts, weights and runtime, in this order; the stream must be done with them."""
        self._contexts.clear()
        self._engine = None
        self._runtime = None

    def _spec(self, name: str) -> TensorSpec:
        kind = self._engine.get_tensor_dtype(name)
        if kind != self._library.module.DataType.FLOAT:
            raise EngineError(
                f"{self._path.name}: tensor {name!r} is {getattr(kind, 'name', kind)}; those of a bundle are "
                "float32. Export the bundle again."
            )
        return TensorSpec(name, (None, *tuple(self._engine.get_tensor_shape(name))[1:]))
