# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What TensorRT-RTX makes of bundles: does it parse and build them, and how long and large.

`python benchmarks/tensorrt_build.py BUNDLE...` needs `pip install tensorrt-rtx` and no GPU: the engine is
built ahead of time, strongly typed, for batches of 1 to 16, and thrown away. (Nothing here creates a runtime,
which crashes the process where there is no driver.)
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from pamtri_edge import console
from pamtri_edge.bundle import open_bundle
from pamtri_edge.errors import BundleError, MissingDependencyError

BATCHES = (1, 8, 16)
"""Smallest, best and largest batch of the engine."""


@dataclass(frozen=True)
class Build:
    """One engine built.

    Attributes:
        layers: of the network as parsed.
        parse_s: seconds to read the ONNX file.
        build_s: seconds to build the engine.
        plan_mib: size of the engine.
    """

    layers: int
    parse_s: float
    build_s: float
    plan_mib: float


def build(model: Path) -> Build:
    """Parse and build an ONNX file with a dynamic batch.

    Raises:
        BundleError: the parser or the builder refuses it.
        MissingDependencyError: TensorRT-RTX is not installed.
    """
    try:
        import tensorrt_rtx as trt
    except ImportError as error:
        raise MissingDependencyError(
            f"TensorRT-RTX is not installed ({error}): pip install tensorrt-rtx"
        ) from error
    logger = trt.Logger(trt.Logger.ERROR)
    builder = trt.Builder(logger)
    network = builder.create_network(_strongly_typed(trt))
    parser = trt.OnnxParser(network, logger)
    start = time.perf_counter()
    if not parser.parse_from_file(str(model)):
        reasons = "; ".join(str(parser.get_error(index)) for index in range(parser.num_errors))
        raise BundleError(f"TensorRT-RTX {trt.__version__} cannot parse {model}: {reasons}")
    parsed = time.perf_counter()
    configuration = builder.create_builder_config()
    profile = builder.create_optimization_profile()
    for index in range(network.num_inputs):
        tensor = network.get_input(index)
        fixed = tuple(tensor.shape)[1:]
        profile.set_shape(tensor.name, *((batch, *fixed) for batch in BATCHES))
    configuration.add_optimization_profile(profile)
    plan = builder.build_serialized_network(network, configuration)
    built = time.perf_counter()
    if plan is None:
        raise BundleError(f"TensorRT-RTX {trt.__version__} cannot build {model}.")
    return Build(network.num_layers, parsed - start, built - parsed, plan.nbytes / 2**20)


def main(bundles: Annotated[list[Path], typer.Argument(help="Bundles to build.")]) -> None:
    """Print the table of builds."""
    table = Table("bundle", "graph", "ONNX MiB", "layers", "parse s", "build s", "engine MiB")
    for path in bundles:
        bundle = open_bundle(path)
        for model in (bundle.model, *(bundle.staged or ())):
            done = build(model)
            table.add_row(
                path.stem,
                model.name,
                f"{model.stat().st_size / 2**20:.1f}",
                str(done.layers),
                f"{done.parse_s:.2f}",
                f"{done.build_s:.1f}",
                f"{done.plan_mib:.1f}",
            )
    console.out.print(table)


def _strongly_typed(trt: Any) -> int:
    """Return the flag that TensorRT 10 and RTX need; TensorRT 11 knows no other kind of network."""
    flags = trt.NetworkDefinitionCreationFlag
    return 1 << int(flags.STRONGLY_TYPED) if hasattr(flags, "STRONGLY_TYPED") else 0


if __name__ == "__main__":
    console.guarded(lambda: typer.run(main))
