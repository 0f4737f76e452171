# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Validation of re-identification while it is trained: a labeled folder, the tracks of a clip, or both."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pamtri_edge.datasets.data_set import UNKNOWN, Crop, DataSet, crop_of
from pamtri_edge.datasets.parts import read_data
from pamtri_edge.errors import InputError
from pamtri_edge.train.augment import stretched
from pamtri_edge.train.machine import computing, network_input
from pamtri_edge.words import TrainPrecision

if TYPE_CHECKING:
    from pamtri_edge.datasets.views import EvaluationSet
    from pamtri_edge.train.reid import ReidJob

_BATCH: Final = 32
_SEED: Final = 101
_RANKS: Final = (1, 5, 20)
"""Of the paper's tables."""


@dataclass(frozen=True)
class Validation:
    """Tells how well vehicles are found again.

    Attributes:
        folder: pictures that are looked for, and those that they are looked for in; None without a folder.
        clip: views of the tracks of a video, or None.
    """

    folder: tuple[DataSet, DataSet] | None
    clip: EvaluationSet | None

    @classmethod
    def of(
        cls, *, folder: Path | None, limit: int, clip: Path | None, tracks: Path | None
    ) -> Validation | None:
        """Return what validates on a folder and a clip, as far as they are given; None for neither.

        Args:
            folder: holds `image_query` and `image_test`.
            limit: pictures of the folder at most: whole vehicles, the first ones.
            clip: a video.
            tracks: its tracks.

        Raises:
            InputError: the folder or the clip cannot be read, none of its vehicles can be found again, or
                only one of clip and tracks is given.
        """
        from pamtri_edge.datasets.footage import read_footage
        from pamtri_edge.metrics.ranking import check_answerable

        if (clip is None) != (tracks is None):
            raise InputError("--validate-clip and --validate-tracks belong together; give both.")
        views = None if clip is None or tracks is None else read_footage(clip, tracks)
        if folder is None:
            return None if views is None else cls(None, views)
        query, gallery = _limited(read_data(folder, part="query"), read_data(folder, part="test"), limit)
        try:
            check_answerable(*_labels(query, gallery))
        except InputError as error:
            raise InputError(f"{folder}: {error}") from error
        return cls((query, gallery), views)

    def __call__(self, job: ReidJob, size: int, precision: TrainPrecision) -> dict[str, float]:
        """Return mAP and rank-1 of each, attribute accuracies, and as `score` the mean mAP."""
        scores: dict[str, float] = {}
        if self.folder is not None:
            scores |= self._of_folder(*self.folder, job, size, precision)
        if self.clip is not None:
            scores |= self._of_clip(self.clip, job, size, precision)
        found = [value for name, value in scores.items() if name.endswith("mAP")]
        return {"score": float(np.mean(found)), **scores}

    def _of_folder(
        self, query: DataSet, gallery: DataSet, job: ReidJob, size: int, precision: TrainPrecision
    ) -> dict[str, float]:
        from pamtri_edge.metrics.ranking import retrieval_of

        (first, query_guesses), (second, gallery_guesses) = (
            _described((crop_of(data, n, 0, size) for n in range(len(data))), job, size, precision)
            for data in (query, gallery)
        )
        result = retrieval_of(first, second, *_labels(query, gallery))
        scores = {"mAP": result.mAP, **{f"rank{rank}": result.rank(rank) for rank in _RANKS}}
        if job.spec.multitask:
            color, kind = np.concatenate([query_guesses, gallery_guesses]).T
            for name, guess, truth in (
                ("color", color, np.concatenate([query.colors, gallery.colors])),
                ("type", kind, np.concatenate([query.types, gallery.types])),
            ):
                told = truth != UNKNOWN
                if told.any():
                    scores[name] = float((guess == truth)[told].mean())
        return scores

    def _of_clip(
        self, views: EvaluationSet, job: ReidJob, size: int, precision: TrainPrecision
    ) -> dict[str, float]:
        from pamtri_edge.metrics.ranking import retrieval_of

        query, gallery = (
            _described(((part.read(n), None) for n in range(len(part))), job, size, precision)[0]
            for part in (views.query, views.gallery)
        )
        result = retrieval_of(query, gallery, views.query.vehicles, views.gallery.vehicles)
        return {"clip_mAP": result.mAP, "clip_rank1": result.rank(1)}


def _labels(
    query: DataSet, gallery: DataSet
) -> tuple[list[int], list[int], NDArray[np.int64] | None, NDArray[np.int64] | None]:
    """Return the vehicles of two sets, and their cameras, which are None where there is one at most.

    The vehicles are told by their numbers: places among the identities are each set's own.
    """
    first, second = ([sample.vehicle for sample in data.samples] for data in (query, gallery))
    if len(np.unique(np.concatenate([query.cameras, gallery.cameras]))) < 2:
        return first, second, None, None
    return first, second, query.cameras, gallery.cameras


def _limited(query: DataSet, gallery: DataSet, limit: int) -> tuple[DataSet, DataSet]:
    """Return as many whole vehicles as stay within a number of pictures, two at least."""
    kept: set[int] = set()
    count = 0
    for vehicle in query.identities:
        count += sum(sample.vehicle == vehicle for data in (query, gallery) for sample in data.samples)
        if count > limit and len(kept) >= 2:
            break
        kept.add(vehicle)
    query, gallery = (
        replace(data, samples=tuple(one for one in data.samples if one.vehicle in kept))
        for data in (query, gallery)
    )
    if not query.samples or not gallery.samples:
        raise InputError(f"{query.name}: none of the vehicles in image_query is in image_test.")
    return query, gallery


def _described(
    crops: Iterable[Crop], job: ReidJob, size: int, precision: TrainPrecision
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return features (N, D) and the guessed color and type (N, 2) of crops."""
    features: list[NDArray[np.float32]] = []
    guesses: list[NDArray[np.int64]] = []
    device = next(job.network.parameters()).device
    waiting = iter(crops)
    while batch := list(islice(waiting, _BATCH)):
        pictures = np.stack([stretched(picture, size) for picture, _ in batch])
        images = network_input(torch.from_numpy(pictures).to(device), precision)
        points = [keypoints for _, keypoints in batch if keypoints is not None]
        truth = torch.from_numpy(np.stack(points)).to(device) if len(points) == len(batch) else None
        rng = np.random.default_rng([_SEED, len(features)])
        with torch.no_grad(), computing(precision, device):
            outputs = job.network(*job.inputs(images, truth, rng))
        features.append(outputs[-1].float().cpu().numpy())
        guesses.append(_guessed(outputs))
    return np.concatenate(features), np.concatenate(guesses)


def _guessed(outputs: tuple[Tensor, ...]) -> NDArray[np.int64]:
    if len(outputs) != 4:
        return np.full((len(outputs[0]), 2), UNKNOWN, np.int64)
    return torch.stack([logits.argmax(dim=1) for logits in outputs[1:3]], dim=1).cpu().numpy()
