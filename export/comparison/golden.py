# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The golden crops of a bundle, and how far another engine may be from them.

They are drawn: a bundle is copied about, and footage from a user's camera has no place in it. Of a few
candidates those are taken on which the networks' decisions are clearest, so that an engine that rounds
otherwise, but rightly, comes to the same results.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.bundle import Golden
from pamtri_edge.errors import ExportError
from pamtri_edge.export.comparison.reference import Reference
from pamtri_edge.export.comparison.runs import Run
from pamtri_edge.parity.decisions import margins
from pamtri_edge.parity.pictures import Pictures, drawn_pictures
from pamtri_edge.runtime.selftest import differences

Floats = NDArray[np.float32]

CANDIDATES: Final = 16  # that golden crops are chosen from
_COUNT: Final = 4
_SEED: Final = 36  # another than that of the pictures that drawn weights are calibrated on

_TOLERANCE: Final[Mapping[str, Mapping[str, Mapping[str, float]]]] = {
    "fp32": {
        "embedding": {"cosine": 0.9995},
        "color": {"max_abs": 0.02},
        "type": {"max_abs": 0.02},
        "keypoints": {"max_abs": 0.02, "share": 0.97},
        "quality": {"max_abs": 0.01},
    },
    "fp16": {
        "embedding": {"cosine": 0.99},
        "color": {"max_abs": 0.1},
        "type": {"max_abs": 0.1},
        "keypoints": {"max_abs": 0.03, "share": 0.9},
        "quality": {"max_abs": 0.02},
    },
    "int8": {
        "embedding": {"cosine": 0.95},
        "color": {"max_abs": 0.3},
        "type": {"max_abs": 0.3},
        "keypoints": {"max_abs": 0.1, "share": 0.7},
        "quality": {"max_abs": 0.05},
    },
}
"""Wide enough for an engine that rounds otherwise (TensorFloat-32, float16 sums, another order of additions),
far from what a wrong picture or another network gives."""


def tolerance(precision: str, outputs: tuple[str, ...]) -> dict[str, dict[str, float]]:
    """Return the limits of the self-test for each output."""
    return {name: dict(_TOLERANCE[precision][name]) for name in outputs}


def candidates() -> Pictures:
    """Draw the crops that golden ones are chosen from; they come with the package, as it were."""
    return drawn_pictures(CANDIDATES, seed=_SEED)


def golden(reference: Reference, runs: Sequence[Run], *, precision: str, strict: bool = True) -> Golden:
    """Choose the golden crops.

    Args:
        reference: the network in float32 on `candidates`.
        runs: of the exported file on them; the first one's results are what is expected.
        precision: of the file.
        strict: take only crops on which all runs agree.

    Raises:
        ExportError: the engines of this machine disagree on all candidates by more than the tolerance, so
            that the bundle would fail its own self-test.
    """
    inputs = reference.inputs
    expected, *others = (run.found.outputs for run in runs)
    clearest = np.arange(len(inputs["images"]))
    if reference.heatmaps is not None:
        clear = margins(reference.heatmaps, gated=reference.gated).min(axis=1)
        clearest = np.argsort(-clear, kind="stable")
    limits = tolerance(precision, tuple(reference.outputs))
    kept = [
        crop
        for crop in clearest
        if not strict or all(_agree(expected, other, int(crop), limits) for other in others)
    ][:_COUNT]
    if not kept:
        engines = " and ".join(run.backend for run in runs)
        raise ExportError(
            f"{engines} disagree about this {precision} file on every golden crop, so that it would fail its "
            "self-test: the network amplifies rounding too much for this precision. Export with --precision "
            "fp32."
        )
    return Golden(
        inputs={name: array[kept] for name, array in inputs.items()},
        expected={name: array[kept] for name, array in expected.items()},
        reference={name: array[kept] for name, array in reference.outputs.items()},
    )


def _agree(
    expected: Mapping[str, Floats],
    other: Mapping[str, Floats],
    crop: int,
    limits: Mapping[str, Mapping[str, float]],
) -> bool:
    return not any(
        differences(other[name][crop : crop + 1], expected[name][crop : crop + 1], limits[name])
        for name in limits
    )
