# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""How far synthetic crops are from real ones, in numbers that a picture has without being understood.

`python benchmarks/crop_statistics.py FOLDER [FOLDER ...]` prints the median and the 10th and 90th percentile
of each statistic over the pictures of each folder, and over synthetic views of each camera prior. A column of
synthesis whose range does not reach that of the footage at hand says which way the sensor, the light or the
streets of `pamtri_edge.synth` are off. All pictures are first stretched to 256x256, as the networks see them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer
from rich.table import Table

from pamtri_edge import console
from pamtri_edge.pictures import list_pictures, read_picture
from pamtri_edge.synth.body.shape import build
from pamtri_edge.synth.specification.vehicle import sample_vehicle
from pamtri_edge.synth.view.prior import PRIORS, camera_prior
from pamtri_edge.synth.view.scene import render_view

SIZE = 256
BANDS = (256, 128, 64, 32, 16)
BORDER = 24
VIEWS = 4


def statistics(bgr: np.ndarray) -> dict[str, float]:
    """Return the statistics of one picture, (H, W, 3) uint8."""
    bgr = cv2.resize(bgr, (SIZE, SIZE), interpolation=cv2.INTER_LINEAR)
    gray = cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY).astype(np.float32) / 255
    lab = cv2.cvtColor(bgr.astype(np.float32) / 255, cv2.COLOR_BGR2Lab)
    chroma = np.hypot(lab[..., 1], lab[..., 2])
    gradient = np.hypot(cv2.Sobel(gray, cv2.CV_32F, 1, 0), cv2.Sobel(gray, cv2.CV_32F, 0, 1)) / 8
    inner = gray[SIZE // 4 : -SIZE // 4, SIZE // 4 : -SIZE // 4]
    edge = np.ones_like(gray, bool)
    edge[BORDER:-BORDER, BORDER:-BORDER] = False
    found = {
        "mean": gray.mean(),
        "deviation": gray.std(),
        "5th percentile": np.percentile(gray, 5),
        "95th percentile": np.percentile(gray, 95),
        "share blown out": (gray > 0.97).mean(),
        "saturation": cv2.cvtColor(bgr, cv2.COLOR_BGR2HSV)[..., 1].mean() / 255,
        "chroma (Lab)": chroma.mean(),
        "gradient x 100": 100 * gradient.mean(),
        "middle - border": inner.mean() - gray[edge].mean(),
    }
    for side in BANDS:
        found[f"detail at {side}"] = detail(gray, side) / (gray.std() + 1e-3)
    return {name: float(value) for name, value in found.items()}


def detail(gray: np.ndarray, side: int) -> float:
    """Return the deviation of what a picture of `side` pixels holds and one of half as many does not."""
    fine = cv2.resize(gray, (side, side), interpolation=cv2.INTER_AREA)
    coarse = cv2.resize(fine, (side // 2, side // 2), interpolation=cv2.INTER_AREA)
    return float((fine - cv2.resize(coarse, (side, side), interpolation=cv2.INTER_LINEAR)).std())


def synthetic(prior: str, count: int, seed: int) -> Iterator[np.ndarray]:
    """Yield pictures of `count` views, four of each vehicle, each by another camera."""
    for identity in range(-(-count // VIEWS)):
        spec = sample_vehicle(seed, identity)
        mesh = build(spec)
        for view in range(min(VIEWS, count - VIEWS * identity)):
            camera = VIEWS * identity + view
            seen = render_view(
                mesh, spec, seed=seed, identity=identity, view=view, camera=camera, prior=camera_prior(prior)
            )
            yield seen.image[..., ::-1]


def main(
    folders: Annotated[list[Path], typer.Argument(exists=True, file_okay=False, help="Folders of crops.")],
    count: Annotated[int, typer.Option(min=1, help="Synthetic views of each prior.")] = 200,
    seed: Annotated[int, typer.Option(min=0, help="Of the synthetic views.")] = 0,
) -> None:
    """Print statistics of real crops beside those of synthetic ones."""
    columns = {}
    for folder in folders:
        columns[folder.name] = [statistics(read_picture(path)[..., ::-1]) for path in list_pictures(folder)]
    for prior in PRIORS:
        columns[f"synthetic, {prior}"] = [statistics(picture) for picture in synthetic(prior, count, seed)]
    empty = [name for name, rows in columns.items() if not rows]
    if empty:
        raise typer.BadParameter(f"no pictures in {', '.join(empty)}")
    table = Table(title="median [10th, 90th percentile]", title_justify="left")
    table.add_column("")
    for name, rows in columns.items():
        table.add_column(f"{name}\n{len(rows)} pictures", justify="right")
    for name in next(iter(columns.values()))[0]:
        cells = []
        for rows in columns.values():
            low, middle, high = np.percentile([row[name] for row in rows], [10, 50, 90])
            cells.append(f"{middle:.3f} [{low:.2f}, {high:.2f}]")
        table.add_row(name, *cells)
    console.out.print(table)


if __name__ == "__main__":
    typer.run(main)
