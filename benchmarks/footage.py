# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Re-identification on real footage without labels, clip by clip, against simple features.

`python benchmarks/footage.py CLIP... --bundle NAME.pamtri` takes each clip with the tracks that lie beside
it (the same name, .txt), looks the first fifth of every track up among the last fifths of all, and prints
mAP with its bootstrap interval over vehicles, and rank-1. Clips named with --validation may have chosen
something (a checkpoint, a threshold); the others are test clips, over which the mean is taken, each weighing
the same. Last comes how far the first feature is above each other one on the test clips, paired: both
features meet the same vehicles in every draw.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated, Any

import cv2
import typer
from machine import describe

from pamtri_edge import console
from pamtri_edge.datasets.footage import DEFAULT_RULE, TrackRule, read_footage
from pamtri_edge.errors import InputError
from pamtri_edge.evaluate.baselines import BASELINES
from pamtri_edge.evaluate.bootstrap import Interval, Scores, difference, mean_interval
from pamtri_edge.evaluate.features import Describer
from pamtri_edge.evaluate.measure import Evaluation, evaluate
from pamtri_edge.evaluate.networks import BundleDescriber, OnnxDescriber, WeightsDescriber
from pamtri_edge.evaluate.tables import clip_table, difference_table
from pamtri_edge.reidentifier import Reidentifier
from pamtri_edge.words import SCALINGS

RESULTS = Path(__file__).parent / "results"

Clips = dict[str, list[Evaluation]]


def main(
    clips: Annotated[list[Path], typer.Argument(help="Videos; the tracks of NAME.mp4 are in NAME.txt.")],
    bundle: Annotated[list[Path] | None, typer.Option(help="A bundle; may be repeated.")] = None,
    reid: Annotated[Path | None, typer.Option(help="Weights, instead of a bundle.")] = None,
    pose: Annotated[
        Path | None, typer.Option(help="Weights of the pose network that goes with them.")
    ] = None,
    onnx: Annotated[
        list[Path] | None, typer.Option(help="Any ONNX network to compare with, such as one of ImageNet's.")
    ] = None,
    scaling: Annotated[str, typer.Option(help=f"What that takes: {', '.join(SCALINGS)}.")] = "imagenet",
    validation: Annotated[
        list[str] | None, typer.Option(help="Name of a clip that is no test clip; may be repeated.")
    ] = None,
    views: Annotated[int, typer.Option(min=1, help="Views from each end of a track.")] = DEFAULT_RULE.views,
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads. [default: all]")] = None,
    save: Annotated[bool, typer.Option(help="Write the figures into benchmarks/results.")] = True,
) -> None:
    """Print mAP and rank-1 of each feature on each clip, and the first feature's lead on the test clips."""
    cv2.setNumThreads(1)
    names = [clip.stem for clip in clips]
    unknown = set(validation or []) - set(names)
    if unknown or len(set(names)) != len(names):
        raise InputError(
            f"the clips are {', '.join(names)}; each once, and {', '.join(unknown)} is none of them."
        )
    test = [name for name in names if name not in (validation or [])]
    found: Clips = {}
    with ExitStack() as stack:
        describers = list(_describers(stack, bundle or [], reid, pose, onnx or [], scaling, threads))
        for clip in clips:
            console.err.print(f"{clip.stem} ...")
            data = read_footage(clip, clip.with_suffix(".txt"), rule=TrackRule(views=views))
            found[clip.stem] = [evaluate(data, describer) for describer in describers]
    means, leads = summary({name: found[name] for name in test}) if test else ({}, {})
    shown = {f"{name} ({'test' if name in test else 'validation'})": found[name] for name in names}
    console.out.print(clip_table(shown, means or None))
    if leads:
        console.out.print(f"\nOn the {len(test)} test clips:")
        console.out.print(difference_table(describers[0].name, leads))
    if save:
        path = _save(found, test, means, leads, views)
        console.out.print(f"written: {path}")


def summary(clips: Clips) -> tuple[dict[str, Interval], dict[str, Interval]]:
    """Return the mean over clips of each feature's mAP, and the first feature's lead over each other's."""
    columns = list(zip(*clips.values(), strict=True))
    scores: dict[str, Sequence[Scores]] = {
        column[0].feature: [one.precision for one in column] for column in columns
    }
    first, *others = scores
    means = {name: mean_interval(values) for name, values in scores.items()}
    return means, {name: difference(scores[first], scores[name]) for name in others}


def _describers(
    stack: ExitStack,
    bundles: list[Path],
    reid: Path | None,
    pose: Path | None,
    onnx: list[Path],
    scaling: str,
    threads: int | None,
) -> Iterator[Describer]:
    for path in bundles:
        yield BundleDescriber(stack.enter_context(Reidentifier.load(path, threads=threads)))
    if reid is not None:
        yield WeightsDescriber(reid, pose, threads=threads)
    for path in onnx:
        yield OnnxDescriber(path, scaling=scaling, threads=threads)
    yield from BASELINES.values()


def _save(
    found: Clips, test: list[str], means: dict[str, Interval], leads: dict[str, Interval], views: int
) -> Path:
    now = datetime.now(timezone.utc)
    path = RESULTS / f"footage-{now:%Y-%m-%d-%H%M%S}.json"
    path.parent.mkdir(exist_ok=True)
    record: dict[str, Any] = {"date": f"{now:%Y-%m-%d}", **describe(), "views": views, "test_clips": test}
    record["clips"] = {name: [one.to_json() for one in clip] for name, clip in found.items()}
    record["means"] = {name: mean.to_json() for name, mean in means.items()}
    record["first_above"] = {name: lead.to_json() for name, lead in leads.items()}
    path.write_text(json.dumps(record, indent=2) + "\n")
    return path


if __name__ == "__main__":
    console.guarded(lambda: typer.run(main))
