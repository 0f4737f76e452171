# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""`pamtri train`: from pictures of vehicles to the weights of a network."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pamtri_edge.cli.declared import changed, declared
from pamtri_edge.cli.lazy import program
from pamtri_edge.cli.train_options import PoseOptions, ReidNetworkOptions, ReidOptions
from pamtri_edge.cli.training import first_weights, held_out, package, read_data, run_training, train_spec
from pamtri_edge.cli.weights import discriminate, frozen, one_type, pack, whiten
from pamtri_edge.errors import InputError
from pamtri_edge.options import refuse_inputs

if TYPE_CHECKING:
    from pamtri_edge.models import ReidSpec

app = program(help="Train the pose network, then the re-identification network.", no_args_is_help=True)


@app.command(short_help="From pictures with keypoints to a pose network.")
@declared(PoseOptions)
def pose(options: PoseOptions) -> None:
    """Train the network that finds the 36 keypoints of a vehicle.

    Interrupted, killed or out of room: the same command goes on where the last state was written.
    """
    refuse_inputs(options.output, [*(options.data or ()), options.validate])
    train = package()
    from pamtri_edge.models import SIZES
    from pamtri_edge.train.machine import use_threads
    from pamtri_edge.train.recipe_files import chosen_recipe

    use_threads(options.threads)
    recipe = changed(chosen_recipe(options.recipe, train.POSE), options)
    validate = options.validate
    job = train.PoseJob(
        SIZES[options.model][0],
        read_data(options.data, synthesize=options.synthesize, seed=options.seed, keypoints=True),
        recipe,
        seed=options.seed,
        init=options.init,
        held_out=None if validate is None else held_out(validate, options.validate_pictures),
    )
    run_training(train.Training(job, train_spec(job, options)))


@app.command(short_help="From pictures of vehicles to a re-identification network.")
@declared(ReidOptions)
def reid(options: ReidOptions) -> None:
    """Train the network that tells vehicles apart, and their color and type.

    Interrupted, killed or out of room: the same command goes on where the last state was written.
    """
    refuse_inputs(options.output, [*(options.data or ()), *(options.footage or ()), options.validate])
    train = package()
    from pamtri_edge.models import load_pose
    from pamtri_edge.models.sizes import backbone_name
    from pamtri_edge.train.machine import use_threads
    from pamtri_edge.train.recipe_files import chosen_recipe
    from pamtri_edge.train.validate import Validation

    use_threads(options.threads)
    recipe = changed(chosen_recipe(options.recipe, train.REID), options)
    spec = _network(options)
    network = None if options.pose is None or not spec.uses_pose else load_pose(options.pose)
    if options.validate_clip is not None and spec.uses_pose and network is None:
        raise InputError(
            "nobody knows the keypoints of a clip: --validate-clip needs a pose network, --pose."
        )
    data = read_data(
        options.data,
        synthesize=options.synthesize,
        seed=options.seed,
        footage=options.footage,
        tracks=options.tracks,
    )
    job = train.ReidJob(
        spec,
        data,
        recipe,
        pose=network,
        source=options.pose_source,
        seed=options.seed,
        init=first_weights(options.init, backbone_name(spec)),
        validation=Validation.of(
            folder=options.validate,
            limit=options.validate_pictures,
            clip=options.validate_clip,
            tracks=options.validate_tracks,
        ),
    )
    run_training(train.Training(job, train_spec(job, options)))


def _network(options: ReidNetworkOptions) -> ReidSpec:
    """Return the network that was asked for.

    Raises:
        InputError: the backbone does not go with the size.
    """
    from pamtri_edge.models import DENSENET201, LITES, SIZES, DenseSpec, with_lite

    spec = replace(SIZES[options.model][1], multitask=options.multitask)
    if options.keypoints is not None:
        spec = replace(spec, keypoints=options.keypoints)
    if options.embed is not None:
        spec = replace(spec, heatmaps=options.embed.heatmaps, segments=options.embed.segments)
    if options.backbone is not None and options.backbone in LITES:
        spec = with_lite(spec, options.backbone, side=options.side or 160)
    elif options.backbone is not None and options.model != "paper":
        others = ", ".join(LITES)
        raise InputError(
            f"{options.backbone} is a network of the paper's widths: --model paper; or {others}."
        )
    elif options.backbone == "densenet201":
        spec = replace(spec, backbone=DenseSpec(blocks=DENSENET201))
    if options.side is not None:
        spec = replace(spec, side=options.side)
    return replace(spec, parts=options.parts, middle=options.middle)


app.command(short_help="Features of a network that was trained on something else.")(frozen)
app.command(short_help="Make the embedding of what tells vehicles apart.")(discriminate)
app.command(short_help="Add what the network knows beyond its training set to its embedding.")(whiten)
app.command("type", short_help="Learn anew how one type is told.")(one_type)
app.command(short_help="Make trained weights half as large, to ship them.")(pack)
