# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""`pamtri embed`: pictures of vehicles into a file of embeddings."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from pamtri_edge import console
from pamtri_edge.cli.shared_options import (
    BackendOption,
    BuildOption,
    BundleOption,
    DeviceOption,
    ThreadsOption,
)
from pamtri_edge.errors import InputError
from pamtri_edge.files.atomic import staged_file
from pamtri_edge.files.tables import Columns, import_pyarrow, write_table
from pamtri_edge.options import check_output, refuse_inputs
from pamtri_edge.printable import counted, printable
from pamtri_edge.words import Unreadable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pamtri_edge.reidentification import Reidentification
    from pamtri_edge.reidentifier import Reidentifier

_log = logging.getLogger(__name__)

_SUFFIXES: Final = (".npz", ".jsonl", ".csv", ".parquet")
_PART: Final = 32  # pictures in memory at a time
_AT_ONCE: Final = 1024  # vehicles made into text
_COLUMNS: Final[Columns] = {
    "name": "text",
    "color": "text",
    "color_probability": "number",
    "type": "text",
    "type_probability": "number",
    "quality": "number",
    "embedding": "vector",
    "keypoints": "points",
    "embedding_space": "text",
}


def embed(
    pictures: Annotated[
        list[Path],
        typer.Argument(help="Pictures of one vehicle each, and folders of such pictures."),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", help="The file to write: .npz (to load again), .jsonl, .csv or .parquet."
        ),
    ],
    bundle: BundleOption = None,
    unreadable: Annotated[
        Unreadable,
        typer.Option(
            help="Pictures that cannot be read: stop before anything is embedded and name them, or skip each "
            "with a warning."
        ),
    ] = "stop",
    threads: ThreadsOption = None,
    device: DeviceOption = "auto",
    backend: BackendOption = "auto",
    build: BuildOption = True,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file.")] = False,
) -> None:
    """Write embedding, color, type and keypoints of pictures of vehicles into a file.

    Each picture shows one vehicle, cut out, as pamtri run writes them into crops/. Of a folder all pictures
    directly in it are taken, in the order of their names. The .npz is read by Reidentification.load and by
    numpy.load; the others have a line or row for each picture. Nothing is left of the file if it cannot be
    finished.
    """
    check_output(output, overwrite=overwrite, suffixes=_SUFFIXES)
    if output.suffix == ".parquet":
        import_pyarrow(what="a .parquet file", instead="or write .npz, .jsonl or .csv")
    paths = _listed(pictures)
    refuse_inputs(output, paths)
    if unreadable == "stop":
        from pamtri_edge.pictures import check_pictures

        check_pictures(paths)
    from pamtri_edge.reidentifier import Reidentifier

    with Reidentifier.load(
        bundle, device=device, backend=backend, threads=threads, build=build
    ) as reidentifier:
        found, skipped = _embedded(reidentifier, paths, skip=unreadable == "skip")
    _write(output, found)
    left = f"; {counted(skipped, 'picture')} left out as unreadable" if skipped else ""
    console.out.print(f"{counted(len(found), 'vehicle')} embedded{left}")
    console.out.print(f"written: {output!s}")


def _listed(given: list[Path]) -> list[Path]:
    """Return the pictures that are meant: files as they are, and what is in folders."""
    from pamtri_edge.pictures import list_pictures

    paths: list[Path] = []
    for path in given:
        if path.is_dir():
            paths += list_pictures(path, say=lambda text: console.err.print(text))
        else:
            paths.append(path)
    return paths


def _embedded(reidentifier: Reidentifier, paths: list[Path], *, skip: bool) -> tuple[Reidentification, int]:
    """Return the result for the pictures, and how many were left out."""
    from dataclasses import replace

    from pamtri_edge.reidentification import concatenate

    parts = []
    skipped = 0
    with console.progress("pictures") as bar:
        task = bar.add_task("", total=len(paths), note="")
        for at in range(0, len(paths), _PART):
            some = paths[at : at + _PART]
            read = list(_readable(some, skip=skip))
            skipped += len(some) - len(read)
            if read:
                found = reidentifier.embed([picture for _, picture in read])
                parts.append(replace(found, names=tuple(str(path) for path, _ in read)))
            bar.update(task, advance=len(some))
    if not parts:
        raise InputError(f"none of {counted(len(paths), 'picture')} can be read; nothing was written.")
    return concatenate(parts), skipped


def _readable(paths: list[Path], *, skip: bool) -> Iterator[tuple[Path, NDArray[np.uint8]]]:
    from pamtri_edge.pictures import read_picture

    for path in paths:
        try:
            yield path, read_picture(path)
        except InputError as error:
            if not skip:
                raise
            _log.warning("left out: %s", error)


def _write(output: Path, found: Reidentification) -> None:
    if output.suffix == ".npz":
        found.save(output)
        return
    if output.suffix != ".jsonl":
        write_table(output, _COLUMNS, map(_row, _records(found)))
        return
    try:
        with staged_file(output) as part, part.open("w", encoding="utf-8", newline="") as file:
            for one in _records(found):
                file.write(json.dumps(one, ensure_ascii=False, separators=(",", ":")) + "\n")
    except OSError as error:
        raise InputError(f"{output} cannot be written: {error.strerror}.") from error


def _records(found: Reidentification) -> Iterator[dict[str, Any]]:
    """Give the vehicles as dictionaries, some at a time.

    A name that is no Unicode can stand in no JSON and no Parquet: its odd bytes are spelled out.
    """
    for at in range(0, len(found), _AT_ONCE):
        for one in found[at : at + _AT_ONCE].to_dicts():
            yield {**one, "name": printable(one["name"])}


def _row(record: dict[str, Any]) -> dict[str, Any]:
    flat = {**record}
    for name in ("color", "type"):
        one = record[name]
        flat |= {
            name: None if one is None else one["label"],
            f"{name}_probability": None if one is None else one["probability"],
        }
    return flat
