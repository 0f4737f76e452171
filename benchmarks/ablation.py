# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What pose adds to re-identification: the paper's Table 2, trained anew on synthetic vehicles.

`python benchmarks/ablation.py TRAIN TEST --output DIR` trains one re-identification network for each row, all
of the same size, on the same data, for the same number of pictures, and validates each once on the whole test
set. The sets are made by `pamtri synth` (TRAIN) and `pamtri synth --split test` (TEST). The pose comes from
one pose network, the trained `lite` one by default: while pictures are small the known keypoints with noise
stand in for it, at the last size and in the test it is the network that finds them. Everything runs through
`pamtri train`, so that a stopped run goes on where it was; rows that are done are not trained again.

Rows are trained briefly, so what pays late only is left out: batches of vehicles that look alike, and heavy
augmentation. (After 400 steps at 96 pixels, RGB+MT with both had 8.5 % mAP on 100 unseen vehicles, and
without them 18.4.)

A backbone that knows ImageNet is given by `--backbone efficientnet-lite0 --init imagenet --recipe
recipes/lite.toml`; it needs no such care, and keeps its recipe's batches. Every row is trained with each of
`--seeds`: the table shows means, and the verdict the spread.

The paper's first row is trained on real and synthetic vehicles together; here every row has the same set.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from machine import describe
from rich.table import Table

from pamtri_edge import console
from pamtri_edge.models.shipped import shipped_weights

COMMAND = "from pamtri_edge.cli import main; main()"
RESULTS = Path(__file__).parent / "results"
BASELINE = "RGB"
AIM = 0.05
"""By how much of mAP the best row should be above the baseline."""


@dataclass(frozen=True)
class Row:
    """A variant of the network.

    Attributes:
        name: as in the paper's Table 2.
        options: of `pamtri train reid`.
        pose: whether it needs the pose network.
    """

    name: str
    options: tuple[str, ...]
    pose: bool = True


ROWS = (
    Row(BASELINE, ("--embed", "none", "--no-keypoints", "--no-multitask"), pose=False),
    Row("RGB+MT", ("--embed", "none", "--no-keypoints"), pose=False),
    Row("RGB+MT+K", ("--embed", "none", "--keypoints")),
    Row("RGB+MT+K+H", ("--embed", "heatmaps", "--keypoints")),
    Row("RGB+MT+K+S", ("--embed", "segments", "--keypoints")),
    Row("RGB+MT+K+H+S", ("--embed", "both", "--keypoints")),
)


@dataclass(frozen=True)
class Result:
    """A row that was trained.

    Attributes:
        name: of the row.
        seed: of first weights, order and noise.
        scores: on the test set, 0..1: mAP, rank1, rank5, rank20, color, type, as far as they are known.
        pictures: that it was shown in training.
        seconds: of training.
    """

    name: str
    seed: int
    scores: dict[str, float]
    pictures: int
    seconds: float


def main(
    train: Annotated[Path, typer.Argument(help="Training set of `pamtri synth`.")],
    test: Annotated[Path, typer.Argument(help="Test set of `pamtri synth --split test`.")],
    output: Annotated[Path, typer.Option(help="Folder of the runs.")],
    model: Annotated[str, typer.Option(help="lite or paper.")] = "lite",
    pose: Annotated[
        Path | None, typer.Option(help="Weights of the pose network. [default: the lite one that ships]")
    ] = None,
    sizes: Annotated[
        str, typer.Option(help="Sides of the pictures in pixels, as `pamtri train` takes them.")
    ] = "96,128@0.85",
    steps: Annotated[int, typer.Option(min=1, help="Batches of every row.")] = 2500,
    batch: Annotated[int, typer.Option(help="Pictures of a batch.")] = 64,
    pictures: Annotated[int, typer.Option(help="Pictures of the test set at most.")] = 1_000_000,
    threads: Annotated[
        int | None, typer.Option(min=1, help="CPU threads of a training. [default: all]")
    ] = None,
    backbone: Annotated[str | None, typer.Option(help="As of `pamtri train reid`.")] = None,
    init: Annotated[str | None, typer.Option(help="First weights: imagenet, or a file.")] = None,
    recipe: Annotated[str, typer.Option(help="As of `pamtri train reid`.")] = "compact",
    seeds: Annotated[int, typer.Option(min=1, help="Trainings of every row, seeds 0 and up.")] = 1,
    only: Annotated[list[str] | None, typer.Option(help="Rows to train; all by default.")] = None,
    save: Annotated[bool, typer.Option(help="Write the figures into benchmarks/results.")] = True,
) -> None:
    """Train every row, and print the table."""
    shipped = shipped_weights("lite")
    assert pose is not None or shipped is not None, "the package ships lite weights"
    pose = pose or shipped[0]
    common = ["--data", str(train), "--model", model, "--recipe", recipe, "--sizes", sizes]
    common += ["--validations", "1", "--validate", str(test), "--validate-pictures", str(pictures)]
    common += ["--steps", str(steps), "--batch", str(batch)]
    common += ["--alike", "0", "--augment", "code"] if recipe == "compact" else []
    common += ["--backbone", backbone] if backbone else []
    common += ["--init", init] if init else []
    common += ["--threads", str(threads), "--workers", str(threads)] if threads else []
    results = []
    for seed, row in itertools.product(range(seeds), ROWS):
        if only and row.name not in only:
            continue
        options = [*common, *row.options, "--seed", str(seed)]
        options += ["--pose", str(pose)] if row.pose else []
        folder = output / f"{row.name.lower().replace('+', '-')}-{seed}"
        _train(folder, options)
        results.append(_result(row.name, seed, folder))
    console.out.print(_table(results))
    _verdict(results)
    if save:
        options_used = {"model": model, "backbone": backbone, "init": init, "recipe": recipe, "sizes": sizes}
        _save(results, {**options_used, "steps": steps, "batch": batch, "pose": pose.name})


def _train(folder: Path, options: list[str]) -> None:
    record = folder / "record.json"
    if record.is_file() and json.loads(record.read_text())["finished"]:
        return
    console.err.print(f"training {folder.name}")
    command = [sys.executable, "-c", COMMAND, "train", "reid", "--output", str(folder), *options]
    if subprocess.run(command, check=False).returncode:
        raise typer.Exit(1)


def _result(name: str, seed: int, folder: Path) -> Result:
    record = json.loads((folder / "record.json").read_text())
    scores = {key: value for key, value in record["scores"][-1].items() if key != "step"}
    return Result(name, seed, scores, record["pictures"], record["seconds"])


def _table(results: list[Result]) -> Table:
    table = Table(title="Same data, same number of pictures; mAP and CMC on unseen synthetic vehicles, %")
    for column in ("", "mAP", "rank 1", "rank 5", "rank 20", "color", "type", "minutes"):
        table.add_column(column, justify="right" if column else "left")
    for name, scores in _means(results).items():
        cells = [
            f"{100 * scores[key]:.1f}" if key in scores else "-"
            for key in ("mAP", "rank1", "rank5", "rank20", "color", "type")
        ]
        minutes = [result.seconds / 60 for result in results if result.name == name]
        table.add_row(name, *cells, f"{np.mean(minutes):.0f}")
    return table


def _means(results: list[Result]) -> dict[str, dict[str, float]]:
    """Return each row's scores, averaged over the seeds."""
    rows: dict[str, list[dict[str, float]]] = {}
    for result in results:
        rows.setdefault(result.name, []).append(result.scores)
    return {
        name: {key: float(np.mean([score[key] for score in scores])) for key in scores[0]}
        for name, scores in rows.items()
    }


def _verdict(results: list[Result]) -> None:
    found = {name: scores["mAP"] for name, scores in _means(results).items()}
    if BASELINE not in found or len(found) < 2:
        return
    best = max(found, key=lambda name: found[name])
    gains = [_gain(results, best, seed) for seed in sorted({result.seed for result in results})]
    console.out.print(
        f"best: {best}, {100 * float(np.mean(gains)):+.1f} points of mAP on {BASELINE} (by seed: "
        f"{', '.join(f'{100 * gain:+.1f}' for gain in gains)}; aim {100 * AIM:+.0f})"
    )
    ladder = [found[name] for name in (BASELINE, "RGB+MT", "RGB+MT+K") if name in found]
    posed = [found[name] for name in ("RGB+MT+K+H", "RGB+MT+K+S") if name in found]
    ladder += [max(posed)] if posed else []
    console.out.print(
        "each step of the paper's ladder helps"
        if all(a < b for a, b in itertools.pairwise(ladder))
        else "the paper's order does not hold here"
    )


def _gain(results: list[Result], name: str, seed: int) -> float:
    found = {result.name: result.scores["mAP"] for result in results if result.seed == seed}
    return found[name] - found[BASELINE]


def _save(results: list[Result], options: dict[str, Any]) -> None:
    now = datetime.now(timezone.utc)
    content = {
        **describe(),
        **options,
        "rows": [asdict(result) for result in results],
    }
    path = RESULTS / f"ablation-{now:%Y-%m-%d-%H%M%S}.json"
    path.write_text(json.dumps(content, indent=2) + "\n")
    console.out.print(f"written: {path}")


if __name__ == "__main__":
    typer.run(main)
