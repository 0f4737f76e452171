# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""`pamtri evaluate`: how well vehicles are found again, on a labeled set or on the tracks of a video."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pamtri_edge import console
from pamtri_edge.cli.shared_options import (
    BackendOption,
    DeviceOption,
    FirstFrameOption,
    StreamOption,
    ThreadsOption,
)
from pamtri_edge.errors import InputError
from pamtri_edge.geometry import Geometry
from pamtri_edge.options import finite, refuse_inputs
from pamtri_edge.printable import counted
from pamtri_edge.words import Baseline, Metric, Rule, Scaling

if TYPE_CHECKING:
    from pamtri_edge.datasets.views import EvaluationSet
    from pamtri_edge.evaluate.compare import Comparison
    from pamtri_edge.evaluate.features import Describer
    from pamtri_edge.evaluate.threshold import Pairs
    from pamtri_edge.manifest import Matching
    from pamtri_edge.progress import StepProgress


def evaluate(
    source: Annotated[
        Path,
        typer.Argument(
            help="A test set, or a video with --tracks. A test set is a folder with image_query and "
            "image_test, laid out as Market-1501, of pictures by several cameras named as VeRi's, or of a "
            "folder for each vehicle."
        ),
    ],
    tracks: Annotated[
        Path | None,
        typer.Option(
            help="The video's tracks: the first fifth of each against the last fifth of all. The layouts "
            "are those of pamtri run."
        ),
    ] = None,
    stream: StreamOption = None,
    classes: Annotated[
        str | None,
        typer.Option(
            help="Classes of the tracks: names, the file's own numbers, or all. [default: vehicles]"
        ),
    ] = None,
    first_frame: FirstFrameOption = None,
    bundle: Annotated[
        list[Path] | None,
        typer.Option(
            help="A bundle, NAME.pamtri; may be repeated. [default: $PAMTRI_BUNDLE, else the trained one "
            "that comes along, where no network is named]"
        ),
    ] = None,
    reid: Annotated[
        Path | None, typer.Option(help="Weights of a re-identification network, instead of a bundle.")
    ] = None,
    pose: Annotated[
        Path | None,
        typer.Option(help="Weights of the pose network that goes with it; alone, keypoints are measured."),
    ] = None,
    geometry: Annotated[
        Geometry, typer.Option(help="How these weights take a crop; original: trained by the NVlabs code.")
    ] = Geometry.UNIFIED,
    onnx: Annotated[
        list[Path] | None,
        typer.Option(help="Any ONNX network whose first output is a feature; may be repeated."),
    ] = None,
    scaling: Annotated[
        Scaling,
        typer.Option(help="What the ONNX network takes: RGB by ImageNet's mean, -1..1, 0..1, 0..255."),
    ] = "imagenet",
    onnx_output: Annotated[
        str | None, typer.Option(help="The ONNX network's output to use. [default: the first]")
    ] = None,
    baseline: Annotated[
        list[Baseline] | None,
        typer.Option(
            help="A simple feature to compare the network with; may be repeated. fact: color names and local "
            "binary patterns."
        ),
    ] = None,
    baselines_alone: Annotated[
        bool,
        typer.Option("--baselines-alone", help="Measure the simple features without a network beside them."),
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Folder for the figures as JSON, curves and ranked lists as PNG."
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace that folder.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the figures as JSON, not as tables.")
    ] = False,
    metric: Annotated[Metric, typer.Option(help="How features are compared.")] = "cosine",
    top: Annotated[int, typer.Option(min=1, help="K of the rank-K mAP.")] = 100,
    rule: Annotated[
        Rule, typer.Option(help="When a keypoint is correct; legacy: as the original's code computes it.")
    ] = "paper",
    same_camera: Annotated[
        bool,
        typer.Option("--same-camera", help="Keep matches by a query's own camera, which VeRi leaves out."),
    ] = False,
    draws: Annotated[int, typer.Option(min=100, help="Draws of vehicles for the intervals.")] = 10_000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of these draws.")] = 0,
    false_match_rate: Annotated[
        float | None,
        typer.Option(
            callback=finite, help="Measure the cosine that keeps this rate of false matches, such as 0.001."
        ),
    ] = None,
    store: Annotated[
        bool,
        typer.Option(
            "--store", help="Write that threshold into the (first) bundle's manifest, for matching."
        ),
    ] = False,
    also: Annotated[
        list[Path] | None,
        typer.Option(
            help="Another test set, a folder, on which the threshold is to keep the rate too, and on which "
            "the bundle's own threshold is looked at; may be repeated."
        ),
    ] = None,
    batch: Annotated[int, typer.Option(min=1, help="Pictures in memory at a time.")] = 32,
    threads: ThreadsOption = None,
    device: DeviceOption = "auto",
    backend: BackendOption = "auto",
) -> None:
    """Measure how well vehicles are found again: mAP and CMC, and colors, types and keypoints if known.

    On a labeled set, laid out as VeRi or made by `pamtri synth --split test`, or without labels on a video
    with tracks. Several features are compared side by side, the first against each other, with bootstrap
    intervals over vehicles.
    """
    from pamtri_edge.evaluate.baselines import BASELINES
    from pamtri_edge.evaluate.compare import check_place, compare, write_comparison
    from pamtri_edge.evaluate.measure import Measure, describe_set
    from pamtri_edge.evaluate.networks import OnnxDescriber, WeightsDescriber
    from pamtri_edge.evaluate.threshold import Pairs, check_rate, store_threshold, suggest_threshold

    refuse_inputs(output, [source, tracks, *(bundle or ())])
    if store and (false_match_rate is None or not bundle):
        raise typer.BadParameter("--store takes --false-match-rate and --bundle.", param_hint="--store")
    if baselines_alone and (not baseline or bundle or reid or onnx):
        raise typer.BadParameter("it takes --baseline and no network.", param_hint="--baselines-alone")
    alone = pose is not None and reid is None
    if alone and (bundle or onnx or baseline or output or false_match_rate):
        raise typer.BadParameter(
            "alone it measures keypoints and nothing else; other features go with --reid.",
            param_hint="--pose",
        )
    if output is not None:
        check_place(output, overwrite=overwrite)
    if false_match_rate is not None:
        check_rate(false_match_rate)
    if tracks is None and (classes, first_frame) != (None, None):
        raise typer.BadParameter("these belong to --tracks.", param_hint="--classes / --first-frame")
    if tracks is None:
        data = _pictures(source, same_camera)
    else:
        data = _footage(source, tracks, stream, classes, first_frame)
    others = [_pictures(other, same_camera) for other in also or []]
    if pose is not None and reid is None:
        _keypoints(data, pose, rule, device, threads, batch, as_json)
        return
    how = Measure(metric=metric, top=top, rule=rule, draws=draws, seed=seed)
    default = not (bundle or reid or onnx or (baseline and baselines_alone))
    with ExitStack() as stack:
        bundles = [None] if default else bundle or []
        describers = list(_bundles(stack, bundles, device, backend, threads))
        if reid is not None:
            place = _place(device)
            describers.append(WeightsDescriber(reid, pose, geometry=geometry, device=place, threads=threads))
        describers += [
            OnnxDescriber(path, scaling=scaling, output=onnx_output, threads=threads) for path in onnx or []
        ]
        describers += [BASELINES[name.value] for name in dict.fromkeys(baseline or [])]
        promised: Matching | None = getattr(describers[0], "matching", None)
        if others and promised is None and false_match_rate is None:
            raise InputError(
                f"--also: {describers[0].name} promises no threshold that could be looked at there; measure "
                "one with --false-match-rate."
            )
        with _progress("pictures") as update:
            comparison = compare(data, describers, how=how, batch=batch, progress=update)
            pairs = []
            if promised is not None or false_match_rate is not None:
                described = [comparison.described[0]]
                described += [
                    describe_set(other, describers[0], batch=batch, progress=_on(other.name, update))
                    for other in others
                ]
                pairs = [Pairs.of(*one) for one in zip([data, *others], described, strict=True)]
    matching = None
    if false_match_rate is not None:
        matching = suggest_threshold(pairs, false_match_rate=false_match_rate)
    if as_json:
        console.out.print_json(json.dumps(comparison.to_json(matching)))
    else:
        _show(comparison, matching)
        _show_promise(promised, pairs)
    if output is not None:
        written = write_comparison(comparison, output, matching=matching, overwrite=overwrite)
        console.err.print(f"written: {written!s}")
    if store and matching is not None and bundle:
        store_threshold(bundle[0], matching)
        console.err.print(f"threshold stored in {bundle[0]!s}")


def _footage(
    video: Path, tracks: Path, stream: str | None, classes: str | None, first_frame: int | None
) -> EvaluationSet:
    from pamtri_edge.datasets.footage import read_footage

    with _progress("frames") as update:
        return read_footage(
            video,
            tracks,
            stream=stream,
            classes=None if classes is None else classes.split(","),
            first_frame=first_frame,
            progress=lambda done, total: update(video.name, done, total),
        )


def _pictures(source: Path, same_camera: bool) -> EvaluationSet:
    from pamtri_edge.datasets.folder import is_data_folder, read_folder

    if source.is_dir() or is_data_folder(source):
        return read_folder(source, across_cameras=not same_camera)
    if source.exists():
        raise InputError(f"{source} is a file; a video needs its tracks: --tracks FILE.")
    raise InputError(f"there is no {source}; expected a folder with image_query and image_test, or a video.")


def _bundles(
    stack: ExitStack, bundles: Sequence[Path | None], device: str, backend: str, threads: int | None
) -> Iterator[Describer]:
    from pamtri_edge.evaluate.networks import BundleDescriber
    from pamtri_edge.reidentifier import Reidentifier

    names = set()
    for path in bundles:
        loaded = Reidentifier.load(path, device=device, backend=backend, threads=threads)
        describer = BundleDescriber(stack.enter_context(loaded))
        if describer.name in names:  # exports of one name are told apart by where they lie
            describer.name = str(path)
        names.add(describer.name)
        yield describer


def _keypoints(
    data: EvaluationSet,
    pose: Path,
    rule: Rule,
    device: str,
    threads: int | None,
    batch: int,
    as_json: bool,
) -> None:
    """Measure a pose network alone."""
    from pamtri_edge.evaluate.measure import describe_set, measure_keypoints
    from pamtri_edge.evaluate.networks import PoseDescriber
    from pamtri_edge.evaluate.tables import keypoint_table

    describer = PoseDescriber(pose, device=_place(device), threads=threads)
    with _progress("pictures") as update:
        described = describe_set(data, describer, batch=batch, progress=update)
    found = measure_keypoints(data, described, rule)
    if found is None:
        raise InputError(
            f"{data.name} has no labels for keypoints; expected pose_query.csv and pose_test.csv in it: "
            "image, width, height, then 36 times x, y, visible."
        )
    if as_json:
        console.out.print_json(
            json.dumps({"set": data.name, "feature": describer.name, "pck": found.to_json()})
        )
    else:
        console.out.print(keypoint_table({describer.name: found}))


def _place(device: str) -> str:
    """Return where PyTorch runs weights."""
    from pamtri_edge.train.machine import chosen_device

    return "cpu" if device == "auto" else chosen_device(device)


def _show(comparison: Comparison, matching: Matching | None) -> None:
    from pamtri_edge.evaluate.tables import difference_table, keypoint_table, retrieval_table

    data, first = comparison.data, comparison.evaluations[0]
    skipped = first.retrieval.skipped
    cameras = "matches by the same camera left out" if data.across_cameras else "same camera included"
    if data.between_cameras:
        alone = len({*data.query.cameras.tolist()}) == len(data.query)
        cameras = f"each looked up in {'all others' if alone else 'what the other cameras took'}"
    console.out.print(
        f"{data.name}: {counted(len(data.query), 'query', 'queries')} of "
        f"{counted(data.identities, 'vehicle')}, {counted(len(data.gallery), 'gallery picture')}; {cameras}."
    )
    if skipped:
        unknown = int((data.query.vehicles < 0).sum())
        told = f" ({unknown} of them junk, or of vehicle 0, which names distractors)" if unknown else ""
        console.out.print(f"Queries without a true match, left out: {skipped}{told}.")
    console.out.print(retrieval_table(comparison.evaluations))
    placed = {one.feature: one.pck for one in comparison.evaluations if one.pck is not None}
    if placed:
        console.out.print()
        console.out.print(keypoint_table(placed))
    if comparison.differences:
        console.out.print()
        console.out.print(difference_table(first.feature, comparison.differences))
    if matching is not None:
        console.out.print(
            f"\nThreshold for {first.feature}: a cosine of {matching.threshold:.4f} is reached by "
            f"{100 * matching.false_match_rate:.3g} % of the pairs of different vehicles and by "
            f"{100 * matching.true_match_rate:.1f} % of the pairs of one."
        )


def _show_promise(promised: Matching | None, pairs: Sequence[Pairs]) -> None:
    """Say how often the threshold of a bundle is reached on each set, beside what its manifest promises."""
    if promised is None:
        return
    found = [(f"promised ({promised.set})", promised)]
    found += [(f"on {one.name}", one.at(promised.threshold)) for one in pairs]
    console.out.print(f"\nThe bundle's threshold, a cosine of {promised.threshold:.4f}, is reached by")
    for where, rates in found:
        console.out.print(
            f"  {100 * rates.false_match_rate:.3g} % of the pairs of different vehicles and "
            f"{100 * rates.true_match_rate:.1f} % of the pairs of one, {where}"
        )


def _on(data: str, update: StepProgress) -> StepProgress:
    """Return what shows progress on another set than the first, on a bar of its own."""
    return lambda name, done, total: update(f"{name}, {data}", done, total)


@contextmanager
def _progress(unit: str) -> Iterator[Callable[[str, int, int], None]]:
    """Show a bar for each thing that is done."""
    with console.progress(unit) as bar:
        tasks: dict[str, Any] = {}

        def update(name: str, done: int, total: int) -> None:
            if name not in tasks:
                tasks[name] = bar.add_task(name, total=total, note="")
            bar.update(tasks[name], completed=done)

        yield update
