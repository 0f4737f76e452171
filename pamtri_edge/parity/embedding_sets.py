# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Embeddings that were taken elsewhere: by DeepStream, by another program, on another machine."""

from __future__ import annotations

import base64
import binascii
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.errors import InputError

Floats = NDArray[np.float32]

SUFFIXES: Final = (".npy", ".npz", ".jsonl")
_NAME_KEYS: Final = ("name", "file", "crop", "track_id")


@dataclass(frozen=True, eq=False)
class EmbeddingSet:
    """Embeddings of some crops.

    Attributes:
        source: the file they come from.
        embeddings: (N, D) float32.
        names: which crop each belongs to, or None: then they stand in the order of the crops' file names.
        space: id of the weights, where the file says it.
    """

    source: str
    embeddings: Floats
    names: tuple[str, ...] | None
    space: str | None = None

    def of_crops(self, names: Sequence[str]) -> tuple[list[int], Floats]:
        """Return which crops there are embeddings for (indices), and these embeddings, in that order.

        A name fits a crop if it is the crop's file name, with or without folder and ending.

        Raises:
            InputError: no name fits, or without names the counts differ.
        """
        if self.names is None:
            if len(names) != len(self.embeddings):
                raise InputError(
                    f"{self.source} holds {len(self.embeddings)} embeddings without names, and there are "
                    f"{len(names)} crops; expected as many, in the files' order, or names with them."
                )
            return list(range(len(names))), self.embeddings
        rows = {_stem(name): row for row, name in enumerate(self.names)}
        fitting = [index for index, name in enumerate(names) if _stem(name) in rows]
        if not fitting:
            raise InputError(
                f"no name in {self.source} (such as {self.names[0]!r}) is that of a crop (such as "
                f"{names[0]!r}); expected the crops' file names, with or without ending."
            )
        return fitting, self.embeddings[[rows[_stem(names[index])] for index in fitting]]


def read_embeddings(path: Path) -> EmbeddingSet:
    """Read embeddings from a file.

    Args:
        path: `.npy`: (N, D); `.npz`: `embeddings` (N, D) and, if known, `names` (N,); `.jsonl`: an object a
            line with `embedding` (numbers, or base64 of float16) and one of `name`, `file`, `crop`,
            `track_id`; events as `pamtri run` writes them are of that form.

    Raises:
        InputError: the file is missing or of another form.
    """
    if path.suffix not in SUFFIXES:
        raise InputError(f"{path} is no file of embeddings; accepted: {', '.join(SUFFIXES)}.")
    if not path.is_file():
        raise InputError(f"{path} does not exist; expected a file of embeddings ({', '.join(SUFFIXES)}).")
    if path.suffix == ".jsonl":
        return _from_lines(path)
    names: tuple[str, ...] | None = None
    try:
        with path.open("rb") as file:
            loaded = np.load(file, allow_pickle=False)
            if isinstance(loaded, np.ndarray):
                array: NDArray[Any] = loaded
            else:
                array = loaded["embeddings"]
                if "names" in loaded.files:
                    names = tuple(str(name) for name in loaded["names"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} holds no embeddings ({error}); expected an array (N, D).") from error
    return _checked(path, array, names, None)


def _from_lines(path: Path) -> EmbeddingSet:
    vectors: list[Floats] = []
    names: list[str] = []
    spaces: set[str] = set()
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            vectors.append(_vector(record["embedding"]))
        except (ValueError, KeyError, TypeError, binascii.Error) as error:
            raise InputError(
                f"{path}:{number}: no embedding ({error!r}); expected a JSON object with 'embedding'."
            ) from error
        names.append(_name(record))
        if isinstance(record.get("embedding_space"), str):
            spaces.add(record["embedding_space"])
    if len({len(vector) for vector in vectors}) > 1:
        raise InputError(f"{path} holds embeddings of different lengths; expected one length.")
    array = np.stack(vectors) if vectors else np.zeros((0, 0), np.float32)
    named = tuple(names) if all(names) else None
    return _checked(path, array, named, spaces.pop() if len(spaces) == 1 else None)


def _vector(value: Any) -> Floats:
    if isinstance(value, str):
        return np.frombuffer(base64.b64decode(value, validate=True), np.float16).astype(np.float32)
    return np.asarray(value, np.float32)


def _name(record: Mapping[str, Any]) -> str:
    return next((str(record[key]) for key in _NAME_KEYS if key in record), "")


def _checked(
    path: Path, array: NDArray[Any], names: tuple[str, ...] | None, space: str | None
) -> EmbeddingSet:
    if array.ndim != 2 or array.size == 0 or array.dtype.kind not in "fiu":
        raise InputError(
            f"{path} holds an array of shape {array.shape}, {array.dtype}; expected numbers (N, D)."
        )
    if not np.isfinite(array).all():
        raise InputError(f"{path} holds embeddings that are not finite.")
    if names is not None and len(names) != len(array):
        raise InputError(f"{path} holds {len(array)} embeddings and {len(names)} names; expected as many.")
    if names is not None and len({_stem(name) for name in names}) < len(names):
        raise InputError(f"{path} names a crop twice; expected one embedding a crop.")
    return EmbeddingSet(str(path), array.astype(np.float32), names, space)


def _stem(name: str) -> str:
    return PurePath(name).stem
