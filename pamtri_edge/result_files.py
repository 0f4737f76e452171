# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The file of a result: an .npz with the arrays, the names, and a text that says what they are.

NumPy alone reads it: `numpy.load(FILE)["embeddings"]`. It may come from anyone, so what it declares is
weighed before it is read, and every array is held against the others.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.errors import InputError
from pamtri_edge.files.atomic import staged_file
from pamtri_edge.files.npz import ArchiveError, unpack
from pamtri_edge.files.regular import open_regular
from pamtri_edge.manifest_fields import Matching, WrongFieldError, matching
from pamtri_edge.printable import printable

SUFFIX: Final = ".npz"
FORMAT: Final = "pamtri-edge reidentification"
SCHEMA: Final = 1

LARGEST_FILE: Final = 4 << 30
"""Bytes of a file that is read: two million vehicles of 512 numbers."""

_SWELLING: Final = 8  # how much more than its file an archive's arrays may take; ours take as much
_ROOM: Final = 1 << 20  # bytes that any file may take
_MOST_ENTRIES: Final = 16
AXES: Final = {"embeddings": 2, "color_probs": 2, "type_probs": 2, "keypoints": 3, "quality": 1}
"""The arrays of a result and how many axes each has."""
_LONGEST_ABOUT: Final = 1 << 16  # characters
_MOST_CLASSES: Final = 4096


class _WrongError(Exception):
    """Carries what is wrong with a file, as the end of a sentence without a full stop."""


def write_result(path: Path, fields: Mapping[str, Any]) -> None:
    """Write a file of results; it appears whole or not at all.

    Args:
        path: where.
        fields: of a `Reidentification` whose arrays are NumPy's, by name.

    Raises:
        InputError: its name does not end in .npz, or it cannot be written.
    """
    if path.suffix != SUFFIX:
        raise InputError(f"{printable(path)} does not end in {SUFFIX}; a result is kept in such a file.")
    about = {
        "format": FORMAT,
        "schema": SCHEMA,
        "embedding_space": fields["embedding_space"],
        "color_names": None if fields["color_names"] is None else list(fields["color_names"]),
        "type_names": None if fields["type_names"] is None else list(fields["type_names"]),
        "matching": None if fields["matching"] is None else asdict(fields["matching"]),
    }
    arrays = {name: fields[name] for name in AXES if fields[name] is not None}
    words = {"about": np.array(json.dumps(about))}
    if fields["names"] is not None:
        words["names"] = np.array(fields["names"], np.str_)
    try:
        with staged_file(path) as part, part.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays, **words)
    except OSError as error:
        raise InputError(f"{printable(path)} cannot be written: {error.strerror}.") from error


def read_result(path: Path) -> dict[str, Any]:
    """Return the fields of a `Reidentification` by name, from a file of results.

    Raises:
        InputError: it is missing, damaged, of another kind or newer, or its parts do not fit.
    """
    try:
        return _fields(_content(path))
    except (_WrongError, ArchiveError) as error:
        raise InputError(f"{printable(path)}: {error}. {_REMEDY}") from None
    except InputError:
        raise
    except Exception as error:  # zipfile and NumPy raise a dozen kinds for bytes that are not theirs
        raise InputError(f"{printable(path)} is no file of results ({error!r:.120}). {_REMEDY}") from error


_REMEDY: Final = "Expected what Reidentification.save or pamtri embed wrote; write it again."


def _content(path: Path) -> bytes:
    with open_regular(path, error=InputError) as file:
        size = os.fstat(file.fileno()).st_size
        if size > LARGEST_FILE:
            raise _WrongError(f"it has more than {LARGEST_FILE >> 30} GiB")
        content = file.read(size)  # no more: memory is taken for as much as is asked for
    if not content:
        raise _WrongError("it is empty (0 bytes)")
    return content


def _fields(content: bytes) -> dict[str, Any]:
    limit = _SWELLING * len(content) + _ROOM
    arrays = unpack(content, limit=limit, most=_MOST_ENTRIES, words=True)
    if "about" not in arrays or "embeddings" not in arrays:
        raise _WrongError("it lacks 'about' or 'embeddings'")
    about = _about(arrays.pop("about"))
    names = arrays.pop("names", None)
    if unknown := set(arrays) - set(AXES):
        raise _WrongError(f"it holds {min(unknown)[:40]!r}, which no result has")
    found = {name: _numbers(name, array, len(arrays["embeddings"])) for name, array in arrays.items()}
    lengths = np.linalg.norm(found["embeddings"].astype(np.float64), axis=1)
    if not lengths.all():
        raise _WrongError(f"embedding {int((lengths == 0).argmax())} is zero: it has no direction")
    return {
        **{name: found.get(name) for name in AXES},
        "color_names": _classes(about, "color_names", found.get("color_probs")),
        "type_names": _classes(about, "type_names", found.get("type_probs")),
        "embedding_space": _text(about, "embedding_space"),
        "matching": _matching(about.get("matching")),
        "names": None if names is None else _names(names, len(found["embeddings"])),
    }


def _about(array: NDArray[Any]) -> dict[str, Any]:
    if array.shape != () or array.dtype.kind != "U" or len(str(array)) > _LONGEST_ABOUT:
        raise _WrongError("'about' is no text")
    about = json.loads(str(array))
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        raise _WrongError("it says that it is another kind of file")
    if about.get("schema") != SCHEMA:
        raise _WrongError(f"its schema is {about.get('schema')!r:.20}; this release reads {SCHEMA}")
    return about


def _numbers(name: str, array: NDArray[Any], count: int) -> NDArray[np.float32]:
    last = (3,) if name == "keypoints" else ()
    if array.dtype.kind != "f" or array.ndim != AXES[name] or array.shape[2:] != last:
        raise _WrongError(f"{name} has shape {array.shape} of {array.dtype.name}")
    if len(array) != count or (name == "embeddings" and array.shape[1] == 0):
        raise _WrongError(f"{name} has shape {array.shape} for {count} embeddings")
    with np.errstate(over="ignore"):
        found = np.asarray(array, np.float32)
    if not np.isfinite(found).all():
        raise _WrongError(f"{name} holds NaN or infinity")
    return found


def _classes(about: Mapping[str, Any], key: str, probs: NDArray[np.float32] | None) -> tuple[str, ...] | None:
    value: Any = about.get(key)
    if value is None and probs is None:
        return None
    words = value if isinstance(value, list) else []
    fits = 0 < len(words) <= _MOST_CLASSES and all(
        isinstance(one, str) and one.isprintable() for one in words
    )
    if not fits or (probs is not None and probs.shape[1] != len(words)):
        raise _WrongError(f"{key} are not the names of the probabilities' columns")
    return tuple(words)


def _names(array: NDArray[Any], count: int) -> tuple[str, ...]:
    if array.dtype.kind != "U" or array.shape != (count,):
        raise _WrongError(f"names has shape {array.shape} of {array.dtype.name} for {count} embeddings")
    return tuple(array.tolist())


def _text(about: Mapping[str, Any], key: str) -> str | None:
    value = about.get(key)
    if value is not None and not (isinstance(value, str) and value.isprintable()):
        raise _WrongError(f"{key} is no text")
    return value


def _matching(value: Any) -> Matching | None:
    try:
        found = None if value is None else matching(value)
    except WrongFieldError:
        raise _WrongError("matching is no suggestion of a threshold") from None
    if found is not None and not found.set.isprintable():
        raise _WrongError("matching is no suggestion of a threshold")
    return found
