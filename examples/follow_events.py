# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Read events while a run writes them: python examples/follow_events.py out/events.jsonl --seconds 60."""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

from pamtri_edge.events import Event


def follow(path: Path, seconds: float) -> Iterator[Event]:
    """Give the events of a file, and those that are added to it meanwhile."""
    end = time.monotonic() + seconds
    with path.open(encoding="utf-8") as file:
        while True:
            line = file.readline()
            if line:  # a run writes whole lines only
                yield Event.from_json(line)
            elif time.monotonic() >= end:
                return
            else:
                time.sleep(0.1)


def main() -> None:
    """Run the example."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("events", type=Path)
    parser.add_argument("--seconds", type=float, default=60.0)
    asked = parser.parse_args()
    for event in follow(asked.events, asked.seconds):
        looks = " ".join(one.label for one in (event.color, event.type) if one is not None)
        print(f"{event.camera} #{event.track_id}: {looks}{' (below the gate)' if event.below_gate else ''}")


if __name__ == "__main__":
    main()
