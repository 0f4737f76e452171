# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Search a folder for a vehicle with NumPy: python examples/gallery_search.py crops/ car.jpg."""

import argparse
from pathlib import Path

import numpy as np

from pamtri_edge import Reidentification, Reidentifier, similarity


def main() -> None:
    """Run the example."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("query", type=Path)
    parser.add_argument("--top", type=int, default=5)
    asked = parser.parse_args()
    kept = asked.folder / "gallery.npz"
    with Reidentifier.load() as reid:
        query = reid.embed([asked.query])
        if not kept.exists():  # embedded once, then read
            reid.embed(sorted(asked.folder.glob("*.[jp][pn]g"))).save(kept)
    gallery = Reidentification.load(kept)
    cosines = similarity(query, gallery)[0]
    for row in np.argsort(-cosines)[: asked.top]:
        print(f"{cosines[row]:.3f}  {gallery[row].name}  {gallery[row].color} {gallery[row].type}")


if __name__ == "__main__":
    main()
