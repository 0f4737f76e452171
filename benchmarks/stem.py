# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What the rewritten first convolution of re-identification gains: the same weights, exported both ways.

`python benchmarks/stem.py` exports a size with `--optimize` and with `--no-optimize`, compares the outputs of
both files on the same crops, and times them in interleaved rounds on OpenVINO; with `--device cuda` both
modules in eager float16 on that GPU (and compiled,
with `--compile`). The gain is the paired ratio of the two.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import numpy as np
import torch
import typer
from machine import Others, describe, gpu
from pairing import interleave, median_wall, paired_ratio
from rich.table import Table

from pamtri_edge import console, ops, samples
from pamtri_edge.export.bundle_export import export_bundle
from pamtri_edge.export.options import ExportOptions
from pamtri_edge.models import Pamtri, seeded
from pamtri_edge.runtime import create_backend
from pamtri_edge.runtime.backend import available_processors

RESULTS = Path(__file__).parent / "results"
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
    save: Annotated[bool, typer.Option(help="Write the figures into benchmarks/results.")] = True,
) -> None:
    """Print how far the two graphs differ and how much faster the rewritten one is."""
    logging.getLogger("pamtri_edge").setLevel(logging.ERROR)  # drawn weights will do
    rows = []
    for name in size or ["lite", "paper"]:
        with TemporaryDirectory() as folder:
            for count in batch or [1, 8]:
                images = ops.resize(samples.crops(count, seed=3))
                if device == "cpu":
                    calls = _openvino(Path(folder), name, precision, images, threads)
                else:
                    calls = _torch(name, images, device, compiled)
                rows.append({"size": name, "batch": count, **_measured(calls, rounds)})
    _show(rows)
    if save:
        record = {
            "precision": "fp16" if device != "cpu" else precision,
            "device": device,
            "compile": compiled,
        }
        if device == "cpu":
            record["threads"] = threads or available_processors()
        else:
            record["gpu"] = gpu()
        now = datetime.now(timezone.utc)
        path = RESULTS / f"stem-{now:%Y-%m-%d-%H%M%S}.json"
        path.write_text(
            json.dumps({"date": f"{now:%Y-%m-%d}", **describe(), **record, "rows": rows}, indent=2) + "\n"
        )
        console.out.print(f"written: {path}")


def _openvino(
    folder: Path, size: str, precision: str, images: np.ndarray, threads: int | None
) -> dict[str, Call]:
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
        calls[name] = lambda backend=backend: backend.run({"images": images})
    return calls


def _torch(size: str, images: np.ndarray, device: str, compiled: bool) -> dict[str, Call]:
    given = torch.from_numpy(images).to(device)
    calls: dict[str, Call] = {}
    for name, optimize in ((PLAIN, False), (REWRITTEN, True)):
        networks = seeded(size, pictures=samples.crops(8))
        module = Pamtri(*networks, optimize=optimize).to(device).half_networks()
        names = module.output_names
        run = torch.compile(module) if compiled else module

        def call(run: Any = run, names: tuple[str, ...] = names) -> dict[str, Any]:
            with torch.inference_mode():
                outputs = dict(zip(names, run(given), strict=True))
            if given.is_cuda:
                torch.cuda.synchronize()
            return outputs

        calls[name] = call
    return calls


def _measured(calls: dict[str, Call], rounds: int) -> dict[str, Any]:
    plain, rewritten = (
        {key: np.asarray(_host(value)) for key, value in call().items()} for call in calls.values()
    )
    off = {name: float(np.abs(plain[name] - rewritten[name]).max()) for name in plain}
    with Others() as others:
        blocks = interleave(calls, rounds=rounds)
    return {
        "milliseconds": {name: 1e3 * median_wall(block) for name, block in blocks.items()},
        "gain": asdict(paired_ratio(blocks[PLAIN], blocks[REWRITTEN])),
        "largest_difference": off,
        "others": others.share,
    }


def _host(value: Any) -> Any:
    return value.float().cpu().numpy() if isinstance(value, torch.Tensor) else value


def _show(rows: list[dict[str, Any]]) -> None:
    table = Table("size", "batch", f"{PLAIN}, ms", f"{REWRITTEN}, ms", "gain [95 %]", "largest difference")
    for row in rows:
        gain, worst = row["gain"], max(row["largest_difference"].items(), key=lambda item: item[1])
        table.add_row(
            row["size"],
            str(row["batch"]),
            f"{row['milliseconds'][PLAIN]:.2f}",
            f"{row['milliseconds'][REWRITTEN]:.2f}",
            f"{gain['median']:.3g} [{gain['low']:.3g}, {gain['high']:.3g}]",
            f"{worst[1]:.1e} ({worst[0]})",
        )
    console.out.print(table)


if __name__ == "__main__":
    console.guarded(lambda: typer.run(main))
