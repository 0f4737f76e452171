# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The tracks of a running video: what was seen of each, which views were embedded, what is known so far.

Which views are embedded and in which batches, when a track is over and what it is then, is decided by the
core (`pamtri_edge._core`); here are the pixels and the network. Memory is bounded by the number of open
tracks, not by the length of the video: a track holds the pixels of its best view, or of a few as long as
none passed, and of those that wait.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from pamtri_edge import _core
from pamtri_edge.geometry import CropRule, crop_to_frame
from pamtri_edge.tracks import TrackBox
from pamtri_edge.video.frames import Frame
from pamtri_edge.video.gate import GateSpec, detail, sightings

_SOURCE: Final = 0  # a journal is of one video
_NOT_LATE: Final = -math.inf  # a time at which only whole batches are due

Picture = NDArray[np.uint8]
_View = tuple[_core.Sighting, Picture]  # where it was seen, and its own copy of the pixels


class Embedder(Protocol):
    """What the journal needs of a `Reidentifier`."""

    @property
    def manifest(self) -> Any:
        """The bundle's manifest."""

    def embed(self, batch: Sequence[NDArray[np.uint8]]) -> Any:
        """Return the results for a list of (H, W, 3) uint8 RGB crops."""


@dataclass(frozen=True)
class Answer:
    """What the network said of one view.

    Attributes:
        keypoints: (K, 3) float32 x, y in frame pixels, confidence; or None.
        quality: pose quality, 0 to 1; or None.
        rectangle: x1, y1, x2, y2 of the view in frame pixels.
        time_s: time of the view, in seconds of the video.
        failings: why the view is below the gate, in words of `events.GATE_REASONS`; empty where it passed.
    """

    keypoints: NDArray[np.float32] | None
    quality: float | None
    rectangle: tuple[int, int, int, int]
    time_s: float
    failings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Fused:
    """What the views of a track say together: weighted means, see pipelines/core/fusion.hpp.

    Attributes:
        embedding: (D,) float32, unit length.
        color_probs: (C,) float32 that sum to 1, or None.
        type_probs: (T,) float32 that sum to 1, or None.
        best: the answer to the best view: of those that pass, if any do, the one that shows most.
    """

    embedding: NDArray[np.float32]
    color_probs: NDArray[np.float32] | None
    type_probs: NDArray[np.float32] | None
    best: Answer


@dataclass(frozen=True)
class ClosedTrack:
    """A track that is over.

    Attributes:
        track_id: number of the track.
        first_s: time of its first frame, in seconds of the video.
        last_s: time of its last frame.
        seen: frames in which it was seen.
        embedded: views that were embedded.
        below_gate: no view passed the gate; a few were embedded all the same.
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


class Journal:
    """Keeps the open tracks and has their views embedded in batches across tracks.

    Args:
        embedder: the re-identifier.
        gate: which views are embedded.
        batch: views embedded at a time.
        crop_rule: how crops are cut.
        least_frames: tracks seen in fewer frames are dropped.

    Attributes:
        counts: what happened so far: "tracks" that were seen, of these "short" ones dropped because they were
            seen too briefly to be one, "unseen" ones of which no part was ever inside the frame, "unfinished"
            ones that an interruption left without an embedded view; and views "embedded".
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
        spec = _core.TracksSpec()
        self._gate = gate or GateSpec()
        spec.gate, spec.trained = self._gate.for_core(), bool(embedder.manifest.trained)
        spec.batch, spec.least_frames = batch, least_frames
        self._core = _core.Tracks(spec)
        self._embedder = embedder
        self._rule = crop_rule
        self._kept: dict[int, _View] = {}  # by ticket: views that may be embedded
        # By handle of the track: the view that counts most, and what is known.
        self._best: dict[int, tuple[Answer, Picture]] = {}
        self._fused: dict[int, Fused] = {}
        self._closed: list[ClosedTrack] = []
        self.counts: Counter[str] = Counter()

    def observe(self, frame: Frame, boxes: Sequence[TrackBox]) -> None:
        """Take note of the tracks in the next frame, and embed what is due."""
        handles: dict[int, int] = {}
        for box in boxes:
            if self._core.find(_SOURCE, box.track_id) is None:
                self.counts["tracks"] += 1
            handles[box.track_id] = self._core.see(_SOURCE, box.track_id, frame.time_s)
        for track_id, sighting in sightings(frame, boxes, rule=self._rule, border_px=self._gate.border_px):
            handle = handles[track_id]
            x1, y1, x2, y2 = sighting.rectangle
            crop = frame.picture[y1:y2, x1:x2]
            wanted = detail(crop) if self._core.wants_detail(handle, sighting) else None
            choice = self._core.offer(handle, sighting, wanted)
            if choice.keep is not None:
                self._kept[choice.keep] = (sighting, crop.copy())
            self._let_go(choice.dropped)
            self._embed(self._core.due(_NOT_LATE))
        self._embed(self._core.due(frame.time_s))

    def end(self, track_ids: Iterable[int]) -> None:
        """Close tracks that will not be seen again; each comes out of `take` once its views are embedded."""
        for track_id in track_ids:
            handle = self._core.find(_SOURCE, track_id)
            if handle is not None:
                self._end(handle)

    def end_all(self) -> None:
        """Close every track and embed what is left."""
        for handle in self._core.open():
            self._end(handle)
        while tickets := self._core.due(math.inf):
            self._embed(tickets)

    def abandon(self) -> None:
        """Close every track with what is known, without embedding more; for an interruption."""
        self._core.abandon()
        self._kept.clear()
        self._collect()

    def take(self) -> list[ClosedTrack]:
        """Return the tracks that were closed since the last call."""
        closed, self._closed = self._closed, []
        return closed

    def known(self, track_id: int) -> Fused | None:
        """Return what is known so far of an open track, or None."""
        handle = self._core.find(_SOURCE, track_id)
        return None if handle is None else self._fused.get(handle)

    def _end(self, handle: int) -> None:
        self._let_go(self._core.end(handle).dropped)
        while tickets := self._core.due(_NOT_LATE):
            self._embed(tickets)
        self._collect()

    def _let_go(self, tickets: Iterable[int]) -> None:
        for ticket in tickets:
            self._kept.pop(ticket, None)

    def _embed(self, tickets: Sequence[int]) -> None:
        if not tickets:
            return
        result = self._embedder.embed([self._kept[ticket][1] for ticket in tickets])
        self.counts["embedded"] += len(tickets)
        for row, ticket in enumerate(tickets):
            self._note(ticket, result, row)
        self._core.settle()
        self._collect()

    def _note(self, ticket: int, result: Any, row: int) -> None:
        sighting, crop = self._kept.pop(ticket)
        answered = self._core.answer(
            ticket,
            None if result.quality is None else float(result.quality[row]),
            result.embeddings[row],
            None if result.color_probs is None else result.color_probs[row],
            None if result.type_probs is None else result.type_probs[row],
        )
        handle = answered.handle
        if answered.best:
            answer = Answer(
                keypoints=_frame_keypoints(result.keypoints, row, sighting),
                quality=answered.quality,
                rectangle=sighting.rectangle,
                time_s=sighting.time_s,
                failings=answered.failings,
            )
            self._best[handle] = (answer, crop)
        known = self._core.known(handle)
        assert known is not None
        self._fused[handle] = Fused(*known, self._best[handle][0])

    def _collect(self) -> None:
        """Take the tracks that are over out of the core, and let their pixels go."""
        for track in self._core.take_closed():
            self._fused.pop(track.handle, None)
            best = self._best.pop(track.handle, None)
            self._let_go(track.dropped)
            if best is None:
                self.counts[track.fate] += 1
                continue
            self._closed.append(
                ClosedTrack(
                    track_id=track.id,
                    first_s=track.first_s,
                    last_s=track.last_s,
                    seen=track.seen,
                    embedded=track.embedded,
                    below_gate=not track.good,
                    fused=Fused(*track.fused(), best[0]),
                    crop=best[1],
                )
            )


def _frame_keypoints(
    keypoints: NDArray[np.float32] | None, row: int, sighting: _core.Sighting
) -> NDArray[np.float32] | None:
    if keypoints is None:
        return None
    rectangle = np.array([sighting.rectangle], np.int32)
    return np.asarray(crop_to_frame(np.asarray(keypoints[row : row + 1], np.float32), rectangle)[0])
