# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The TensorRT backend: engines from the cache or built, then batches from host or device to either."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np

from pamtri_edge import ops
from pamtri_edge.arrays import check_choice, is_device_array
from pamtri_edge.errors import EngineError, InputError
from pamtri_edge.ops.device import is_torch
from pamtri_edge.ops.streams import current_stream
from pamtri_edge.progress import PhaseProgress
from pamtri_edge.runtime.backend import Floats, check_inputs, closed, empty_output, shape_of
from pamtri_edge.runtime.tensorrt.buckets import BUCKETS, Chunk
from pamtri_edge.runtime.tensorrt.build import Built, build_plan
from pamtri_edge.runtime.tensorrt.choice import MODES, choose, noted_choice
from pamtri_edge.runtime.tensorrt.device import Gpu, find_gpu, load_cupy
from pamtri_edge.runtime.tensorrt.engine import Engine
from pamtri_edge.runtime.tensorrt.engine_cache import Cached, cached_engine, engine_folders
from pamtri_edge.runtime.tensorrt.execution import Execution, Move, out_of_memory
from pamtri_edge.runtime.tensorrt.fingerprint import Fingerprint, fingerprint
from pamtri_edge.runtime.tensorrt.library import load_library
from pamtri_edge.runtime.tensorrt.programs import Program, Staged
from pamtri_edge.runtime.tensorrt.staging import create_staging
from pamtri_edge.runtime.tensorrt.timing import stage_times

_log = logging.getLogger(__name__)


class TensorRtBackend:
    """Runs a bundle's network with TensorRT or TensorRT-RTX on an NVIDIA GPU.

    Threads take turns: the GPU has one stream of work.

    Args:
        model: the fused network, an ONNX file.
        staged: the pose and the re-identification network of the two-engine path, if there are any.
        device: "cuda" or "cuda:N".
        build: whether an engine that is not in the cache may be built, which takes minutes.
        mode: "fused", "staged", or "auto": whichever was measured to be quicker on this device.
        graphs: whether to capture CUDA graphs.
        progress: told how far a build is; None writes a line to the log at every tenth.

    Attributes:
        name: "tensorrt".
        device: "cuda:N".
        arithmetic: what the networks' convolutions are typed in: "fp32", "fp16" or "int8".
        mode: "fused" or "staged".
        batch_sizes: the sizes that batches are cut into; each has kernels and a graph of its own.

    Raises:
        EngineError: no place for engines, or one that cannot be built or loaded.
        NoEngineError: building was not allowed, and there is no engine.
        MissingDependencyError: TensorRT or CuPy is not installed, there is no driver, or it is too old.
        InputError: there is no such GPU, or no two-engine path.
    """

    name: Final = "tensorrt"
    batch_sizes: Final = tuple(BUCKETS)

    def __init__(
        self,
        model: Path,
        *,
        staged: tuple[Path, Path] | None = None,
        device: str = "cuda",
        build: bool = True,
        mode: str = "auto",
        graphs: bool = True,
        progress: PhaseProgress | None = None,
    ) -> None:
        check_choice(mode, ("auto", *MODES), "mode")
        if staged is None and mode == "staged":
            raise InputError(
                f"{model.parent} has no staged networks; export it with --staged, or use mode='fused'."
            )
        self._cupy = load_cupy()
        self._gpu = find_gpu(self._cupy, device)
        self._library = load_library(compute=self._gpu.compute)
        self._build, self._progress, self._graphs = build, progress, graphs
        self._lock = threading.RLock()
        self._prints: dict[Path, Fingerprint] = {}
        self._execution: Execution | None = None
        self.device = self._gpu.device
        files = {"fused": (model,), "staged": staged or ()}
        with self._memory(), self._cupy.cuda.Device(self._gpu.index):
            self.mode, self._execution, self.arithmetic = self._open(files, mode)
        self.inputs = self._execution.program.inputs
        self.outputs = self._execution.program.outputs

    def run(self, inputs: Mapping[str, Floats]) -> dict[str, Floats]:
        """Return the outputs by name for the inputs by name; see `Backend.run`."""
        arrays, count = check_inputs(inputs, self.inputs)
        with self._running() as execution, execution.current():
            return self._to_host(execution, count, partial(_feed_host, execution, arrays))

    def run_on_device(self, batches: Iterable[Mapping[str, Any]], count: int) -> dict[str, Any]:
        """Return the outputs of all batches together as CuPy arrays; see `DeviceBackend.run_on_device`.

        Nothing waits for the GPU: the arrays are ready for what the caller puts on the stream that is
        current for it.
        """
        with self._running() as execution:
            results, caller = self._results_on_device(execution, count)
            at = 0
            for inputs in batches:
                arrays, size = check_inputs(inputs, self.inputs)
                with execution.current():
                    self._to_device(execution, size, partial(_feed_host, execution, arrays), results, at)
                at += size
            with execution.current():
                caller.wait_event(execution.stream.record())
        return results

    def run_pictures(self, batch: Any, *, swap_channels: bool, on_device: bool) -> dict[str, Any]:
        """Describe pictures that are on the GPU; see `PictureBackend.run_pictures`.

        Outputs that are left there are CuPy arrays.
        """
        with self._running() as execution:
            if [spec.name for spec in self.inputs] != ["images"]:
                raise InputError(
                    "this bundle's geometry needs windows of the crops, which are made on the host: copy the "
                    "batch there first."
                )
            with self._cupy.cuda.Device(self._gpu.index):
                caller = self._cupy.cuda.get_current_stream()
                with execution.stream:
                    execution.stream.wait_event(caller.record())
                    pictures = _pictures_of(self._cupy, self._gpu, batch)
            target = execution.program.channels["images"].device

            def feed(chunk: Chunk, slot: int) -> None:
                ops.resize(pictures[chunk.items], swap_channels=swap_channels, out=target[: chunk.count])

            if not on_device:
                with execution.current():
                    return self._to_host(execution, len(pictures), feed)
            results, caller = self._results_on_device(execution, len(pictures))
            with execution.current():
                self._to_device(execution, len(pictures), feed, results, 0)
                done = execution.stream.record()
                caller.wait_event(done)
                if is_torch(batch):
                    current_stream(self._cupy, batch).wait_event(done)  # on which its memory is used next
                elif not isinstance(batch, self._cupy.ndarray):
                    execution.stream.synchronize()  # its owner may reuse the memory as soon as this returns
        return results

    def stage_times(self, size: int, *, rounds: int = 20) -> dict[str, float]:
        """Measure how long each stage of a run takes on the GPU; see `timing.stage_times`.

        Returns:
            Milliseconds by stage, in order: the copy to the device, the program's steps, the copy back, and
            "whole" for all of them as they run without being measured one by one.
        """
        with self._running() as execution:
            return stage_times(self._cupy, execution, size, rounds=rounds)

    def close(self) -> None:
        """Wait for what is under way and give the GPU's memory back; may be called twice."""
        with self._lock:
            execution, self._execution = self._execution, None
            if execution is not None:
                execution.close()

    # What runs.

    def _to_host(self, execution: Execution, count: int, feed: Move) -> dict[str, Floats]:
        """Run a batch and return its outputs as NumPy arrays."""
        results = {spec.name: empty_output(spec, count) for spec in self.outputs}
        channels = {name: execution.program.channels[name] for name in results}

        def take(chunk: Chunk, slot: int) -> None:
            for channel in channels.values():
                execution.staging.download(channel, slot, chunk.count)

        def finish(chunk: Chunk, slot: int) -> None:
            for name, channel in channels.items():
                results[name][chunk.items] = channel.hosts[slot][: chunk.count]

        execution.run(count, feed, take, finish)
        return results

    def _to_device(
        self, execution: Execution, count: int, feed: Move, results: Mapping[str, Any], at: int
    ) -> None:
        """Run a batch and copy its outputs into arrays of the device, from row `at` on."""
        channels = {name: execution.program.channels[name] for name in results}

        def take(chunk: Chunk, slot: int) -> None:
            rows = slice(at + chunk.start, at + chunk.start + chunk.count)
            for name, channel in channels.items():
                results[name][rows] = channel.device[: chunk.count]

        execution.run(count, feed, take)

    def _results_on_device(self, execution: Execution, count: int) -> tuple[dict[str, Any], Any]:
        """Return arrays for the outputs, and the caller's stream.

        They are made on the caller's stream: to CuPy's pool their memory is that stream's, so that what the
        caller frees is reused only after what the caller did with it.
        """
        with self._cupy.cuda.Device(self._gpu.index):
            caller = self._cupy.cuda.get_current_stream()
            results = {
                spec.name: self._cupy.empty(shape_of(spec, count), np.float32) for spec in self.outputs
            }
            execution.stream.wait_event(caller.record())
        return results, caller

    @contextmanager
    def _running(self) -> Iterator[Execution]:
        with self._lock, self._memory():
            execution = self._execution
            if execution is None:
                raise closed()
            try:
                yield execution
            except BaseException:
                # What is under way writes to arrays that the caller will not get, and may be given again.
                with suppress(self._cupy.cuda.runtime.CUDARuntimeError):
                    execution.stream.synchronize()
                raise

    @contextmanager
    def _memory(self) -> Iterator[None]:
        try:
            yield
        except self._cupy.cuda.memory.OutOfMemoryError as error:
            raise out_of_memory(self._cupy, self._gpu, str(error)) from error
        except self._cupy.cuda.runtime.CUDARuntimeError as error:
            if "cudaErrorMemoryAllocation" in str(error):  # page-locked memory ran out
                raise out_of_memory(self._cupy, self._gpu, f"{error}.") from error
            raise EngineError(
                f"CUDA failed on {self._gpu.device} ({self._gpu.name}): {error}. Start the program again; if "
                "it fails once more, delete the bundle's folder engines/, so that its engine is built anew."
            ) from error

    # What is opened.

    def _open(self, files: Mapping[str, tuple[Path, ...]], mode: str) -> tuple[str, Execution, str]:
        """Return the mode that runs, its execution, and its arithmetic."""
        engines: dict[str, list[Cached]] = {}

        def make(one: str) -> Execution:
            if one not in engines:
                engines[one] = [self._engine(path) for path in files[one]]
            with self._memory():
                return self._execute(one, engines[one])

        chosen = mode
        if mode == "auto" and not files["staged"]:
            chosen = "fused"
        if chosen != "auto":
            return chosen, make(chosen), engines[chosen][-1].arithmetic
        prints = [self._fingerprint(path) for path in (*files["fused"], *files["staged"])]
        digests = [one.digest for one in prints[1:]]
        beside = self._engine_path(files["fused"][0], prints[0])
        noted = noted_choice(beside, digests)
        if noted is not None:
            return noted, make(noted), engines[noted][-1].arithmetic
        try:
            with self._memory():
                chosen, execution = choose(self._cupy, beside, digests, make)
        except EngineError as error:
            if "fused" not in engines:
                raise
            _log.warning("the two-engine form cannot be used (%s); running the fused one", error)
            chosen, execution = "fused", make("fused")
        return chosen, execution, engines[chosen][-1].arithmetic

    def _engine(self, model: Path) -> Cached:
        """Return a file's engine from the cache, or build it."""

        def build(timing_cache: bytes) -> Built:
            progress = self._progress or _logged_progress(model.name)
            return build_plan(self._library, model, timing_cache=timing_cache, progress=progress)

        allowed = build if self._build else None
        return cached_engine(self._fingerprint(model), engine_folders(model), allowed, model=model.name)

    def _engine_path(self, model: Path, wanted: Fingerprint) -> Path:
        """Return where a file's engine lies or will lie."""
        places = [folder / f"{wanted.digest}.engine" for folder in engine_folders(model)]
        return next((place for place in places if place.exists()), places[0])

    def _fingerprint(self, model: Path) -> Fingerprint:
        """Return a file's fingerprint, once: it reads the whole file."""
        if model not in self._prints:
            self._prints[model] = fingerprint(model, self._library, self._gpu)
        return self._prints[model]

    def _execute(self, mode: str, engines: list[Cached]) -> Execution:
        """Load engines and return what runs them."""
        cupy = self._cupy
        stream = cupy.cuda.Stream(non_blocking=True)
        loaded: list[Engine] = []
        staging = create_staging(cupy, self._gpu)
        try:
            with stream:
                loaded += [Engine(self._library, engine.plan, engine.path) for engine in engines]
                make: type[Program] = Program if mode == "fused" else Staged
                program = make(cupy, stream, staging, *loaded)
        except BaseException:
            for engine in loaded:
                engine.close()
            staging.close()
            raise
        return Execution(cupy, self._gpu, stream, program, staging, graphs=self._graphs)


def _feed_host(execution: Execution, arrays: Mapping[str, Floats], chunk: Chunk, slot: int) -> None:
    """Put a chunk of host arrays on its way to the device."""
    execution.wait_for(slot)
    for name, array in arrays.items():
        channel = execution.program.channels[name]
        channel.hosts[slot][: chunk.count] = array[chunk.items]
        execution.staging.upload(channel, slot, chunk.count)


def _pictures_of(cupy: Any, gpu: Gpu, batch: Any) -> Any:
    """Return a caller's pictures as CuPy's array, without a copy, safe to use on CuPy's current stream.

    Arrays of CuPy's own are used as they are: who calls this lets the current stream wait for the one that
    was current for the caller. Others order themselves before the current stream, as their protocol says.
    """
    if not is_device_array(batch):
        raise InputError(
            f"the batch is a {type(batch).__name__} in host memory; expected an array on {gpu.device}."
        )
    try:
        if isinstance(batch, cupy.ndarray):
            pictures = batch
        elif hasattr(batch, "__dlpack__"):
            pictures = cupy.from_dlpack(batch)
        else:
            pictures = cupy.asarray(batch)
    except (BufferError, RuntimeError, TypeError, ValueError) as error:
        raise InputError(
            f"the batch ({type(batch).__module__}.{type(batch).__name__}) cannot be taken over: {error}. Of "
            "a tensor that requires a gradient pass .detach()."
        ) from error
    if pictures.device.id != gpu.index:
        raise InputError(
            f"the batch is on cuda:{pictures.device.id}, and the engine runs on {gpu.device}; copy it there, "
            f"or load the bundle with device='cuda:{pictures.device.id}'."
        )
    if pictures.ndim != 4 or pictures.shape[3] != 3 or 0 in pictures.shape[1:] or pictures.dtype != np.uint8:
        raise InputError(
            f"the batch has shape {pictures.shape} and dtype {pictures.dtype}; expected (N, H, W, 3) uint8 "
            "in CUDA memory."
        )
    return pictures


def _logged_progress(name: str) -> PhaseProgress:
    """Return a function that writes to the log whenever another tenth of a build is done."""
    told = -1

    def progress(phase: str, share: float) -> None:
        nonlocal told
        if int(share * 10) > told:
            told = int(share * 10)
            _log.info("building an engine of %s: %d %% (%s)", name, told * 10, phase)

    return progress
