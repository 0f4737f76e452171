# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""`pamtri run`: from a video to an event for each tracked vehicle."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from pamtri_edge import console
from pamtri_edge.geometry import CropRule
from pamtri_edge.options import finite, refuse_inputs

if TYPE_CHECKING:
    from pamtri_edge.video.follow import Follower
    from pamtri_edge.video.frames import Source
    from pamtri_edge.video.run import Progress
    from pamtri_edge.video.write import OutputFolder, Summary

_REFRESH_S = 0.2


class EmbeddingFormat(str, Enum):
    """How embeddings are written into events."""

    LIST = "list"
    BASE64 = "base64"


def run(
    source: Annotated[
        str,
        typer.Argument(help="A video, a folder of pictures, an address (rtsp://...), or a camera (0)."),
    ],
    output: Annotated[Path, typer.Option(help="Folder for events, crops, pictures, video and summary.")],
    tracks: Annotated[
        Path | None,
        typer.Option(
            help="Tracks: a MOTChallenge or VisDrone file, CVAT's, KITTI's or UA-DETRAC's labels, or a "
            "folder as DeepStream's kitti-track-output-dir or Ultralytics' save_txt writes it."
        ),
    ] = None,
    detector: Annotated[
        str | None,
        typer.Option(
            help="Instead of tracks: a detector's network (.onnx: YOLOX, YOLOv5 to v13, YOLO26, RT-DETR and "
            "others), or 'motion' for whatever moves before a fixed camera."
        ),
    ] = None,
    bundle: Annotated[
        Path | None,
        typer.Option(
            help="The bundle, NAME.pamtri. [default: $PAMTRI_BUNDLE, else the trained one that comes along]"
        ),
    ] = None,
    camera: Annotated[
        str | None, typer.Option(help="Name of the camera in the events. [default: the source's name]")
    ] = None,
    batch: Annotated[int, typer.Option(min=1, help="Views that go through the network at a time.")] = 8,
    threads: Annotated[
        int | None, typer.Option(min=1, help="CPU threads of the networks. [default: all]")
    ] = None,
    device: Annotated[str, typer.Option(help="Where the network runs: auto, cpu, cuda, cuda:N.")] = "auto",
    backend: Annotated[
        str, typer.Option(help="What runs the network: auto, openvino, tensorrt, torch.")
    ] = "auto",
    build: Annotated[
        bool,
        typer.Option(
            "--build/--no-build",
            help="Build the engine that TensorRT needs for this GPU, where none is cached: takes minutes.",
        ),
    ] = True,
    duration: Annotated[
        float | None, typer.Option(callback=finite, min=0.001, help="Stop after so many seconds.")
    ] = None,
    start_utc: Annotated[
        str | None,
        typer.Option(help="Moment of the first frame, ISO 8601; a stream's is known.", metavar="ISO"),
    ] = None,
    fps: Annotated[
        float | None,
        typer.Option(callback=finite, min=0.001, help="Frames a second of a folder of images. [default: 10]"),
    ] = None,
    min_size: Annotated[
        int, typer.Option(min=1, help="Shorter side, in pixels, that a view must have to pass the gate.")
    ] = 48,
    max_views: Annotated[int, typer.Option(min=1, help="Most views embedded for a track.")] = 5,
    crop_rule: Annotated[CropRule, typer.Option(help="How crops are rounded.")] = CropRule.EXACT,
    embedding_format: Annotated[
        EmbeddingFormat, typer.Option(help="How embeddings are written: numbers, or float16 in base64.")
    ] = EmbeddingFormat.LIST,
    classes: Annotated[
        str | None,
        typer.Option(
            help="Classes wanted: of a detector's network, its names or numbers; of tracks, names or the "
            "file's own numbers; or all. [default: cars, buses, trucks and the like]"
        ),
    ] = None,
    confidence: Annotated[
        float | None,
        typer.Option(
            callback=finite, min=0.0, max=1.0, help="Lowest score of a network's detection. [default: 0.3]"
        ),
    ] = None,
    stream: Annotated[
        str | None,
        typer.Option(help="Of a folder of tracks with several streams, the one to use, such as 00_001."),
    ] = None,
    first_frame: Annotated[
        int | None,
        typer.Option(
            help="Number that the tracks give to the first frame: 0 or 1. [default: their layout's own]"
        ),
    ] = None,
    reconnect: Annotated[
        int, typer.Option(min=1, help="Stop after so many failed tries in a row to reconnect to a stream.")
    ] = 6,
    video: Annotated[bool, typer.Option(help="Write the annotated video.")] = True,
    overwrite: Annotated[bool, typer.Option(help="Replace an earlier run in the output folder.")] = False,
) -> None:
    """Give an event for each vehicle in a video: embedding, color, type, keypoints and its best crop.

    Only views that pass the gate count: the shorter side has --min-size pixels, the border of the frame does
    not cut the vehicle, no other box covers more than 30 % of it, and its pose quality is 0.15 or more (with
    untrained weights the size alone counts). A vehicle without such a view gets an event of its best one,
    marked below_gate, with the reasons in below_gate_reason: small, cut, covered, pose-unsure. Clean crops
    are in crops/, the same with keypoints, for people, in annotated/.
    """
    if (tracks is None) == (detector is None):
        raise typer.BadParameter("give either --tracks or --detector.", param_hint="--tracks / --detector")
    if detector in (None, "motion") and confidence is not None:
        raise typer.BadParameter(
            "it chooses among the detections of a network: --detector NAME.onnx.", param_hint="--confidence"
        )
    if tracks is None and first_frame is not None:
        raise typer.BadParameter("it belongs to --tracks.", param_hint="--first-frame")
    if detector == "motion" and classes is not None:
        raise typer.BadParameter("whatever moves has no class; leave it out.", param_hint="--classes")

    refuse_inputs(output, [source, tracks, bundle])
    import cv2

    from pamtri_edge.events import parse_utc
    from pamtri_edge.reidentifier import Reidentifier
    from pamtri_edge.video.gate import GateSpec
    from pamtri_edge.video.run import RunSpec, VideoRun
    from pamtri_edge.video.sources import open_source
    from pamtri_edge.video.streams import Reconnect
    from pamtri_edge.video.write import OutputFolder

    cv2.setNumThreads(1)  # the networks want the cores
    start = None if start_utc is None else parse_utc(start_utc)
    opened = open_source(source, fps=fps, duration=duration, reconnect=Reconnect(attempts=reconnect))
    follower = _follower(
        opened,
        tracks=tracks,
        stream=stream,
        detector=detector,
        first_frame=first_frame,
        classes=None if classes is None else _names(classes),
        confidence=confidence,
        threads=threads,
    )
    folder = OutputFolder(output, overwrite=overwrite)
    spec = RunSpec(
        camera=camera or opened.name,
        gate=GateSpec(min_side=min_size, max_views=max_views),
        batch=batch,
        crop_rule=crop_rule,
        embedding_format=embedding_format.value,
        start=start,
        video=video,
        limited=duration is not None,
    )
    with (
        _terminable(),
        Reidentifier.load(
            bundle, device=device, backend=backend, threads=threads, build=build
        ) as reidentifier,
    ):
        job = VideoRun(opened, follower, reidentifier, folder, spec)
        try:
            with console.progress("frames") as bar:
                job.run(on_progress=_updater(bar, opened, duration))
        finally:
            if job.summary is not None:
                _show(job.summary, folder, video=video)


def _names(text: str) -> tuple[str, ...]:
    """Return the names in a list with commas."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _follower(
    source: Source,
    *,
    tracks: Path | None,
    stream: str | None,
    detector: str | None,
    first_frame: int | None,
    classes: tuple[str, ...] | None,
    confidence: float | None,
    threads: int | None,
) -> Follower:
    from pamtri_edge.errors import InputError
    from pamtri_edge.tracks import read_tracks
    from pamtri_edge.video.detect.network import DetectorSpec, NetworkDetector
    from pamtri_edge.video.follow import MOTION_TRACKS, DetectionFollower, FileFollower
    from pamtri_edge.video.motion import MotionDetector

    if tracks is not None:
        if source.live:
            raise InputError(
                f"{source.label} is a stream, whose frames have no fixed numbers; tracks from a file need a "
                "video file or a folder of images. Use --detector."
            )
        found = read_tracks(tracks, stream=stream, classes=classes, first_frame=first_frame)
        return FileFollower(found)
    if detector == "motion":
        return DetectionFollower(MotionDetector(rate=source.rate), rate=source.rate, spec=MOTION_TRACKS)
    spec = DetectorSpec(classes=classes)
    if confidence is not None:
        spec = replace(spec, confidence=confidence)
    network = NetworkDetector(detector or "", spec=spec, threads=threads)
    console.err.print(f"detector {network.notice}", soft_wrap=True)
    return DetectionFollower(network, rate=source.rate)


def _updater(bar: Any, source: Source, duration: float | None) -> Callable[[Progress], None]:
    """Return what moves the progress bar, a few times a second at most."""
    begin = last = time.monotonic()
    task = bar.add_task("", total=source.total, note="")

    def update(progress: Progress) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < _REFRESH_S and progress.frames != progress.total:
            return
        last = now
        note = f"{progress.frames / max(now - begin, 1e-3):.0f}/s"
        if source.live and duration is not None:
            note += f", {progress.time_s:.0f} of {duration:g} s"
        bar.update(task, completed=progress.frames, note=note)

    return update


@contextmanager
def _terminable() -> Iterator[None]:
    """Have SIGTERM, as a service manager sends it, end a run as Ctrl-C does: with everything finished."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _show(summary: Summary, folder: OutputFolder, *, video: bool) -> None:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    lost = f" ({summary.lost_frames} lost)" if summary.lost_frames else ""
    table.add_row("frames", f"{summary.frames}{lost}")
    table.add_row("tracks", f"{summary.tracks}{_aside(summary)}")
    reasons = ", ".join(f"{count} {word}" for word, count in summary.below_gate_reasons.items())
    below = f" ({summary.below_gate} below the gate: {reasons})" if summary.below_gate else ""
    table.add_row("events", f"{summary.events}{below}")
    table.add_row("embedded views", str(summary.embedded_views))
    table.add_row("time", f"{summary.elapsed_s:.1f} s, {summary.frames_per_second:g} frames/s")
    console.out.print(table)
    if summary.reason == "interrupted":  # what else ends a run early is told as its error
        console.err.print(console.styled("interrupted:", "yellow"), "what was done until then is kept")
    console.out.print("Look at")
    places = [
        ("events", folder.events),
        ("pictures", folder.annotated),
        ("crops", folder.crops),
        ("summary", folder.summary),
    ]
    if video:
        places.insert(1, ("video", folder.video))
    for name, path in places:
        if path.exists():
            console.out.print(f"  {name:8} {path!s}", soft_wrap=True)


def _aside(summary: Summary) -> str:
    notes = [
        (summary.short_tracks, "too short dropped"),
        (summary.unseen_tracks, "never inside the frame"),
        (summary.unfinished_tracks, "unfinished"),
    ]
    words = ", ".join(f"{count} {what}" for count, what in notes if count)
    return f" ({words})" if words else ""
