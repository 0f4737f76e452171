# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""One fused engine or two with our kernels between them: whichever was measured to be quicker here."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any, Final

from pamtri_edge.runtime.tensorrt.engine_cache import read_record, write_record
from pamtri_edge.runtime.tensorrt.execution import Execution

MODES: Final = ("fused", "staged")

BATCH: Final = 16
"""The batch size at which the two are compared."""

_ROUNDS: Final = 20
_WARM: Final = 3

_log = logging.getLogger(__name__)


def note_path(engine: Path) -> Path:
    """Return where the choice is noted: beside the fused engine."""
    return engine.with_suffix(".choice.json")


def noted_choice(engine: Path, staged: Sequence[str]) -> str | None:
    """Return the mode that was chosen when these very engines were measured, or None.

    Args:
        engine: the fused engine's file.
        staged: fingerprints of the two staged engines.
    """
    record = read_record(note_path(engine))
    if record is None or record.get("staged_engines") != list(staged) or record.get("picked") not in MODES:
        return None
    return str(record["picked"])


def choose(
    cupy: Any, engine: Path, staged: Sequence[str], make: Callable[[str], Execution]
) -> tuple[str, Execution]:
    """Measure both modes in turn, note the result, and return the quicker one ready to run.

    Args:
        cupy: the module.
        engine: the fused engine's file.
        staged: fingerprints of the two staged engines.
        make: makes the execution of a mode; both are in memory for the time of the measurement.

    Raises:
        EngineError: one of them cannot be made or run.
    """
    made: dict[str, Execution] = {}
    try:
        for mode in MODES:
            made[mode] = make(mode)
        taken: dict[str, list[float]] = {mode: [] for mode in MODES}
        for turn in range(_WARM + _ROUNDS):  # in turn, so that a changing clock is the same for both
            for mode, execution in made.items():
                milliseconds = _time(cupy, execution)
                if turn >= _WARM:
                    taken[mode].append(milliseconds)
    except BaseException:
        for execution in made.values():
            execution.close()
        raise
    found = {mode: round(median(times), 4) for mode, times in taken.items()}
    picked = min(MODES, key=found.__getitem__)
    for mode, execution in made.items():
        if mode != picked:
            execution.close()
    note = {"picked": picked, "batch": BATCH, "milliseconds": found, "rounds": _ROUNDS}
    path = note_path(engine)
    try:
        write_record(path, {**note, "staged_engines": list(staged)})
    except OSError as error:
        _log.info("%s cannot be written (%s); the next start measures again", path, error.strerror)
    _log.info("batch of %d in %s ms; running the %s form", BATCH, found, picked)
    return picked, made[picked]


def _time(cupy: Any, execution: Execution) -> float:
    with execution.current():
        begin, end = cupy.cuda.Event(), cupy.cuda.Event()
        begin.record(execution.stream)
        execution.launch(BATCH)
        end.record(execution.stream)
        end.synchronize()
        return float(cupy.cuda.get_elapsed_time(begin, end))
