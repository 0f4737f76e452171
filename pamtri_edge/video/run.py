# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""One video from its first frame to its summary."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from pamtri_edge.addresses import redact
from pamtri_edge.errors import PamtriError, SourceError
from pamtri_edge.events import EventWriter
from pamtri_edge.events.tables import write_event_tables
from pamtri_edge.geometry import CropRule
from pamtri_edge.signals import postponed
from pamtri_edge.tracks import TrackBox
from pamtri_edge.video.conclude import box_keypoints, crop_picture, label, make_event
from pamtri_edge.video.draw import Overlay, draw_overlays
from pamtri_edge.video.encode import VideoWriter
from pamtri_edge.video.follow import Follower
from pamtri_edge.video.frames import Frame, Source
from pamtri_edge.video.gate import GateSpec
from pamtri_edge.video.journal import Embedder, Journal
from pamtri_edge.video.write import OutputFolder, Summary
from pamtri_edge.words import EmbeddingFormat

if TYPE_CHECKING:
    from pamtri_edge.sinks.sink import EventSink

_log = logging.getLogger(__name__)

_POSE_AGE_S = 1.0  # a pose is drawn over its vehicle's box for so long; then the vehicle has turned


@dataclass(frozen=True, kw_only=True)
class RunSpec:
    """How a video is run.

    Attributes:
        camera: name of the camera, for the events; of an address, what may be secret is hidden.
        gate: which views are embedded.
        batch: views embedded at a time.
        crop_rule: how crops are cut.
        embedding_format: how embeddings are written.
        start: the moment of the first frame; None if unknown (a live source knows it).
        video: whether the annotated video is written.
        limited: a duration was asked for, so that tracks past the end are no mistake.
        tables: in which other forms the events are written at the end; see `event_tables.FORMATS`.
    """

    camera: str
    gate: GateSpec = field(default_factory=GateSpec)
    batch: int = 8
    crop_rule: CropRule = CropRule.EXACT
    embedding_format: EmbeddingFormat = "list"
    start: datetime | None = None
    video: bool = True
    limited: bool = False
    tables: tuple[str, ...] = ()


@dataclass(frozen=True)
class RunProgress:
    """How far a run is.

    Attributes:
        frames: frames done.
        total: frames there should be, where known.
        time_s: seconds of the video done.
        events: events written.
    """

    frames: int
    total: int | None
    time_s: float
    events: int


class VideoRun:
    """Runs a video: an event, a crop and a picture for each tracked vehicle, and an annotated video.

    Whatever ends it, what was done is kept and valid: events are whole lines, the video has its index, and
    the summary says whether the run is complete and why not.

    Args:
        source: gives the frames; closed at the end.
        follower: gives the tracks in them.
        embedder: the re-identifier.
        output: where to write.
        spec: how.
        sinks: where events go besides, as vehicles end; their owner closes them.

    Attributes:
        summary: what was done; None until the end.
    """

    def __init__(
        self,
        source: Source,
        follower: Follower,
        embedder: Embedder,
        output: OutputFolder,
        spec: RunSpec,
        sinks: Sequence[EventSink] = (),
    ) -> None:
        self._source = source
        self._follower = follower
        self._manifest = embedder.manifest
        self._output = output
        self._spec = spec
        self._sinks = sinks
        self._camera = redact(spec.camera)
        self._journal = Journal(
            embedder,
            gate=spec.gate,
            batch=spec.batch,
            crop_rule=spec.crop_rule,
            least_frames=follower.least_frames,
        )
        output.claim()
        output.clear()
        self._events = EventWriter(output.events, embedding_format=spec.embedding_format)
        self._video = VideoWriter(output.video, rate=source.rate) if spec.video else None
        self._note = "" if self._manifest.trained else "untrained weights"
        self._frames = 0
        self._next_index = 0
        self._time_s = 0.0
        self._below_gate = 0
        self._gate_reasons: Counter[str] = Counter()
        self.summary: Summary | None = None

    def run(self, *, on_progress: Callable[[RunProgress], None] | None = None) -> Summary:
        """Run to the end of the video.

        Args:
            on_progress: called after every frame.

        Returns:
            The summary, which is also written.

        Raises:
            SourceError: the video ended early, or tracks lie past its end; all that there was is done.
            PamtriError: something could not be written or embedded; what was done before is kept.
            KeyboardInterrupt: the user stopped it; what was done before is kept.
        """
        try:
            return self._run(on_progress)
        finally:
            self._output.release()

    def _run(self, on_progress: Callable[[RunProgress], None] | None) -> Summary:
        begin = time.monotonic()
        try:
            self._play(on_progress)
        except BaseException as error:
            with postponed():
                reason = "interrupted" if isinstance(error, KeyboardInterrupt) else str(error) or repr(error)
                self._journal.abandon()
                try:
                    self._wind_up(begin, reason)
                except PamtriError as second:
                    _log.warning("%s", second)  # the first error is the one to tell
            raise
        with postponed():
            return self._wind_up(begin, None)

    def _play(self, on_progress: Callable[[RunProgress], None] | None) -> None:
        broken: SourceError | None = None
        try:
            for frame in self._source.frames():
                self._step(frame)
                if on_progress is not None:
                    on_progress(
                        RunProgress(self._frames, self._source.total, frame.time_s, self._events.count)
                    )
        except SourceError as error:
            broken = error  # what came before is finished as if the video ended here
        finally:
            self._source.close()
        self._journal.end_all()
        for doubt in self._follower.doubts():
            _log.warning("%s", doubt)
        left_over = None if self._spec.limited else self._follower.left_over(self._next_index)
        if broken is None and left_over is not None:
            broken = SourceError(left_over)
        if broken is not None:
            raise broken

    def _step(self, frame: Frame) -> None:
        if frame.cut:
            self._journal.end(self._follower.restart())
        boxes = self._follower.update(frame)
        self._journal.observe(frame, boxes)
        if self._video is not None:
            # Far to near: a lower edge further down the picture is nearer to the camera.
            overlays = [self._overlay(box, frame) for box in sorted(boxes, key=lambda box: box.box[3])]
            self._video.write(draw_overlays(frame.picture, overlays, note=self._note), frame.time_s)
        self._journal.end(self._follower.ended(frame))
        self._frames += 1
        self._next_index = frame.index + 1
        self._time_s = frame.time_s
        self._write_closed()

    def _overlay(self, box: TrackBox, frame: Frame) -> Overlay:
        fused = self._journal.known(box.track_id)
        fresh = fused is not None and frame.time_s - fused.best.time_s <= _POSE_AGE_S
        return Overlay(
            box.track_id,
            box.box,
            label(box.track_id, fused, self._manifest),
            box_keypoints(fused) if fresh else None,
        )

    def _write_closed(self) -> None:
        start = self._spec.start or self._source.started
        for track in self._journal.take():
            # The pictures first: who follows the file of events finds them there.
            self._output.write_crop(track.track_id, track.crop)
            self._output.write_annotated(track.track_id, crop_picture(track, self._manifest))
            event = make_event(track, self._manifest, camera=self._camera, start=start)
            self._events.write(event)
            for sink in self._sinks:
                sink.post(event)
            self._below_gate += track.below_gate
            self._gate_reasons.update(event.below_gate_reason)

    def _wind_up(self, begin: float, reason: str | None) -> Summary:
        """Write what is closed, finish the files and the summary."""
        failures: list[PamtriError] = []
        steps = [self._write_closed, self._events.close, self._write_tables]
        if self._video is not None:
            steps.insert(1, self._video.close)
        for finish in steps:
            try:
                finish()
            except PamtriError as error:
                failures.append(error)
        reason = reason or (str(failures[0]) if failures else None)
        self.summary = self._summarize(reason, time.monotonic() - begin)
        self._output.write_summary(self.summary)
        if failures:
            raise failures[0]
        return self.summary

    def _write_tables(self) -> None:
        write_event_tables(self._output.events, self._spec.tables)

    def _summarize(self, reason: str | None, elapsed: float) -> Summary:
        counts = self._journal.counts
        return Summary(
            complete=reason is None,
            reason=reason,
            source=self._source.label,
            camera=self._camera,
            bundle=self._manifest.name,
            embedding_space=self._manifest.embedding_space,
            trained=bool(self._manifest.trained),
            frames=self._frames,
            lost_frames=self._source.lost,
            video_s=round(self._time_s, 3),
            tracks=counts["tracks"] - counts["short"],
            events=self._events.count,
            below_gate=self._below_gate,
            below_gate_reasons=dict(self._gate_reasons.most_common()),
            embedded_views=counts["embedded"],
            short_tracks=counts["short"],
            unseen_tracks=counts["unseen"],
            unfinished_tracks=counts["unfinished"],
            elapsed_s=round(elapsed, 2),
            frames_per_second=round(self._frames / elapsed, 1) if elapsed > 0 else 0.0,
        )
