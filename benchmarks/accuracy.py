# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What a bundle reaches, without a clock: on its golden crops, on a small rendered set, on real footage.

The rendered set is the same bytes on every machine (`gallery`). What each precision of the shipped weights
reached stands beside them in `accuracy.json`, with how far below that a change may fall.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.bundle import default_bundle, open_bundle
from pamtri_edge.datasets.folder import read_folder
from pamtri_edge.datasets.footage import TrackRule, read_footage
from pamtri_edge.datasets.views import EvaluationSet
from pamtri_edge.evaluate.measure import Evaluation, evaluate
from pamtri_edge.evaluate.networks import BundleDescriber
from pamtri_edge.processors import available_processors
from pamtri_edge.reidentifier import Reidentifier
from pamtri_edge.runtime import create_backend

TABLE: Final = default_bundle().parent / "accuracy.json"
CLIP_VIEWS: Final = 2
"""Pictures from each end of a track of a clip."""
Figures = dict[str, float]


def gallery(folder: Path) -> EvaluationSet:
    """Render 24 vehicles, eight pictures each by six cameras, that no training has seen."""
    from pamtri_edge.synth.dataset.generate import generate
    from pamtri_edge.synth.dataset.plan import Split, SynthPlan

    plan = SynthPlan(
        split=Split.TEST, identities=24, images=192, cameras=6, queries=2, seed=11, supersampling=1
    )
    generate(plan, folder, processes=available_processors())
    return read_folder(folder)


def clips(folder: Path) -> list[EvaluationSet]:
    """Cut, of each clip with its tracks beside it, the ends of the tracks: the first look for the last."""
    found = sorted(one for one in folder.glob("*.mp4") if one.with_suffix(".txt").is_file())
    rule = TrackRule(views=CLIP_VIEWS)
    return [read_footage(one, one.with_suffix(".txt"), rule=rule) for one in found]


def golden(path: Path) -> Figures:
    """Return how near the golden crops come to the fp32 network in PyTorch, and how often classes agree."""
    bundle = open_bundle(path)
    arrays = bundle.golden()
    backend = create_backend(bundle.model, backend="openvino", threads=1)
    try:
        found = backend.run(arrays.inputs)
    finally:
        backend.close()
    ours, theirs = (_unit(each["embedding"]) for each in (found, arrays.reference))
    same = [
        found[name].argmax(1) == arrays.reference[name].argmax(1)
        for name in ("color", "type")
        if name in found
    ]
    agreement = float(np.mean(same)) if same else 1.0
    return {"golden_cosine": float((ours * theirs).sum(1).min()), "agreement": agreement}


def reached(path: Path, *data: EvaluationSet) -> list[Figures]:
    """Return mAP, rank-1 and the accuracy of color and type in percent, as far as each set knows them."""
    with Reidentifier.load(path, backend="openvino") as reid:
        return [_figures(evaluate(one, BundleDescriber(reid))) for one in data]


def _figures(found: Evaluation) -> Figures:
    figures = {"mAP": 100 * found.retrieval.mAP, "rank1": 100 * found.retrieval.rank(1)}
    for name, told in (("color", found.color), ("type", found.type)):
        if told is not None:
            figures[name] = 100 * told.accuracy
    return figures


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def known(name: str) -> bool:
    """Return whether figures of this bundle and set were written down."""
    return name in json.loads(TABLE.read_text())["reached"]


def complaints(name: str, figures: Figures) -> list[str]:
    """Return a sentence for each figure that lies below what was reached and its slack."""
    table = json.loads(TABLE.read_text())
    return [
        f"{name}: {what} is {figures.get(what, math.nan):.5g}, reached was {before:.5g}, accepted is "
        f"{before - table['slack'][what]:.5g} or more"
        for what, before in table["reached"][name].items()
        if not figures.get(what, math.nan) >= before - table["slack"][what] - 1e-9
    ]


def settle(name: str, figures: Figures) -> None:
    """Write what was reached into the table."""
    table: dict[str, Any] = json.loads(TABLE.read_text())
    table["reached"][name] = {what: float(f"{value:.6g}") for what, value in figures.items()}
    table["reached"] = dict(sorted(table["reached"].items()))
    TABLE.write_text(json.dumps(table, indent=2) + "\n")
