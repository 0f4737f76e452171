# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Several features on one test set, side by side, and the folder that holds the result."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from pamtri_edge.datasets.views import EvaluationSet
from pamtri_edge.errors import InputError
from pamtri_edge.evaluate.bootstrap import Interval, difference
from pamtri_edge.evaluate.features import BATCH, Describer
from pamtri_edge.evaluate.figures import cmc_figure, confusion_figure, ranked_figure
from pamtri_edge.evaluate.measure import (
    Described,
    Evaluation,
    Measure,
    check_set,
    describe_set,
    measure,
)
from pamtri_edge.files.atomic import staged_folder
from pamtri_edge.manifest import Matching
from pamtri_edge.progress import StepProgress
from pamtri_edge.version import VERSION

SCHEMA: Final = 1
RESULT_FILE: Final = "evaluation.json"
CMC_FILE: Final = "cmc.png"


@dataclass(frozen=True, eq=False)
class Comparison:
    """What several features reach on one test set.

    Attributes:
        data: the test set.
        how: how was measured.
        evaluations: a feature each, in the order in which they were given.
        described: what each says of the set.
        differences: mAP of the first feature less that of each other, by the other's name.
    """

    data: EvaluationSet
    how: Measure
    evaluations: tuple[Evaluation, ...]
    described: tuple[Described, ...]
    differences: dict[str, Interval]

    def to_json(self, matching: Matching | None = None) -> dict[str, Any]:
        """Return all figures.

        Args:
            matching: a threshold measured with the first feature, if any.
        """
        return {
            "schema": SCHEMA,
            "pamtri_edge": VERSION,
            "set": self.data.name,
            "queries": len(self.data.query),
            "gallery": len(self.data.gallery),
            "identities": self.data.identities,
            "across_cameras": self.data.across_cameras,
            "bootstrap": {"draws": self.how.draws, "seed": self.how.seed, "over": "identities"},
            "evaluations": [one.to_json() for one in self.evaluations],
            "first_above": {name: found.to_json() for name, found in self.differences.items()},
            "matching": None if matching is None else asdict(matching),
        }


def compare(
    data: EvaluationSet,
    describers: Sequence[Describer],
    *,
    how: Measure | None = None,
    batch: int = BATCH,
    progress: StepProgress | None = None,
) -> Comparison:
    """Measure features on a test set, and how far the first is above the others.

    Args:
        data: the test set.
        describers: one or more features, of different names.
        how: how is measured.
        batch: pictures in memory at a time.
        progress: told the feature's name and how many pictures of how many are described.

    Raises:
        InputError: there are no features, two have one name, or no query has a true match.
    """
    names = [describer.name for describer in describers]
    if not names or len(set(names)) != len(names):
        raise InputError(f"the features are {', '.join(names) or 'none'}; expected one or more, each once.")
    check_set(data)
    how = how or Measure()
    described, evaluations = [], []
    for describer in describers:
        described.append(describe_set(data, describer, batch=batch, progress=progress))
        evaluations.append(measure(data, described[-1], feature=describer.name, how=how))
    first = evaluations[0]
    differences = {
        one.feature: difference([first.precision], [one.precision], draws=how.draws, seed=how.seed)
        for one in evaluations[1:]
    }
    return Comparison(data, how, tuple(evaluations), tuple(described), differences)


def check_place(folder: Path, *, overwrite: bool) -> None:
    """Refuse a place that is taken by something else than figures, before any work is done.

    Raises:
        InputError: it is taken.
    """
    if not os.path.lexists(folder):
        return
    if not overwrite:
        raise InputError(f"{folder} exists; give another name, or --overwrite to replace it.")
    if not (folder / RESULT_FILE).is_file() and not (folder.is_dir() and not any(folder.iterdir())):
        raise InputError(
            f"{folder} exists and holds no figures of an evaluation, so it is not overwritten; give another "
            "name."
        )


def write_comparison(
    comparison: Comparison, folder: str | Path, *, matching: Matching | None = None, overwrite: bool = False
) -> Path:
    """Write the figures as JSON and PNG into a folder that appears whole or not at all.

    Args:
        comparison: what was measured.
        folder: `evaluation.json`, `cmc.png`, and for each feature `ranked-NAME.png`, `color-NAME.png` and
            `type-NAME.png` (as far as it tells them).
        matching: a threshold measured with the first feature, if any.
        overwrite: replace what is there.

    Raises:
        InputError: the folder exists (or, with `overwrite`, is something else), or cannot be written.
        MissingDependencyError: matplotlib is not installed.
    """
    folder = Path(folder)
    check_place(folder, overwrite=overwrite)
    try:
        with staged_folder(folder, overwrite=overwrite) as staged:
            text = json.dumps(comparison.to_json(matching), indent=2, ensure_ascii=False, allow_nan=False)
            (staged.path / RESULT_FILE).write_text(text + "\n", encoding="utf-8")
            cmc_figure(comparison.evaluations, staged.path / CMC_FILE)
            for one, described in zip(comparison.evaluations, comparison.described, strict=True):
                name = _file_name(one.feature)
                ranked_figure(comparison.data, described, one, staged.path / f"ranked-{name}.png")
                for what, told in (("color", one.color), ("type", one.type)):
                    if told is not None:
                        path = staged.path / f"{what}-{name}.png"
                        confusion_figure(told, path, title=f"{what}, {one.feature}")
            return staged.publish()
    except FileExistsError as error:
        raise InputError(f"{folder} exists; give another name, or --overwrite to replace it.") from error
    except OSError as error:
        raise InputError(f"{folder} cannot be written: {error.strerror}.") from error


def _file_name(feature: str) -> str:
    return re.sub(r"[^A-Za-z0-9.]+", "-", feature).strip("-.") or "feature"
