# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""`pamtri train`: from pictures of vehicles to the weights of a network."""

from __future__ import annotations

import re
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.markup import escape

from pamtri_edge import console
from pamtri_edge.errors import InputError, MissingDependencyError

if TYPE_CHECKING:
    from pamtri_edge.train.data import DataSet
    from pamtri_edge.train.loop import Job, Progress, Training, TrainSpec
    from pamtri_edge.train.recipes import PoseRecipe, Recipe, ReidRecipe

_TICKS: Final = 1000  # of the progress bar
_DURATION: Final = re.compile(r"^(\d+(?:\.\d+)?)([smh]?)$")
_SECONDS: Final = {"s": 1.0, "m": 60.0, "h": 3600.0}


class Model(str, Enum):
    """Networks of a named size."""

    LITE = "lite"
    PAPER = "paper"


class Backbone(str, Enum):
    """Depths of the re-identification network."""

    DENSENET121 = "densenet121"
    DENSENET201 = "densenet201"


class Recipes(str, Enum):
    """Named recipes."""

    PAPER = "paper"
    CODE = "code"
    COMPACT = "compact"


class Precision(str, Enum):
    """Arithmetic of the network."""

    AUTO = "auto"
    FP32 = "fp32"
    BF16 = "bf16"
    FP16 = "fp16"


class Embed(str, Enum):
    """Pose channels of the stack."""

    NONE = "none"
    HEATMAPS = "heatmaps"
    SEGMENTS = "segments"
    BOTH = "both"


class Loss(str, Enum):
    """What tells vehicles apart."""

    BOTH = "both"
    XENT = "xent"
    HTRI = "htri"
    CENTER = "center"
    BATCH_ALL = "batch-all"
    BATCH_SAMPLE = "batch-sample"


class PoseSource(str, Enum):
    """Where the pose comes from."""

    NET = "net"
    TRUTH = "truth"


app = typer.Typer(
    help="Train the pose network, then the re-identification network.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Data = Annotated[
    list[Path],
    typer.Option(help="Folder in the layout of VeRi or CityFlow; give several to mix real and synthetic."),
]
Output = Annotated[Path, typer.Option(help="Folder of weights, record and curves; a run there goes on.")]
ModelOption = Annotated[Model, typer.Option(help="Widths and depths of the network.")]
RecipeOption = Annotated[
    Recipes,
    typer.Option(help="The paper's values, those of its code, or fewer steps that suit a CPU and 'lite'."),
]
Init = Annotated[
    Path | None,
    typer.Option(
        help="Weights to begin with: ours, the original's, or ImageNet's. [default: drawn]",
        show_default=False,
    ),
]
Minutes = Annotated[
    float | None,
    typer.Option(min=0.01, help="Fit the schedule into so much time, instead of epochs.", show_default=False),
]
Epochs = Annotated[float | None, typer.Option(min=0.001, help="Instead of the recipe's.", show_default=False)]
Steps = Annotated[int | None, typer.Option(min=1, help="Instead of epochs.", show_default=False)]
BatchOption = Annotated[
    int | None, typer.Option(min=2, help="Pictures of a batch, instead of the recipe's.", show_default=False)
]
Rate = Annotated[
    float | None, typer.Option(help="Highest learning rate, instead of the recipe's.", show_default=False)
]
Sizes = Annotated[
    str | None,
    typer.Option(
        help="Sides of the pictures over the training, such as 128,256@0.75: 256 pixels in its last quarter.",
        show_default=False,
    ),
]
PrecisionOption = Annotated[
    Precision | None, typer.Option(help="Arithmetic, instead of the recipe's.", show_default=False)
]
Device = Annotated[str, typer.Option(help="Where it is trained: auto, cpu, cuda or cuda:N.")]
Seed = Annotated[int, typer.Option(min=0, help="Another seed, another result.")]
Workers = Annotated[int, typer.Option(min=1, help="Threads that prepare pictures.")]
Threads = Annotated[
    int | None, typer.Option(min=1, help="CPU threads of the network. [default: all]", show_default=False)
]
CheckpointEvery = Annotated[
    str, typer.Option(help="How often a state is written: seconds (60s, 5m), or a number of steps.")
]
Validations = Annotated[int, typer.Option(min=0, help="How often the network is validated.")]
Overwrite = Annotated[bool, typer.Option(help="Forget a training that the output folder holds.")]


@app.command(short_help="From pictures with keypoints to a pose network.")
def pose(
    data: Data,
    output: Output,
    model: ModelOption = Model.PAPER,
    recipe: RecipeOption = Recipes.PAPER,
    init: Init = None,
    validate: Annotated[
        Path | None, typer.Option(help="Folder with pictures to validate on: its test part.")
    ] = None,
    validate_pictures: Annotated[int, typer.Option(min=1, help="How many of them, at most.")] = 512,
    minutes: Minutes = None,
    epochs: Epochs = None,
    steps: Steps = None,
    batch: BatchOption = None,
    rate: Rate = None,
    sizes: Sizes = None,
    precision: PrecisionOption = None,
    device: Device = "auto",
    seed: Seed = 0,
    workers: Workers = 2,
    threads: Threads = None,
    checkpoint_every: CheckpointEvery = "60s",
    validations: Validations = 10,
    overwrite: Overwrite = False,
) -> None:
    """Train the network that finds the 36 keypoints of a vehicle.

    Interrupted, killed or out of room: the same command goes on where the last state was written.
    """
    train = _package()
    from pamtri_edge.models import SIZES

    _threads(threads)
    changed: PoseRecipe = _changed(train.POSE[recipe.value], epochs, batch, rate, sizes, precision)
    pictures = _read(train, data)
    job = train.PoseJob(
        SIZES[model.value][0],
        pictures,
        changed,
        seed=seed,
        init=init,
        held_out=None if validate is None else _held_out(train, validate, validate_pictures),
    )
    spec = _spec(job, output, minutes, steps, seed, workers, checkpoint_every, validations, device, overwrite)
    _run(train.Training(job, spec))


@app.command(short_help="From pictures of vehicles to a re-identification network.")
def reid(
    data: Data,
    output: Output,
    pose: Annotated[
        Path | None,
        typer.Option(help="Weights of the trained pose network (--pose-source net)."),
    ] = None,
    pose_source: Annotated[
        PoseSource | None,
        typer.Option(
            help="Pose from the network, or from the known keypoints with noise. [default: net if --pose "
            "is given]",
            show_default=False,
        ),
    ] = None,
    embed: Annotated[Embed, typer.Option(help="Pose channels of the stack.")] = Embed.HEATMAPS,
    keypoints: Annotated[bool, typer.Option(help="Whether keypoints join the pooled feature.")] = True,
    multitask: Annotated[bool, typer.Option(help="Whether color and type are learned too.")] = True,
    model: ModelOption = Model.PAPER,
    backbone: Annotated[
        Backbone | None,
        typer.Option(help="Depths of another network of the paper's widths.", show_default=False),
    ] = None,
    loss: Annotated[
        Loss | None,
        typer.Option(help="What tells vehicles apart, instead of the recipe's.", show_default=False),
    ] = None,
    smoothing: Annotated[
        float | None,
        typer.Option(min=0.0, max=0.5, help="Of identity labels, instead of the recipe's."),
    ] = None,
    recipe: RecipeOption = Recipes.PAPER,
    init: Init = None,
    validate: Annotated[
        Path | None, typer.Option(help="Folder with query and test parts to validate on.")
    ] = None,
    validate_pictures: Annotated[int, typer.Option(min=1, help="How many of them, at most.")] = 1000,
    validate_clip: Annotated[
        Path | None, typer.Option(help="A video to validate on, with --validate-tracks.")
    ] = None,
    validate_tracks: Annotated[
        Path | None, typer.Option(help="Tracks of --validate-clip: a MOTChallenge file.")
    ] = None,
    minutes: Minutes = None,
    epochs: Epochs = None,
    steps: Steps = None,
    batch: BatchOption = None,
    pictures_per_vehicle: Annotated[
        int | None, typer.Option(min=2, help="K, instead of the recipe's.", show_default=False)
    ] = None,
    rate: Rate = None,
    sizes: Sizes = None,
    precision: PrecisionOption = None,
    device: Device = "auto",
    seed: Seed = 0,
    workers: Workers = 2,
    threads: Threads = None,
    checkpoint_every: CheckpointEvery = "60s",
    validations: Validations = 10,
    overwrite: Overwrite = False,
) -> None:
    """Train the network that tells vehicles apart, and their color and type.

    Interrupted, killed or out of room: the same command goes on where the last state was written.
    """
    train = _package()
    from pamtri_edge.models import DENSENET121, DENSENET201, SIZES, load_pose
    from pamtri_edge.train.losses import ReidLoss
    from pamtri_edge.train.validate import Validation

    _threads(threads)
    changed: ReidRecipe = _changed(train.REID[recipe.value], epochs, batch, rate, sizes, precision)
    if pictures_per_vehicle is not None:
        changed = replace(changed, pictures=pictures_per_vehicle)
    terms = changed.loss if loss is None else replace(changed.loss, kind=ReidLoss(loss.value))
    changed = replace(changed, loss=terms if smoothing is None else replace(terms, smoothing=smoothing))
    spec = replace(
        SIZES[model.value][1],
        keypoints=keypoints,
        heatmaps=embed in (Embed.HEATMAPS, Embed.BOTH),
        segments=embed in (Embed.SEGMENTS, Embed.BOTH),
        multitask=multitask,
    )
    if backbone is not None:
        if model is not Model.PAPER:
            raise InputError("--backbone chooses among the paper's networks; leave it out for --model lite.")
        spec = replace(spec, blocks=DENSENET201 if backbone is Backbone.DENSENET201 else DENSENET121)
    network = None
    if spec.uses_pose and pose_source is not PoseSource.TRUTH and pose is not None:
        network = load_pose(pose)
    elif spec.uses_pose and pose_source is PoseSource.NET:
        raise InputError("--pose-source net needs the weights of a pose network: --pose FILE.")
    job = train.ReidJob(
        spec,
        _read(train, data),
        changed,
        pose=network,
        seed=seed,
        init=init,
        validation=Validation.of(
            folder=validate, limit=validate_pictures, clip=validate_clip, tracks=validate_tracks
        ),
    )
    run = _spec(job, output, minutes, steps, seed, workers, checkpoint_every, validations, device, overwrite)
    _run(train.Training(job, run))


def _package() -> Any:
    """Return `pamtri_edge.train`, or say what to install."""
    try:
        import safetensors  # noqa: F401 - asked for here, where its absence can be explained
        import torch  # noqa: F401
    except ImportError as error:
        raise MissingDependencyError(
            f"training needs {error.name}: pip install 'pamtri-edge[train]'."
        ) from error
    import cv2

    from pamtri_edge import train

    cv2.setNumThreads(1)  # pictures are prepared by several threads already
    return train


def _read(train: Any, folders: list[Path]) -> DataSet:
    with console.err.status("reading labels ..."):
        data: DataSet = train.mixed([train.read_data(folder) for folder in folders])
    console.err.print(f"{len(data)} pictures of {len(data.identities)} vehicles")
    return data


def _held_out(train: Any, folder: Path, limit: int) -> DataSet:
    """Return pictures of a folder's test part, evenly over it: enough to validate on."""
    data: DataSet = train.read_data(folder, part="test")
    step = max(1, len(data) // limit)
    return replace(data, samples=data.samples[::step][:limit])


def _changed(
    recipe: Any,
    epochs: float | None,
    batch: int | None,
    rate: float | None,
    sizes: str | None,
    precision: Precision | None,
) -> Any:
    """Return a recipe with what was asked for on the command line."""
    given = {
        "epochs": epochs,
        "batch": batch,
        "rate": rate,
        "sizes": None if sizes is None else _sizes(sizes),
        "precision": None if precision is None else precision.value,
    }
    return replace(recipe, **{name: value for name, value in given.items() if value is not None})


def _sizes(text: str) -> tuple[tuple[float, int], ...]:
    """Read `128,256@0.75`."""
    sizes = []
    for entry in text.split(","):
        side, _, start = entry.strip().partition("@")
        try:
            sizes.append((float(start) if start else 0.0, int(side)))
        except ValueError:
            raise InputError(f"--sizes {text}: expected sides such as 128,256@0.75.") from None
    return tuple(sizes)


def _spec(
    job: Job,
    output: Path,
    minutes: float | None,
    steps: int | None,
    seed: int,
    workers: int,
    checkpoint_every: str,
    validations: int,
    device: str,
    overwrite: bool,
) -> TrainSpec:
    from pamtri_edge.train.loop import TrainSpec

    seconds, every = _checkpoints(checkpoint_every)
    return TrainSpec(
        output=output,
        budget=_budget(job, minutes, steps),
        seed=seed,
        workers=workers,
        checkpoint_seconds=seconds,
        checkpoint_steps=every,
        validations=validations,
        device=_device(device),
        overwrite=overwrite,
    )


def _budget(job: Job, minutes: float | None, steps: int | None) -> Any:
    from pamtri_edge.train.schedule import Budget

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


def _device(name: str) -> str:
    import torch

    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise InputError(f"--device {name}: torch finds no CUDA device; try `pamtri doctor`.")
    return name


def _threads(count: int | None) -> None:
    if count is not None:
        import torch

        torch.set_num_threads(count)


def _run(training: Training) -> None:
    spec = training.spec
    if training.step:
        console.err.print(f"going on at step {training.step}")
    with _stoppable(training), console.progress() as bar:
        finished = training.run(on_progress=_updater(bar, spec.budget.steps))
    where = escape(str(spec.output))
    if not finished:
        console.err.print(f"stopped at step {training.step}; the same command goes on from there")
        raise typer.Exit(130)
    console.out.print(f"{training.step} steps; weights and record are in {where}", soft_wrap=True)


def _updater(bar: Any, total: int | None) -> Callable[[Progress], None]:
    task = bar.add_task("training", total=total or _TICKS, note="")

    def update(now: Progress) -> None:
        losses = " ".join(f"{name} {value:.3g}" for name, value in now.losses.items())
        scores = "".join(f", {name} {value:.3f}" for name, value in now.scores.items() if name == "score")
        done = now.step if total else int(now.progress * _TICKS)
        left = f"{now.left_s / 60:.0f} min left" if now.left_s >= 90 else f"{now.left_s:.0f} s left"
        note = f"{now.images_per_s:.1f} images/s at {now.size} px, {left}, {losses}{scores}"
        bar.update(task, completed=done, note=note)

    return update


@contextmanager
def _stoppable(training: Training) -> Iterator[None]:
    """Have Ctrl-C and SIGTERM end the training after its present step, with a state to go on from."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def stop(number: int, frame: object) -> None:
        training.stop()
        signal.signal(number, before[signal.Signals(number)])  # a second one ends it at once

    for number in before:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
