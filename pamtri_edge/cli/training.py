# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What the training commands share: options, data, progress, and an end that can be gone on from."""

from __future__ import annotations

import importlib.util
import re
import time
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typer

from pamtri_edge import console
from pamtri_edge.errors import InputError, MissingDependencyError
from pamtri_edge.printable import counted
from pamtri_edge.signals import stoppable

if TYPE_CHECKING:
    from pamtri_edge.cli.train_options import PoseOptions, ReidOptions
    from pamtri_edge.datasets.data_set import DataSet
    from pamtri_edge.train.job import Budget, Job, TrainProgress, TrainSpec
    from pamtri_edge.train.loop import Training
    from pamtri_edge.train.recipes import Recipe

_VIEWS: Final = 20  # of a vehicle that is drawn on the spot, an epoch
_IMAGENET: Final = "imagenet"
_TICKS: Final = 1000  # of the progress bar
_LINE_S: Final = 30.0  # between two lines where there is no terminal to draw a bar on
_DURATION: Final = re.compile(r"^(\d+(?:\.\d+)?)([smh]?)$")
_SECONDS: Final = {"s": 1.0, "m": 60.0, "h": 3600.0}


def package() -> Any:
    """Return `pamtri_edge.train`, or say what to install."""
    for name in ("torch", "safetensors"):
        if importlib.util.find_spec(name) is None:
            raise MissingDependencyError(f"training needs {name}: pip install 'pamtri-edge[train]'.")
    from pamtri_edge import train

    return train


def read_data(
    folders: list[Path] | None,
    *,
    synthesize: int | None = None,
    seed: int = 0,
    footage: list[Path] | None = None,
    tracks: list[Path] | None = None,
    keypoints: bool = False,
) -> DataSet:
    """Read all that is learned from as one set, and say how much it is.

    Args:
        folders: data sets on disk.
        synthesize: how many vehicles are drawn on the spot.
        seed: of these.
        footage: videos without labels.
        tracks: their tracks.
        keypoints: only pictures with keypoints are wanted.

    Raises:
        InputError: there is nothing, or videos and tracks are not as many.
    """
    if len(footage or ()) != len(tracks or ()):
        raise InputError(
            f"{len(footage or ())} --footage and {len(tracks or ())} --tracks; give one for each video."
        )
    from pamtri_edge import train

    with console.err.status("reading labels ..."):
        sets = [train.read_data(folder) for folder in folders or ()]
        if synthesize is not None:
            sets.append(_synthesized(synthesize, seed))
        if footage:
            from pamtri_edge.datasets.unlabeled import read_unlabeled

            sets.append(read_unlabeled(list(zip(footage, tracks or (), strict=True))))
    data = train.mixed([one.with_keypoints() for one in sets] if keypoints else sets)
    told = (
        "" if data.classes == len(data.identities) else f", of which {data.classes} told and the rest tracks"
    )
    console.err.print(f"{counted(len(data), 'picture')} of {counted(len(data.identities), 'vehicle')}{told}")
    return data


def _synthesized(vehicles: int, seed: int) -> DataSet:
    from pamtri_edge.synth.dataset.plan import SynthPlan
    from pamtri_edge.train.synthesis import drawn_on_the_spot

    return drawn_on_the_spot(SynthPlan(identities=vehicles, images=vehicles * _VIEWS, seed=seed))


def held_out(folder: Path, limit: int) -> DataSet:
    """Return pictures of a folder's test part, evenly over it: enough to validate on."""
    from pamtri_edge.train import read_data

    data = read_data(folder, part="test")
    count = min(limit, len(data))
    return replace(data, samples=tuple(data.samples[at * len(data) // count] for at in range(count)))


def first_weights(init: Path | None, backbone: str) -> Path | None:
    """Return the file of the first weights; the word `imagenet` stands for those of a published backbone.

    Raises:
        InputError: the word is given for a backbone that has no such weights in a package.
        MissingDependencyError: the package is not installed.
    """
    if init is None or str(init) != _IMAGENET or init.exists():
        return init
    from pamtri_edge.models import LITES
    from pamtri_edge.train.weights import imagenet_weights

    if backbone not in LITES:
        raise InputError(
            f"--init imagenet: there are packages of the weights of {', '.join(LITES)}, not of {backbone}; "
            "name one as --backbone, or give a file of weights."
        )
    return imagenet_weights(backbone)


def train_spec(job: Job, options: PoseOptions | ReidOptions) -> TrainSpec:
    """Return how a job is run: the options that `TrainSpec` has too, and what is worked out of others."""
    from pamtri_edge.train.job import TrainSpec
    from pamtri_edge.train.machine import chosen_device

    seconds, every = _checkpoints(options.checkpoint_every)
    named = {field.name for field in fields(TrainSpec)} & {field.name for field in fields(options)}
    given = {name: getattr(options, name) for name in named}
    worked_out = {
        "budget": _budget(job, options.minutes, options.steps),
        "checkpoint_seconds": seconds,
        "checkpoint_steps": every,
        "device": chosen_device(options.device),
    }
    return TrainSpec(**{**given, **worked_out})


def _budget(job: Job, minutes: float | None, steps: int | None) -> Budget:
    from pamtri_edge.train.job import Budget

    if minutes is not None and steps is not None:
        raise InputError("--minutes and --steps: give one of them.")
    if minutes is not None:
        return Budget(seconds=minutes * 60.0)
    recipe: Recipe = job.recipe
    return Budget(steps=steps or max(1, round(recipe.epochs * len(job.sampler.epoch(0)))))


def _checkpoints(text: str) -> tuple[float, int | None]:
    """Return seconds, and steps if a bare number was given."""
    match = _DURATION.match(text)
    if match is None or (not match[2] and "." in match[1]) or float(match[1]) == 0:
        raise InputError(
            f"--checkpoint-every {text}: expected a time such as 60s or 5m, or a number of steps."
        )
    if match[2]:
        return float(match[1]) * _SECONDS[match[2]], None
    return 60.0, int(match[1])


def run_training(training: Training) -> None:
    """Train with a progress bar, to the end or until a signal; say where the weights are.

    Raises:
        typer.Exit: it was stopped; code 130.
    """
    spec = training.spec
    if training.finished:
        console.err.print("it was finished before; --overwrite starts again")
    elif training.step:
        console.err.print(f"going on at step {training.step}")
    with stoppable(training.stop), _bar() as bar:
        finished = training.run(on_progress=_updater(bar, spec.budget.steps))
    where = str(spec.output)
    if not finished:
        console.say_stopped(f"stopped at step {training.step}; the same command goes on from there")
        raise typer.Exit(130)
    console.out.print(f"{counted(training.step, 'step')}; weights and record are in {where}")


def _updater(bar: Any, total: int | None) -> Callable[[TrainProgress], None]:
    """Return what shows progress: a bar on a terminal, elsewhere (a log file) a line now and then."""
    task = bar.add_task("", total=total or _TICKS, note="")
    shown = time.monotonic()

    def update(now: TrainProgress) -> None:
        nonlocal shown
        losses = " ".join(f"{name} {value:.3g}" for name, value in now.losses.items())
        score = f"score {now.scores['score']:.3f}" if "score" in now.scores else ""
        rate = f"{now.images_per_s:.1f} images/s at {now.size} px"
        if console.err.is_terminal:
            done = now.step if total else int(now.progress * _TICKS)
            bar.update(task, completed=done, note=f"{rate}  {losses}  {score}")
        elif time.monotonic() - shown >= _LINE_S or now.progress >= 1.0:
            shown = time.monotonic()
            left = f"{now.left_s / 60:.1f} min left"
            line = f"step {now.step} ({now.progress:.1%})  {rate}  {left}  {losses}  {score}"
            console.err.print(line)

    return update


def _bar() -> Any:
    bar = console.progress()
    bar.disable = not console.err.is_terminal
    return bar
