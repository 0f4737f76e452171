# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The commands of `pamtri train` that turn weights into other weights without training."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pamtri_edge import console
from pamtri_edge.cli.declared import Changes, changed, declared
from pamtri_edge.cli.shared_options import ThreadsOption
from pamtri_edge.cli.training import package, read_data
from pamtri_edge.errors import InputError
from pamtri_edge.options import finite, numbers_of_types
from pamtri_edge.refit import DISCRIMINANT, ONE_TYPE, WHITENING, RefitSpec
from pamtri_edge.vehicle import TYPES, check_types
from pamtri_edge.words import DenseBackbone

if TYPE_CHECKING:
    from pamtri_edge.models import ReidNet


@dataclass(frozen=True, kw_only=True)
class WhitenOptions:
    """What makes an embedding anew, and of which pictures."""

    reid: Annotated[Path, typer.Option(help="Weights of the trained re-identification network.")]
    data: Annotated[
        list[Path], typer.Option(help="Folder of pictures of many vehicles, such as it was trained with.")
    ]
    output: Annotated[
        Path, typer.Option("--output", "-o", help="File of weights to write, NAME.safetensors.")
    ]
    pose: Annotated[
        Path | None, typer.Option(help="Weights of the pose network that it was trained with.")
    ] = None
    vehicles: Annotated[int, typer.Option(min=2, help="How many vehicles at most."), Changes("vehicles")] = (
        WHITENING.vehicles
    )
    views: Annotated[int, typer.Option(min=2, help="Views of each."), Changes("views")] = WHITENING.views
    shrinkage: Annotated[
        float,
        typer.Option(
            callback=finite, help="Part of the mean variance that is added to that of each direction."
        ),
        Changes("shrinkage"),
    ] = WHITENING.shrinkage
    seed: Annotated[
        int, typer.Option(min=0, help="What views and their sizes are drawn from."), Changes("seed")
    ] = WHITENING.seed
    threads: ThreadsOption = None
    overwrite: Annotated[bool, typer.Option(help="Replace the file.")] = False


@dataclass(frozen=True, kw_only=True)
class TypeOptions(WhitenOptions):
    """Which type, and of which pictures."""

    shrinkage: Annotated[
        float,
        typer.Option(callback=finite, help="How firmly the weights that were are kept: 1 is a lot."),
        Changes("shrinkage"),
    ] = ONE_TYPE.shrinkage
    type: Annotated[str, typer.Option(help=f"The type: {', '.join(TYPES)}.", metavar="NAME")]


def frozen(
    init: Annotated[
        Path, typer.Option(help="Weights of a DenseNet, such as ImageNet's by torchvision's names.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="File of weights to write, NAME.safetensors.")
    ],
    backbone: Annotated[DenseBackbone, typer.Option(help="Depths of the paper's widths.")] = "densenet121",
    overwrite: Annotated[bool, typer.Option(help="Replace the file.")] = False,
) -> None:
    """Take a network as it is, and its pooled feature for an embedding: a baseline of the paper's Table 3.

    Compare what others train with it: pamtri evaluate --reid NAME.safetensors --metric bhattacharyya.
    """
    package()
    from pamtri_edge.models import DENSENET121, DENSENET201, DenseSpec, ReidNet, ReidSpec, save_checkpoint
    from pamtri_edge.models.checkpoints import check_place
    from pamtri_edge.train.weights import FIRST_WEIGHTS, begin

    check_place(output, overwrite=overwrite)
    blocks = DENSENET201 if backbone == "densenet201" else DENSENET121
    bare = ReidSpec(keypoints=False, heatmaps=False, multitask=False, vehicles=1)
    spec = replace(bare, backbone=DenseSpec(blocks=blocks))
    network = ReidNet(spec)
    origin = begin(network, seed=0, file=init)
    notes = {"trained": "true", "recipe": "frozen", FIRST_WEIGHTS: origin.credit or init.name}
    save_checkpoint(network, output, metadata=notes, overwrite=overwrite)
    console.out.print(f"{origin.taken} tensors of {init.name} are in {output}")


@declared(WhitenOptions)
def whiten(options: WhitenOptions) -> None:
    """Make half of the embedding of the pooled feature, whitened by how views of one vehicle spread.

    Nothing is trained. On footage of real streets, which the network never saw, vehicles are found again
    more often; on pictures like those of its training about as often.
    """
    package()
    from pamtri_edge.train.refit import whiten as whitened

    _refit(whitened, changed(WHITENING, options), "whitening", options)


@declared(WhitenOptions, DISCRIMINANT)
def discriminate(options: WhitenOptions) -> None:
    """Make the embedding of an EfficientNet-Lite of the directions that tell vehicles apart.

    Nothing is trained, and the network stays as large: its last layer is replaced by Fisher's discriminant of
    the pooled feature. Vehicles that it never saw are found again more often.
    """
    package()
    from pamtri_edge.train.refit import discriminate as discriminated

    _refit(discriminated, changed(DISCRIMINANT, options), "discriminant", options)


@declared(TypeOptions, ONE_TYPE)
def one_type(options: TypeOptions) -> None:
    """Learn anew how one type is told, from pictures of it and of others; all else stays to the bit.

    Nothing else is trained: embeddings, colors and what tells the other types apart are as before. It is for
    a type that a camera's view hides from the network, as buses from behind and above.

    Examples: pamtri synth --camera overpass --types bus=0.3,truck=0.25 --identities 1000 --images 8000
    --output above; pamtri train type --type bus --reid old.safetensors --data above --output new.safetensors.
    """
    package()
    from pamtri_edge.train.refit import learn_type

    check_types([options.type])
    learn = partial(learn_type, name=options.type)
    told = f"tells {options.type} as these pictures show it"
    _refit(learn, changed(ONE_TYPE, options), f"type {options.type}", options, told=lambda _: told)


def _refit(
    change: Callable[..., ReidNet],
    spec: RefitSpec,
    what: str,
    options: WhitenOptions,
    *,
    told: Callable[[ReidNet], str] = lambda result: f"embeddings of {result.spec.embedding} numbers",
) -> None:
    """Show a network pictures, change a layer at its end, write it, and tell what it is."""
    from pamtri_edge.models import load_pose, load_reid, save_checkpoint
    from pamtri_edge.models.checkpoints import check_place, checkpoint_metadata
    from pamtri_edge.train.machine import use_threads
    from pamtri_edge.train.refit import drawn_views

    check_place(options.output, overwrite=options.overwrite)
    use_threads(options.threads)
    network = load_reid(options.reid)
    pose = None if options.pose is None or not network.spec.uses_pose else load_pose(options.pose)
    pictures = read_data(options.data)
    count = len(drawn_views(pictures, spec)[0])
    with console.progress("pictures") as bar:
        task = bar.add_task(what, total=count, note="")
        result = change(network, pose, pictures, spec, advance=lambda count: bar.advance(task, count))
    notes = {**checkpoint_metadata(options.reid), what: json.dumps(asdict(spec))}
    save_checkpoint(result, options.output, metadata=notes, overwrite=options.overwrite)
    console.out.print(f"{options.output}: {told(result)}")


def pack(
    pose: Annotated[Path, typer.Option(help="Weights of the trained pose network.")],
    reid: Annotated[Path, typer.Option(help="Weights of the re-identification network trained with it.")],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            help="Folder for NAME-pose.safetensors and NAME-reid.safetensors; replaces these.",
        ),
    ],
    name: Annotated[str, typer.Option(help="Begins the files' names: the size.")] = "lite",
    type_odds: Annotated[
        str,
        typer.Option(
            metavar="NAME=FACTOR,...",
            help="Multiply the odds of types, as bus=1.7: where more of them come than the training had, or "
            "too few of them are recognized.",
            show_default=False,
        ),
    ] = "",
) -> None:
    """Store the weights of both networks in float16, as those that come with the package are.

    The classifier of the training set's vehicles, which no embedding needs, is left out.
    Then: pamtri-export --pose NAME-pose.safetensors --reid NAME-reid.safetensors --output NAME.pamtri
    """
    package()
    from pamtri_edge.models import load_pose, load_reid
    from pamtri_edge.models.checkpoints import checkpoint_metadata
    from pamtri_edge.models.odds import with_type_odds
    from pamtri_edge.models.shipped import save_half, without_identities

    if Path(name).name != name:
        raise typer.BadParameter(f"{name!r} is no beginning of a file's name.", param_hint="--name")
    odds = numbers_of_types(type_odds, "--type-odds", "factor", "bus=1.7")
    network, notes = without_identities(load_reid(reid)), checkpoint_metadata(reid)
    if odds:
        network = with_type_odds(network, odds)
        told = [notes["type_odds"]] if "type_odds" in notes else []
        notes = {**notes, "type_odds": ", then ".join([*told, json.dumps(odds)])}
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{output} cannot be a folder: {error.strerror or error}.") from error
    pose_file, reid_file = (output / f"{name}-{kind}.safetensors" for kind in ("pose", "reid"))
    save_half(load_pose(pose), pose_file, metadata=checkpoint_metadata(pose))
    save_half(network, reid_file, metadata=notes)
    for path in (pose_file, reid_file):
        console.out.print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")
