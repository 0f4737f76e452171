# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Which pictures int8 is fitted to: of labeled ones, those that together show most that differs.

Pictures of a made data set (`pamtri synth`) come with what they show: `coco_PART.json` or
`labels_PART.parquet` beside `image_PART/`. A range of activations fitted to one side of gray sedans does
not fit red trucks from behind, so pictures are taken such that viewpoints, colors, types, cameras and
vehicles are each as evenly seen as they can be. Pictures without labels are spread evenly over their names.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.datasets.layout import part_in
from pamtri_edge.errors import InputError
from pamtri_edge.parity.pictures import spread

VIEWPOINTS: Final = 12
"""Sectors of 30 degrees that viewpoints are counted in."""

_FACTS: Final = ("color", "type", "camera_id", "vehicle_id")
_WEIGHTS: Final = np.array([1.0, 1.0, 1.0, 0.5, 0.5])  # viewpoint, then `_FACTS`


def varied(files: Sequence[Path], count: int) -> list[Path]:
    """Return at most `count` of the pictures, in their order; always the same ones.

    Args:
        files: of one folder.
        count: how many at most.

    Raises:
        InputError: labels lie beside the pictures, but cannot be read.
    """
    if len(files) <= count:
        return list(files)
    facts = _facts(files)
    if facts is None:
        return spread(files, count)
    labeled = [index for index, path in enumerate(files) if path.name in facts]
    if len(labeled) < count:
        return spread(files, count)
    rows = [facts[files[index].name] for index in labeled]
    return [files[labeled[row]] for row in sorted(_most_varied(rows, count))]


def _most_varied(rows: Sequence[Sequence[Any]], count: int) -> list[int]:
    """Take rows one by one, each the one whose values have been taken least."""
    codes = [np.unique(np.array([str(row[n]) for row in rows]), return_inverse=True) for n in range(5)]
    taken = [np.zeros(len(values)) for values, _ in codes]
    # How many times each value would have been taken if all were evenly.
    fair = [max(count / len(values), 1.0) for values, _ in codes]
    # Between equals an order without pattern decides: neighbors often show one vehicle.
    order = np.random.default_rng(0).permutation(len(rows)) / (1e6 * len(rows))
    free = np.zeros(len(rows))
    chosen: list[int] = []
    for _ in range(count):
        cost: NDArray[np.float64] = order + free
        for weight, seen, (_, inverse), share in zip(_WEIGHTS, taken, codes, fair, strict=True):
            cost = cost + weight * (seen[inverse] / share) ** 2
        row = int(cost.argmin())
        chosen.append(row)
        free[row] = np.inf
        for seen, (_, inverse) in zip(taken, codes, strict=True):
            seen[inverse[row]] += 1
    return chosen


def _facts(files: Sequence[Path]) -> dict[str, tuple[Any, ...]] | None:
    """Return viewpoint and `_FACTS` of each picture by its file name, or None without labels."""
    place = files[0].parent
    part = part_in(place.name)
    if part is None:
        return None
    readers: tuple[tuple[str, Callable[[Path], dict[str, tuple[Any, ...]]]], ...] = (
        (part.coco, _of_coco),
        (part.parquet, _of_parquet),
    )
    for name, read in readers:
        path = place.parent / name
        if not path.is_file():
            continue
        try:
            return read(path)
        except ModuleNotFoundError:
            return None  # pyarrow is there for who trains; even names spread well enough
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path} cannot be read as labels of {place.name}: {error!r}.") from error
    return None


def _of_coco(path: Path) -> dict[str, tuple[Any, ...]]:
    record = json.loads(path.read_text(encoding="utf-8"))
    names = {image["id"]: Path(image["file_name"]).name for image in record["images"]}
    return {names[one["image_id"]]: _row(one["attributes"]) for one in record["annotations"]}


def _of_parquet(path: Path) -> dict[str, tuple[Any, ...]]:
    from pyarrow import parquet  # type: ignore[import-untyped]

    table = parquet.read_table(path, columns=["image", "azimuth", *_FACTS])
    return {Path(record["image"]).name: _row(record) for record in table.to_pylist()}


def _row(record: Mapping[str, Any]) -> tuple[Any, ...]:
    sector = int(float(record["azimuth"]) % 360.0 // (360.0 / VIEWPOINTS))
    return (sector, *(record[name] for name in _FACTS))
