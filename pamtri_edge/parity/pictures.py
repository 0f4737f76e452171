# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Vehicle crops from a folder, and the inputs that a graph takes of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pamtri_edge import ops, samples
from pamtri_edge.pictures import read_picture
from pamtri_edge.printable import printable

Crops = list[NDArray[np.uint8]]
Inputs = dict[str, NDArray[np.float32]]


@dataclass(frozen=True, eq=False)
class Pictures:
    """Some crops and where they come from.

    Attributes:
        names: a name for each, the file's within its folder.
        crops: (H, W, 3) uint8 RGB.
        source: for a report: a folder, or "drawn crops".
        drawn: whether they were drawn for want of real ones.
    """

    names: tuple[str, ...]
    crops: Crops
    source: str
    drawn: bool = False

    def __len__(self) -> int:
        return len(self.crops)

    def as_record(self) -> dict[str, int | str]:
        """Return what a manifest says of them: how many, and the folder's name, not where it lies."""
        return {"crops": len(self), "source": Path(self.source).name}


def read_pictures(files: Sequence[Path], *, source: str) -> Pictures:
    """Read picture files as RGB.

    Raises:
        InputError: a file is not a picture that can be read; see `pamtri_edge.pictures`.
    """
    names = tuple(printable(path.name) for path in files)
    return Pictures(names, [read_picture(path) for path in files], printable(source))


def drawn_pictures(count: int, *, seed: int) -> Pictures:
    """Draw crops, for want of real ones; see `pamtri_edge.samples`."""
    return Pictures(
        tuple(f"drawn {seed}/{index}" for index in range(count)),
        samples.crops(count, seed=seed),
        "rendered crops",
        drawn=True,
    )


def spread(files: Sequence[Path], count: int) -> list[Path]:
    """Return at most `count` files, evenly spread over the whole list: neighbors often show one vehicle."""
    if len(files) <= count:
        return list(files)
    return [files[int(index)] for index in np.linspace(0, len(files) - 1, count).round()]


def graph_inputs(crops: Crops, names: Sequence[str]) -> Inputs:
    """Return what a graph takes of these crops.

    Args:
        crops: (H, W, 3) uint8 RGB.
        names: the graph's inputs.

    Returns:
        float32 arrays by name, batch first; see `models.Pamtri.forward`.
    """
    inputs: Inputs = {"images": ops.resize(crops)}
    if "pose_images" in names:
        inputs["pose_images"] = ops.window(crops)
        sizes = [(crop.shape[1], crop.shape[0]) for crop in crops]
        inputs["crop_size"] = np.array(sizes, np.float32).reshape(-1, 2)
    return inputs


def parts(inputs: Inputs, size: int) -> Iterator[Inputs]:
    """Give the inputs a few items at a time."""
    count = len(next(iter(inputs.values())))
    for start in range(0, count, size):
        yield {name: array[start : start + size] for name, array in inputs.items()}
