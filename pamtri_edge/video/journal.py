# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The tracks of a running video: what was seen of each, which views were embedded, what is known so far.

Memory is bounded by the number of open tracks, not by the length of the video: a track holds the pixels
of at most two views, and the answer of its best one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.geometry import CropRule, crop_to_frame
from pamtri_edge.tracks import TrackBox
from pamtri_edge.video.frames import Frame
from pamtri_edge.video.fuse import Answer, Fused, Fusion
from pamtri_edge.video.gate import GateSpec, TrackGate, View, sightings

_LONGEST_WAIT_S: Final = 0.5
"""A view waits so many seconds of the video for others to fill its batch; longer, and labels come late."""


class Embedder(Protocol):
    """What the journal needs of a `Reidentifier`."""

    @property
    def manifest(self) -> Any:
        """The bundle's manifest."""

    def embed(self, batch: Sequence[NDArray[np.uint8]]) -> Any:
        """Return the results for a list of (H, W, 3) uint8 RGB crops."""


@dataclass(frozen=True)
class ClosedTrack:
    """A track that is over.

    Attributes:
        track_id: number of the track.
        first_s: time of its first frame, in seconds of the video.
        last_s: time of its last frame.
        seen: frames in which it was seen.
        embedded: views that were embedded.
        below_gate: no view passed the gate; the best was embedded all the same.
        fused: what the views say together.
        crop: (h, w, 3) uint8 RGB of the best view.
    """

    track_id: int
    first_s: float
    last_s: float
    seen: int
    embedded: int
    below_gate: bool
    fused: Fused
    crop: NDArray[np.uint8]


@dataclass
class Counts:
    """What happened so far.

    Attributes:
        tracks: tracks that were seen, the dropped ones included.
        short: tracks dropped because they were seen too briefly to be one.
        unseen: tracks dropped because no part of them was ever inside the frame.
        unfinished: tracks that an interruption left without an embedded view.
        embedded: views embedded.
    """

    tracks: int = 0
    short: int = 0
    unseen: int = 0
    unfinished: int = 0
    embedded: int = 0


@dataclass
class _Track:
    track_id: int
    first_s: float
    gate: TrackGate
    last_s: float = 0.0
    seen: int = 0
    waiting: int = 0
    closing: bool = False
    held: list[View] = field(default_factory=list)  # chosen before the track was long enough to be one
    embedded: int = 0
    fusion: Fusion = field(default_factory=Fusion)
    crop: NDArray[np.uint8] | None = None
    fused: Fused | None = None


class Journal:
    """Keeps the open tracks and has their views embedded in batches across tracks.

    Args:
        embedder: the re-identifier.
        gate: which views are embedded.
        batch: views embedded at a time.
        crop_rule: how crops are cut.
        least_frames: tracks seen in fewer frames are dropped.
    """

    def __init__(
        self,
        embedder: Embedder,
        *,
        gate: GateSpec | None = None,
        batch: int = 8,
        crop_rule: CropRule = CropRule.EXACT,
        least_frames: int = 1,
    ) -> None:
        self._embedder = embedder
        self._gate = gate or GateSpec()
        self._batch = batch
        self._rule = crop_rule
        self._least_frames = least_frames
        self._trained = bool(embedder.manifest.trained)
        self._open: dict[int, _Track] = {}
        self._queue: list[tuple[_Track, View]] = []
        self._closed: list[ClosedTrack] = []
        self.counts = Counts()

    def observe(self, frame: Frame, boxes: Sequence[TrackBox]) -> None:
        """Take note of the tracks in the next frame, and embed what is due."""
        for box in boxes:
            if box.track_id not in self._open:
                gate = TrackGate(self._gate, trained=self._trained)
                self._open[box.track_id] = _Track(box.track_id, frame.time_s, gate)
                self.counts.tracks += 1
            track = self._open[box.track_id]
            track.last_s = frame.time_s
            track.seen += 1
        for sighting in sightings(frame, boxes, rule=self._rule, border_px=self._gate.border_px):
            track = self._open[sighting.track_id]
            view = track.gate.offer(sighting, frame.picture)
            if view is not None:
                track.held.append(view)
            if track.seen >= self._least_frames:
                self._release(track)
        if self._queue and frame.time_s - self._queue[0][1].sighting.time_s >= _LONGEST_WAIT_S:
            self._embed(self._queue[: self._batch])

    def end(self, track_ids: Iterable[int]) -> None:
        """Close tracks that will not be seen again; each comes out of `take` once its views are embedded."""
        for track_id in track_ids:
            track = self._open.get(track_id)
            if track is None:
                continue
            if track.seen < self._least_frames:
                self.counts.short += 1
                del self._open[track_id]
                continue
            track.closing = True
            last = track.gate.close()
            if last is not None:
                track.held.append(last)
            self._release(track)
            self._finish_if_done(track)

    def end_all(self) -> None:
        """Close every track and embed what is left."""
        self.end(list(self._open))
        while self._queue:
            self._embed(self._queue[: self._batch])

    def abandon(self) -> None:
        """Close every track with what is known, without embedding more; for an interruption."""
        self._queue.clear()
        for track in list(self._open.values()):
            if track.embedded:
                self._finish(track)
            elif track.seen < self._least_frames:
                self.counts.short += 1
            else:
                self.counts.unfinished += 1
        self._open.clear()

    def take(self) -> list[ClosedTrack]:
        """Return the tracks that were closed since the last call."""
        closed, self._closed = self._closed, []
        return closed

    def known(self, track_id: int) -> Fused | None:
        """Return what is known so far of an open track, or None."""
        track = self._open.get(track_id)
        return None if track is None else track.fused

    def _release(self, track: _Track) -> None:
        for view in track.held:
            track.waiting += 1
            self._queue.append((track, view))
            if len(self._queue) >= self._batch:
                self._embed(self._queue[: self._batch])
        track.held.clear()

    def _embed(self, items: Sequence[tuple[_Track, View]]) -> None:
        result = self._embedder.embed([view.crop for _, view in items])
        del self._queue[: len(items)]
        self.counts.embedded += len(items)
        for row, (track, view) in enumerate(items):
            self._note(track, view, result, row)
        for track, _ in items:
            self._finish_if_done(track)

    def _note(self, track: _Track, view: View, result: Any, row: int) -> None:
        quality = None if result.quality is None else float(np.clip(result.quality[row], 0.0, 1.0))
        track.gate.answer(quality)
        weight, failings = track.gate.judge(view, quality)
        answer = Answer(
            weight=weight,
            embedding=result.embeddings[row].copy(),  # a row would keep its whole batch
            color_probs=None if result.color_probs is None else result.color_probs[row].copy(),
            type_probs=None if result.type_probs is None else result.type_probs[row].copy(),
            keypoints=_frame_keypoints(result.keypoints, row, view),
            quality=quality,
            rectangle=view.sighting.rectangle,
            time_s=view.sighting.time_s,
            failings=failings,
        )
        track.waiting -= 1
        track.embedded += 1
        if track.fusion.add(answer):
            track.crop = view.crop
        track.fused = track.fusion.fused()

    def _finish_if_done(self, track: _Track) -> None:
        if not track.closing or track.waiting or track.track_id not in self._open:
            return
        if track.embedded:
            self._finish(track)
        else:
            self.counts.unseen += 1
        del self._open[track.track_id]

    def _finish(self, track: _Track) -> None:
        assert track.fused is not None
        assert track.crop is not None
        self._closed.append(
            ClosedTrack(
                track_id=track.track_id,
                first_s=track.first_s,
                last_s=track.last_s,
                seen=track.seen,
                embedded=track.embedded,
                below_gate=not track.fusion.good,
                fused=track.fused,
                crop=track.crop,
            )
        )


def _frame_keypoints(
    keypoints: NDArray[np.float32] | None, row: int, view: View
) -> NDArray[np.float32] | None:
    if keypoints is None:
        return None
    rectangle = np.array([view.sighting.rectangle], np.int32)
    return np.asarray(crop_to_frame(np.asarray(keypoints[row : row + 1], np.float32), rectangle)[0])
