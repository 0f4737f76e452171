# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What grows with what: vehicles a second with batch, threads, callers; a video with tracks; synthesis.

`python benchmarks/scaling.py` measures curves and names for each what it finds: the exponent of a power law
where the points lie on one, else the knee, the last point up to which more still brought as much. Points of a
curve take turns, round by round, and lie as far above the first one as the median of their ratios within the
rounds. Beside vehicles a second there are vehicles a second of processor time, which other programs hardly
disturb: what they lose is what more threads cost. Where others use the processors, curves on the wall over
threads and processes say more about them than about us, so such a machine is refused without `--busy`.
"""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import typer
from machine import Others, describe
from pairing import Block, interleave, median_cpu, median_wall, paired_ratio
from rich.table import Table
from saving import save_result

from pamtri_edge import Reidentifier, console, samples
from pamtri_edge.bundle import default_bundle
from pamtri_edge.errors import InputError
from pamtri_edge.processors import available_processors

FITS = 0.05
"""A power law fits if no point lies further from it than this part."""
BRINGS = 0.5
"""A step still brings something if the growth is at least this part of the first step's, in exponents."""

PICTURES = 64
"""Drawn in a call of synthesis."""

Point = tuple[float, float]
Clock = Literal["wall", "cpu"]


@dataclass
class Curve:
    """Lines of points, with what they are over and what was found of each."""

    x: str
    unit: str
    lines: dict[str, list[Point]] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, points: Sequence[Point]) -> None:
        """Add a line."""
        self.lines[name] = list(points)
        self.words[name] = found(points)


def found(points: Sequence[Point]) -> str:
    """Return what a line of at least two positive points is: a power, or a line with a knee."""
    xs, ys = (np.log(np.array(values)) for values in zip(*sorted(points), strict=True))
    if len(xs) < 2:
        return "one point"
    exponent, offset = np.polyfit(xs, ys, 1)
    if np.abs(exponent * xs + offset - ys).max() <= FITS or len(xs) == 2:
        return f"grows with the power {exponent:.2f}"
    slopes = np.diff(ys) / np.diff(xs)
    first = slopes[0]
    for at, slope in enumerate(slopes):
        if abs(slope) < BRINGS * abs(first) or slope * first < 0:
            return f"power {first:.2f} at first, knee at {math.exp(xs[at]):.3g}"
    return f"powers {slopes.min():.2f} to {slopes.max():.2f}, no knee up to {math.exp(xs[-1]):.3g}"


def main(
    bundle: Annotated[Path | None, typer.Option(help="The bundle. [default: lite]")] = None,
    rounds: Annotated[int, typer.Option(min=3, help="Rounds.")] = 7,
    only: Annotated[str, typer.Option(help="Measure only curves whose name holds this word.")] = "",
    busy: Annotated[bool, typer.Option("--busy", help="Measure on a busy machine too.")] = False,
    save: Annotated[bool, typer.Option(help="Write the figures into benchmarks/results.")] = True,
) -> None:
    """Print how throughput and time grow on this machine."""
    load = os.getloadavg()[0]
    if load > available_processors() and not busy:
        raise InputError(
            f"the load of this machine is {load:.1f} on {available_processors()} processors; wait until it "
            "is quiet, or measure all the same with --busy."
        )
    measured: dict[str, Curve] = {}
    path = bundle or default_bundle()
    with ExitStack() as stack, Others() as others:
        for name, make in CURVES.items():
            if only in name:
                console.err.print(f"measuring {name} ...")
                measured[name] = make(path, rounds, stack)
    _show(measured)
    if save:
        record = {**describe(), "bundle": path.name, "rounds": rounds, "others": others.share, "load": load}
        record["curves"] = {name: asdict(curve) for name, curve in measured.items()}
        save_result("scaling", record)


def _batch(path: Path, rounds: int, stack: ExitStack) -> Curve:
    reid = stack.enter_context(Reidentifier.load(path))
    crops = samples.crops(32, seed=3)
    calls = {size: _embed(reid, crops[:size]) for size in (1, 2, 4, 8, 16, 32)}
    return _rates("vehicles a call", path.stem, calls, {size: size for size in calls}, rounds)


def _threads(path: Path, rounds: int, stack: ExitStack) -> Curve:
    crops = samples.crops(8, seed=3)
    calls = {
        count: _embed(stack.enter_context(Reidentifier.load(path, threads=count)), crops)
        for count in _powers(available_processors())
    }
    return _rates("threads", f"{path.stem}, batch 8", calls, dict.fromkeys(calls, len(crops)), rounds)


def _callers(path: Path, rounds: int, stack: ExitStack) -> Curve:
    reid = stack.enter_context(Reidentifier.load(path))
    crops = samples.crops(1, seed=3)
    counts = _powers(2 * available_processors())
    pool = stack.enter_context(ThreadPoolExecutor(max(counts)))

    def together(count: int) -> Callable[[], object]:
        return lambda: list(pool.map(lambda _: reid.embed(crops), range(count)))

    calls = {count: together(count) for count in counts}
    return _rates(
        "callers at once, one vehicle each", path.stem, calls, {count: count for count in counts}, rounds
    )


def _tracks(path: Path, rounds: int, stack: ExitStack) -> Curve:
    """Without the network: frames of so many vehicles through the decisions, by processor time."""
    from types import SimpleNamespace

    from pamtri_edge.tracks import TrackBox
    from pamtri_edge.video.frames import Frame
    from pamtri_edge.video.journal import Journal

    pixels = np.random.default_rng(1).integers(0, 256, (1080, 1920, 3)).astype(np.uint8)
    each = {"embeddings": 64, "color_probs": 10, "type_probs": 9}

    def embed(batch: Sequence[Any]) -> Any:
        answers = {name: np.full((len(batch), size), 1 / size, np.float32) for name, size in each.items()}
        return SimpleNamespace(**answers, keypoints=None, quality=np.full(len(batch), 0.5, np.float32))

    network: Any = SimpleNamespace(manifest=SimpleNamespace(trained=True), embed=embed)

    def follow(count: int) -> Callable[[], object]:
        def run() -> None:
            journal = Journal(network)
            for number in range(10):
                boxes = [TrackBox(n, _place(n, number)) for n in range(count)]
                journal.observe(Frame(index=number, time_s=number / 25, picture=pixels), boxes)
            journal.end_all()

        return run

    counts = (4, 16, 64, 256)
    blocks = interleave({str(count): follow(count) for count in counts}, rounds=rounds, block=0.2)
    curve = Curve("tracks in a frame", "processor ms a frame")
    curve.add("decisions and crops, no network", [(n, 100 * median_cpu(blocks[str(n)])) for n in counts])
    return curve


def _place(number: int, frame: int) -> tuple[float, float, float, float]:
    left, top = 110 * (number % 16) + frame, 65 * (number // 16 % 15) + frame
    return (left, top, left + 60, top + 60)


def _synthesis(path: Path, rounds: int, stack: ExitStack) -> Curve:
    from pamtri_edge.synth.dataset.generate import generate
    from pamtri_edge.synth.dataset.plan import SynthPlan

    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    names = _numbers()

    def draw(processes: int) -> Callable[[], object]:
        def run() -> None:
            plan = SynthPlan(identities=8, images=PICTURES, cameras=4, seed=5)
            generate(plan, folder / f"set-{next(names)}", processes=processes)

        return run

    counts = _powers(available_processors())
    blocks = _blocks({count: draw(count) for count in counts}, max(3, rounds // 2))
    walls = _times(
        blocks, median_wall, "wall"
    )  # what the processes compute is not in this one's processor time
    curve = Curve("processes", "pictures/s")
    curve.add(
        f"{PICTURES} pictures, starting included", [(count, PICTURES / walls[count]) for count in counts]
    )
    return curve


def _numbers() -> Iterator[int]:
    number = 0
    while True:
        yield number
        number += 1


def _embed(reid: Reidentifier, crops: Sequence[Any]) -> Callable[[], object]:
    return lambda: reid.embed(crops)


def _rates(
    x: str, name: str, calls: Mapping[int, Callable[[], object]], vehicles: Mapping[int, int], rounds: int
) -> Curve:
    """Return vehicles a second over what the calls differ in, on the wall and of processor time."""
    blocks = _blocks(calls, rounds)
    curve = Curve(x, "vehicles/s")
    for line, median, clock in ((name, median_wall, "wall"), (f"{name}, processor time", median_cpu, "cpu")):
        times = _times(blocks, median, clock)
        curve.add(line, [(at, vehicles[at] / times[at]) for at in calls])
    return curve


def _blocks(calls: Mapping[int, Callable[[], object]], rounds: int) -> dict[int, list[Block]]:
    blocks = interleave({str(at): call for at, call in calls.items()}, rounds=rounds, block=0.3)
    return {at: blocks[str(at)] for at in calls}


def _times(
    blocks: Mapping[int, Sequence[Block]], median: Callable[[Sequence[Block]], float], clock: Clock
) -> dict[int, float]:
    """Return seconds a call: the median of the first, and the others by their ratio to it in a round."""
    first = blocks[min(blocks)]
    return {at: median(first) * paired_ratio(own, first, clock=clock).median for at, own in blocks.items()}


def _powers(most: int) -> list[int]:
    """Return 1, 2, 4, ... and the most itself."""
    counts = [1 << at for at in range(most.bit_length()) if 1 << at <= most]
    return counts if counts[-1] == most else [*counts, most]


CURVES: Mapping[str, Callable[[Path, int, ExitStack], Curve]] = {
    "batch": _batch,
    "threads": _threads,
    "streams": _callers,
    "tracks": _tracks,
    "synthesis": _synthesis,
}


def _show(measured: Mapping[str, Curve]) -> None:
    table = Table("", "over", "points", "found")
    for name, curve in measured.items():
        for line, points in curve.lines.items():
            shown = ", ".join(f"{x:g}: {y:.3g}" for x, y in points)
            table.add_row(f"{name}, {line} ({curve.unit})", curve.x, shown, curve.words[line])
    console.out.print(table)


if __name__ == "__main__":
    console.guarded(lambda: typer.run(main))
