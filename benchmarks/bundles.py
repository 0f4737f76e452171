# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The bundles that are measured: found in a folder, or exported into it.

Their weights are drawn, not trained: speed and memory do not depend on the values.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

from pamtri_edge.bundle import cache_folder, open_bundle
from pamtri_edge.models.sizes import SIZES

DEFAULT_FOLDER = (cache_folder() or Path()) / "benchmarks"
EVERYTHING = "everything"
"""The variant with keypoints, heatmaps and segments, 52 channels; otherwise keypoints and heatmaps."""


def provide(
    folder: Path,
    size: str,
    precision: str,
    *,
    variant: str = "",
    staged: bool = False,
    announce: Callable[[str], None] = lambda _: None,
) -> Path:
    """Return a bundle of a size and precision, exporting it if the folder has none.

    Args:
        folder: where bundles lie, named `SIZE-PRECISION.pamtri`.
        size: "paper" or "lite".
        precision: "fp32", "fp16" or "int8".
        variant: "" or `EVERYTHING`.
        staged: the two networks apart are needed too.
        announce: is told of an export, which takes minutes.
    """
    name = "-".join(part for part in (size, variant, precision) if part)
    for candidate in (folder / f"{name}.pamtri", folder / f"{name}-staged.pamtri"):
        if candidate.is_dir() and (not staged or open_bundle(candidate).staged is not None):
            return candidate
    path = folder / (f"{name}-staged.pamtri" if staged else f"{name}.pamtri")
    announce(f"exporting {path}")
    _export(path, size, precision, variant, staged)
    return path


def _export(path: Path, size: str, precision: str, variant: str, staged: bool) -> None:
    from pamtri_edge.export.bundle_export import export_bundle
    from pamtri_edge.export.options import ExportOptions

    pose, reid = SIZES[size]
    path.parent.mkdir(parents=True, exist_ok=True)
    export_bundle(
        ExportOptions(
            model=(pose, dataclasses.replace(reid, segments=True)) if variant == EVERYTHING else size,
            seed=0,
            precision=precision,
            output=path,
            overwrite=path.exists(),
            staged=staged,
            parity_crops=8,
            calibration_crops=16,
            allow_drift=True,  # drawn weights round badly in int8, and it is not their numbers that we want
        )
    )
