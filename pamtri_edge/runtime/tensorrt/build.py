# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""From an ONNX file to a plan, the bytes of an engine: strongly typed, so that the file's types are kept."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pamtri_edge import _core
from pamtri_edge.errors import EngineError
from pamtri_edge.progress import PhaseProgress
from pamtri_edge.runtime.tensorrt.library import Library

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Profile:
    """The batches that an engine is tuned for: any from `smallest` to `largest`, best at `best`."""

    smallest: int
    best: int
    largest: int

    def __str__(self) -> str:
        return _core.profiles_text([(self.smallest, self.best, self.largest)])


PROFILES: Final = tuple(Profile(*sizes) for sizes in _core.engine_profiles())
"""The first is what nvinfer uses; the others are for CUDA graphs, which have one size each."""


@dataclass(frozen=True)
class Built:
    """A plan and how it came about.

    Attributes:
        plan: the engine's bytes.
        layers: of the network as parsed.
        arithmetic: what its convolutions are typed in: "fp32", "fp16" or "int8".
        timing_cache: what the build measured, for the next build on this device; empty for TensorRT-RTX.
        parse_s: seconds to read the ONNX file.
        build_s: seconds to build the engine.
        via: what read the network: "tensorrt" for its own parser of ONNX files.
    """

    plan: bytes = field(repr=False)
    layers: int
    arithmetic: str
    timing_cache: bytes = field(repr=False)
    parse_s: float
    build_s: float
    via: str = "tensorrt"


def build_plan(
    library: Library,
    model: Path,
    *,
    profiles: Sequence[Profile] = PROFILES,
    timing_cache: bytes = b"",
    workspace: int | None = None,
    progress: PhaseProgress | None = None,
) -> Built:
    """Build an engine of an ONNX file.

    TensorRT-RTX does this without a GPU, TensorRT needs the one that shall run the engine.

    Args:
        library: the TensorRT to build with.
        model: the file, with all weights inside and a dynamic batch as the first axis.
        profiles: the batches to tune for.
        timing_cache: what an earlier build on this device measured; one of another device is ignored.
        workspace: bytes of device memory that a layer may use while it works; None for all there is.
        progress: told how far the build is. An exception that it raises, or Ctrl-C, ends the build.

    Raises:
        EngineError: the parser or the builder refuses the file; the message has its reason.
    """
    trt = library.module
    library.logger.errors.clear()
    builder = trt.Builder(library.logger)
    network = builder.create_network(library.network_flags)
    parser = trt.OnnxParser(network, library.logger)
    start = time.perf_counter()
    if not parser.parse_from_file(str(model)):
        errors = [str(parser.get_error(index)).rstrip(". ") for index in range(parser.num_errors)]
        raise EngineError(
            f"{library.title} cannot read {model}: {'; '.join(errors) or library.last_errors()}. Export the "
            "bundle with this release, whose rules keep to what TensorRT 10.3 knows, or use another backend."
        )
    parsed = time.perf_counter()
    configuration = builder.create_builder_config()
    # Float32 layers compute in float32, as the file says; TensorFloat-32 has a mantissa of 10 bits.
    configuration.clear_flag(trt.BuilderFlag.TF32)
    if workspace is not None:
        configuration.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, workspace)
    for profile in profiles:
        configuration.add_optimization_profile(_profile(builder, network, profile))
    cache = None
    if library.times_tactics:
        cache = configuration.create_timing_cache(timing_cache)
        if not configuration.set_timing_cache(cache, False):  # made by another device or version
            cache = configuration.create_timing_cache(b"")
            configuration.set_timing_cache(cache, False)
    monitor = _make_monitor(trt, progress)
    configuration.progress_monitor = monitor
    plan = builder.build_serialized_network(network, configuration)
    if monitor.stopped_by is not None:
        raise monitor.release()
    if plan is None:
        raise EngineError(
            f"{library.title} cannot build an engine of {model}: {library.last_errors()}. If memory ran out, "
            "close other programs that use the GPU; else try another backend."
        )
    return Built(
        plan=bytes(plan),
        layers=int(network.num_layers),
        arithmetic=_arithmetic(trt, network),
        timing_cache=b"" if cache is None else bytes(cache.serialize()),
        parse_s=parsed - start,
        build_s=time.perf_counter() - parsed,
    )


def _profile(builder: Any, network: Any, profile: Profile) -> Any:
    made = builder.create_optimization_profile()
    for index in range(network.num_inputs):
        tensor = network.get_input(index)
        fixed = tuple(tensor.shape)[1:]
        sizes = (profile.smallest, profile.best, profile.largest)
        made.set_shape(tensor.name, *((size, *fixed) for size in sizes))
    return made


def _arithmetic(trt: Any, network: Any) -> str:
    """Return the narrowest type that a strongly typed network's convolutions are fed with."""
    found = set()
    for index in range(network.num_layers):
        layer = network.get_layer(index)
        if layer.type == trt.LayerType.DEQUANTIZE:
            found.add("int8")
        elif layer.type == trt.LayerType.CONVOLUTION and layer.get_input(0).dtype == trt.DataType.HALF:
            found.add("fp16")
    return next((kind for kind in ("int8", "fp16") if kind in found), "fp32")


def _make_monitor(trt: Any, progress: PhaseProgress | None) -> Any:
    base: Any = trt.IProgressMonitor

    class Monitor(base):  # type: ignore[misc]
        """Turns TensorRT's nested phases into one figure.

        An exception must not leave these methods, since their callers are C++: it is kept, the build is told
        to stop, and it is raised when the build has returned.
        """

        def __init__(self) -> None:
            base.__init__(self)
            self.stopped_by: BaseException | None = None
            self._phases = _core.BuildPhases()

        def release(self) -> BaseException:
            """Give what stopped the build away: its traceback leads back here, a circle nobody would free."""
            error, self.stopped_by = self.stopped_by, None
            assert error is not None
            return error

        def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
            """Enter a phase."""
            self._phases.start(phase_name, num_steps)
            self._tell(phase_name)

        def step_complete(self, phase_name: str, step: int) -> bool:
            """Note a step; return whether the build shall go on."""
            self._phases.step(phase_name, step)
            self._tell(phase_name)
            return self.stopped_by is None

        def phase_finish(self, phase_name: str) -> None:
            """Leave a phase."""
            self._phases.finish(phase_name)

        def _tell(self, name: str) -> None:
            try:
                if progress is not None and self.stopped_by is None:
                    progress(name, self._phases.share())
            except BaseException as error:
                self.stopped_by = error

    return Monitor()
