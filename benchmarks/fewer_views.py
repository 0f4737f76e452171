# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Do the few views that are embedded of a track find it again as well as all of its views would?

`python benchmarks/fewer_views.py CLIP ... --bundle NAME.pamtri` takes clips whose tracks lie beside them (the
same name, .txt). Each track is cut in two at its middle frame; of each half there are two embeddings: the one
of `pamtri run`, fused of the views that its gate chose, and the mean over every frame. The first halves look
for the second halves, among all tracks of the clip.
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from pamtri_edge.metrics.ranking import retrieval_of
from pamtri_edge.reidentifier import Reidentifier
from pamtri_edge.tracks import TrackBox, TrackSet, read_tracks
from pamtri_edge.video.journal import Journal
from pamtri_edge.video.sources import open_source

SHORTEST = 8  # frames of a half


def halves(tracks: TrackSet) -> dict[tuple[int, int], int]:
    """Return, of each track long enough, which frame has which half: (track, frame) -> 0 or 1."""
    frames = defaultdict(list)
    for index in range(tracks.last_index + 1):
        for seen in tracks.at(index):
            frames[seen.track_id].append(index)
    return {
        (track, index): int(place >= len(indices) // 2)
        for track, indices in frames.items()
        if len(indices) >= 2 * SHORTEST
        for place, index in enumerate(indices)
    }


def measure(clip: Path, reid: Reidentifier) -> dict[str, object]:
    """Measure a clip."""
    tracks = read_tracks(clip.with_suffix(".txt"))
    half_of = halves(tracks)
    journal, sums, sightings = Journal(reid), defaultdict(lambda: np.zeros(reid.manifest.embedding_dim)), 0
    last = {2 * track + half: index for (track, index), half in half_of.items()}
    source = open_source(str(clip))
    for frame in source.frames():
        seen = [
            TrackBox(2 * box.track_id + half_of[box.track_id, frame.index], box.box)
            for box in tracks.at(frame.index)
            if (box.track_id, frame.index) in half_of
        ]
        journal.observe(frame, seen)
        if seen:
            every = reid.embed_frame(frame.picture, np.array([box.box for box in seen])).embeddings
            sightings += len(seen)
            for box, embedding in zip(seen, every, strict=True):
                sums[box.track_id] += embedding
        journal.end([box.track_id for box in seen if last[box.track_id] == frame.index])
    journal.end_all()
    fused = {track.track_id: track.fused.embedding for track in journal.take()}
    whole = sorted(track // 2 for track in fused if track % 2 == 0 and track + 1 in fused)
    result: dict[str, object] = {
        "clip": clip.stem,
        "tracks": len(whole),
        "sightings": sightings,
        "embedded": journal.counts.embedded,
        "share": round(journal.counts.embedded / max(sightings, 1), 4),
    }
    for name, found in (("chosen views", fused), ("every frame", dict(sums))):
        first, second = (_unit([found[2 * track + half] for track in whole]) for half in (0, 1))
        figures = retrieval_of(first, second, whole, whole)
        result[name] = {"mAP": round(float(figures.mAP), 4), "rank-1": round(float(figures.cmc[0]), 4)}
    return result


def _unit(rows: list[NDArray[np.float64]]) -> NDArray[np.float32]:
    stacked = np.array(rows)
    return (stacked / np.linalg.norm(stacked, axis=1, keepdims=True)).astype(np.float32)


def main(
    clips: Annotated[list[Path], typer.Argument(help="Videos, each with its tracks beside it.")],
    bundle: Annotated[Path | None, typer.Option(help="The bundle; the shipped one by default.")] = None,
) -> None:
    """Print a line of JSON for each clip."""
    reid = Reidentifier.load(bundle)
    for clip in clips:
        print(json.dumps(measure(clip, reid)), flush=True)


if __name__ == "__main__":
    typer.run(main)
