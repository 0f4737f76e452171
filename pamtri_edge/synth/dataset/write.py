# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Writing labels: the original's two CSV files, COCO keypoints, and a table in parquet.

Every writer takes the records in the order of their file names, goes through them once or twice, and
holds few of them at a time. Its file appears whole or not at all.

The two CSV files carry the VeRi-like visibility, so that synthetic and real rows mean the same. The
depth-true one is in the other two forms.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any, Final

from pamtri_edge.datasets.layout import Part, color_id, type_id
from pamtri_edge.errors import InputError
from pamtri_edge.files import tables as table_files
from pamtri_edge.files.atomic import staged_file
from pamtri_edge.printable import printable
from pamtri_edge.synth.dataset.record import Record
from pamtri_edge.vehicle import KEYPOINT_NAMES, NUM_KEYPOINTS, SEGMENTS

_ROWS: Final = 4096  # of a parquet row group

_OUTLINES: Final = sorted(
    {
        (min(a, b) + 1, max(a, b) + 1)
        for segment in SEGMENTS
        for a, b in zip(segment.corners, segment.corners[1:] + segment.corners[:1], strict=True)
    }
)


@contextmanager
def whole_file(path: Path, mode: str = "w") -> Iterator[IO[Any]]:
    """Open a file to write; it gets its name when the block ends without an error.

    Raises:
        InputError: it cannot be written, or the disk is full.
    """
    text: dict[str, Any] = {} if "b" in mode else {"encoding": "utf-8", "newline": ""}
    try:
        with staged_file(path, flush=False) as part, part.open(mode, **text) as file:
            yield file
    except OSError as error:
        raise InputError(f"{printable(path)} cannot be written: {error.strerror or error}.") from error


def write_labels(folder: Path, part: Part, records: Iterable[Record], formats: Iterable[str]) -> list[Path]:
    """Write the labels of one part in the given formats; return the paths.

    Args:
        folder: the data set's folder.
        part: which part of it.
        records: its records in the order of their file names; can be gone through several times.
        formats: "veri" (the two CSV files), "coco", "parquet".

    Raises:
        InputError: a file cannot be written.
        MissingDependencyError: parquet is wanted and pyarrow is not installed.
    """
    writers: dict[str, tuple[tuple[str, Callable[[Path, Iterable[Record]], None]], ...]] = {
        "veri": ((part.reid_csv, write_reid_csv), (part.pose_csv, write_pose_csv)),
        "coco": ((part.coco, write_coco),),
        "parquet": ((part.parquet, write_parquet),),
    }
    written = []
    for name in formats:
        for file, write in writers[name]:
            write(folder / file, records)
            written.append(folder / file)
    return written


def write_reid_csv(path: Path, records: Iterable[Record]) -> None:
    """Write the original's labels for re-identification.

    A row a picture, no header: file name, vehicle id, color id, type id, then x, y, confidence of the 36
    keypoints, x and y in pixels of the stored picture, confidence 0 or 1 by the VeRi-like visibility.
    """
    with whole_file(path) as file:
        for record in records:
            flags = zip(record.keypoints, record.visible_veri, strict=True)
            points = ",".join(f"{x:.2f},{y:.2f},{float(seen):.1f}" for (x, y), seen in flags)
            ids = f"{record.vehicle},{color_id(record.color)},{type_id(record.type)}"
            file.write(f"{record.image},{ids},{points}\n")


def write_pose_csv(path: Path, records: Iterable[Record]) -> None:
    """Write the original's labels for its pose network.

    A row a picture, no header: file name, width, height, then x, y, visible of the 36 keypoints, all of
    them whole numbers, because the original reads them as such.
    """
    with whole_file(path) as file:
        for record in records:
            flags = zip(record.keypoints, record.visible_veri, strict=True)
            points = ",".join(f"{round(x)},{round(y)},{int(seen)}" for (x, y), seen in flags)
            file.write(f"{record.image},{record.width},{record.height},{points}\n")


def write_coco(path: Path, records: Iterable[Record]) -> None:
    """Write COCO keypoints: one vehicle a picture; visibility 2 is depth-true, 1 hidden or outside.

    `attributes` of an annotation hold what COCO has no place for: ids, names, orientation, and the
    VeRi-like visibility. `segments` are the 13 quadrilaterals, as indices of keypoints from 0.
    """
    with whole_file(path) as file:
        head = {
            "info": {"description": "synthetic vehicles of pamtri-edge"},
            "categories": [_category()],
            "segments": [{"name": segment.name, "corners": segment.corners} for segment in SEGMENTS],
        }
        file.write(json.dumps(head)[:-1])
        for name, make in (("images", _coco_image), ("annotations", _coco_annotation)):
            file.write(f',\n"{name}": [')
            for number, record in enumerate(records, 1):
                comma = "," if number > 1 else ""
                file.write(f"{comma}\n{json.dumps(make(number, record), separators=(',', ':'))}")
            file.write("\n]")
        file.write("}\n")


def write_parquet(path: Path, records: Iterable[Record]) -> None:
    """Write one table with a row a picture and everything that is known of it.

    Raises:
        InputError: the file cannot be written.
        MissingDependencyError: pyarrow is not installed.
    """
    arrow, parquet = import_pyarrow()
    schema = _schema(arrow)
    rows = iter(records)
    with whole_file(path, "wb") as file, parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        while batch := list(islice(rows, _ROWS)):
            columns = _columns(batch)
            arrays = [arrow.array(columns[field.name], type=field.type) for field in schema]
            writer.write_table(arrow.Table.from_arrays(arrays, schema=schema))


def import_pyarrow() -> tuple[Any, Any]:
    """Return the modules `pyarrow` and `pyarrow.parquet`.

    Raises:
        MissingDependencyError: pyarrow is not installed.
    """
    return table_files.import_pyarrow(
        what="labels as parquet", extra="synth", instead="or write the other forms alone: --formats veri,coco"
    )


def _category() -> dict[str, Any]:
    return {
        "id": 1,
        "name": "vehicle",
        "supercategory": "vehicle",
        "keypoints": KEYPOINT_NAMES,
        "skeleton": _OUTLINES,
    }


def _coco_image(number: int, record: Record) -> dict[str, Any]:
    name = f"image_{record.part}/{record.image}"
    return {"id": number, "file_name": name, "width": record.width, "height": record.height}


def _coco_annotation(number: int, record: Record) -> dict[str, Any]:
    x1, y1, x2, y2 = record.box
    wide, high = round(x2 - x1, 2), round(y2 - y1, 2)
    points = [
        (round(x, 2), round(y, 2), 2 if seen else 1)
        for (x, y), seen in zip(record.keypoints, record.visible, strict=True)
    ]
    return {
        "id": number,
        "image_id": number,
        "category_id": 1,
        "iscrowd": 0,
        "bbox": (x1, y1, wide, high),
        "area": round(wide * high, 2),
        "num_keypoints": NUM_KEYPOINTS,
        "keypoints": tuple(chain.from_iterable(points)),
        "attributes": {
            "vehicle_id": record.vehicle,
            "camera_id": record.camera,
            "view": record.view,
            "color": record.color,
            "type": record.type,
            "visible_veri": [int(seen) for seen in record.visible_veri],
            "azimuth": record.azimuth,
            "elevation": record.elevation,
            "distance": record.distance,
            "crop_width": record.crop_width,
            "crop_height": record.crop_height,
        },
    }


_COLUMNS: Final[dict[str, str]] = {
    "image": "string",
    "part": "string",
    "vehicle_id": "int32",
    "camera_id": "int32",
    "view": "int32",
    "color": "string",
    "color_id": "int8",
    "type": "string",
    "type_id": "int8",
    "width": "int32",
    "height": "int32",
    "crop_width": "int32",
    "crop_height": "int32",
    "keypoints_x": "points",
    "keypoints_y": "points",
    "visible": "flags",
    "visible_veri": "flags",
    "box": "box",
    "azimuth": "float32",
    "elevation": "float32",
    "distance": "float32",
    "sha256": "string",
}


def _schema(arrow: Any) -> Any:
    lists = {
        "points": arrow.list_(arrow.float32(), NUM_KEYPOINTS),
        "flags": arrow.list_(arrow.bool_(), NUM_KEYPOINTS),
        "box": arrow.list_(arrow.float32(), 4),
    }
    kinds = {name: lists.get(kind) or getattr(arrow, kind)() for name, kind in _COLUMNS.items()}
    names = {"keypoint_names": json.dumps(KEYPOINT_NAMES)}
    return arrow.schema(list(kinds.items()), metadata=names)


def _columns(batch: list[Record]) -> dict[str, list[Any]]:
    special: dict[str, list[Any]] = {
        "vehicle_id": [record.vehicle for record in batch],
        "camera_id": [record.camera for record in batch],
        "color_id": [color_id(record.color) for record in batch],
        "type_id": [type_id(record.type) for record in batch],
        "keypoints_x": [[x for x, _ in record.keypoints] for record in batch],
        "keypoints_y": [[y for _, y in record.keypoints] for record in batch],
    }
    return {
        name: special[name] if name in special else [getattr(record, name) for record in batch]
        for name in _COLUMNS
    }
