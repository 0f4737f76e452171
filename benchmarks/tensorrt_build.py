# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What TensorRT-RTX makes of bundles: does it parse and build them, and how long and large.

`python benchmarks/tensorrt_build.py BUNDLE...` needs `pip install tensorrt-rtx` and no GPU: the engine is
built as the backend builds it, with all its batch profiles, and thrown away. (Nothing here creates a runtime,
which crashes the process where there is no driver.)
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from pamtri_edge import console
from pamtri_edge.bundle import open_bundle
from pamtri_edge.runtime.tensorrt.build import build_plan
from pamtri_edge.runtime.tensorrt.library import load_library


def main(bundles: Annotated[list[Path], typer.Argument(help="Bundles to build.")]) -> None:
    """Print the table of builds."""
    library = load_library(build_only=True)
    table = Table("bundle", "graph", "ONNX MiB", "layers", "parse s", "build s", "engine MiB")
    for path in bundles:
        bundle = open_bundle(path)
        for model in (bundle.model, *(bundle.staged or ())):
            done = build_plan(library, model)
            table.add_row(
                path.stem,
                model.name,
                f"{model.stat().st_size / 2**20:.1f}",
                str(done.layers),
                f"{done.parse_s:.2f}",
                f"{done.build_s:.1f}",
                f"{len(done.plan) / 2**20:.1f}",
            )
    console.out.print(table)


if __name__ == "__main__":
    console.guarded(lambda: typer.run(main))
