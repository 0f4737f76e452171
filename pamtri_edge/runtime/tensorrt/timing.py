# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""How long each stage of a run takes on the GPU, by events on its stream."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from typing import Any, Final

from pamtri_edge.errors import InputError
from pamtri_edge.runtime.tensorrt.buckets import BUCKETS
from pamtri_edge.runtime.tensorrt.execution import Execution

UPLOAD: Final = "copy to the device"
DOWNLOAD: Final = "copy to the host"
WHOLE: Final = "whole"

_WARM: Final = 3


def stage_times(cupy: Any, execution: Execution, size: int, *, rounds: int) -> dict[str, float]:
    """Return the median milliseconds of each stage, in order, and of the whole.

    The stages are enqueued one by one with events between; the whole is what a batch really takes, its
    network replayed as a graph. So the stages may add up to more than the whole.

    Args:
        cupy: the module.
        execution: what runs; nothing of it may be under way elsewhere.
        size: the batch size, one of `buckets.BUCKETS`.
        rounds: how often.

    Raises:
        InputError: another batch size.
        EngineError: TensorRT refuses.
    """
    if size not in BUCKETS:
        raise InputError(f"the batch size is {size}; accepted: {', '.join(map(str, BUCKETS))}.")
    program, staging, stream = execution.program, execution.staging, execution.stream
    channels = program.channels

    def upload() -> None:
        for spec in program.inputs:
            staging.upload(channels[spec.name], 0, size)

    def download() -> None:
        for spec in program.outputs:
            staging.download(channels[spec.name], 0, size)

    def whole() -> None:
        execution.run(size, lambda chunk, slot: upload(), lambda chunk, slot: download())

    stages: list[tuple[str, Callable[[], None]]] = [
        (UPLOAD, upload),
        *program.steps(size),
        (DOWNLOAD, download),
    ]
    with execution.current():
        execution.launch(size)  # makes the context ready, and the graph
        taken: dict[str, list[float]] = {name: [] for name, _ in (*stages, (WHOLE, whole))}
        for turn in range(_WARM + rounds):
            marks = [stream.record()]
            for _, stage in stages:
                stage()
                marks.append(stream.record())
            before = stream.record()
            whole()
            after = stream.record()
            after.synchronize()
            if turn < _WARM:
                continue
            for index, (name, _) in enumerate(stages):
                taken[name].append(_between(cupy, marks[index], marks[index + 1]))
            taken[WHOLE].append(_between(cupy, before, after))
    return {name: median(times) for name, times in taken.items()}


def _between(cupy: Any, begin: Any, end: Any) -> float:
    return float(cupy.cuda.get_elapsed_time(begin, end))
