# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The fields of a manifest: what each may hold, and the error that says what it holds instead."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final

from pamtri_edge.errors import BundleError, InputError
from pamtri_edge.metrics.loss import FORM, RetrievalLoss

VARIANT_FLAGS: Final = ("keypoints", "heatmaps", "segments", "multitask", "pose")
TOLERANCE_METRICS: Final[Mapping[str, tuple[float, float]]] = {
    "cosine": (0.5, 1.0),
    "max_abs": (0.0, 1.0),
    "share": (0.5, 1.0),
}
"""The limits of the self-test, and between what each may lie: beyond, it would let another network pass."""

LARGEST_SIZE: Final = 1 << 16
"""No side of a tensor of ours comes near it; a network of that size could not be allocated."""

MOST_FILES: Final = 256
"""A bundle has about ten."""

REMEDY: Final = "Copy the bundle again from where it came, or export it again with pamtri-export."


@dataclass(frozen=True)
class TensorSpec:
    """An input or output of the graph.

    Attributes:
        name: its name in the ONNX file.
        shape: sizes; None stands for the batch.
        dtype: NumPy's name of the type, "float32" for every tensor of schema 1.
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: str = "float32"


@dataclass(frozen=True, kw_only=True)
class Matching:
    """From which cosine on two embeddings may be called one vehicle's, and how often that is wrong.

    Attributes:
        threshold: the cosine, -1 to 1.
        false_match_rate: the share of pairs of different vehicles that reach it, on the validation set.
        true_match_rate: the share of pairs of one vehicle that reach it.
        set: name of the validation set.
    """

    threshold: float
    false_match_rate: float
    true_match_rate: float
    set: str


class FieldReader:
    """Takes typed fields from a JSON object; errors name the file, the field and what was found.

    Args:
        record: the object.
        source: how errors call the file.
    """

    def __init__(self, record: Mapping[str, Any], source: str) -> None:
        self._record = record
        self._source = source

    def take(self, key: str, convert: Callable[[Any], Any]) -> Any:
        """Return a field as `convert` (one of this module's functions) gives it.

        Raises:
            BundleError: the field is missing, or is not what it should be.
        """
        if key not in self._record:
            raise BundleError(f"{self._source} lacks the field {key!r}. {REMEDY}")
        value = self._record[key]
        try:
            return convert(value)
        except WrongFieldError as error:
            shown = _shown(value)
            raise BundleError(
                f"{self._source}: field {key!r} is {shown}; expected {error}. {REMEDY}"
            ) from error

    def take_optional(self, key: str, convert: Callable[[Any], Any]) -> Any:
        """Return a field likewise, or None where it is null or missing."""
        return None if self._record.get(key) is None else self.take(key, convert)


class WrongFieldError(Exception):
    """Carries what a field should have been."""


def string(value: Any) -> str:
    """Return a text that can be shown on a line."""
    if not isinstance(value, str) or not value or not value.isprintable():
        raise WrongFieldError("a text of printable characters")
    return value


def integer(value: Any) -> int:
    """Return a whole number."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise WrongFieldError("a whole number")
    return value


def size(value: Any) -> int:
    """Return the size of an axis."""
    if not 1 <= integer(value) <= LARGEST_SIZE:
        raise WrongFieldError(f"a whole number from 1 to {LARGEST_SIZE}")
    return int(value)


def boolean(value: Any) -> bool:
    """Return true or false."""
    if not isinstance(value, bool):
        raise WrongFieldError("true or false")
    return value


def mapping(value: Any) -> dict[str, Any]:
    """Return an object of free form."""
    if not isinstance(value, dict):
        raise WrongFieldError("an object")
    return value


def one_of(choices: tuple[str, ...] | list[str]) -> Callable[[Any], str]:
    """Return what takes one of a few words."""

    def convert(value: Any) -> str:
        if not isinstance(value, str) or value not in choices:
            raise WrongFieldError(f"one of {', '.join(map(repr, choices))}")
        return value

    return convert


def optional_names(value: Any) -> tuple[str, ...] | None:
    """Return the names of classes or keypoints."""
    if value is None:
        return None
    shown = isinstance(value, list) and all(isinstance(name, str) and name.isprintable() for name in value)
    if not shown or not value:
        raise WrongFieldError("a list of names of printable characters, or null")
    return tuple(value)


def variant(value: Any) -> dict[str, bool]:
    """Return which parts the graph has."""
    if not isinstance(value, dict) or not all(isinstance(value.get(flag), bool) for flag in VARIANT_FLAGS):
        raise WrongFieldError(f"an object with true or false for each of {', '.join(VARIANT_FLAGS)}")
    return {str(key): bool(flag) for key, flag in value.items()}


def tensors(value: Any) -> tuple[TensorSpec, ...]:
    """Return the graph's inputs or outputs."""
    form = (
        'a list of {"name", "shape", "dtype"}, shapes with null for the batch and sizes of 1 to '
        f'{LARGEST_SIZE} behind it, dtype "float32"'
    )
    if not isinstance(value, list) or not value:
        raise WrongFieldError(form)
    specs = []
    for item in value:
        if not isinstance(item, dict) or not isinstance(item.get("name"), str):
            raise WrongFieldError(form)
        shape, dtype = item.get("shape"), item.get("dtype")
        if not isinstance(shape, list) or not shape or shape[0] is not None or dtype != "float32":
            raise WrongFieldError(form)
        try:
            specs.append(TensorSpec(item["name"], (None, *map(size, shape[1:])), dtype))
        except WrongFieldError as error:
            raise WrongFieldError(form) from error
    return tuple(specs)


def tolerance(value: Any) -> dict[str, dict[str, float]]:
    """Return the limits of the self-test by output."""
    bounds = ", ".join(f"{name} ({low:g} to {high:g})" for name, (low, high) in TOLERANCE_METRICS.items())
    form = f"an object of limits for each output, of {bounds}"
    if not isinstance(value, dict):
        raise WrongFieldError(form)
    for limits in value.values():
        if not isinstance(limits, dict) or not {"cosine", "max_abs"} & set(limits):
            raise WrongFieldError(f"{form}; cosine or max_abs at least")
        for metric, limit in limits.items():
            if metric not in TOLERANCE_METRICS or not _between(limit, *TOLERANCE_METRICS[metric]):
                raise WrongFieldError(form)
    return {name: {metric: float(x) for metric, x in limits.items()} for name, limits in value.items()}


def matching(value: Any) -> Matching:
    """Return the suggested threshold."""
    form = 'an object with "threshold" (-1 to 1), "false_match_rate", "true_match_rate" (0 to 1) and "set"'
    if not isinstance(value, dict) or not isinstance(value.get("set"), str):
        raise WrongFieldError(form)
    numbers = {}
    for name, low in (("threshold", -1.0), ("false_match_rate", 0.0), ("true_match_rate", 0.0)):
        if not _between(value.get(name), low, 1.0):
            raise WrongFieldError(form)
        numbers[name] = float(value[name])
    return Matching(**numbers, set=value["set"])


def retrieval(value: Any) -> RetrievalLoss:
    """Return what the file loses in retrieval."""
    try:
        return RetrievalLoss.from_record(value)
    except InputError as error:
        raise WrongFieldError(FORM) from error


def files(value: Any) -> dict[str, str]:
    """Return the digests of the bundle's files by their relative paths."""
    if not isinstance(value, dict):
        raise WrongFieldError("an object: relative path to SHA-256")
    if len(value) > MOST_FILES:
        raise WrongFieldError(f"at most {MOST_FILES} files")
    for name, digest in value.items():
        if not is_inside(name):
            raise WrongFieldError(f"paths inside the bundle; {name!r} leads out of it")
        if not isinstance(digest, str) or not re.fullmatch(r"[0-9a-f]{64}", digest):
            raise WrongFieldError(f"64 hexadecimal digits for {name!r}")
    return value


def is_inside(name: str) -> bool:
    """Tell whether a relative POSIX path, taken as it is written, stays inside its folder."""
    path = PurePosixPath(name)
    return bool(
        path.parts and not path.is_absolute() and ".." not in path.parts and "\\" not in name
        and name.isprintable() and ":" not in path.parts[0]
    )  # fmt: skip


def _between(value: Any, low: float, high: float) -> bool:
    """Tell whether a value is a number in a range; NaN is in none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and low <= value <= high


def _shown(value: Any) -> str:
    try:
        shown = json.dumps(value)
    except RecursionError:  # this is called deeper in the program than the reader of the text was
        return "nested too deep"
    return shown if len(shown) <= 60 else shown[:57] + "..."
