# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Embed pictures and keep the result: python examples/embed.py car.jpg van.jpg --output vehicles.npz."""

import argparse
from pathlib import Path

from pamtri_edge import Reidentifier


def main() -> None:
    """Run the example."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pictures", nargs="+", type=Path)
    parser.add_argument("--output", type=Path, default=Path("vehicles.npz"))
    asked = parser.parse_args()
    with Reidentifier.load() as reid:
        found = reid.embed(asked.pictures)
    for vehicle in found:
        print(vehicle)
    print("written:", found.save(asked.output))


if __name__ == "__main__":
    main()
