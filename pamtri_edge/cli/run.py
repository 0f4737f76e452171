# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""`pamtri run`: from a video to an event for each tracked vehicle."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pamtri_edge import console
from pamtri_edge.cli.run_shown import show_summary, updater
from pamtri_edge.cli.sending import SinkFormatOption, SinkOption, SpoolOption, check_sinks, sending
from pamtri_edge.cli.shared_options import (
    BackendOption,
    BuildOption,
    BundleOption,
    DeviceOption,
    FirstFrameOption,
    StreamOption,
    ThreadsOption,
)
from pamtri_edge.geometry import CropRule
from pamtri_edge.options import check_count, finite, refuse_inputs
from pamtri_edge.signals import terminable
from pamtri_edge.words import EmbeddingFormat

if TYPE_CHECKING:
    from pamtri_edge.reidentifier import Reidentifier
    from pamtri_edge.sinks.sink import EventSink
    from pamtri_edge.video.follow import Follower
    from pamtri_edge.video.frames import Source
    from pamtri_edge.video.run import RunSpec
    from pamtri_edge.video.write import OutputFolder


def run(
    sources: Annotated[
        list[str],
        typer.Argument(
            help="Videos, folders of pictures, addresses (rtsp://...) or cameras at this machine (0); one or "
            "several, each a camera."
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            help="Folder for events, crops, pictures, video and summary; of several sources, each has a "
            "folder of its camera's name in it.",
        ),
    ],
    tracks: Annotated[
        list[Path] | None,
        typer.Option(
            help="Tracks: a MOTChallenge or VisDrone file, a table of `pamtri tracks`, CVAT's, KITTI's or "
            "UA-DETRAC's labels, JSON of COCO, Scalabel or Label Studio, or a folder as DeepStream's "
            "kitti-track-output-dir or Ultralytics' save_txt writes it. Once for each source, in their order."
        ),
    ] = None,
    detector: Annotated[
        str | None,
        typer.Option(
            help="Instead of tracks: a detector's network (.onnx: YOLOX, YOLOv5 to v13, YOLO26, RT-DETR and "
            "others), or 'motion' for whatever moves before a fixed camera."
        ),
    ] = None,
    bundle: BundleOption = None,
    camera: Annotated[
        list[str] | None,
        typer.Option(
            help="Name of the camera in the events; once for each source, in their order. [default: the "
            "source's name]"
        ),
    ] = None,
    batch: Annotated[int, typer.Option(min=1, help="Views that go through the network at a time.")] = 8,
    threads: ThreadsOption = None,
    device: DeviceOption = "auto",
    backend: BackendOption = "auto",
    build: BuildOption = True,
    duration: Annotated[
        float | None, typer.Option(callback=finite, min=0.001, help="Stop after so many seconds.")
    ] = None,
    start_utc: Annotated[
        list[str] | None,
        typer.Option(
            help="Moment of the first frame, ISO 8601; a stream's is known. Once, or once for each source.",
            metavar="ISO",
        ),
    ] = None,
    fps: Annotated[
        float | None,
        typer.Option(
            callback=finite,
            min=0.001,
            help="Frames a second of a folder of images. [default: as it tells, or 10]",
        ),
    ] = None,
    min_size: Annotated[
        int, typer.Option(min=1, help="Shorter side, in pixels, that a view must have to pass the gate.")
    ] = 48,
    max_views: Annotated[int, typer.Option(min=1, help="Most views embedded for a track.")] = 32,
    reinfer_interval: Annotated[
        int,
        typer.Option(
            min=0,
            help="Frames of a track from one embedded view to the next, more in long tracks; 0: only where "
            "a view is better than those before, which is less work and finds vehicles less often.",
        ),
    ] = 7,
    reinfer_overlap: Annotated[
        float,
        typer.Option(
            callback=finite,
            min=0.0,
            max=1.0,
            help="A vehicle whose box overlaps that of its last embedded view by more than this stands, and "
            "is embedded again when it moves. 1: in its turn, too.",
        ),
    ] = 1.0,
    crop_rule: Annotated[CropRule, typer.Option(help="How crops are rounded.")] = CropRule.EXACT,
    embedding_format: Annotated[
        EmbeddingFormat, typer.Option(help="How embeddings are written: numbers, or float16 in base64.")
    ] = "list",
    formats: Annotated[
        str,
        typer.Option(
            "--format",
            help="Forms of the events: jsonl, csv, parquet, several with commas. events.jsonl is always "
            "written, as vehicles come; the others when the run ends.",
        ),
    ] = "jsonl",
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
    stream: StreamOption = None,
    first_frame: FirstFrameOption = None,
    reconnect: Annotated[
        int, typer.Option(min=1, help="Stop after so many failed tries in a row to reconnect to a stream.")
    ] = 6,
    video: Annotated[bool, typer.Option(help="Write the annotated video.")] = True,
    sink: SinkOption = None,
    sink_format: SinkFormatOption = None,
    spool: SpoolOption = None,
    overwrite: Annotated[bool, typer.Option(help="Replace an earlier run in the output folder.")] = False,
) -> None:
    """Give an event for each vehicle in a video: embedding, color, type, keypoints and its best crop.

    Several sources run at once through one bundle, and what they need embedded at a moment goes through it
    together.

    Up to --max-views views of a vehicle are fused into its embedding, each by its pose quality. The best that
    passes the gate is its picture: the shorter side has --min-size pixels, the border of the frame does not
    cut the vehicle, no other box covers more than 30 % of it, and its pose quality is 0.15 or more (with
    untrained weights the size alone counts). A vehicle without such a view gets an event too, marked
    below_gate, with the reasons in below_gate_reason: small, cut, covered, pose-unsure. Clean crops are in
    crops/, the same with keypoints, for people, in annotated/.

    With --sink events also go to a file or a broker, each when its vehicle has left: at least once, in order
    for each track. A broker that is away does not stop the run: events wait for it, with --spool on disk, so
    that the next run sends what this one could not.
    """
    if (not tracks) == (detector is None):
        raise typer.BadParameter(
            "give one: --tracks FILE for each source, or --detector motion (or NAME.onnx)."
            if detector is None
            else "give either, not both.",
            param_hint="--tracks / --detector",
        )
    if detector in (None, "motion") and confidence is not None:
        raise typer.BadParameter(
            "it chooses among the detections of a network: --detector NAME.onnx.", param_hint="--confidence"
        )
    if not tracks and first_frame is not None:
        raise typer.BadParameter("it belongs to --tracks.", param_hint="--first-frame")
    if detector == "motion" and classes is not None:
        raise typer.BadParameter("whatever moves has no class; leave it out.", param_hint="--classes")
    check_count("--tracks", tracks, sources, "source")
    check_count("--camera", camera, sources, "source")
    if start_utc and len(start_utc) > 1:
        check_count("--start-utc", start_utc, sources, "source")
    refuse_inputs(output, [*sources, *(tracks or []), bundle])
    check_sinks(sink, sink_format, spool)
    import cv2

    from pamtri_edge.addresses import redact
    from pamtri_edge.events import parse_utc
    from pamtri_edge.events.tables import check_formats
    from pamtri_edge.reidentifier import Reidentifier
    from pamtri_edge.video.gate import GateSpec
    from pamtri_edge.video.images import ImageFolder
    from pamtri_edge.video.run import RunSpec
    from pamtri_edge.video.sources import open_source
    from pamtri_edge.video.streams import Reconnect
    from pamtri_edge.video.together import check_cameras, folder_name
    from pamtri_edge.video.write import OutputFolder

    cv2.setNumThreads(1)  # the networks want the cores
    tables = check_formats(_names(formats))
    starts = [parse_utc(text) for text in start_utc or []]
    several = len(sources) > 1
    with ExitStack() as stack:
        opened: list[Source] = []
        for source in sources:
            opened.append(
                open_source(source, fps=fps, duration=duration, reconnect=Reconnect(attempts=reconnect))
            )
            stack.callback(opened[-1].close)
        if fps is not None and not any(isinstance(one, ImageFolder) for one in opened):
            raise typer.BadParameter(
                "it belongs to a folder of pictures; videos and streams have a rate of their own.",
                param_hint="--fps",
            )
        names = [redact(name) for name in camera or [one.name for one in opened]]
        check_cameras(names)
        make_follower = _follower_maker(
            detector=detector,
            stream=stream,
            first_frame=first_frame,
            classes=None if classes is None else _names(classes),
            confidence=confidence,
            threads=threads,
        )
        followers = [make_follower(one, tracks[at] if tracks else None) for at, one in enumerate(opened)]
        folders = [
            OutputFolder(output / folder_name(name) if several else output, overwrite=overwrite)
            for name in names
        ]
        for folder in folders:
            stack.callback(folder.leave)
        specs = [
            RunSpec(
                camera=name,
                gate=GateSpec(
                    min_side=min_size,
                    max_views=max_views,
                    reinfer_interval=reinfer_interval,
                    reinfer_overlap=reinfer_overlap,
                ),
                batch=batch,
                crop_rule=crop_rule,
                embedding_format=embedding_format,
                start=starts[at % len(starts)] if starts else None,
                video=video,
                limited=duration is not None,
                tables=tables,
            )
            for at, name in enumerate(names)
        ]
        stack.enter_context(terminable())
        sinks = stack.enter_context(
            sending(sink, sink_format, spool, embedding_format=embedding_format, outside=output)
        )
        reidentifier = stack.enter_context(
            Reidentifier.load(bundle, device=device, backend=backend, threads=threads, build=build)
        )
        cameras = list(map(_Camera, opened, followers, folders, specs))
        if several:
            _run_several(cameras, reidentifier, duration, sinks)
        else:
            _run_one(cameras[0], reidentifier, duration, sinks)


@dataclass(frozen=True)
class _Camera:
    source: Source
    follower: Follower
    folder: OutputFolder
    spec: RunSpec


def _run_one(
    camera: _Camera, reidentifier: Reidentifier, duration: float | None, sinks: Sequence[EventSink]
) -> None:
    from pamtri_edge.video.run import VideoRun

    job = VideoRun(camera.source, camera.follower, reidentifier, camera.folder, camera.spec, sinks)
    try:
        with console.progress("frames") as bar:
            job.run(on_progress=updater(bar, camera.source, duration))
    finally:
        if job.summary is not None:
            show_summary(job.summary, camera.folder, camera.spec)


def _run_several(
    cameras: list[_Camera], reidentifier: Reidentifier, duration: float | None, sinks: Sequence[EventSink]
) -> None:
    from pamtri_edge.errors import PamtriError, SourceError
    from pamtri_edge.video.run import VideoRun
    from pamtri_edge.video.together import InterruptibleSource, SharedEmbedder, run_together

    shared = SharedEmbedder(reidentifier)
    sources = [InterruptibleSource(one.source) for one in cameras]
    jobs = [
        VideoRun(source, one.follower, shared, one.folder, one.spec, sinks)
        for source, one in zip(sources, cameras, strict=True)
    ]
    try:
        with console.progress("frames") as bar:
            updates = [updater(bar, one.source, duration, one.spec.camera) for one in cameras]
            errors = run_together(jobs, sources, updates)
    finally:
        for job, one in zip(jobs, cameras, strict=True):
            if job.summary is not None:
                console.out.print(f"camera {one.spec.camera}")
                show_summary(job.summary, one.folder, one.spec)
    failed = [(one.spec.camera, error) for one, error in zip(cameras, errors, strict=True) if error]
    for _, error in failed:
        if not isinstance(error, PamtriError):
            raise error
    if failed:
        raise SourceError("\n".join(f"camera {name}: {error}" for name, error in failed))


def _names(text: str) -> tuple[str, ...]:
    """Return the names in a list with commas."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _follower_maker(
    *,
    detector: str | None,
    stream: str | None,
    first_frame: int | None,
    classes: tuple[str, ...] | None,
    confidence: float | None,
    threads: int | None,
) -> Callable[[Source, Path | None], Follower]:
    """Return what makes the follower of a source, given its tracks or None."""
    from pamtri_edge.errors import InputError
    from pamtri_edge.tracks import read_tracks
    from pamtri_edge.video.detect.network import DetectorSpec, NetworkDetector
    from pamtri_edge.video.follow import MOTION_TRACKS, DetectionFollower, FileFollower
    from pamtri_edge.video.motion import MotionDetector

    spec = DetectorSpec(classes=classes)
    if confidence is not None:
        spec = replace(spec, confidence=confidence)
    told: set[str] = set()

    def make(source: Source, tracks: Path | None) -> Follower:
        if tracks is not None:
            if source.live:
                raise InputError(
                    f"{source.label} is a stream, whose frames have no fixed numbers; tracks from a file "
                    "need a video file or a folder of images. Use --detector."
                )
            return FileFollower(read_tracks(tracks, stream=stream, classes=classes, first_frame=first_frame))
        if detector == "motion":
            return DetectionFollower(MotionDetector(rate=source.rate), rate=source.rate, spec=MOTION_TRACKS)
        network = NetworkDetector(detector or "", spec=spec, threads=threads)
        if network.notice not in told:
            told.add(network.notice)
            console.err.print(f"detector {network.notice}")
        return DetectionFollower(network, rate=source.rate)

    return make
