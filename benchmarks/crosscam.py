# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Re-identification between real cameras: what one saw, looked up in what the others saw, all ways.

`python benchmarks/crosscam.py FOLDER --bundle NAME.pamtri` takes pictures named as VeRi's with what they show
behind (`0001_c002_truck.jpg`: car, truck or bus), and prints mAP and rank-1 with their bootstrap intervals
over vehicles, mINP and rank-5 of each bundle and of each simple feature, how far the first bundle is above
each other feature, and how often a truck, a bus and a car are called one. With `--clip VIDEO`, whose tracks
lie beside it (the same name, .txt), the same features are also tried within one camera, as `footage.py` does.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated, Any, Final

import cv2
import typer
from footage import Clips, summary
from machine import describe
from rich.table import Table

from pamtri_edge import console
from pamtri_edge.datasets.folder import read_folder
from pamtri_edge.datasets.footage import read_footage
from pamtri_edge.evaluate.baselines import BASELINES
from pamtri_edge.evaluate.compare import Comparison, compare
from pamtri_edge.evaluate.features import Describer
from pamtri_edge.evaluate.measure import evaluate
from pamtri_edge.evaluate.networks import BundleDescriber, WeightsDescriber
from pamtri_edge.evaluate.tables import clip_table, difference_table, percent, percent_interval
from pamtri_edge.reidentifier import Reidentifier

RESULTS = Path(__file__).parent / "results"

KINDS: Final[Mapping[str, frozenset[str]]] = {
    "car": frozenset({"sedan", "suv", "hatchback", "mpv", "estate"}),
    "truck": frozenset({"truck"}),
    "bus": frozenset({"bus"}),
}
"""What may be said of each kind that a file's name ends in."""


def main(
    folder: Annotated[Path, typer.Argument(help="Pictures of vehicles by two cameras or more.")],
    bundle: Annotated[list[Path] | None, typer.Option(help="A bundle; may be repeated.")] = None,
    reid: Annotated[Path | None, typer.Option(help="Weights, instead of a bundle.")] = None,
    pose: Annotated[Path | None, typer.Option(help="The pose network that goes with them.")] = None,
    clip: Annotated[
        list[Path] | None, typer.Option(help="A video with tracks beside it; may be repeated.")
    ] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads. [default: all]")] = None,
    save: Annotated[bool, typer.Option(help="Write the figures into benchmarks/results.")] = True,
) -> None:
    """Print what each feature reaches, and the first one's lead."""
    cv2.setNumThreads(1)
    data = read_folder(folder)
    with ExitStack() as stack:
        describers: list[Describer] = [
            BundleDescriber(stack.enter_context(Reidentifier.load(path, threads=threads)))
            for path in bundle or []
        ]
        if reid is not None:
            describers.append(WeightsDescriber(reid, pose, threads=threads))
        describers += BASELINES.values()
        found = compare(data, describers)
        clips = {
            one.stem: [evaluate(read_footage(one, one.with_suffix(".txt")), each) for each in describers]
            for one in clip or []
        }
    called = {
        one.feature: shares(data.query.names, described.query.types)
        for one, described in zip(found.evaluations, found.described, strict=True)
        if described.query.types is not None
    }
    console.out.print(f"{data.name}: {data.identities} vehicles, {len(data.query)} pictures")
    console.out.print(_table(found, called))
    console.out.print(difference_table(found.evaluations[0].feature, found.differences))
    if clips:
        console.out.print("\nWithin one camera, the first views of a track among the last ones of all:")
        console.out.print(clip_table(clips, summary(clips)[0]))
    if save:
        console.out.print(f"written: {_save(found, called, clips)}")


def shares(names: Sequence[str], types: Sequence[str]) -> dict[str, float]:
    """Return for each kind that file names end in how often a type is said that it may be called."""
    told: dict[str, list[bool]] = {}
    for name, kind in zip(names, types, strict=True):
        true = Path(name).stem.rpartition("_")[2]
        if true in KINDS:
            told.setdefault(true, []).append(kind in KINDS[true])
    return {kind: sum(right) / len(right) for kind, right in sorted(told.items())}


def _table(found: Comparison, called: Mapping[str, Mapping[str, float]]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("feature")
    for column in ("mAP [95 %]", "rank-1 [95 %]", "rank-5", "mINP", *KINDS):
        table.add_column(column, justify="right")
    for one in found.evaluations:
        known = called.get(one.feature, {})
        table.add_row(
            one.feature,
            percent_interval(one.mean_average_precision),
            percent_interval(one.rank1),
            percent(one.retrieval.rank(5)),
            percent(one.retrieval.mINP),
            *(percent(known.get(kind)) for kind in KINDS),
        )
    return table


def _save(found: Comparison, called: Mapping[str, Mapping[str, float]], clips: Clips) -> Path:
    now = datetime.now(timezone.utc)
    path = RESULTS / f"crosscam-{now:%Y-%m-%d-%H%M%S}.json"
    path.parent.mkdir(exist_ok=True)
    record: dict[str, Any] = {"date": f"{now:%Y-%m-%d}", **describe(), **found.to_json(), "called": called}
    record["clips"] = {name: [one.to_json() for one in each] for name, each in clips.items()}
    path.write_text(json.dumps(record, indent=2) + "\n")
    return path


if __name__ == "__main__":
    console.guarded(lambda: typer.run(main))
