# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Run the pipeline of a pack for DeepStream and send an event for each vehicle that has gone.

    cd pack && python deepstream_send.py service-maker.yaml --bundle NAME.pamtri --sink mqtt://broker/events
    cd pack && python deepstream_send.py service-maker.yaml --bundle NAME.pamtri --sink file:events.jsonl

Needs pyservicemaker, of DeepStream 7.1 and later. An event is of the look with the best pose quality; its
times are frame numbers over --fps.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pyservicemaker import Pipeline

from pamtri_edge.bundle import open_bundle
from pamtri_edge.deepstream import Reader, Sighting, probe
from pamtri_edge.events import Attribute, Event, FrameCounts
from pamtri_edge.manifest import Manifest
from pamtri_edge.sinks.sink import EventSink


@dataclass
class Track:
    """What is kept of a vehicle while it is in view."""

    first: int
    last: int
    seen: int = 0
    looked: int = 0
    best: Sighting | None = None


class Tracks:
    """Gathers sightings until a vehicle has gone."""

    def __init__(self, manifest: Manifest, *, fps: float, patience: int) -> None:
        self._manifest, self._fps, self._patience = manifest, fps, patience
        self._open: dict[tuple[int, int], Track] = {}

    def add(self, vehicles: Sequence[Sighting]) -> Iterator[Event]:
        """Take a batch, and give the events of vehicles that its sources have not shown for a while."""
        for one in vehicles:
            if one.track_id is None:
                continue
            track = self._open.setdefault((one.source, one.track_id), Track(one.frame, one.frame))
            track.last, track.seen = one.frame, track.seen + 1
            if one.looked and one.vehicle is not None:
                track.looked += 1
                if track.best is None or quality(one) > quality(track.best):
                    track.best = one
        now = {one.source: one.frame for one in vehicles}
        yield from self._closed(
            [key for key, track in self._open.items() if now.get(key[0], 0) - track.last > self._patience]
        )

    def rest(self) -> Iterator[Event]:
        """Give the events of all that are left."""
        yield from self._closed(list(self._open))

    def _closed(self, keys: Sequence[tuple[int, int]]) -> Iterator[Event]:
        for source, number in keys:
            track = self._open.pop((source, number))
            if track.best is not None:
                yield self._event(source, number, track, track.best)

    def _event(self, source: int, number: int, track: Track, best: Sighting) -> Event:
        vehicle = best.vehicle
        assert vehicle is not None
        x1, y1, x2, y2 = best.box
        unit = vehicle.embedding / np.linalg.norm(vehicle.embedding.astype(np.float64))
        points = vehicle.keypoints
        if points is not None:
            points = points * (x2 - x1, y2 - y1, 1) + (x1, y1, 0)
        return Event(
            camera=f"camera-{source}",
            track_id=number,
            start_s=track.first / self._fps,
            end_s=track.last / self._fps,
            start_utc=None,
            end_utc=None,
            frames=FrameCounts(track.seen, track.looked),
            below_gate=False,
            box=best.box,
            color=attribute(vehicle.color, vehicle.color_probs, self._manifest.colors),
            type=attribute(vehicle.type, vehicle.type_probs, self._manifest.types),
            embedding=tuple(map(float, unit)),
            keypoints=None if points is None else tuple((float(x), float(y), float(c)) for x, y, c in points),
            quality=None if vehicle.quality is None else min(max(vehicle.quality, 0.0), 1.0),
            embedding_space=self._manifest.embedding_space,
            bundle=self._manifest.name,
        )


def quality(one: Sighting) -> float:
    """Return a look's pose quality; 0 where the bundle has none."""
    return 0.0 if one.vehicle is None or one.vehicle.quality is None else one.vehicle.quality


def attribute(
    label: str | None, probabilities: NDArray[np.float32] | None, names: Sequence[str] | None
) -> Attribute | None:
    """Return color or type as an event has it."""
    if label is None or probabilities is None or names is None:
        return None
    told = {name: float(value) for name, value in zip(names, probabilities, strict=True)}
    return Attribute(label, told[label], told)


def main() -> None:
    """Run the pipeline to its end, and send what is left."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("pipeline", help="service-maker.yaml of a pack")
    parser.add_argument("--bundle", type=Path, required=True, help="the pack's bundle")
    parser.add_argument("--sink", required=True, help="file:PATH, or an address of MQTT, Redis or Kafka")
    parser.add_argument("--element", default="pamtri", help="the secondary nvinfer's name [%(default)s]")
    parser.add_argument(
        "--fps", type=float, default=25.0, help="frames a second of the sources [%(default)s]"
    )
    parser.add_argument("--patience", type=int, default=50, help="frames unseen until gone [%(default)s]")
    options = parser.parse_args()
    if options.fps <= 0 or options.patience < 0:
        parser.error("--fps is above 0, and --patience 0 or more")
    manifest = open_bundle(options.bundle).manifest
    tracks = Tracks(manifest, fps=options.fps, patience=options.patience)
    sink = EventSink(options.sink)

    def send(vehicles: list[Sighting]) -> None:
        for event in tracks.add(vehicles):
            sink.post(event)

    try:
        watching = probe(Reader(manifest), send)
        Pipeline("pamtri", options.pipeline).attach(options.element, watching).start().wait()
        for event in tracks.rest():
            sink.post(event)
    finally:
        sink.flush(sink.patience_s)
        report = sink.close()
    print(f"events: {report.posted}, delivered: {report.acknowledged}, lost: {report.dropped}")


if __name__ == "__main__":
    main()
