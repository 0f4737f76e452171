# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The self-test: an engine must give, for the golden crops, what the exported file gave at export."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.bundle import Bundle, Golden
from pamtri_edge.errors import BundleError, InputError
from pamtri_edge.runtime.backend import Backend, KeepingBackend

_log = logging.getLogger(__name__)


def prove(bundle: Bundle, backend: Backend) -> None:
    """Test an engine; one that came out of a cache and fails is compiled anew, and tested once more.

    Raises:
        BundleError: as `self_test`.
    """
    try:
        self_test(bundle, backend)
    except BundleError as error:
        if not (isinstance(backend, KeepingBackend) and backend.compile_again()):
            raise
        _log.warning("what was kept of an earlier run is compiled again: %s", error)
        self_test(bundle, backend)


def self_test(bundle: Bundle, backend: Backend) -> None:
    """Run the golden crops and compare every output with the manifest's tolerance.

    An engine that runs some batch sizes by code of their own has them in `batch_sizes`; each is tested.

    Args:
        bundle: whose golden inputs and outputs are used.
        backend: an engine with the bundle's network.

    Raises:
        BundleError: an output differs by more than its tolerance; the message says which, by how much,
            what it may mean and what to do.
    """
    golden = bundle.golden()
    count = len(next(iter(golden.inputs.values())))
    for size in getattr(backend, "batch_sizes", (count,)):
        rows = np.arange(size) % count
        if wrong := _wrong(bundle, backend, golden, rows):
            at = "" if size == count else f" at batch size {size}"
            raise BundleError(
                f"{bundle.path} failed its self-test on {backend.name} ({backend.device}, "
                f"{backend.arithmetic}){at}: {'; '.join(wrong)}. This engine computes something else than "
                "the exporter's did, so its embeddings would not match others: a fault of the engine or its "
                "version, or golden.npz of another network. Try another backend, or export the bundle again "
                f"on this machine.{_hint(backend)}"
            )


def _wrong(bundle: Bundle, backend: Backend, golden: Golden, rows: NDArray[np.int64]) -> list[str]:
    """Run these golden crops; return what is wrong with the outputs, a clause each."""
    try:
        found = backend.run({spec.name: golden.inputs[spec.name][rows] for spec in bundle.manifest.inputs})
    except InputError as error:
        raise BundleError(
            f"{bundle.model} is not the network that the manifest describes: {error} Export the bundle again."
        ) from error
    if unknown := set(found) - {spec.name for spec in bundle.manifest.outputs}:
        raise BundleError(
            f"{bundle.model} is not the network that the manifest describes: it also gives {min(unknown)!r}. "
            "Export the bundle again."
        )
    wrong: list[str] = []
    for spec in bundle.manifest.outputs:
        if spec.name not in found:
            wrong.append(f"{spec.name} is not computed")
            continue
        limits = bundle.manifest.tolerance[spec.name]
        wrong += [
            f"{spec.name} {what}"
            for what in differences(found[spec.name], golden.expected[spec.name][rows], limits)
        ]
    return wrong


def _hint(backend: Backend) -> str:
    if backend.name == "tensorrt":
        return " Deleting the bundle's folder engines/ lets TensorRT build its engine anew."
    if backend.arithmetic != "int8" or backend.name != "openvino":
        return ""
    return (
        " Int8 sums overflow on x86 processors without VNNI ('pamtri doctor' tells): use a bundle of "
        "precision fp16 or fp32 there."
    )


def differences(
    found: NDArray[np.float32], expected: NDArray[np.float32], limits: Mapping[str, float]
) -> list[str]:
    """Return what passes the limits, as clauses that continue the output's name; empty if all is well.

    Args:
        found: (G, ...) what the engine gave.
        expected: (G, ...) what it should have given.
        limits: `cosine`, `max_abs`, `share`; see `Manifest.tolerance`.
    """
    if found.shape != expected.shape:
        return [f"has shape {found.shape} instead of {expected.shape}"]
    if not np.isfinite(found).all():
        return ["holds values that are not finite"]
    wrong = []
    if "cosine" in limits:
        cosines = row_cosines(found, expected)
        worst = int(cosines.argmin())
        if not cosines[worst] >= limits["cosine"]:  # so that NaN is wrong
            wrong.append(f"has cosine {cosines[worst]:.6f} at crop {worst} (limit {limits['cosine']:g})")
    if "max_abs" in limits:
        off = np.abs(found.astype(np.float64) - expected)
        kept = float((off <= limits["max_abs"]).mean())
        share = limits.get("share", 1.0)
        if not kept >= share:
            wrong.append(
                f"differs by up to {off.max():.4g} (limit {limits['max_abs']:g}, kept by {kept:.1%} of its "
                f"values where {share:.1%} must)"
            )
    return wrong


def row_cosines(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the cosine of each row of `a` with that of `b`, 1 where both are zero, as float64 (G,)."""
    left = a.reshape(len(a), -1).astype(np.float64)
    right = b.reshape(len(b), -1).astype(np.float64)
    lengths = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
    cosines = np.einsum("ij,ij->i", left, right) / np.where(lengths > 0, lengths, 1.0)
    both_zero = ~left.any(axis=1) & ~right.any(axis=1)
    return np.where(both_zero, 1.0, cosines)
