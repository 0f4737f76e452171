# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Run a video with tracks: python examples/video.py crossing.mp4 crossing.txt out."""

import argparse
from pathlib import Path

from pamtri_edge import Reidentifier
from pamtri_edge.events import read_events
from pamtri_edge.tracks import read_tracks
from pamtri_edge.video.follow import FileFollower
from pamtri_edge.video.run import RunSpec, VideoRun
from pamtri_edge.video.sources import open_source
from pamtri_edge.video.write import OutputFolder


def main() -> None:
    """Run the example."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("video")
    parser.add_argument("tracks", type=Path)
    parser.add_argument("output", type=Path)
    asked = parser.parse_args()
    source = open_source(asked.video)
    folder = OutputFolder(asked.output)
    with Reidentifier.load() as reid:
        run = VideoRun(
            source, FileFollower(read_tracks(asked.tracks)), reid, folder, RunSpec(camera=source.name)
        )
        summary = run.run()
    print(f"{summary.frames} frames, {summary.events} events, {summary.below_gate} below the gate")
    for event in read_events(folder.events):
        print(event.track_id, event.color.label if event.color else "", f"from {event.start_s:g} s")


if __name__ == "__main__":
    main()
