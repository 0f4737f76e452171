# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""`pamtri-export`: from weights to a verified bundle."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from pamtri_edge import console
from pamtri_edge.errors import InputError, MissingDependencyError
from pamtri_edge.export.cli_help import HELP
from pamtri_edge.export.foreign.specification import (
    foreign_network,
    parse_scale,
    parse_size,
    parse_three,
)
from pamtri_edge.export.options import ExportOptions
from pamtri_edge.export.pack.command import pack_bundle, pack_options, refuse_export_options
from pamtri_edge.geometry import Geometry
from pamtri_edge.nvinfer import unsupported
from pamtri_edge.options import finite
from pamtri_edge.signals import leaving_when_terminated
from pamtri_edge.words import ChannelLayout, ColorOrder, FilePrecision, Size, Via

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command(help=HELP)
def export(
    context: typer.Context,
    model: Annotated[
        Size | None,
        typer.Option(
            help="Networks of this size, instead of --pose and --reid: with the trained weights that come "
            "with the package, or with random weights where it has none."
        ),
    ] = None,
    pose: Annotated[
        Path | None,
        typer.Option(
            help="Weights of the pose network: the original's file or ours. With --network it gives "
            "keypoints and quality beside the embedding."
        ),
    ] = None,
    reid: Annotated[
        Path | None,
        typer.Option(help="Weights of the re-identification network: the original's file or ours."),
    ] = None,
    network: Annotated[
        Path | None,
        typer.Option(
            help="A re-identification network of another project, as an ONNX file, instead of --reid: "
            "one picture in, one embedding (N, D) out. The seven options below tell of it."
        ),
    ] = None,
    input_size: Annotated[
        str | None,
        typer.Option(
            metavar="HxW",
            help="Height and width of the pictures that --network takes. [default: what the file states]",
            show_default=False,
        ),
    ] = None,
    input_scale: Annotated[
        str | None,
        typer.Option(
            metavar="NUMBER",
            help="What pixels of 0 to 255 are multiplied by for --network: 1/255 for 0 to 1, 1 for a network "
            "that normalizes by itself. [default: 1/255]",
            show_default=False,
        ),
    ] = None,
    mean: Annotated[
        str | None,
        typer.Option(
            metavar="A,B,C",
            help="What is subtracted then, in the network's own order of channels. [default: ImageNet's "
            "0.485,0.456,0.406 for RGB; 0 with --input-scale]",
            show_default=False,
        ),
    ] = None,
    std: Annotated[
        str | None,
        typer.Option(
            metavar="A,B,C",
            help="What is divided by then. [default: ImageNet's 0.229,0.224,0.225; 1 with --input-scale]",
            show_default=False,
        ),
    ] = None,
    color_order: Annotated[
        ColorOrder | None,
        typer.Option(help="Order of the channels that --network takes. [default: rgb]", show_default=False),
    ] = None,
    layout: Annotated[
        ChannelLayout | None,
        typer.Option(
            help="Shape that --network takes: (N, 3, H, W) or (N, H, W, 3). [default: what the file states]",
            show_default=False,
        ),
    ] = None,
    output_name: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Which output of --network is the embedding, where it has several.",
            show_default=False,
        ),
    ] = None,
    precision: Annotated[FilePrecision, typer.Option(help="Type of the two networks in the file.")] = "fp32",
    geometry: Annotated[
        Geometry,
        typer.Option(help="How a crop becomes pictures; 'original' for weights of the NVlabs code."),
    ] = Geometry.UNIFIED,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="The bundle to write, NAME.pamtri. [default: a name after the weights, in this folder]",
            show_default=False,
        ),
    ] = None,
    crops: Annotated[
        Path | None,
        typer.Option(
            help="Folder of vehicle pictures on which the file is compared with PyTorch. [default: those of "
            "--calibration that int8 is not fitted to, else rendered ones]",
            show_default=False,
        ),
    ] = None,
    calibration: Annotated[
        Path | None,
        typer.Option(
            help="Folder of vehicle pictures, best of your own cameras, that int8 is fitted to; of a set of "
            "`pamtri synth` those that differ most in viewpoint, color and type are taken. "
            "[default: every other one of --crops, else rendered ones]",
            show_default=False,
        ),
    ] = None,
    weight_bits: Annotated[
        int | None,
        typer.Option(
            min=7,
            max=8,
            help="Bits of int8 weights. With 8, sums overflow on x86 processors without VNNI, which then "
            "refuse the bundle; with 7, old and new processors agree. [default: 7]",
            show_default=False,
        ),
    ] = None,
    retrieval: Annotated[
        Path | None,
        typer.Option(
            help="Labeled set as VeRi's (image_query/, image_test/), such as `pamtri synth --split test` "
            "makes: the file must find its vehicles as well as float32 does, but for --retrieval-loss. "
            "Layers that cost more in int8 go back to float32, and the manifest names them.",
            show_default=False,
        ),
    ] = None,
    retrieval_loss: Annotated[
        float | None,
        typer.Option(
            callback=finite,
            min=0.0,
            max=100.0,
            help="Points of mAP that may be lost on --retrieval. [default: 0.1 in fp16, 1 in int8]",
            show_default=False,
        ),
    ] = None,
    retrieval_pictures: Annotated[
        int, typer.Option(min=2, help="Use about so many pictures of --retrieval at most: whole vehicles.")
    ] = 2000,
    parity_crops: Annotated[int, typer.Option(min=1, help="Compare on at most so many crops.")] = 64,
    colors: Annotated[
        str | None,
        typer.Option(
            help="Names of the color classes in the training set's order: A,B,C, or a file, a name a line. "
            "[default: VeRi's ten]",
            show_default=False,
        ),
    ] = None,
    types: Annotated[
        str | None,
        typer.Option(
            help="Names of the type classes in the training set's order. [default: VeRi's nine]",
            show_default=False,
        ),
    ] = None,
    flip_test: Annotated[
        bool,
        typer.Option(
            "--flip-test", help="Average with the heatmaps of the mirrored picture: pose costs twice."
        ),
    ] = False,
    raw_feature: Annotated[
        bool, typer.Option("--raw-feature", help="Leave the embedding at the network's own length.")
    ] = False,
    optimize: Annotated[
        bool,
        typer.Option(
            "--optimize/--no-optimize",
            help="Convolve the heatmaps as small as they come, instead of enlarging them into a stack first: "
            "the same numbers for less work.",
        ),
    ] = True,
    staged: Annotated[
        bool, typer.Option("--staged", help="Also write the two networks apart, for the two-engine path.")
    ] = False,
    engine: Annotated[
        bool,
        typer.Option(
            "--engine",
            help="Also make the TensorRT engine for this machine's NVIDIA GPU, in the bundle's engines/, and "
            "compare the engine itself with PyTorch: if it fails, nothing is written. Without it the engine "
            "is built when the bundle is first loaded on a GPU.",
        ),
    ] = False,
    via: Annotated[
        Via,
        typer.Option(
            help="How the engine is made: TensorRT reads the ONNX file, or torch-tensorrt (2.14 or later, "
            "with a PyTorch for CUDA) compiles the PyTorch network; fp32 and fp16."
        ),
    ] = "tensorrt",
    no_build: Annotated[
        bool,
        typer.Option(
            "--no-build",
            help="Do not build an engine, which takes minutes: one that lies in the bundle to be replaced or "
            "in your cache must fit, or the export is refused.",
        ),
    ] = False,
    profile: Annotated[
        bool,
        typer.Option(
            "--profile",
            help="Measure how long each stage takes: the networks, decode, segments, stack and copies; of "
            "the engine with --engine, else on this processor; stage by stage with --staged.",
        ),
    ] = False,
    seed: Annotated[
        int | None,
        typer.Option(help="Make random weights for --model from this number; they have learned nothing."),
    ] = None,
    deepstream: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Also write a folder with which stock DeepStream runs the bundle: configurations of "
            "nvinfer, deepstream-app, deepstream-test5 and Service Maker, labels, the bundle, and a README. "
            "Without weights nothing is exported, and it is that of --bundle. Not for geometry 'original'.",
            show_default=False,
        ),
    ] = None,
    bundle: Annotated[
        Path | None,
        typer.Option(
            help="The bundle of --deepstream, where no weights are given. [default: the one of the package]",
            show_default=False,
        ),
    ] = None,
    source: Annotated[
        list[str] | None,
        typer.Option(
            help="A video of --deepstream: a file or an address (rtsp://...); once for each. [default: "
            "DeepStream's sample video]",
            show_default=False,
        ),
    ] = None,
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite", help="Replace a bundle, and a folder of --deepstream, of that name."),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be written, from what, and how long it takes.")
    ] = False,
    allow_drift: Annotated[
        bool,
        typer.Option("--allow-drift", help="Write the bundle even if the comparison fails; it will say so."),
    ] = False,
) -> None:
    """Run the command; users read `HELP`."""
    weights = any(one is not None for one in (model, pose, reid, network))
    pack = pack_options(deepstream, bundle, source or [], weights=weights, overwrite=overwrite)
    if pack is not None and not weights:
        refuse_export_options(context)
        pack_bundle(pack, bundle, dry_run=dry_run)
        return
    if not weights:
        raise InputError(
            "say what to export: --model lite for a first try, --reid FILE (and --pose FILE, where the "
            "re-identification network needs it), or --network FILE.onnx for one that was made elsewhere."
        )
    told = {
        "input_size": parse_size(input_size),
        "scale": parse_scale(input_scale),
        "mean": parse_three(mean, "mean"),
        "std": parse_three(std, "std"),
        "color_order": color_order,
        "layout": layout,
        "output_name": output_name,
    }
    options = ExportOptions(
        model=model,
        seed=seed,
        pose=pose,
        reid=reid,
        network=foreign_network(network, told),
        precision=precision,
        geometry=geometry,
        flip_test=flip_test,
        raw_feature=raw_feature,
        optimize=optimize,
        calibration=calibration,
        weight_bits=weight_bits,
        retrieval=retrieval,
        retrieval_loss=retrieval_loss,
        retrieval_pictures=retrieval_pictures,
        crops=crops,
        colors=class_names(colors, "colors"),
        types=class_names(types, "types"),
        output=output,
        overwrite=overwrite,
        staged=staged,
        engine=engine,
        via=via,
        build=not no_build,
        profile=profile,
        allow_drift=allow_drift,
        parity_crops=parity_crops,
    )
    with _packages_needed():
        from pamtri_edge.export.bundle_export import export_bundle, plan_export
        from pamtri_edge.export.foreign.bundle import export_network, plan_network
        from pamtri_edge.export.report import ParityError
        from pamtri_edge.export.show import ShownSteps, plan_table, show_report, show_result

    foreign = options.network is not None
    plan = (plan_network if foreign else plan_export)(options)
    console.out.print(plan_table(plan, precision=options.precision))
    if pack is not None and (reason := unsupported(plan.inputs)) is not None:
        raise InputError(f"--deepstream: {reason}")
    if dry_run:
        console.out.print("Nothing was written (--dry-run).")
        return
    try:
        result = (export_network if foreign else export_bundle)(options, steps=ShownSteps())
    except ParityError as error:
        show_report(error.report)
        raise
    show_result(options, result)
    if pack is not None:
        pack_bundle(pack, result.path)


def main() -> None:
    """Run `pamtri-export`."""
    with leaving_when_terminated():  # so that a half-written bundle is cleaned away
        console.run(app)


def class_names(given: str | None, option: str) -> tuple[str, ...] | None:
    """Return class names from a comma list, or from a file with a name a line.

    Raises:
        InputError: an empty name, or a file that is not text.
    """
    if given is None:
        return None
    try:
        lines = [line for line in Path(given).read_text(encoding="utf-8").splitlines() if line.strip()]
    except UnicodeDecodeError as error:
        raise InputError(f"--{option} {given} is not a text file ({error.reason}).") from error
    except OSError:  # there is no such file
        lines = given.split(",")
    names = tuple(line.strip() for line in lines)
    if not names or "" in names:
        raise InputError(f"--{option} {given!r} has an empty name; expected A,B,C or a file, a name a line.")
    return names


@contextmanager
def _packages_needed() -> Iterator[None]:
    """Turn a missing package of the extra into one sentence."""
    try:
        yield
        import onnxruntime  # type: ignore[import-untyped]  # noqa: F401 - used much later, for int8
        import onnxscript  # noqa: F401 - used by torch
    except MissingDependencyError:
        raise
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("pamtri_edge"):
            raise
        raise MissingDependencyError(
            f"exporting needs {error.name}, not installed here: pip install 'pamtri-edge[export]'"
        ) from error
