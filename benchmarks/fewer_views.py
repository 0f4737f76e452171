# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Do the few views that are embedded of a track find it again as well as all of its views would?

`python benchmarks/fewer_views.py CLIP ... --bundle NAME.pamtri` takes clips whose tracks lie beside them (the
same name, .txt). Of each track a first and a last part are taken; of each there are two embeddings: the one
of `pamtri run`, fused of the views that its gate chose, and the mean over every frame. The first parts look
for the last parts, among all tracks of the clip.

The parts are halves, and then thirds, without the middle of the track. Halves meet in one moment: the frames
before and after it are nearly one picture, which the mean over every frame always holds and which no other
camera will see.
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from pamtri_edge.evaluate.bootstrap import Scores, difference
from pamtri_edge.metrics.ranking import retrieval_of
from pamtri_edge.reidentifier import Reidentifier
from pamtri_edge.tracks import TrackBox, TrackSet, read_tracks
from pamtri_edge.video.journal import Journal
from pamtri_edge.video.sources import open_source

SHORTEST = 8  # frames of a half
PARTS = {"halves": 1 / 2, "thirds": 1 / 3}  # which part of a track each is
WAYS = ("chosen views", "every frame")

Places = dict[tuple[int, int], int]


def parts(tracks: TrackSet, share: float) -> Places:
    """Return, of each track long enough, which frames are in which part: (track, frame) -> 0 or 1."""
    frames = defaultdict(list)
    for index in range(tracks.last_index + 1):
        for seen in tracks.at(index):
            frames[seen.track_id].append(index)
    return {
        (track, index): int(place >= len(indices) // 2)
        for track, indices in frames.items()
        if len(indices) >= 2 * SHORTEST
        for place, index in enumerate(indices)
        if min(place + 1, len(indices) - place) <= np.ceil(share * len(indices))
    }


class Trial:
    """The parts of a clip's tracks, with what is found of each.

    Args:
        reid: embeds what the gate chooses.
        part_of: which frames of which track are in which part.
    """

    def __init__(self, reid: Reidentifier, part_of: Places) -> None:
        self._part_of = part_of
        self._last = {2 * track + part: index for (track, index), part in part_of.items()}
        self._journal = Journal(reid)
        self._sums: dict[int, NDArray[np.float64]] = defaultdict(
            lambda: np.zeros(reid.manifest.embedding_dim)
        )
        self._sightings = 0

    def observe(self, frame, boxes: list[TrackBox], every: NDArray[np.float32]) -> None:
        """Take note of a frame, of the tracks in it and their embeddings."""
        seen = []
        for box, embedding in zip(boxes, every, strict=True):
            part = self._part_of.get((box.track_id, frame.index))
            if part is not None:
                seen.append(TrackBox(2 * box.track_id + part, box.box))
                self._sums[seen[-1].track_id] += embedding
        self._sightings += len(seen)
        self._journal.observe(frame, seen)
        self._journal.end([box.track_id for box in seen if self._last[box.track_id] == frame.index])

    def figures(self) -> tuple[dict[str, object], dict[str, Scores]]:
        """Return the figures to print, and those of each query, by either way."""
        self._journal.end_all()
        fused = {track.track_id: track.fused.embedding for track in self._journal.take()}
        whole = sorted(track // 2 for track in fused if track % 2 == 0 and track + 1 in fused)
        embedded = self._journal.counts["embedded"]
        shown: dict[str, object] = {
            "tracks": len(whole),
            "sightings": self._sightings,
            "embedded": embedded,
            "share": round(embedded / max(self._sightings, 1), 4),
        }
        scores = {}
        for way, found in zip(WAYS, (fused, self._sums), strict=True):
            first, last = (_unit([found[2 * track + part] for track in whole]) for part in (0, 1))
            measured = retrieval_of(first, last, whole, whole)
            shown[way] = {"mAP": round(float(measured.mAP), 4), "rank-1": round(float(measured.cmc[0]), 4)}
            scores[way] = Scores(measured.average_precision, np.array(whole))
        return shown, scores


def measure(clip: Path, reid: Reidentifier) -> dict[str, Trial]:
    """Measure a clip, cut in each way."""
    tracks = read_tracks(clip.with_suffix(".txt"))
    trials = {name: Trial(reid, parts(tracks, share)) for name, share in PARTS.items()}
    for frame in open_source(str(clip)).frames():
        boxes = list(tracks.at(frame.index))
        if boxes:
            every = reid.embed_frame(frame.picture, np.array([box.box for box in boxes])).embeddings
            for trial in trials.values():
                trial.observe(frame, boxes, every)
    return trials


def _unit(rows: list[NDArray[np.float64]]) -> NDArray[np.float32]:
    stacked = np.array(rows)
    return (stacked / np.linalg.norm(stacked, axis=1, keepdims=True)).astype(np.float32)


def main(
    clips: Annotated[list[Path], typer.Argument(help="Videos, each with its tracks beside it.")],
    bundle: Annotated[Path | None, typer.Option(help="The bundle; the shipped one by default.")] = None,
) -> None:
    """Print a line of JSON for each clip and cut, and how much more chosen views find over all clips."""
    reid = Reidentifier.load(bundle)
    scores: dict[str, list[dict[str, Scores]]] = defaultdict(list)
    for clip in clips:
        for name, trial in measure(clip, reid).items():
            shown, found = trial.figures()
            scores[name].append(found)
            print(json.dumps({"clip": clip.stem, "parts": name, **shown}), flush=True)
    for name, found in scores.items():
        lead = difference(*([one[way] for one in found] for way in WAYS))
        print(json.dumps({"parts": name, "chosen views minus every frame": lead.to_json()}))


if __name__ == "__main__":
    typer.run(main)
