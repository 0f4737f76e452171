# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What a typed file loses in retrieval beside the float32 graph that it was made of.

Cosines say how far embeddings moved, not whether vehicles are still found. Here both files embed a labeled
set, on the engine of the CPU, and their mAP is compared.
"""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto

from pamtri_edge.datasets.folder import read_folder
from pamtri_edge.datasets.views import EvaluationSet, Views
from pamtri_edge.errors import InputError
from pamtri_edge.export.onnx.fallback import Groups, Loss, fall_back
from pamtri_edge.export.onnx.groups import in_float, int8_groups, layer_weights, names_in
from pamtri_edge.export.options import ExportOptions, Steps
from pamtri_edge.metrics.loss import RetrievalLoss
from pamtri_edge.metrics.ranking import retrieval_of
from pamtri_edge.parity.pictures import graph_inputs
from pamtri_edge.runtime import create_backend

Floats = NDArray[np.float32]

PART: Final = 500
"""Pictures that a group of layers is tried on."""

BATCH: Final = 16

_LEAST: Final = 2  # vehicles that can be told apart


@dataclass(frozen=True, eq=False)
class Embedded:
    """A set as one file sees it: (Q, D) and (G, D) embeddings, and the mAP that they reach."""

    query: Floats
    gallery: Floats
    mean_average_precision: float

    def cosine(self, other: Embedded) -> float:
        """Return the mean cosine of the embeddings with those of another file."""
        pairs = ((self.query, other.query), (self.gallery, other.gallery))
        a, b = (np.concatenate(side).astype(np.float64) for side in zip(*pairs, strict=True))
        lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
        return float(((a * b).sum(axis=1) / np.maximum(lengths, 1e-12)).mean())


def retrieval_set(folder: Path, pictures: int) -> EvaluationSet:
    """Read a labeled set; of a larger one take whole vehicles, evenly spread over all.

    Args:
        folder: laid out as VeRi; see `datasets.folder`.
        pictures: how many at most, about.

    Raises:
        InputError: the folder is no such set.
    """
    return part_of(read_folder(folder), pictures)


def part_of(data: EvaluationSet, pictures: int) -> EvaluationSet:
    """Return a set of at most about so many pictures: whole vehicles, at least two, evenly spread."""
    total = len(data.query) + len(data.gallery)
    if total <= pictures:
        return data
    vehicles = np.unique(data.query.vehicles[data.query.vehicles >= 0])
    count = min(max(len(vehicles) * pictures // total, _LEAST), len(vehicles))
    chosen = vehicles[np.linspace(0, len(vehicles) - 1, count).round().astype(int)]
    query, gallery = (_only(views, np.isin(views.vehicles, chosen)) for views in (data.query, data.gallery))
    return dataclasses.replace(data, query=query, gallery=gallery)


def _only(views: Views, kept: NDArray[np.bool_]) -> Views:
    indices = np.flatnonzero(kept)
    return Views(
        names=tuple(views.names[index] for index in indices),
        vehicles=views.vehicles[indices],
        cameras=views.cameras[indices],
        read=lambda index: views.read(int(indices[index])),
    )


class RetrievalCheck:
    """Measures files of one network on one set.

    Args:
        data: the set.
        inputs: of the graph.
        limit: points of mAP that may be lost.
        folder: where temporary files may lie; nothing stays.
        steps: is told of each step.
    """

    def __init__(
        self, data: EvaluationSet, *, inputs: Sequence[str], limit: float, folder: Path, steps: Steps
    ) -> None:
        self._whole = data
        self._part = part_of(data, PART)
        self._inputs = tuple(inputs)
        self._limit = limit
        self._folder = folder
        self._steps = steps

    @classmethod
    def of(
        cls, options: ExportOptions, *, inputs: Sequence[str], folder: Path, steps: Steps
    ) -> RetrievalCheck | None:
        """Return the check that the options ask for, or None."""
        if options.retrieval is None:
            return None
        data = retrieval_set(options.retrieval, options.retrieval_pictures)
        return cls(data, inputs=inputs, limit=options.loss_limit, folder=folder, steps=steps)

    def half(self, model: ModelProto, typed: ModelProto) -> RetrievalLoss:
        """Measure a float16 graph beside the float32 graph that it was made of."""
        reference = self._embedded(model, self._whole, "fp32")
        found = self._embedded(typed, self._whole, "fp16")
        return self._record(reference, found, (), ())

    def int8(self, model: ModelProto, typed: ModelProto) -> tuple[ModelProto, RetrievalLoss]:
        """Measure an int8 graph, and take layers back to float32 where it loses too much.

        Args:
            model: the float32 graph.
            typed: the int8 graph that was made of it.

        Returns:
            The int8 graph with the layers that stay in float32, and what it loses.
        """
        groups = int8_groups(typed)
        wholes: dict[Groups, Embedded] = {}
        reference = self._embedded(model, self._whole, "fp32")
        few: list[Embedded] = []

        def whole(chosen: Groups) -> Loss:
            mixed = in_float(typed, model, names_in(groups, chosen))
            wholes[chosen] = self._embedded(mixed, self._whole, _called(chosen))
            return _loss(reference, wholes[chosen])

        def part(chosen: Groups) -> Loss:
            if not few:
                few.append(self._embedded(model, self._part, "fp32, part of it"))
            mixed = in_float(typed, model, names_in(groups, chosen))
            return _loss(few[0], self._embedded(mixed, self._part, f"{_called(chosen)}, part of it"))

        chosen = fall_back(list(groups), whole=whole, part=part, limit=self._limit)
        names = names_in(groups, chosen)
        record = self._record(reference, wholes[chosen], chosen, layer_weights(model, names))
        return in_float(typed, model, names), record

    def _record(
        self, reference: Embedded, found: Embedded, groups: Groups, layers: tuple[str, ...]
    ) -> RetrievalLoss:
        data = self._whole
        return RetrievalLoss(
            set=data.name,
            vehicles=data.identities,
            queries=len(data.query),
            gallery=len(data.gallery),
            fp32_map=round(reference.mean_average_precision, 6),
            map=round(found.mean_average_precision, 6),
            loss=round(_loss(reference, found).points, 4),
            limit=self._limit,
            float_groups=groups,
            float_layers=layers,
        )

    def _embedded(self, model: ModelProto, data: EvaluationSet, called: str) -> Embedded:
        batches = sum(-(-len(views) // BATCH) for views in (data.query, data.gallery))
        name = f"embed {data.name}: {called}"
        with _saved(model, self._folder) as path, self._steps.step(name, batches) as advance:
            engine = create_backend(path, backend="openvino")
            try:
                sides = []
                for views in (data.query, data.gallery):
                    found = []
                    for pictures in views.pictures(BATCH):
                        found.append(engine.run(graph_inputs(pictures, self._inputs))["embedding"])
                        advance()
                    sides.append(np.concatenate(found))
            finally:
                engine.close()
        return Embedded(sides[0], sides[1], _mean_average_precision(data, sides[0], sides[1]))


def _loss(reference: Embedded, found: Embedded) -> Loss:
    points = 100.0 * (reference.mean_average_precision - found.mean_average_precision)
    return Loss(points, 1.0 - reference.cosine(found))


def _called(chosen: Groups) -> str:
    return f"int8, {' + '.join(chosen)} in fp32" if chosen else "int8"


def _mean_average_precision(data: EvaluationSet, query: Floats, gallery: Floats) -> float:
    cameras = (data.query.cameras, data.gallery.cameras) if data.across_cameras else (None, None)
    try:
        ids = data.query.vehicles, data.gallery.vehicles
        return retrieval_of(query, gallery, *ids, *cameras, between=data.between_cameras).mAP
    except InputError as error:
        raise InputError(f"{data.name} cannot be ranked: {error}") from error


@contextmanager
def _saved(model: ModelProto, folder: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=folder, prefix=".retrieval-") as place:
        path = Path(place) / "model.onnx"
        onnx.save(model, path)
        yield path
