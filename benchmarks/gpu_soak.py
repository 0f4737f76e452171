# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Ten thousand batches of random sizes through the SDK on a GPU: what leaks, what gets lost, what runs out.

`python benchmarks/gpu_soak.py` loads a bundle (the one that comes with the package, unless another is named)
and describes batches of 1 to 40 crops, from the host or from the device, to the host or to the device. Every
result must be that of its own crop (`gpu/marks.py`). The memory that the driver says is taken, and that of
each library's pool, must be the same within 1 MiB after 1,000 batches and at the end. Then all of the GPU's
memory is taken away for the time of one batch, which must fail in words; the next must be right, and what
is taken afterwards as much as before.
"""

from __future__ import annotations

import math
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from gpu.device_memory import CudaDeviceMemory, DeviceMemory, NoDeviceMemory, Reading
from gpu.marks import Marks
from gpu.record import RESULTS, Output, Record, Rehearse
from gpu.soak import Soaked, Way, growth, soak, starved
from gpu.targets import Target, exit_code
from numpy.typing import NDArray

from pamtri_edge import Reidentifier, console, ops, samples
from pamtri_edge.bundle import default_bundle
from pamtri_edge.runtime.backend import DeviceBackend, PictureBackend

BATCHES = 10_000
SETTLED = 1_000
TOLD = 100
"""Batches between two writings of the result file."""
ALLOWED = 1 << 20
"""Bytes by which the memory taken may differ."""
_STARVED_RESULTS = 1 << 26
"""Bytes of the results for which there shall be no memory."""
_CANDIDATES = 96
_REHEARSED = 24
"""Candidates of a rehearsal, in which a CPU describes them one by one."""


def main(
    bundle: Annotated[Path | None, typer.Option(help="The bundle. [default: the package's]")] = None,
    backend: Annotated[str, typer.Option(help="tensorrt, torch, or auto.")] = "auto",
    batches: Annotated[int, typer.Option(min=1, help="Batches to run.")] = BATCHES,
    settled: Annotated[int, typer.Option(help="Batches until memory must not grow any more.")] = SETTLED,
    minutes: Annotated[float, typer.Option(help="Stop after so many minutes.")] = math.inf,
    seed: Annotated[int | None, typer.Option(help="Of the batches. [default: another each time]")] = None,
    output: Output = RESULTS,
    rehearse: Rehearse = False,
) -> None:
    """Run the batches, print what was lost, kept or wrong."""
    drawn = int(np.random.SeedSequence().generate_state(1)[0]) if seed is None else seed
    memory: DeviceMemory = NoDeviceMemory() if rehearse else CudaDeviceMemory()
    path = default_bundle() if bundle is None else bundle
    with Reidentifier.load(path, device="cpu" if rehearse else "cuda", backend=backend) as reid:
        record = Record(
            "soak",
            output,
            rehearsal=rehearse,
            seed=drawn,
            bundle=path.name,
            backend=[reid.backend.name, reid.backend.device, reid.backend.arithmetic],
        )
        candidates = _REHEARSED if rehearse else _CANDIDATES
        marks = Marks(samples.crops(candidates, seed=11), reid.embed)
        ways = ways_through(reid, marks.crops)
        record.note(marks=len(marks.crops), ways=[way.name for way in ways])
        with console.progress("batches") as bar:
            task = bar.add_task(f"soak on {reid.backend.name}", total=batches, note="")

            def on_batch(so_far: Soaked) -> None:
                bar.update(task, completed=so_far.batches, note=f"{so_far.wrong} wrong")
                if so_far.batches % TOLD == 0:
                    record.note(soaked=asdict(so_far))

            done = soak(
                marks,
                lambda batch, where: reid.embed(batch, output=where),
                ways,
                memory,
                np.random.default_rng(drawn),
                batches=batches,
                settled=settled,
                seconds=60 * minutes,
                largest=4 if rehearse else None,
                on_batch=on_batch,
            )
        record.note(soaked=asdict(done))
        record.judge(soak_targets(done, batches, settled, limited=minutes < math.inf))
        if not rehearse:  # a CPU has no memory that could be taken away
            starving = next(way for way in ways if way.output == "device")
            record.judge(recovery_targets(reid, marks, starving, memory))
    sys.exit(exit_code(record.close()))


def ways_through(reid: Reidentifier, crops: list[NDArray[np.uint8]]) -> list[Way]:
    """Return the ways that a batch can go with this engine."""

    def listed(drawn: NDArray[np.intp]) -> Any:
        return [crops[index] for index in drawn]

    ways = [Way("host to host", listed, "numpy")]
    engine = reid.backend
    if engine.device.startswith("cuda") and isinstance(engine, DeviceBackend):
        ways.append(Way("host to device", listed, "device"))
    if engine.device.startswith("cuda") and isinstance(engine, PictureBackend):
        from pamtri_edge.ops.driver import load_cupy

        cupy = load_cupy()
        stretched = np.ascontiguousarray(np.moveaxis(ops.resize(crops), 1, -1), np.uint8)

        def uploaded(drawn: NDArray[np.intp]) -> Any:
            return cupy.asarray(stretched[drawn])

        ways.append(Way("device to host", uploaded, "numpy"))
        ways.append(Way("device to device", uploaded, "device"))
    return ways


def soak_targets(done: Soaked, batches: int, settled: int, *, limited: bool = False) -> list[Target]:
    """Return what the long run is held against.

    Args:
        done: what came of it.
        batches: how many it should have had.
        settled: after how many the memory must not grow any more.
        limited: it was to end after a time, however many batches that were.
    """
    finished = f"{done.batches} of {batches} batches, {done.crops} crops"
    complete = done.batches == batches or limited
    right = Target(
        "no result is lost, doubled or another's",
        finished if not done.wrong else f"{finished}; {done.wrong} batches wrong: {'; '.join(done.problems)}",
        False if done.wrong else (True if complete else None),
    )
    kept_words = f"memory after {settled} batches and at the end is equal within {ALLOWED >> 20} MiB"
    if settled not in done.readings or done.batches <= settled:
        return [right, Target(kept_words, f"{finished}: it ended too early", None)]
    grown = growth(done.readings[settled], done.readings[done.batches])
    kept = all(abs(size) <= ALLOWED for size in grown.values())
    return [right, Target(kept_words, told(grown), kept if complete or not kept else None)]


def recovery_targets(reid: Reidentifier, marks: Marks, way: Way, memory: DeviceMemory) -> list[Target]:
    """Take all memory away for one batch; return what is held against that, and against what follows."""
    row = sum(math.prod(size or 1 for size in spec.shape[1:]) * 4 for spec in reid.manifest.outputs)
    memory.settle()
    before = memory.read()
    raised, problem = starved(
        marks,
        lambda batch, where: reid.embed(batch, output=where),
        way,
        memory,
        crops=-(-_STARVED_RESULTS // row),
    )
    memory.settle()
    grown = growth(before, memory.read())
    return [
        Target("without memory a batch fails in words", raised or "nothing was raised", bool(raised)),
        Target("after an out-of-memory error the next batch is right", problem or "it is", problem is None),
        Target(
            f"and as much memory is taken as before, within {ALLOWED >> 20} MiB",
            told(grown),
            all(abs(size) <= ALLOWED for size in grown.values()),
        ),
    ]


def told(grown: Reading) -> str:
    """Return by how much each count grew, in words."""
    return ", ".join(f"{name} {size / 2**20:+.2f} MiB" for name, size in grown.items())


if __name__ == "__main__":
    console.guarded(lambda: typer.run(main))
