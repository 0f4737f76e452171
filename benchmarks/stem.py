# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What the rewritten first convolution of re-identification gains: the same weights, exported both ways.

`python benchmarks/stem.py` exports a size with `--optimize` and with `--no-optimize`, compares the outputs of
both files on the same crops, and times them in interleaved rounds on OpenVINO. With `--device cuda` it does
so with the modules that are exported, in float16 on that GPU, between CUDA events; with `--compile` compiled
by torch. The gain is the paired ratio of the two. It fails if they describe a crop otherwise (int8 aside,
where drawn weights round badly).
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import numpy as np
import torch
import typer
from gpu.agreement import LEAST_COSINE, MEDIAN_COSINE
from gpu.clocks import Clock, HostClock, TorchClock
from gpu.record import RESULTS, Output, Record, Rehearse
from gpu.rounds import interleave as interleave_on_device
from gpu.targets import Target, exit_code
from machine import Others
from pairing import interleave, median_wall, paired_ratio
from rich.table import Table

from pamtri_edge import console, ops, samples
from pamtri_edge.models import TINY, Pamtri, seeded
from pamtri_edge.processors import available_processors
from pamtri_edge.runtime import create_backend
from pamtri_edge.runtime.selftest import row_cosines

PLAIN, REWRITTEN = "stack built first", "rewritten"

Call = Callable[[], Mapping[str, Any]]


def main(
    size: Annotated[list[str] | None, typer.Option(help="lite or paper. [default: both]")] = None,
    batch: Annotated[list[int] | None, typer.Option(help="Batch sizes. [default: 1 and 8]")] = None,
    precision: Annotated[str, typer.Option(help="fp32, fp16 or int8 (OpenVINO).")] = "fp32",
    device: Annotated[str, typer.Option(help="cpu (OpenVINO) or cuda (torch, float16).")] = "cpu",
    compiled: Annotated[bool, typer.Option("--compile", help="torch.compile the modules (cuda).")] = False,
    rounds: Annotated[int, typer.Option(min=3, help="Rounds for each batch size.")] = 9,
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads. [default: all]")] = None,
    output: Output = RESULTS,
    rehearse: Rehearse = False,
) -> None:
    """Print how far the two graphs differ and how much faster the rewritten one is."""
    logging.getLogger("pamtri_edge").setLevel(logging.ERROR)  # drawn weights will do
    openvino = device == "cpu" and not rehearse
    facts: dict[str, Any] = {"precision": precision if openvino else "fp32" if rehearse else "fp16"}
    facts |= {"device": device, "compile": compiled}
    if openvino:
        facts["threads"] = threads or available_processors()
    record = Record("stem", output, rehearsal=rehearse, on_gpu=device != "cpu", **facts)
    rows: list[dict[str, Any]] = []
    for name in ["tiny"] if rehearse else size or ["lite", "paper"]:
        with TemporaryDirectory() as folder:
            for count in batch or ([2] if rehearse else [1, 8]):
                images = ops.resize(samples.crops(count, seed=3))
                if openvino:
                    calls = _openvino(Path(folder), name, precision, images, threads)
                else:
                    calls = _torch(name, images, "cpu" if rehearse else device, compiled)
                rows.append({"size": name, "batch": count, **_measured(calls, rounds, device, rehearse)})
                record.note(rows=rows)
    _show(rows)
    if not (openvino and precision == "int8"):  # drawn weights round badly
        record.judge([_alike(rows)])
    else:
        record.judge([Target("both describe a crop alike", "not asked of int8 with drawn weights", True)])
    sys.exit(exit_code(record.close()))


def _alike(rows: list[dict[str, Any]]) -> Target:
    """Return what all rows are held against: both graphs are the same network."""
    least = min(row["least_cosine"] for row in rows)
    median = min(row["median_cosine"] for row in rows)
    return Target(
        "both describe a crop alike",
        f"least cosine {least:.5f}, least median {median:.5f}",
        least >= LEAST_COSINE and median >= MEDIAN_COSINE,
    )


def _openvino(
    folder: Path, size: str, precision: str, images: np.ndarray, threads: int | None
) -> dict[str, Call]:
    from pamtri_edge.export.bundle_export import export_bundle
    from pamtri_edge.export.options import ExportOptions

    calls: dict[str, Call] = {}
    for name, optimize in ((PLAIN, False), (REWRITTEN, True)):
        path = folder / f"{size}-{precision}-{optimize}.pamtri"
        if not path.exists():
            console.err.print(f"exporting {size} {precision}, {name} ...")
            export_bundle(
                ExportOptions(
                    model=size,
                    precision=precision,
                    optimize=optimize,
                    output=path,
                    parity_crops=8,
                    calibration_crops=16,
                    allow_drift=True,  # `paper` has drawn weights, which round badly; speed is asked here
                )
            )
        backend = create_backend(path / "model.onnx", backend="openvino", threads=threads)
        calls[name] = partial(backend.run, {"images": images})
    return calls


def _torch(size: str, images: np.ndarray, device: str, compiled: bool) -> dict[str, Call]:
    torch.backends.cudnn.benchmark = True
    torch.compiler.reset()  # both modules run the same code: torch must not take one for the other grown
    given = torch.from_numpy(images).to(device)
    calls: dict[str, Call] = {}
    for name, optimize in ((PLAIN, False), (REWRITTEN, True)):
        networks = seeded(TINY if size == "tiny" else size, pictures=samples.crops(8))
        module = Pamtri(*networks, optimize=optimize).to(device)
        if device != "cpu":
            module.half_networks()
        run = torch.compile(module, dynamic=False) if compiled else module

        @torch.inference_mode()
        def call(run: Any = run, names: tuple[str, ...] = module.output_names) -> dict[str, Any]:
            return dict(zip(names, run(given), strict=True))

        calls[name] = call
    return calls


def _measured(calls: dict[str, Call], rounds: int, device: str, rehearse: bool) -> dict[str, Any]:
    plain, rewritten = (
        {key: np.asarray(_host(value)) for key, value in call().items()} for call in calls.values()
    )
    off = {name: float(np.abs(plain[name] - rewritten[name]).max()) for name in plain}
    cosines = row_cosines(plain["embedding"], rewritten["embedding"])
    with Others() as others:
        if device == "cpu":
            blocks = interleave(calls, rounds=rounds)
        else:
            clock: Clock = HostClock() if rehearse else TorchClock(torch)
            blocks = interleave_on_device(calls, clock=clock, rounds=rounds, block=0.02 if rehearse else 0.2)
    return {
        "milliseconds": {name: 1e3 * median_wall(block) for name, block in blocks.items()},
        "gain": asdict(paired_ratio(blocks[PLAIN], blocks[REWRITTEN])),
        "largest_difference": off,
        "least_cosine": float(cosines.min()),
        "median_cosine": float(np.median(cosines)),
        "others": others.share,
    }


def _host(value: Any) -> Any:
    return value.float().cpu().numpy() if isinstance(value, torch.Tensor) else value


def _show(rows: list[dict[str, Any]]) -> None:
    table = Table(
        "size",
        "batch",
        f"{PLAIN}, ms",
        f"{REWRITTEN}, ms",
        "gain [95 %]",
        "largest difference",
        "least cosine",
    )
    for row in rows:
        gain, worst = row["gain"], max(row["largest_difference"].items(), key=lambda item: item[1])
        table.add_row(
            row["size"],
            str(row["batch"]),
            f"{row['milliseconds'][PLAIN]:.2f}",
            f"{row['milliseconds'][REWRITTEN]:.2f}",
            f"{gain['median']:.3g} [{gain['low']:.3g}, {gain['high']:.3g}]",
            f"{worst[1]:.1e} ({worst[0]})",
            f"{row['least_cosine']:.5f}",
        )
    console.out.print(table)


if __name__ == "__main__":
    console.guarded(lambda: typer.run(main))
