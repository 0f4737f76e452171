# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Is an engine the network that its file was made of? Figures, and the verdict on them.

An engine gives no heatmaps, and one that did would be another engine. So three comparisons stand in for the
four of `judgement`:

1. *Confidences* are the peaks of the heatmaps themselves: they keep the limit of a heatmap's cell. Decisions
   may fall otherwise only where the reference is so near a tie that an error within that limit explains it.
2. *End to end*: embedding and attributes on the crops where every decision that enters them fell alike.
3. *From its own keypoints*: on every crop, what the reference makes of its own heatmaps with the keypoints
   that the engine decided on. Nothing is excused here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.parity.decisions import flips, margins
from pamtri_edge.parity.judgement import (
    Agreement,
    Attribute,
    Cosines,
    Floats,
    Outputs,
    entering,
    keypoints_are,
    not_finite,
)
from pamtri_edge.parity.limits import Limits

_SLACK = 1e-6  # rounding of the comparison itself, in units of the heatmaps


@dataclass(frozen=True)
class EnginePose:
    """How well the keypoints of an engine agree.

    Attributes:
        largest: the largest magnitude in the reference's heatmaps; the limit grows with it above 1.
        confidence: the largest difference of a confidence.
        changed: share of the keypoints that were decided otherwise.
        distance: largest distance of a keypoint, in crop units.
        distance_p99: 99th percentile of these distances.
        quality: the largest difference of a crop's quality.
    """

    largest: float
    confidence: float
    changed: float
    distance: float
    distance_p99: float
    quality: float


@dataclass(frozen=True)
class EngineJudgement:
    """The figures of one engine, and what fails.

    Attributes:
        name: what was run: "TensorRT 10.3.0", with what is particular about it.
        device: where, in words.
        via: "tensorrt" or "torch-tensorrt" with its version.
        arithmetic: what its convolutions were computed in.
        crops: how many were compared.
        end_to_end: embeddings on the crops where every decision fell alike.
        tied: embeddings on the others, for information.
        own_keypoints: embeddings on all crops, the reference fed with the engine's keypoints.
        attributes: by name, on the crops of `end_to_end`.
        own_attributes: by name, as `own_keypoints`.
        pose: None without a pose network.
        failures: what passes a limit, in words.
    """

    name: str
    device: str
    via: str
    arithmetic: str
    crops: int
    end_to_end: Cosines
    tied: Cosines
    own_keypoints: Cosines
    attributes: Mapping[str, Attribute]
    own_attributes: Mapping[str, Attribute]
    pose: EnginePose | None
    failures: tuple[str, ...]


def judge_engine(
    reference: Outputs,
    heatmaps: Floats | None,
    found: Outputs,
    forced: Outputs,
    *,
    limits: Limits,
    variant: Mapping[str, bool],
    name: str,
    device: str,
    via: str,
    arithmetic: str,
) -> EngineJudgement:
    """Compare what an engine found with the reference.

    Args:
        reference: outputs of PyTorch in float32, by name.
        heatmaps: (N, K, S, S) of the reference; None without a pose network.
        found: the engine's outputs.
        forced: what the reference makes of its heatmaps and the engine's keypoints: embedding and attributes.
        limits: of the file's precision.
        variant: what the manifest calls so: which decisions enter the embedding.
        name: what was run.
        device: where.
        via: how the engine came about.
        arithmetic: what it computed in.
    """
    failures = not_finite(found)
    finite = not failures
    tied: NDArray[np.bool_] = np.zeros(len(reference["embedding"]), np.bool_)
    pose = None
    if heatmaps is not None and finite:
        pose, changed, wrong = _judge_pose(reference, heatmaps, found, limits, variant["segments"])
        failures += wrong
        tied = entering(changed, variant)
    agreement = Agreement.of(reference, found, found, forced, tied)
    if finite:
        failures += agreement.beyond(limits, "keypoints")
    return EngineJudgement(
        name=name,
        device=device,
        via=via,
        arithmetic=arithmetic,
        crops=agreement.crops,
        end_to_end=agreement.end_to_end,
        tied=agreement.tied,
        own_keypoints=agreement.own,
        attributes=agreement.attributes,
        own_attributes=agreement.own_attributes,
        pose=pose,
        failures=tuple(failures),
    )


def _judge_pose(
    reference: Outputs, heatmaps: Floats, found: Outputs, limits: Limits, gated: bool
) -> tuple[EnginePose, NDArray[np.bool_], list[str]]:
    """Return the figures of pose, which keypoints (N, K) fell otherwise, and what passes a limit."""
    expected, points = reference["keypoints"], found["keypoints"]
    changed = flips(expected, points, gated=gated)
    distance = np.linalg.norm(points[..., :2] - expected[..., :2], axis=2)
    largest = float(np.abs(heatmaps).max())
    allowed = limits.heatmap_error(largest)
    pose = EnginePose(
        largest=largest,
        confidence=float(np.abs(points[..., 2] - expected[..., 2]).max()),
        changed=float(changed.mean()),
        distance=float(distance.max()),
        distance_p99=float(np.percentile(distance, 99)),
        quality=float(np.abs(found["quality"] - reference["quality"]).max()),
    )
    failures = []
    for what, value in (("confidence", pose.confidence), ("quality", pose.quality)):
        if not value <= allowed:
            failures.append(f"a {what} differs by {value:.4g} (limit {allowed:.4g})")
    margin = margins(heatmaps, gated=gated)
    unexplained = changed & (margin > 2 * (allowed + _SLACK * max(1.0, largest)))
    if unexplained.any():
        crop, keypoint = np.argwhere(unexplained)[0]
        failures.append(
            f"{keypoints_are(int(unexplained.sum()))} decided differently though the heatmaps are clear "
            f"(the first: keypoint {keypoint} of crop {crop}, margin {margin[crop, keypoint]:.4g}): decode "
            "in the engine is not the reference's"
        )
    return pose, changed, failures
