# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Is an exported file the network that it was made of? Figures, and the verdict on them.

Four comparisons, each of which leaves the next nothing to hide behind:

1. *Heatmaps*: the file's against the reference's, cell by cell. Their largest difference is the error e
   of this file on this keypoint; it has a limit of its own.
2. *Decisions*: a keypoint may be decided otherwise only where its margin is at most 2 e (`decisions`).
   With another decision the reference is no longer the right thing to compare the embedding with.
3. *End to end*: embedding and attributes on the crops where every decision that enters them fell alike. The
   others are counted and shown apart.
4. *From its own heatmaps*: on every crop, what the reference makes of the file's heatmaps against what the
   file makes of them. Here both decide from the same numbers, so that nothing is excused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.parity.decisions import flips, margins
from pamtri_edge.parity.limits import Limits
from pamtri_edge.runtime.selftest import row_cosines

Floats = NDArray[np.float32]
Outputs = Mapping[str, Floats]

_SLACK = 1e-6  # rounding of the comparisons themselves, in units of the heatmaps


@dataclass(frozen=True)
class Found:
    """What an engine made of the crops.

    Attributes:
        outputs: of the file itself.
        heatmaps: of the file, (N, K, S, S); None without a pose network.
        with_heatmaps: the outputs that belong to these heatmaps.
        forced: what the reference makes of these heatmaps.
    """

    outputs: Outputs
    heatmaps: Floats | None
    with_heatmaps: Outputs
    forced: Outputs

    def of_crops(self, place: slice) -> Found:
        """Return what was found on some of the crops alone."""
        outputs, both, forced = (
            {name: values[place] for name, values in results.items()}
            for results in (self.outputs, self.with_heatmaps, self.forced)
        )
        return Found(outputs, None if self.heatmaps is None else self.heatmaps[place], both, forced)


@dataclass(frozen=True)
class Cosines:
    """Cosines between two sets of embeddings.

    Attributes:
        crops: how many.
        minimum: the least; None for no crops.
        mean: None for no crops.
    """

    crops: int
    minimum: float | None
    mean: float | None

    @classmethod
    def of(cls, a: Floats, b: Floats) -> Cosines:
        """Compare the rows of two arrays (N, D)."""
        if len(a) == 0:
            return cls(0, None, None)
        values = row_cosines(a, b)
        return cls(len(values), float(values.min()), float(values.mean()))


@dataclass(frozen=True)
class Attribute:
    """How well an attribute agrees.

    Attributes:
        crops: how many.
        agreement: share of the crops with the same most probable class; None for no crops.
        difference: largest difference of a probability; None for no crops.
    """

    crops: int
    agreement: float | None
    difference: float | None

    @classmethod
    def of(cls, a: Floats, b: Floats) -> Attribute:
        """Compare probabilities (N, C)."""
        if len(a) == 0:
            return cls(0, None, None)
        alike = a.argmax(axis=1) == b.argmax(axis=1)
        return cls(len(a), float(alike.mean()), float(np.abs(a - b).max()))


@dataclass(frozen=True)
class Agreement:
    """How well embeddings and attributes agree, end to end and where both sides decide from the same.

    Attributes:
        crops: how many were compared.
        end_to_end: embeddings on the crops where every decision fell alike.
        tied: embeddings on the others, for information.
        own: embeddings on all crops, the reference fed with what the other side decides from.
        attributes: by name, on the crops of `end_to_end`.
        own_attributes: by name, as `own`.
    """

    crops: int
    end_to_end: Cosines
    tied: Cosines
    own: Cosines
    attributes: Mapping[str, Attribute]
    own_attributes: Mapping[str, Attribute]

    @classmethod
    def of(
        cls, reference: Outputs, found: Outputs, own: Outputs, forced: Outputs, tied: NDArray[np.bool_]
    ) -> Agreement:
        """Compare outputs.

        Args:
            reference: of the reference, by name.
            found: of the other side.
            own: of the other side, that belong to what `forced` was fed with.
            forced: of the reference, fed with what the other side decides from.
            tied: (N,) whether a decision that enters the embedding fell otherwise.
        """
        alike = ~tied
        embeddings, expected = found["embedding"], reference["embedding"]
        names = [name for name in ("color", "type") if name in reference]
        return cls(
            crops=len(expected),
            end_to_end=Cosines.of(embeddings[alike], expected[alike]),
            tied=Cosines.of(embeddings[tied], expected[tied]),
            own=Cosines.of(own["embedding"], forced["embedding"]),
            attributes={name: Attribute.of(found[name][alike], reference[name][alike]) for name in names},
            own_attributes={name: Attribute.of(own[name], forced[name]) for name in names},
        )

    def beyond(self, limits: Limits, own: str) -> list[str]:
        """Return what passes a limit, in words; `own` says what the second comparison was made from."""
        return [
            *_beyond(self.end_to_end, self.attributes, limits, "end to end"),
            *_beyond(self.own, self.own_attributes, limits, f"from its own {own}"),
        ]


@dataclass(frozen=True)
class Pose:
    """How well heatmaps and keypoints agree.

    Attributes:
        largest: the largest magnitude in the reference's heatmaps; the limit grows with it above 1.
        error: the largest difference of a cell.
        mean_error: the mean difference of a cell.
        cosine: the least cosine of a crop's heatmaps, all together.
        confidence: the largest difference of a confidence.
        near: share of the keypoints that the error could have decided otherwise.
        changed: share of the keypoints that were decided otherwise.
        distance: largest distance of a keypoint, in crop units.
        distance_p99: 99th percentile of these distances.
        unchanged_distance: largest distance of a keypoint that was decided alike.
    """

    largest: float
    error: float
    mean_error: float
    cosine: float
    confidence: float
    near: float
    changed: float
    distance: float
    distance_p99: float
    unchanged_distance: float


@dataclass(frozen=True)
class Judgement:
    """The figures of one engine, and what fails.

    Attributes:
        backend: the engine.
        arithmetic: what its convolutions were computed in.
        crops: how many were compared.
        end_to_end: embeddings on the crops where every decision fell alike.
        tied: embeddings on the others, for information.
        own_heatmaps: embeddings on all crops, the reference fed with the file's heatmaps.
        attributes: by name, on the crops of `end_to_end`.
        own_attributes: by name, as `own_heatmaps`.
        pose: None without a pose network.
        failures: what passes a limit, in words.
        remarks: what a reader should know.
    """

    backend: str
    arithmetic: str
    crops: int
    end_to_end: Cosines
    tied: Cosines
    own_heatmaps: Cosines
    attributes: Mapping[str, Attribute]
    own_attributes: Mapping[str, Attribute]
    pose: Pose | None
    failures: tuple[str, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True)
class Staged:
    """How the two-network form agrees with the reference, each stage on what the reference hands it.

    Attributes:
        backend: the engine.
        arithmetic: what its convolutions were computed in.
        crops: how many.
        heatmap: the largest difference of a heatmap's cell.
        embedding: cosines of the re-identification stage.
        failures: what passes a limit, in words.
    """

    backend: str
    arithmetic: str
    crops: int
    heatmap: float
    embedding: Cosines
    failures: tuple[str, ...]


def judge(
    reference: Outputs,
    heatmaps: Floats | None,
    found: Found,
    *,
    limits: Limits,
    variant: Mapping[str, bool],
    backend: str,
    arithmetic: str,
) -> Judgement:
    """Compare what an engine found with the reference.

    Args:
        reference: outputs of PyTorch in float32, by name.
        heatmaps: (N, K, S, S) of the reference; None without a pose network.
        found: what the engine found on the same crops.
        limits: of the file's precision.
        variant: what the manifest calls so: which decisions enter the embedding.
        backend: name of the engine.
        arithmetic: what it computed in.
    """
    everything = {**found.outputs, **({} if found.heatmaps is None else {"heatmaps": found.heatmaps})}
    failures = not_finite(everything)
    finite = not failures
    tied: NDArray[np.bool_] = np.zeros(len(reference["embedding"]), np.bool_)
    pose = None
    if heatmaps is not None and finite:
        pose, changed, wrong = _judge_pose(reference, heatmaps, found, limits, variant["segments"])
        failures += wrong
        tied = entering(changed, variant)
    agreement = Agreement.of(reference, found.outputs, found.with_heatmaps, found.forced, tied)
    if finite:
        failures += agreement.beyond(limits, "heatmaps")
    return Judgement(
        backend=backend,
        arithmetic=arithmetic,
        crops=agreement.crops,
        end_to_end=agreement.end_to_end,
        tied=agreement.tied,
        own_heatmaps=agreement.own,
        attributes=agreement.attributes,
        own_attributes=agreement.own_attributes,
        pose=pose,
        failures=tuple(failures),
        remarks=_remarks(int(tied.sum()), agreement.crops, limits),
    )


def _judge_pose(
    reference: Outputs, heatmaps: Floats, found: Found, limits: Limits, gated: bool
) -> tuple[Pose, NDArray[np.bool_], list[str]]:
    """Return the figures of pose, which keypoints (N, K) fell otherwise, and what passes a limit."""
    assert found.heatmaps is not None
    errors = np.abs(found.heatmaps - heatmaps)
    error = errors.max(axis=(2, 3))
    margin = margins(heatmaps, gated=gated)
    near = margin <= 2 * error
    expected, points = reference["keypoints"], found.outputs["keypoints"]
    changed = flips(expected, points, gated=gated)
    distance = np.linalg.norm(points[..., :2] - expected[..., :2], axis=2)
    confidence = np.abs(points[..., 2] - expected[..., 2])
    largest = float(np.abs(heatmaps).max())
    pose = Pose(
        largest=largest,
        error=float(error.max()),
        mean_error=float(errors.mean()),
        cosine=float(row_cosines(found.heatmaps, heatmaps).min()),
        confidence=float(confidence.max()),
        near=float(near.mean()),
        changed=float(changed.mean()),
        distance=float(distance.max()),
        distance_p99=float(np.percentile(distance, 99)),
        unchanged_distance=float(distance[~changed].max(initial=0.0)),
    )
    failures = []
    allowed = limits.heatmap_error(largest)
    for what, value in (("heatmap", pose.error), ("confidence", pose.confidence)):
        if not value <= allowed:
            failures.append(f"a {what} differs by {value:.4g} (limit {allowed:.4g})")
    if not pose.cosine >= limits.heatmap_cosine:
        failures.append(f"a crop's heatmaps have cosine {pose.cosine:.6f} (limit {limits.heatmap_cosine:g})")
    # Of the heatmaps that belong to these outputs: an engine may round the tapped graph a little otherwise.
    unexplained = changed & (margin > 2 * (error + _SLACK * max(1.0, largest)))
    if unexplained.any():
        crop, keypoint = np.argwhere(unexplained)[0]
        failures.append(
            f"{keypoints_are(int(unexplained.sum()))} decided differently though the heatmaps are clear "
            f"(the first: keypoint {keypoint} of crop {crop}, margin {margin[crop, keypoint]:.4g}, error "
            f"{error[crop, keypoint]:.4g}): decode in the file is not the reference's"
        )
    return pose, changed, failures


def keypoints_are(count: int) -> str:
    """Return "1 keypoint is" or "N keypoints are"."""
    return "1 keypoint is" if count == 1 else f"{count} keypoints are"


def not_finite(outputs: Outputs) -> list[str]:
    """Return which outputs hold NaN or infinity, in words."""
    return [
        f"{name} holds values that are not finite"
        for name, values in outputs.items()
        if not np.isfinite(values).all()
    ]


def entering(changed: NDArray[np.bool_], variant: Mapping[str, bool]) -> NDArray[np.bool_]:
    """Return (N,): whether one of the decisions (N, K) that fell otherwise enters a crop's embedding."""
    enters = variant["keypoints"] or variant["segments"]
    return np.asarray(changed.any(axis=1)) & enters


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


def _remarks(tied: int, crops: int, limits: Limits) -> tuple[str, ...]:
    if not tied:
        return ()
    text = f"{tied} of {crops} crops have a tie that fell otherwise; their cosine is for information"
    if tied == crops:
        return (f"{text}; the verdict rests on heatmaps and on the comparison from its own heatmaps",)
    if tied > limits.tied_share * crops:
        return (f"{text}; the end-to-end figure rests on {crops - tied} crops",)
    return (text,)
