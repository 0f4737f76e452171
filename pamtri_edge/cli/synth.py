# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""`pamtri synth`: synthetic vehicles as a data set, as a contact sheet, as traffic before cameras."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from pamtri_edge import console
from pamtri_edge.cli.lazy import program
from pamtri_edge.options import finite, numbers_of_types
from pamtri_edge.signals import terminable
from pamtri_edge.words import SHEETS, SheetName, Split

if TYPE_CHECKING:
    from pamtri_edge.synth.dataset.generate import Generated

_HELP = """Draw synthetic vehicles, with exact labels, to train and test on.

Each picture is a crop as a detector would cut it, with 36 keypoints, orientation, color, type, vehicle and
camera. It follows from the seed, its vehicle and its number alone: any number of processes gives the same
bytes, and a run that was stopped (Ctrl-C, a kill, a full disk) goes on when the same command is given again.
The folder is complete when it holds manifest.json.

\b
Examples:
  What the paper trained with, 402 vehicles of 42 shapes in ten colors:
    pamtri synth --identities 402 --images 41000 --models 42 --output veri-synth
  Every vehicle with a shape of its own, as many as you like:
    pamtri synth --identities 2000 --images 80000 --output many
  A set to test on, of shapes and cameras that no training set has; 20 views of 200 vehicles:
    pamtri synth --split test --identities 200 --images 4000 --cameras 12 --output synth-test
  Before your own streets, beside real data with ids up to 776 and cameras up to 20:
    pamtri synth --backgrounds street.mp4 --vehicle-offset 1000 --camera-offset 100 --output mine
  Many heavy vehicles, as motorways have them; the other types share the rest:
    pamtri synth --types truck=0.35,bus=0.25 --identities 800 --images 16000 --output heavy
  A first look, in a minute:
    pamtri synth --identities 20 --images 400 --output look
    pamtri synth contact --output sheets

\b
What is written, with VeRi's names, "train" being "query" and "test" in a test split:
  image_train/0001_c003_00000017_0.jpg   vehicle 1, camera 3, its view 17
  label_train.csv    name, vehicle, color id, type id, (x, y, confidence) of 36 keypoints
  pose_train.csv     name, width, height, (x, y, visible) of 36 keypoints, whole numbers
  coco_train.json    COCO keypoints; labels_train.parquet: everything in one table
  manifest.json      options, counts, checksums
"""

_SCENE_HELP = """Draw short traffic videos, with the tracks in them and which track is which vehicle.

Every camera has its own place, light and colors. For each there is camera-a.mp4 and camera-a.txt, the
tracks as MOTChallenge writes them; identities.csv says which track of which camera is which vehicle.
The vehicles are in no data set that this command draws.

\b
Example:
  pamtri synth scene --output clips
  pamtri run clips/camera-a.mp4 --tracks clips/camera-a.txt --output camera-a
"""

app = program(help=_HELP, invoke_without_command=True)


@app.callback()
def synth(
    context: typer.Context,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder of the data set: a new one, or one to go on with."),
    ] = None,
    identities: Annotated[int, typer.Option(help="How many vehicles.")] = 402,
    images: Annotated[int, typer.Option(help="How many images in all, spread evenly over them.")] = 41_000,
    seed: Annotated[int, typer.Option(help="Another seed, other vehicles, cameras and images.")] = 0,
    processes: Annotated[
        int | None,
        typer.Option(min=1, help="How many draw at a time; images are the same. [default: one a core]"),
    ] = None,
    split: Annotated[
        Split, typer.Option(help="'test' has queries and a gallery, and shapes that no 'train' has.")
    ] = Split.TRAIN,
    camera: Annotated[
        str,
        typer.Option(
            help="Where cameras stand: veri, cityflow, overpass, uniform, or a JSON file.", metavar="PRIOR"
        ),
    ] = "veri",
    cameras: Annotated[
        int, typer.Option(help="How many; each has its own place, lens, colors and compression.")
    ] = 20,
    backgrounds: Annotated[
        Path | None,
        typer.Option(
            help="Folder of pictures without vehicles, or a video of which the median is taken. "
            "[default: synthetic streets]"
        ),
    ] = None,
    size: Annotated[int, typer.Option(help="Side of the square images, in pixels.")] = 256,
    supersampling: Annotated[
        int, typer.Option(help="Samples along a pixel's side; 1 is faster, jagged.")
    ] = 2,
    models: Annotated[
        int | None,
        typer.Option(
            help="How many shapes there are, each in ten colors (the paper: 42). [default: one a vehicle]"
        ),
    ] = None,
    types: Annotated[
        str,
        typer.Option(
            help="How often types come, as truck=0.35,bus=0.25; the others share the rest. "
            "[default: as traffic has them, with more of the rare ones]",
            metavar="NAME=SHARE,...",
            show_default=False,
        ),
    ] = "",
    mesh: Annotated[
        Path | None,
        typer.Option(
            help="Folder of your own meshes, NAME.glb (.gltf, .obj) with the keypoints in NAME.json."
        ),
    ] = None,
    queries: Annotated[int, typer.Option(help="Of a test split: queries of a vehicle, a camera each.")] = 4,
    vehicle_offset: Annotated[
        int, typer.Option(help="Added to vehicle ids, so that they meet no real ones.")
    ] = 0,
    camera_offset: Annotated[
        int, typer.Option(help="Added to camera numbers, so that they meet no other ones.")
    ] = 0,
    formats: Annotated[
        str, typer.Option(help="Labels to write, of veri, coco and parquet.", metavar="A,B,C")
    ] = "veri,coco,parquet",
    masks: Annotated[
        bool, typer.Option("--masks", help="Also write which of the 13 segments each pixel shows, as PNG.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Remove a data set of other options that is in the folder.")
    ] = False,
) -> None:
    """Run the command; users read `_HELP`."""
    if context.invoked_subcommand is not None:
        return
    if output is None:
        raise typer.BadParameter(
            "say where to: --output FOLDER (pamtri synth --help has examples).", param_hint="--output"
        )
    import cv2

    from pamtri_edge.processors import available_processors
    from pamtri_edge.synth.dataset.generate import generate
    from pamtri_edge.synth.dataset.plan import SynthPlan

    plan = SynthPlan(
        identities=identities,
        images=images,
        seed=seed,
        split=split,
        prior=camera,
        cameras=cameras,
        backgrounds=backgrounds,
        size=size,
        supersampling=supersampling,
        models=models,
        meshes=mesh,
        queries=queries,
        vehicle_offset=vehicle_offset,
        camera_offset=camera_offset,
        formats=tuple(name.strip() for name in formats.split(",") if name.strip()),
        masks=masks,
        types=numbers_of_types(types, "--types", "share", "truck=0.35,bus=0.25"),
    )
    cv2.setNumThreads(1)  # a process draws on one core; --processes says how many do
    begin = time.monotonic()
    try:
        with terminable(), console.progress("images") as bar:
            count = _counter(bar)
            done = generate(
                plan,
                output,
                processes=processes or available_processors(),
                overwrite=overwrite,
                on_progress=lambda now: count(now.images, now.total, now.before),
            )
    except KeyboardInterrupt:
        console.say_stopped("what was done is kept; the same command goes on")
        raise
    _show(done, time.monotonic() - begin)


@app.command(short_help="Sheets of sample pictures, to look at.")
def contact(
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help="Folder for the sheets; those of the same names are replaced."),
    ],
    sheet: Annotated[SheetName, typer.Option(help="Which sheet.")] = "all",
    seed: Annotated[int, typer.Option(min=0, help="Another seed, other vehicles.")] = 0,
    camera: Annotated[
        str,
        typer.Option(
            help="Where cameras stand: veri, cityflow, overpass, uniform, or a JSON file.", metavar="PRIOR"
        ),
    ] = "veri",
    tile: Annotated[
        int, typer.Option(min=32, max=512, help="Side of a picture in grid and identities, in pixels.")
    ] = 128,
) -> None:
    """Draw contact sheets as PNG: what the vehicles look like, before hours are spent on them.

    grid.png has every family of bodies in every color; keypoints.png the 36 keypoints and 13 segments
    over vehicles from all sides (filled circles are visible, hollow ones hidden; the left side is blue, the
    right side orange); identities.png a vehicle a row, as twelve cameras see it.
    """
    from pamtri_edge.synth.dataset.contact import painter, write_sheets
    from pamtri_edge.synth.specification.families import FAMILIES

    wanted = SHEETS if sheet == "all" else (sheet,)
    with console.progress("pictures") as bar:
        paths = write_sheets(
            output,
            painter(seed=seed, prior=camera),
            families=tuple(FAMILIES),
            sheets=wanted,
            tile=tile,
            on_progress=_counter(bar),
        )
    _list(paths)


@app.command(help=_SCENE_HELP, short_help="Videos of the same vehicles by several cameras.")
def scene(
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", help="Folder for videos, tracks and identities; the same names are replaced."
        ),
    ],
    vehicles: Annotated[int, typer.Option(help="How many vehicles; each passes every camera once.")] = 6,
    cameras: Annotated[int, typer.Option(help="How many cameras: camera-a, camera-b, ...")] = 2,
    seconds: Annotated[float, typer.Option(callback=finite, help="Length of each video.")] = 8.8,
    fps: Annotated[float, typer.Option(callback=finite, help="Frames a second.")] = 12.5,
    width: Annotated[int, typer.Option(help="Of the frames, in pixels.")] = 640,
    height: Annotated[int, typer.Option(help="Of the frames, in pixels.")] = 360,
    seed: Annotated[int, typer.Option(help="Another seed, other vehicles and cameras.")] = 0,
    supersampling: Annotated[
        int, typer.Option(help="Samples along a pixel's side; 1 is faster, jagged.")
    ] = 2,
) -> None:
    """Run the command; users read `_SCENE_HELP`."""
    from pamtri_edge.synth.traffic.plan import TrafficPlan
    from pamtri_edge.synth.traffic.videos import write_traffic

    plan = TrafficPlan(
        vehicles=vehicles,
        cameras=cameras,
        seconds=seconds,
        fps=fps,
        width=width,
        height=height,
        seed=seed,
        supersampling=supersampling,
    )
    with terminable(), console.progress("frames") as bar:
        paths = write_traffic(plan, output, on_progress=_counter(bar))
    _list(paths)


def _counter(bar: Any) -> Callable[..., None]:
    """Return what moves a progress bar of so many of so many, some of which may be there from before."""
    begin = time.monotonic()
    task = None

    def count(done: int, total: int, before: int = 0) -> None:
        nonlocal task
        if task is None:
            task = bar.add_task("", total=total, note="")
        rate = (done - before) / max(time.monotonic() - begin, 1e-3)
        bar.update(task, completed=done, note=f"{rate:.1f}/s")

    return count


def _list(paths: Sequence[Path]) -> None:
    console.out.print("Wrote")
    for path in paths:
        console.out.print(f"  {path!s}")


def _show(done: Generated, seconds: float) -> None:
    total = sum(part["images"] for part in done.manifest["counts"].values())
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for name, part in done.manifest["counts"].items():
        table.add_row(
            name,
            f"{part['images']} images of {part['vehicles']} vehicles by {part['cameras']} cameras, "
            f"{len(part['colors'])} colors, {len(part['types'])} types",
        )
    if done.drawn:
        earlier = f" ({total - done.drawn} were there)" if total > done.drawn else ""
        table.add_row(
            "drawn", f"{done.drawn}{earlier} in {seconds:.1f} s, {done.drawn / seconds:.1f} a second"
        )
    else:
        table.add_row("drawn", "none: the data set was complete")
    console.out.print(table)
    console.out.print(f"Wrote {done.folder!s}")
