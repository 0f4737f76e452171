# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Make a bundle of another network and use it: python examples/custom_network.py net.onnx crops/."""

import argparse
from pathlib import Path

from pamtri_edge import Reidentifier
from pamtri_edge.export.foreign.bundle import export_network
from pamtri_edge.export.foreign.specification import ForeignNetwork
from pamtri_edge.export.options import ExportOptions


def main() -> None:
    """Run the example."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("network", type=Path, help="one picture in, one embedding out, as ONNX")
    parser.add_argument("crops", type=Path, help="folder of pictures of one vehicle each")
    parser.add_argument("--output", type=Path, default=Path("custom.pamtri"))
    asked = parser.parse_args()
    options = ExportOptions(
        network=ForeignNetwork(path=asked.network), crops=asked.crops, output=asked.output
    )
    bundle = export_network(options)  # compared with ONNX Runtime, or refused
    with Reidentifier.load(bundle.path) as reid:
        print(reid.embed(sorted(asked.crops.glob("*.[jp][pn]g"))))


if __name__ == "__main__":
    main()
