# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The comparison repeated on any machine: a bundle's promises, and its results against others'.

Needs neither torch nor the weights: the golden crops carry what PyTorch gave at export, and what runs is the
exported file itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.bundle import Bundle
from pamtri_edge.errors import InputError
from pamtri_edge.manifest import Manifest
from pamtri_edge.parity.embedding_sets import EmbeddingSet
from pamtri_edge.parity.judgement import Expected, Found, Outputs, judge
from pamtri_edge.parity.limits import LIMITS
from pamtri_edge.parity.pictures import Pictures, graph_inputs, parts
from pamtri_edge.printable import printable
from pamtri_edge.runtime import Backend, create_backend
from pamtri_edge.runtime.selftest import row_cosines
from pamtri_edge.words import PRECISIONS

Floats = NDArray[np.float32]

ELSEWHERE_COSINE: Final = 0.98
"""Least cosine that 95 % of embeddings taken elsewhere must reach: another scaler and color conversion work
there, and no decision can be looked at, so that the worst crop is not judged."""

_ELSEWHERE_PERCENTILE: Final = 5
_BATCH: Final = 16


@dataclass(frozen=True)
class Check:
    """One comparison.

    Attributes:
        title: what was compared with what.
        figures: by name, in order, as text.
        failures: what passes a limit, in words; empty if all is well.
        remarks: what a reader should know.
    """

    title: str
    figures: Mapping[str, str]
    failures: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def check_golden(bundle: Bundle, engine: Backend) -> Check:
    """Compare the golden crops with what the network itself gave for them at export."""
    golden = bundle.golden()
    found = run_inputs(engine, {spec.name: golden.inputs[spec.name] for spec in bundle.manifest.inputs})
    parity = bundle.manifest.parity
    against = printable(parity.get("against", "PyTorch"))
    title = f"golden crops: {engine.name} ({engine.arithmetic}) against {against} (fp32)"
    wider = parity.get("judged_as")
    judged_as = wider if wider in PRECISIONS else bundle.manifest.precision
    return compare_outputs(title, golden.reference, found, bundle.manifest, judged_as)


def check_engines(bundle: Bundle, engine: Backend, pictures: Pictures) -> Check:
    """Compare an engine with the torch engine, which computes in the types that the file states.

    Raises:
        MissingDependencyError: torch or onnx is not installed.
    """
    inputs = graph_inputs(pictures.crops, [spec.name for spec in bundle.manifest.inputs])
    other = create_backend(bundle.model, backend="torch", device="cpu", content=bundle.network)
    found, expected = run_inputs(engine, inputs), run_inputs(other, inputs)
    other.close()
    title = (
        f"{len(pictures)} crops ({pictures.source}): {engine.name} ({engine.arithmetic}) against "
        f"{other.name} ({other.arithmetic})"
    )
    return compare_outputs(title, expected, found, bundle.manifest, bundle.manifest.precision)


def check_bundles(bundle: Bundle, engine: Backend, other: Bundle, pictures: Pictures) -> Check:
    """Compare two bundles of the same weights, the other one being the reference.

    Raises:
        InputError: their embeddings have different lengths.
    """
    if bundle.manifest.embedding_dim != other.manifest.embedding_dim:
        raise InputError(
            f"{bundle.path} has embeddings of {bundle.manifest.embedding_dim} numbers, {other.path} of "
            f"{other.manifest.embedding_dim}; only bundles of the same weights can be compared."
        )
    reference = create_backend(other.model, backend="auto", content=other.network)
    found, expected = (
        run_inputs(one, graph_inputs(pictures.crops, [spec.name for spec in manifest.inputs]))
        for one, manifest in ((engine, bundle.manifest), (reference, other.manifest))
    )
    reference.close()
    precision = max(bundle.manifest.precision, other.manifest.precision, key=PRECISIONS.index)
    remarks = []
    if bundle.manifest.embedding_space != other.manifest.embedding_space:
        remarks.append("the two were made of different weights: their embeddings must not be compared")
    if bundle.manifest.geometry is not other.manifest.geometry:
        remarks.append(
            f"the geometries differ: {bundle.manifest.geometry.value} and {other.manifest.geometry.value}"
        )
    title = (
        f"{len(pictures)} crops ({pictures.source}): {bundle.path} ({engine.name}, {engine.arithmetic}) "
        f"against {other.path} ({reference.name}, {reference.arithmetic})"
    )
    return compare_outputs(title, expected, found, bundle.manifest, precision, tuple(remarks))


def check_embeddings(
    bundle: Bundle,
    engine: Backend,
    other: EmbeddingSet,
    pictures: Pictures,
    *,
    limit: float = ELSEWHERE_COSINE,
) -> Check:
    """Compare a bundle with embeddings that were taken elsewhere of the same crops.

    Raises:
        InputError: the file's embeddings do not fit the crops or the bundle.
    """
    manifest = bundle.manifest
    if other.embeddings.shape[1] != manifest.embedding_dim:
        raise InputError(
            f"{other.source} holds embeddings of {other.embeddings.shape[1]} numbers, {bundle.path} gives "
            f"{manifest.embedding_dim}; they come from different networks."
        )
    fitting, embeddings = other.of_crops(pictures.names)
    crops = [pictures.crops[index] for index in fitting]
    found = run_inputs(engine, graph_inputs(crops, [spec.name for spec in manifest.inputs]))
    cosines = row_cosines(found["embedding"], embeddings)
    low = float(np.percentile(cosines, _ELSEWHERE_PERCENTILE))
    worst = pictures.names[fitting[int(cosines.argmin())]]
    failures = []
    if low < limit:
        failures.append(
            f"the {_ELSEWHERE_PERCENTILE}th percentile of the cosines is {low:.5f} (limit {limit:g})"
        )
    if other.space is not None and other.space != manifest.embedding_space:
        failures.append(f"{other.source} was made with other weights ({other.space})")
    left = len(pictures) - len(fitting)
    return Check(
        f"{len(fitting)} crops ({pictures.source}): {engine.name} ({engine.arithmetic}) "
        f"against {other.source}",
        {
            "crops": str(len(fitting)),
            "cosine, least": f"{cosines.min():.6f} ({worst})",
            f"cosine, {_ELSEWHERE_PERCENTILE}th percentile": f"{low:.6f}",
            "cosine, mean": f"{cosines.mean():.6f}",
        },
        tuple(failures),
        (f"{left} crops have no embedding there",) if left else (),
    )


def torch_is_here() -> bool:
    """Tell whether `check_engines` can run."""
    return all(find_spec(name) is not None for name in ("torch", "onnx"))


def run_inputs(engine: Backend, inputs: dict[str, Floats]) -> dict[str, Floats]:
    """Return what an engine makes of a graph's inputs (N, ...), a few at a time."""
    found = [engine.run(part) for part in parts(inputs, _BATCH)]
    return {name: np.concatenate([part[name] for part in found]) for name in found[0]}


def compare_outputs(
    title: str,
    expected: Outputs,
    found: Outputs,
    manifest: Manifest,
    precision: str,
    remarks: tuple[str, ...] = (),
) -> Check:
    """Judge all outputs, and show the figures."""
    judged = judge(Expected(expected), Found(found), limits=LIMITS[precision], variant=manifest.variant)
    alike, apart = judged.end_to_end, judged.tied
    figures = {
        "crops": str(judged.crops),
        "cosine, least": _text(alike.minimum),
        "cosine, mean": _text(alike.mean),
        "crops with a tie": f"{apart.crops} ({apart.crops / judged.crops:.0%})",
        "  their least cosine": _text(apart.minimum),
        "  their mean cosine": _text(apart.mean),
    }
    for name, attribute in judged.attributes.items():
        agreement = attribute.agreement
        figures[f"{name}, same class"] = "-" if agreement is None else f"{agreement:.1%}"
    if (pose := judged.pose) is not None:
        figures["keypoint distance, 99th percentile"] = f"{pose.distance_p99:.2g}"
        figures["keypoint distance, largest"] = f"{pose.distance:.2g}"
        figures["confidence, largest difference"] = f"{pose.confidence:.2g}"
    return Check(title, figures, judged.failures, remarks + judged.remarks)


def _text(value: float | None) -> str:
    return "-" if value is None else f"{value:.7f}"
