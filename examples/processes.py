# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Embed in several processes that share one loaded bundle: python examples/processes.py crops/."""

import argparse
import multiprocessing
from pathlib import Path

from pamtri_edge import Reidentification, Reidentifier
from pamtri_edge.reidentification import concatenate

reid: Reidentifier


def embed(paths: list[Path]) -> Reidentification:
    """Embed some pictures; runs in a process that was forked after the bundle was loaded."""
    return reid.embed(paths)


def main() -> None:
    """Run the example."""
    global reid
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--processes", type=int, default=2)
    asked = parser.parse_args()
    paths = sorted(asked.folder.glob("*.[jp][pn]g"))
    reid = Reidentifier.load(threads=1)
    parts = [paths[at :: asked.processes] for at in range(asked.processes)]
    with multiprocessing.get_context("fork").Pool(asked.processes) as pool:
        print(concatenate(pool.map(embed, [part for part in parts if part])))


if __name__ == "__main__":
    main()
