# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Tables as files: CSV and Parquet, a row at a time, each file whole or not at all."""

from __future__ import annotations

import base64
import csv
from collections.abc import Iterable, Mapping
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np

from pamtri_edge.errors import InputError, MissingDependencyError
from pamtri_edge.files.atomic import staged_file
from pamtri_edge.printable import printable

_ROWS: Final = 1024  # of a Parquet row group
_TYPES: Final = {"text": "string", "number": "float64", "count": "uint64", "flag": "bool_"}  # of pyarrow

Columns = Mapping[str, str]
"""The columns of a table and what is in them: "text", "number", "count" (whole, not negative), "flag",
"vector" (numbers) or "points" (rows of numbers)."""


def import_pyarrow(
    *, what: str = "a Parquet file", extra: str = "parquet", instead: str = "or choose another format"
) -> tuple[Any, Any]:
    """Return the modules `pyarrow` and `pyarrow.parquet`.

    Args:
        what: what needs it, as the error begins.
        extra: the extra that brings it.
        instead: what to do without it.

    Raises:
        MissingDependencyError: pyarrow is not installed.
    """
    try:
        return import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError as error:
        raise MissingDependencyError(
            f"{what} needs pyarrow ({error}): pip install 'pamtri-edge[{extra}]', {instead}."
        ) from error


def write_table(path: Path, columns: Columns, rows: Iterable[Mapping[str, Any]]) -> Path:
    """Write rows as CSV or Parquet, as the file's name ends; return the path.

    In CSV a vector is base64 of little-endian float16, as in events, and points are left out.

    Args:
        path: where; it ends in .csv or .parquet.
        columns: the columns, in order.
        rows: by column; None for what is not known. Few are held at a time.

    Raises:
        InputError: the file cannot be written.
        MissingDependencyError: Parquet is wanted and pyarrow is not installed.
    """
    try:
        if path.suffix == ".csv":
            _write_csv(path, columns, rows)
        else:
            _write_parquet(path, columns, rows)
    except OSError as error:
        raise InputError(f"{printable(path)} cannot be written: {error.strerror or error}.") from error
    return path


def _write_csv(path: Path, columns: Columns, rows: Iterable[Mapping[str, Any]]) -> None:
    shown = [name for name, kind in columns.items() if kind != "points"]
    with staged_file(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(shown)
        for row in rows:
            writer.writerow([_cell(row[name], columns[name]) for name in shown])


def _cell(value: Any, kind: str) -> Any:
    if kind == "vector" and value is not None:
        return base64.b64encode(np.asarray(value, "<f2").tobytes()).decode("ascii")
    if kind == "flag" and value is not None:
        return "true" if value else "false"
    return value


def _write_parquet(path: Path, columns: Columns, rows: Iterable[Mapping[str, Any]]) -> None:
    arrow, parquet = import_pyarrow()
    vector = arrow.list_(arrow.float32())
    lists = {"vector": vector, "points": arrow.list_(vector)}
    schema = arrow.schema(
        [
            (name, lists[kind] if kind in lists else getattr(arrow, _TYPES[kind])())
            for name, kind in columns.items()
        ]
    )
    left = iter(rows)
    with (
        staged_file(path) as part,
        part.open("wb") as file,
        parquet.ParquetWriter(file, schema, compression="zstd") as writer,
    ):
        while batch := list(islice(left, _ROWS)):
            arrays = [arrow.array([row[field.name] for row in batch], type=field.type) for field in schema]
            writer.write_table(arrow.Table.from_arrays(arrays, schema=schema))
