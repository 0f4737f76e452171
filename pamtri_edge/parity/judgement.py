# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Is a file, an engine or a bundle the network that it was made of? Figures, and the one verdict on them.

Four comparisons, each of which leaves the next nothing to hide behind:

1. *Heatmaps*: those found against the reference's, cell by cell. Their largest difference is the error e on
   this keypoint; it has a limit of its own. An engine gives no heatmaps, and one that did would be another
   engine; there the confidences, which are the peaks themselves, keep that limit in their place.
2. *Decisions*: a keypoint may be decided otherwise only where its margin is at most 2 e (`decisions`), with
   the limit for e where no heatmaps were found. With another decision the reference is no longer the right
   thing to compare the embedding with.
3. *End to end*: embedding and attributes on the crops where every decision that enters them fell alike. The
   others are counted and shown apart.
4. *From its own heatmaps* (of an engine: keypoints): on every crop, what the reference makes of these against
   what was found. Here both decide from the same numbers, so that nothing is excused.

On another machine the reference's heatmaps are not at hand, nor the reference itself (`verify`): then whether
a decision was near a tie is not known, and the mean cosine of the crops with one has a limit instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.parity.agreement import Attribute, Cosines, Floats
from pamtri_edge.parity.decisions import flips, margins
from pamtri_edge.parity.limits import Limits
from pamtri_edge.runtime.selftest import row_cosines

Outputs = Mapping[str, Floats]

_SLACK = 1e-6  # rounding of the comparisons themselves, in units of the heatmaps


@dataclass(frozen=True)
class Expected:
    """What the reference makes of the crops.

    Attributes:
        outputs: by name.
        heatmaps: (N, K, S, S); None without a pose network, or where they are not at hand.
    """

    outputs: Outputs
    heatmaps: Floats | None = None


@dataclass(frozen=True)
class Found:
    """What an engine made of the crops.

    Attributes:
        outputs: by name.
        heatmaps: (N, K, S, S); None without a pose network, and of an engine that does not give them.
        with_heatmaps: the outputs that belong to these heatmaps, where they are not `outputs`.
        forced: what the reference makes of these heatmaps, or of the keypoints found; None where the
            reference is not at hand.
    """

    outputs: Outputs
    heatmaps: Floats | None = None
    with_heatmaps: Outputs | None = None
    forced: Outputs | None = None

    def of_crops(self, place: slice) -> Found:
        """Return what was found on some of the crops alone."""
        outputs, both, forced = (
            None if results is None else {name: values[place] for name, values in results.items()}
            for results in (self.outputs, self.with_heatmaps, self.forced)
        )
        assert outputs is not None
        return Found(outputs, None if self.heatmaps is None else self.heatmaps[place], both, forced)


@dataclass(frozen=True)
class Pose:
    """How well heatmaps and keypoints agree; None for what could not be compared.

    Attributes:
        largest: the largest magnitude in the reference's heatmaps; the limit grows with it above 1.
        error: the largest difference of a cell.
        mean_error: the mean difference of a cell.
        cosine: the least cosine of a crop's heatmaps, all together.
        confidence: the largest difference of a confidence.
        quality: the largest difference of a crop's quality.
        near: share of the keypoints that the error could have decided otherwise.
        changed: share of the keypoints that were decided otherwise.
        distance: largest distance of a keypoint, in crop units.
        distance_p99: 99th percentile of these distances.
        unchanged_distance: largest distance of a keypoint that was decided alike.
    """

    largest: float
    error: float | None
    mean_error: float | None
    cosine: float | None
    confidence: float
    quality: float | None
    near: float | None
    changed: float
    distance: float
    distance_p99: float
    unchanged_distance: float


@dataclass(frozen=True)
class Judgement:
    """The figures of one engine, and what fails.

    Attributes:
        engine: what was run: a backend's name, "TensorRT 10.3.0".
        arithmetic: what its convolutions were computed in.
        crops: how many were compared.
        end_to_end: embeddings on the crops where every decision fell alike.
        tied: embeddings on the others, for information.
        own: embeddings on all crops, the reference fed with the heatmaps or keypoints found; of no crops
            where the reference is not at hand.
        attributes: by name, on the crops of `end_to_end`.
        own_attributes: by name, as `own`.
        pose: None without a pose network.
        failures: what passes a limit, in words.
        remarks: what a reader should know.
    """

    engine: str
    arithmetic: str
    crops: int
    end_to_end: Cosines
    tied: Cosines
    own: Cosines
    attributes: Mapping[str, Attribute]
    own_attributes: Mapping[str, Attribute]
    pose: Pose | None
    failures: tuple[str, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True)
class Staged:
    """How the two-network form agrees with the reference, each stage on what the reference hands it.

    Attributes:
        engine: what was run.
        arithmetic: what its convolutions were computed in.
        crops: how many.
        heatmap: the largest difference of a heatmap's cell.
        embedding: cosines of the re-identification stage.
        failures: what passes a limit, in words.
    """

    engine: str
    arithmetic: str
    crops: int
    heatmap: float
    embedding: Cosines
    failures: tuple[str, ...]


def judge(
    expected: Expected,
    found: Found,
    *,
    limits: Limits,
    variant: Mapping[str, bool],
    engine: str = "",
    arithmetic: str = "",
) -> Judgement:
    """Compare what was found with the reference, as far as both are at hand.

    Args:
        expected: of the reference: PyTorch in float32, or what stands for it.
        found: on the same crops.
        limits: of the file's precision.
        variant: what the manifest calls so: which decisions enter the embedding.
        engine: what was run, for the record.
        arithmetic: what it computed in, for the record.
    """
    outputs, reference = found.outputs, expected.outputs
    everything = {**outputs, **({} if found.heatmaps is None else {"heatmaps": found.heatmaps})}
    failures = _not_finite(everything)
    finite = not failures
    tied: NDArray[np.bool_] = np.zeros(len(reference["embedding"]), np.bool_)
    pose = None
    if finite and "keypoints" in reference and "keypoints" in outputs:
        pose, changed, wrong = _judge_pose(expected, found, limits, gated=variant["segments"])
        failures += wrong
        tied = np.asarray(changed.any(axis=1)) & (variant["keypoints"] or variant["segments"])
    alike = ~tied
    names = [name for name in ("color", "type") if name in reference and name in outputs]
    end_to_end = Cosines.of(outputs["embedding"][alike], reference["embedding"][alike])
    apart = Cosines.of(outputs["embedding"][tied], reference["embedding"][tied])
    attributes = {name: Attribute.of(outputs[name][alike], reference[name][alike]) for name in names}
    own, own_attributes = Cosines(0, None, None), {}
    if (forced := found.forced) is not None:
        both = found.with_heatmaps or outputs
        own = Cosines.of(both["embedding"], forced["embedding"])
        own_attributes = {name: Attribute.of(both[name], forced[name]) for name in names}
    what = "keypoints" if found.heatmaps is None else "heatmaps"
    if finite:
        failures += _beyond(end_to_end, attributes, limits, "end to end")
        failures += _beyond(own, own_attributes, limits, f"from its own {what}")
        blind = expected.heatmaps is None and found.forced is None
        if blind and apart.mean is not None and not apart.mean >= limits.tied_cosine:
            failures.append(
                f"the mean cosine of the crops with a tie is {apart.mean:.6f} (limit {limits.tied_cosine:g})"
            )
    return Judgement(
        engine=engine,
        arithmetic=arithmetic,
        crops=len(reference["embedding"]),
        end_to_end=end_to_end,
        tied=apart,
        own=own,
        attributes=attributes,
        own_attributes=own_attributes,
        pose=pose,
        failures=tuple(failures),
        remarks=_remarks(int(tied.sum()), len(tied), limits, None if found.forced is None else what),
    )


def _judge_pose(
    expected: Expected, found: Found, limits: Limits, *, gated: bool
) -> tuple[Pose, NDArray[np.bool_], list[str]]:
    """Return the figures of pose, which keypoints (N, K) fell otherwise, and what passes a limit."""
    reference, points = expected.outputs["keypoints"], found.outputs["keypoints"]
    peaks = reference[..., 2] if expected.heatmaps is None else expected.heatmaps
    largest = float(np.abs(peaks).max(initial=0.0))
    allowed = limits.heatmap_error(largest)
    changed = flips(reference, points, gated=gated)
    distance = np.linalg.norm(points[..., :2] - reference[..., :2], axis=2)
    margin = None if expected.heatmaps is None else margins(expected.heatmaps, gated=gated)
    # How far a cell of this keypoint's heatmap is off: measured, or as far as it may be.
    error: NDArray[np.floating] = np.full(changed.shape, allowed)
    cells = mean = cosine = near = quality = None
    if found.heatmaps is not None and expected.heatmaps is not None and margin is not None:
        errors = np.abs(found.heatmaps - expected.heatmaps)
        error = errors.max(axis=(2, 3))
        cells, mean = float(error.max()), float(errors.mean())
        cosine = float(row_cosines(found.heatmaps, expected.heatmaps).min())
        near = float((margin <= 2 * error).mean())
    elif "quality" in found.outputs and "quality" in expected.outputs:
        quality = float(np.abs(found.outputs["quality"] - expected.outputs["quality"]).max())
    pose = Pose(
        largest=largest,
        error=cells,
        mean_error=mean,
        cosine=cosine,
        confidence=float(np.abs(points[..., 2] - reference[..., 2]).max()),
        quality=quality,
        near=near,
        changed=float(changed.mean()),
        distance=float(distance.max()),
        distance_p99=float(np.percentile(distance, 99)),
        unchanged_distance=float(distance[~changed].max(initial=0.0)),
    )
    failures = _beyond_pose(pose, limits)
    # Of the heatmaps that belong to these outputs: an engine may round the tapped graph a little otherwise.
    if margin is not None:
        unexplained = changed & (margin > 2 * (error + _SLACK * max(1.0, largest)))
        if unexplained.any():
            crop, keypoint = np.argwhere(unexplained)[0]
            count = int(unexplained.sum())
            failures.append(
                f"{'1 keypoint is' if count == 1 else f'{count} keypoints are'} decided differently though "
                f"the heatmaps are clear (the first: keypoint {keypoint} of crop {crop}, margin "
                f"{margin[crop, keypoint]:.4g}, error {error[crop, keypoint]:.4g}): decode is not the "
                "reference's"
            )
    return pose, changed, failures


def _beyond_pose(pose: Pose, limits: Limits) -> list[str]:
    """Return what of these figures passes a limit, in words."""
    allowed = limits.heatmap_error(pose.largest)
    values = (("heatmap", pose.error), ("confidence", pose.confidence), ("quality", pose.quality))
    failures = [
        f"a {what} differs by {value:.4g} (limit {allowed:.4g})"
        for what, value in values
        if value is not None and not value <= allowed
    ]
    if pose.cosine is not None and not pose.cosine >= limits.heatmap_cosine:
        failures.append(f"a crop's heatmaps have cosine {pose.cosine:.6f} (limit {limits.heatmap_cosine:g})")
    return failures


def _not_finite(outputs: Outputs) -> list[str]:
    """Return which outputs hold NaN or infinity, in words."""
    return [
        f"{name} holds values that are not finite"
        for name, values in outputs.items()
        if not np.isfinite(values).all()
    ]


def _beyond(cosines: Cosines, attributes: Mapping[str, Attribute], limits: Limits, what: str) -> list[str]:
    """Return what of these figures passes a limit, in words that begin with `what`."""
    failures = []
    if cosines.minimum is not None and not cosines.minimum >= limits.cosine:
        failures.append(f"{what}, the least cosine is {cosines.minimum:.6f} (limit {limits.cosine:g})")
    if cosines.mean is not None and not cosines.mean >= limits.mean_cosine:
        failures.append(f"{what}, the mean cosine is {cosines.mean:.6f} (limit {limits.mean_cosine:g})")
    for name, figure in attributes.items():
        if figure.difference is not None and not figure.difference <= limits.probability:
            failures.append(
                f"{what}, a probability of {name} differs by {figure.difference:.4f} "
                f"(limit {limits.probability:g})"
            )
    return failures


def _remarks(tied: int, crops: int, limits: Limits, own: str | None) -> tuple[str, ...]:
    """Return on what the verdict rests, where ties fell otherwise; the reference was fed with `own`."""
    if not tied:
        return ()
    text = f"{tied} of {crops} crops have a tie that fell otherwise; their cosine is for information"
    if tied == crops and own is None:
        return ("every crop has a tie: the verdict rests on confidences and the mean cosine alone",)
    if tied == crops:
        first = "heatmaps" if own == "heatmaps" else "confidences"
        return (f"{text}; the verdict rests on {first} and on the comparison from its own {own}",)
    if own is None:
        return ()
    if tied > limits.tied_share * crops:
        return (f"{text}; the end-to-end figure rests on {crops - tied} crops",)
    return (text,)
