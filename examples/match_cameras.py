# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Match two runs with a rule of your own: python examples/match_cameras.py out-a out-b --gap 60."""

import argparse
from pathlib import Path

import numpy as np

from pamtri_edge import gallery
from pamtri_edge.events import read_events


def main() -> None:
    """Run the example."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("first", type=Path)
    parser.add_argument("second", type=Path)
    parser.add_argument("--gap", type=float, default=60.0, help="seconds that a vehicle may take at most")
    asked = parser.parse_args()
    first, second = (list(read_events(folder / "events.jsonl")) for folder in (asked.first, asked.second))
    starts = [np.array([event.start_s for event in side]) for side in (first, second)]
    allowed = np.abs(starts[0][:, None] - starts[1][None]) <= asked.gap
    for pair in gallery.match(first, second, allowed=allowed).pairs:
        print(f"{first[pair.first].track_id} is {second[pair.second].track_id}: cosine {pair.cosine:.3f}")


if __name__ == "__main__":
    main()
