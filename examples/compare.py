# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Do two pictures show one vehicle? python examples/compare.py car.jpg van.jpg."""

import argparse

from pamtri_edge import Reidentifier, similarity


def main() -> None:
    """Run the example."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("first")
    parser.add_argument("second")
    asked = parser.parse_args()
    with Reidentifier.load() as reid:
        found = reid.embed([asked.first, asked.second])
    cosine = similarity(found)[0, 1]
    print(f"{found[0]} and {found[1]}: cosine {cosine:.3f}")
    if found.matching is not None:  # what the bundle suggests, with its measured error
        verdict = "one vehicle" if cosine >= found.matching.threshold else "not the same"
        print(f"{verdict}; {found.matching.false_match_rate:.2%} of different pairs reach the threshold")


if __name__ == "__main__":
    main()
