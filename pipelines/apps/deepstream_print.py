# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Run the pipeline of a pack for DeepStream and print each vehicle that the bundle looked at.

    cd pack && python deepstream_print.py service-maker.yaml --bundle NAME.pamtri

Needs pyservicemaker, of DeepStream 7.1 and later. Colors and types are on the screen by nvinfer's labels.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from pyservicemaker import Pipeline

from pamtri_edge.bundle import open_bundle
from pamtri_edge.deepstream import Reader, Sighting, probe


def show(vehicles: list[Sighting]) -> None:
    """Print the vehicles that were looked at, a line each."""
    for one in vehicles:
        if one.looked:
            place = " ".join(f"{side:.0f}" for side in one.box)
            print(f"source {one.source} frame {one.frame} track {one.track_id} [{place}] {one.vehicle}")


def main() -> None:
    """Run the pipeline to its end."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("pipeline", help="service-maker.yaml of a pack")
    parser.add_argument("--bundle", type=Path, required=True, help="the pack's bundle")
    parser.add_argument("--element", default="pamtri", help="the secondary nvinfer's name [%(default)s]")
    options = parser.parse_args()
    reader = Reader(open_bundle(options.bundle).manifest)
    Pipeline("pamtri", options.pipeline).attach(options.element, probe(reader, show)).start().wait()


if __name__ == "__main__":
    main()
