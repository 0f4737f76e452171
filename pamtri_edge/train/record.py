# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The record of a training beside its weights: `record.json` and, where matplotlib is, `curves.png`."""

from __future__ import annotations

import json
import logging
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import torch

from pamtri_edge.errors import MissingDependencyError
from pamtri_edge.files.atomic import staged_file, write_atomically
from pamtri_edge.plots import new_figure, save_figure
from pamtri_edge.version import VERSION

_log = logging.getLogger(__name__)

RECORD_FILE: Final = "record.json"
CURVES_FILE: Final = "curves.png"
NOT_LOSSES: Final = ("step", "progress", "rate", "size", "images_per_s", "seconds")
"""What else a row of a curve or of scores tells."""


def versions() -> dict[str, str]:
    """Return the versions of what a result depends on, and the processor."""
    return {
        "pamtri-edge": VERSION,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "opencv": cv2.__version__,
        "machine": platform.machine(),
        "threads": str(torch.get_num_threads()),
    }


def write_record(folder: Path, record: Mapping[str, Any]) -> Path:
    """Write `record.json` whole or not at all; return its path."""
    path = folder / RECORD_FILE
    write_atomically(path, (json.dumps(record, indent=1, ensure_ascii=False) + "\n").encode())
    return path


def write_curves(
    folder: Path, curve: Sequence[Mapping[str, float]], scores: Sequence[Mapping[str, float]]
) -> Path | None:
    """Draw losses, learning rate and validation over the steps; None where matplotlib is not installed.

    Args:
        folder: of the training.
        curve: rows with `step`, `rate` and the losses by name.
        scores: rows with `step` and the results of validation by name, in parts of 1.
    """
    if not curve:
        return None
    rows = 3 if scores else 2
    try:
        figure, axes = new_figure(8, 2 + 2 * rows, rows=rows)
    except MissingDependencyError:
        _log.info(
            "matplotlib is not installed (pip install 'pamtri-edge[train]'); %s is left out", CURVES_FILE
        )
        return None
    steps = [row["step"] for row in curve]
    names = list(dict.fromkeys(name for row in curve for name in row if name not in NOT_LOSSES))
    for name in names:
        axes[0].plot(steps, [row.get(name, np.nan) for row in curve], label=name, linewidth=1)
    axes[0].set_ylabel("loss")
    axes[0].set_yscale("log")
    axes[0].legend(fontsize="small")
    axes[1].plot(steps, [row["rate"] for row in curve], linewidth=1)
    axes[1].set_ylabel("learning rate")
    if scores:
        for name in dict.fromkeys(name for row in scores for name in row if name not in NOT_LOSSES):
            told = [row for row in scores if name in row]
            axes[2].plot([row["step"] for row in told], [row[name] for row in told], ".-", label=name)
        axes[2].set_ylabel("validation")
        axes[2].legend(fontsize="small")
    axes[-1].set_xlabel("step")
    for axis in axes:
        axis.grid(alpha=0.3)
    path = folder / CURVES_FILE
    with staged_file(path) as temporary:
        save_figure(figure, temporary, form="png")
    return path
