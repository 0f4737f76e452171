# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""One feature on one test set: describe, then measure everything that can be measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.datasets.views import EvaluationSet
from pamtri_edge.evaluate.attributes import Attributes, attributes
from pamtri_edge.evaluate.bootstrap import DRAWS, Interval, Scores, mean_interval
from pamtri_edge.evaluate.features import BATCH, Describer, Description, describe_all, join
from pamtri_edge.evaluate.pose import Pck, pck
from pamtri_edge.metrics.ranking import Retrieval, check_answerable, retrieval_of
from pamtri_edge.progress import StepProgress
from pamtri_edge.vehicle import COLORS, TYPES
from pamtri_edge.words import Metric, Rule

_Numbers = NDArray[np.int64]
_Labels = tuple[_Numbers, _Numbers, _Numbers | None, _Numbers | None]

SHOWN_RANKS: Final = (1, 5, 20)
"""The ranks that tables show, those of the paper's."""


@dataclass(frozen=True, kw_only=True)
class Measure:
    """How is measured.

    Attributes:
        metric: how embeddings are compared.
        top: of the rank-K mAP; 100 is the paper's.
        rule: of the PCK.
        draws: of the bootstrap.
        seed: of the bootstrap.
    """

    metric: Metric = "cosine"
    top: int = 100
    rule: Rule = "paper"
    draws: int = DRAWS
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Described:
    """A test set as one feature sees it."""

    query: Description
    gallery: Description


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What one feature reaches on one test set.

    Attributes:
        feature: name of the feature.
        data: name of the test set.
        metric: how embeddings were compared.
        retrieval: over all ranks.
        top: the rank-K mAP and its K.
        mean_average_precision: mAP with its interval over identities.
        rank1: rank-1 with its interval.
        color: how colors were told; None if the feature tells none or none is known. Likewise:
        type: how types were told.
        pck: how keypoints were placed, over queries and gallery.
        vehicles: (Q,) whose query each is, for comparisons.
    """

    feature: str
    data: str
    metric: Metric
    retrieval: Retrieval
    top: tuple[int, float]
    mean_average_precision: Interval
    rank1: Interval
    color: Attributes | None
    type: Attributes | None
    pck: Pck | None
    vehicles: NDArray[np.int64] = field(repr=False)

    @property
    def precision(self) -> Scores:
        """The average precision of each query."""
        return Scores(self.retrieval.average_precision, self.vehicles)

    def to_json(self) -> dict[str, Any]:
        """Return all figures, 0 to 1."""
        tops = {f"mAP_r{self.top[0]}": self.top[1]}
        told: Mapping[str, Any] = {"color": self.color, "type": self.type, "pck": self.pck}
        return {
            "feature": self.feature,
            "set": self.data,
            "metric": self.metric,
            **self.retrieval.to_json(),
            **tops,
            "mAP_interval": self.mean_average_precision.to_json(),
            "rank1_interval": self.rank1.to_json(),
            **{name: None if value is None else value.to_json() for name, value in told.items()},
        }


def describe_set(
    data: EvaluationSet, describer: Describer, *, batch: int = BATCH, progress: StepProgress | None = None
) -> Described:
    """Describe queries and gallery.

    Args:
        data: the test set.
        describer: what describes its pictures.
        batch: pictures in memory at a time.
        progress: told how many pictures of how many are done.

    Raises:
        PamtriError: a picture cannot be read or described.
    """
    total = len(data.query) + len(data.gallery)

    def tell(offset: int) -> Callable[[int, int], None]:
        return lambda done, _: None if progress is None else progress(describer.name, offset + done, total)

    query = describe_all(describer, data.query, batch=batch, progress=tell(0))
    gallery = describe_all(describer, data.gallery, batch=batch, progress=tell(len(data.query)))
    return Described(query, gallery)


def measure(
    data: EvaluationSet, described: Described, *, feature: str, how: Measure | None = None
) -> Evaluation:
    """Measure what a feature reaches.

    Args:
        data: the test set.
        described: what the feature says of it.
        feature: name of the feature.
        how: how is measured.

    Raises:
        InputError: no query has a true match, or the features cannot be compared.
    """
    how = how or Measure()
    query, gallery = data.query, data.gallery
    first, second = described.query.embeddings, described.gallery.embeddings
    whole = retrieval_of(first, second, *_labels(data), metric=how.metric, between=data.between_cameras)
    at_once = np.where(whole.valid, (whole.first_match == 1).astype(np.float64), np.nan)
    draws = {"draws": how.draws, "seed": how.seed}
    both = join([described.query, described.gallery])
    return Evaluation(
        feature=feature,
        data=data.name,
        metric=how.metric,
        retrieval=whole,
        top=(how.top, whole.top_mean(how.top)),
        mean_average_precision=mean_interval([Scores(whole.average_precision, query.vehicles)], **draws),
        rank1=mean_interval([Scores(at_once, query.vehicles)], **draws),
        color=_told(both.colors, query.colors, gallery.colors, data, COLORS),
        type=_told(both.types, query.types, gallery.types, data, TYPES),
        pck=measure_keypoints(data, described, how.rule),
        vehicles=query.vehicles,
    )


def check_set(data: EvaluationSet) -> None:
    """Refuse a set of which nothing can be measured, before its pictures are described.

    Raises:
        InputError: no query has a true match.
    """
    check_answerable(*_labels(data))


def evaluate(
    data: EvaluationSet,
    describer: Describer,
    *,
    how: Measure | None = None,
    batch: int = BATCH,
    progress: StepProgress | None = None,
) -> Evaluation:
    """Describe a test set and measure; see `describe_set` and `measure`."""
    check_set(data)
    described = describe_set(data, describer, batch=batch, progress=progress)
    return measure(data, described, feature=describer.name, how=how)


def _labels(data: EvaluationSet) -> _Labels:
    """Return the vehicles of queries and gallery, and their cameras where these count."""
    query, gallery = data.query, data.gallery
    if not data.across_cameras:
        return query.vehicles, gallery.vehicles, None, None
    return query.vehicles, gallery.vehicles, query.cameras, gallery.cameras


def _told(
    predicted: Sequence[str] | None,
    query: Sequence[str | None] | None,
    gallery: Sequence[str | None] | None,
    data: EvaluationSet,
    order: Sequence[str],
) -> Attributes | None:
    """Compare an attribute over queries and gallery together, as the original does."""
    if predicted is None or (query is None and gallery is None):
        return None
    truth = [*(query or (None,) * len(data.query)), *(gallery or (None,) * len(data.gallery))]
    return attributes(predicted, truth, order)


def measure_keypoints(data: EvaluationSet, described: Described, rule: Rule = "paper") -> Pck | None:
    """Measure keypoints over queries and gallery, in pixels of the pictures that the labels speak of.

    Args:
        data: the test set.
        described: what a network says of it.
        rule: of the PCK.

    Returns:
        None if the network places no keypoints, or the set has no labels for them.
    """
    sides = ((data.query, described.query), (data.gallery, described.gallery))
    labeled = [
        (views.keypoints, views.sizes, description.keypoints)
        for views, description in sides
        if views.keypoints is not None and views.sizes is not None and description.keypoints is not None
    ]
    if not labeled:
        return None
    truth, sizes, found = (np.concatenate(arrays) for arrays in zip(*labeled, strict=True))
    rows = truth[..., 2].any(axis=1)  # a picture without a label has nothing visible
    truth, sizes, found = truth[rows], sizes[rows], found[rows]
    scale = np.concatenate([sizes, np.ones((len(sizes), 1), np.float32)], axis=1)[:, None]
    boxes = np.concatenate([np.zeros_like(sizes), sizes], axis=1)
    return pck(found * scale, (truth * scale)[..., :2], truth[..., 2] > 0, boxes, rule)
