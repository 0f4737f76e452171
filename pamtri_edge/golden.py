# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The golden arrays of a bundle: a few crops and what the graph gave for them, in an .npz file.

The file may come from anyone. What it declares is compared with what is sensible before any of it is
unpacked, and nothing of it is ever unpickled.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.errors import BundleError
from pamtri_edge.files.npz import ArchiveError, unpack
from pamtri_edge.manifest_fields import REMEDY, TensorSpec

GOLDEN_LIMIT: Final = 64 << 20
"""Bytes that the file may have, and that its arrays may have as float32; four crops have 4 MB."""

_MOST_ENTRIES: Final = 64
_GROUPS: Final = ("input", "expected", "reference")

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Golden:
    """A few crops as the graph takes them, and what it gave for them.

    Attributes:
        inputs: the graph's inputs by name, (G, ...) float32.
        expected: outputs of the exported file itself, by name; the self-test compares with these.
        reference: outputs of the fp32 network in PyTorch, by name; what the export was judged by.
    """

    inputs: Arrays
    expected: Arrays
    reference: Arrays

    def save(self, path: Path) -> None:
        """Write the arrays to an .npz file; pictures that hold only bytes are stored as bytes."""
        groups = dict(zip(_GROUPS, (self.inputs, self.expected, self.reference), strict=True))
        arrays = {
            f"{group}/{name}": _as_bytes(array) if group == "input" else array
            for group, members in groups.items()
            for name, array in members.items()
        }
        np.savez_compressed(path, allow_pickle=False, **arrays)

    @staticmethod
    def read(content: bytes, *, source: Path) -> Golden:
        """Read the arrays from the bytes of an .npz file; everything comes back as float32.

        Args:
            content: the bytes.
            source: how errors call the file.

        Raises:
            BundleError: they are not of that form, or declare more than a golden file holds.
        """
        try:
            groups = _unpack(content)
        except ArchiveError as error:
            raise BundleError(f"{source}: {error}. {REMEDY}") from error
        except Exception as error:  # zipfile and NumPy raise a dozen kinds for bytes that are not theirs
            raise BundleError(f"{source} holds no golden arrays ({error!r:.200}). {REMEDY}") from error
        if not groups["input"] or not groups["expected"]:
            raise BundleError(f"{source} lacks golden inputs or golden outputs. {REMEDY}")
        return Golden(groups["input"], groups["expected"], groups["reference"])

    def check(self, inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...], *, source: Path) -> None:
        """Compare with what a manifest says of the graph.

        Raises:
            BundleError: an array is missing, or has another shape or another number of crops.
        """
        counts = _check_arrays(source, "input", self.inputs, inputs)
        counts |= _check_arrays(source, "expected", self.expected, outputs)
        if self.reference:
            counts |= _check_arrays(source, "reference", self.reference, outputs)
        if len(counts) > 1:
            raise BundleError(
                f"{source}: the golden arrays have {sorted(counts)} rows, not one count. {REMEDY}"
            )


def _unpack(content: bytes) -> dict[str, Arrays]:
    groups: dict[str, Arrays] = {group: {} for group in _GROUPS}
    for key, array in unpack(content, limit=GOLDEN_LIMIT, most=_MOST_ENTRIES).items():
        group, _, name = key.partition("/")
        if group not in groups or not name:
            raise ArchiveError(f"{key[:80]!r} is no golden array")
        with np.errstate(over="ignore"):
            groups[group][name] = array.astype(np.float32)
        if not np.isfinite(groups[group][name]).all():
            raise ArchiveError(f"{key} holds NaN or infinity")
    return groups


def _check_arrays(
    source: Path, group: str, arrays: Mapping[str, Any], specs: tuple[TensorSpec, ...]
) -> set[int]:
    """Return the numbers of rows."""
    counts = set()
    for spec in specs:
        if spec.name not in arrays:
            raise BundleError(f"{source} lacks {group}/{spec.name}, which the manifest names. {REMEDY}")
        shape = arrays[spec.name].shape
        if len(shape) != len(spec.shape) or shape[1:] != spec.shape[1:] or shape[0] < 1:
            raise BundleError(
                f"{source}: {group}/{spec.name} has shape {shape}; the manifest says "
                f"{('N', *spec.shape[1:])}, N at least 1. {REMEDY}"
            )
        counts.add(shape[0])
    if unknown := set(arrays) - {spec.name for spec in specs}:
        raise BundleError(
            f"{source} holds {group}/{min(unknown)}, which the manifest does not name. {REMEDY}"
        )
    return counts


def _as_bytes(array: NDArray[Any]) -> NDArray[Any]:
    stored = np.clip(array, 0, 255).astype(np.uint8)
    return stored if np.array_equal(stored, array) else array
