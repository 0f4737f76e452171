# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The commands of `pamtri train` that turn weights into other weights without training."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pamtri_edge import console
from pamtri_edge.cli.training import package, read_data
from pamtri_edge.options import finite
from pamtri_edge.words import DenseBackbone

if TYPE_CHECKING:
    from pamtri_edge.models import ReidNet
    from pamtri_edge.train.whiten import WhitenSpec

Trained = Annotated[Path, typer.Option(help="Weights of the trained re-identification network.")]
TrainedPose = Annotated[
    Path | None, typer.Option(help="Weights of the pose network that it was trained with.")
]
Data = Annotated[
    list[Path], typer.Option(help="Folder of pictures of many vehicles, such as it was trained with.")
]
Output = Annotated[Path, typer.Option(help="File of weights to write, NAME.safetensors.")]
Vehicles = Annotated[int, typer.Option(min=2, help="How many vehicles at most.")]
SeenViews = Annotated[int, typer.Option(min=2, help="Views of each.")]
Shrinkage = Annotated[
    float,
    typer.Option(callback=finite, help="Part of the mean variance that is added to that of each direction."),
]
Seed = Annotated[int, typer.Option(min=0, help="What views and their sizes are drawn from.")]
Threads = Annotated[
    int | None, typer.Option(min=1, help="CPU threads of the network. [default: all]", show_default=False)
]
Overwrite = Annotated[bool, typer.Option(help="Replace the file.")]


def frozen(
    init: Annotated[
        Path, typer.Option(help="Weights of a DenseNet, such as ImageNet's by torchvision's names.")
    ],
    output: Annotated[Path, typer.Option(help="File of weights to write, NAME.safetensors.")],
    backbone: Annotated[DenseBackbone, typer.Option(help="Depths of the paper's widths.")] = "densenet121",
    overwrite: Annotated[bool, typer.Option(help="Replace the file.")] = False,
) -> None:
    """Take a network as it is, and its pooled feature for an embedding: a baseline of the paper's Table 3.

    Compare what others train with it: pamtri evaluate --reid NAME.safetensors --metric bhattacharyya.
    """
    package()
    from pamtri_edge.models import DENSENET121, DENSENET201, DenseSpec, ReidNet, ReidSpec, save_checkpoint
    from pamtri_edge.train.weights import FIRST_WEIGHTS, begin

    blocks = DENSENET201 if backbone == "densenet201" else DENSENET121
    bare = ReidSpec(keypoints=False, heatmaps=False, multitask=False, vehicles=1)
    spec = replace(bare, backbone=DenseSpec(blocks=blocks))
    network = ReidNet(spec)
    origin = begin(network, seed=0, file=init)
    notes = {"trained": "true", "recipe": "frozen", FIRST_WEIGHTS: origin.credit or init.name}
    save_checkpoint(network, output, metadata=notes, overwrite=overwrite)
    console.out.print(f"{origin.taken} tensors of {init.name} are in {output}", soft_wrap=True)


def whiten(
    reid: Trained,
    data: Data,
    output: Output,
    pose: TrainedPose = None,
    vehicles: Vehicles = 800,
    views: SeenViews = 5,
    shrinkage: Shrinkage = 0.03,
    seed: Seed = 0,
    threads: Threads = None,
    overwrite: Overwrite = False,
) -> None:
    """Make half of the embedding of the pooled feature, whitened by how views of one vehicle spread.

    Nothing is trained. On footage of real streets, which the network never saw, vehicles are found again
    more often; on pictures like those of its training about as often.
    """
    train = package()
    from pamtri_edge.train.machine import use_threads
    from pamtri_edge.train.whiten import WhitenSpec
    from pamtri_edge.train.whiten import whiten as whitened

    use_threads(threads)
    spec = WhitenSpec(vehicles=vehicles, views=views, shrinkage=shrinkage, seed=seed)
    _refit(whitened, spec, "whitening", train, reid, pose, data, output, overwrite)


def discriminate(
    reid: Trained,
    data: Data,
    output: Output,
    pose: TrainedPose = None,
    vehicles: Vehicles = 800,
    views: SeenViews = 5,
    shrinkage: Annotated[
        float | None,
        typer.Option(
            callback=finite,
            show_default=False,
            help="Part of the mean variance that is added to that of each direction. [default: 0.3]",
        ),
    ] = None,
    seed: Seed = 0,
    threads: Threads = None,
    overwrite: Overwrite = False,
) -> None:
    """Make the embedding of an EfficientNet-Lite of the directions that tell vehicles apart.

    Nothing is trained, and the network stays as large: its last layer is replaced by Fisher's discriminant of
    the pooled feature. Vehicles that it never saw are found again more often.
    """
    train = package()
    from pamtri_edge.train.discriminant import DISCRIMINANT
    from pamtri_edge.train.discriminant import discriminate as discriminated
    from pamtri_edge.train.machine import use_threads

    use_threads(threads)
    spec = replace(DISCRIMINANT, vehicles=vehicles, views=views, seed=seed)
    if shrinkage is not None:
        spec = replace(spec, shrinkage=shrinkage)
    _refit(discriminated, spec, "discriminant", train, reid, pose, data, output, overwrite)


def _refit(
    change: Callable[..., ReidNet],
    spec: WhitenSpec,
    what: str,
    train: Any,
    reid: Path,
    pose: Path | None,
    data: list[Path],
    output: Path,
    overwrite: bool,
) -> None:
    """Show a network pictures, change what makes its embedding, and write it."""
    from pamtri_edge.models import load_pose, load_reid, save_checkpoint
    from pamtri_edge.models.checkpoints import checkpoint_metadata

    network = load_reid(reid)
    pictures = read_data(train, data, None, spec.seed)
    with console.progress("pictures") as bar:
        task = bar.add_task(what, total=spec.vehicles * spec.views, note="")
        result = change(
            network,
            None if pose is None or not network.spec.uses_pose else load_pose(pose),
            pictures,
            spec,
            advance=lambda count: bar.advance(task, count),
        )
    notes = {**checkpoint_metadata(reid), what: json.dumps(asdict(spec))}
    save_checkpoint(result, output, metadata=notes, overwrite=overwrite)
    console.out.print(f"{output}: embeddings of {result.spec.embedding} numbers", soft_wrap=True)


def pack(
    pose: Annotated[Path, typer.Option(help="Weights of the trained pose network.")],
    reid: Annotated[Path, typer.Option(help="Weights of the re-identification network trained with it.")],
    output: Annotated[Path, typer.Option(help="Folder for NAME-pose.safetensors and NAME-reid.safetensors.")],
    name: Annotated[str, typer.Option(help="Begins the files' names: the size.")] = "lite",
) -> None:
    """Store the weights of both networks in float16, as those that come with the package are.

    The classifier of the training set's vehicles, which no embedding needs, is left out.
    Then: pamtri-export --pose NAME-pose.safetensors --reid NAME-reid.safetensors --output NAME.pamtri
    """
    package()
    from pamtri_edge.models import load_pose, load_reid
    from pamtri_edge.models.checkpoints import checkpoint_metadata
    from pamtri_edge.models.shipped import save_half, without_identities

    output.mkdir(parents=True, exist_ok=True)
    pose_file, reid_file = (output / f"{name}-{kind}.safetensors" for kind in ("pose", "reid"))
    save_half(load_pose(pose), pose_file, metadata=checkpoint_metadata(pose))
    save_half(without_identities(load_reid(reid)), reid_file, metadata=checkpoint_metadata(reid))
    for path in (pose_file, reid_file):
        console.out.print(f"{path}: {path.stat().st_size / 1e6:.1f} MB", soft_wrap=True)
