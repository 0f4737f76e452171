# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Figures of matplotlib that are drawn into memory: no display, and no state shared with a notebook's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pamtri_edge.errors import MissingDependencyError

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def new_figure(width: float, height: float, *, rows: int = 1, columns: int = 1) -> tuple[Figure, Any]:
    """Return a figure of so many inches, and its axes: an array of them where there are several.

    Those of one column share their x axis.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure as NewFigure
    except ImportError as error:
        raise MissingDependencyError(
            "drawing curves needs matplotlib: pip install 'pamtri-edge[evaluate]'"
        ) from error
    figure = NewFigure(figsize=(width, height), dpi=120, layout="tight")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, columns, sharex="col")


def save_figure(figure: Figure, path: Path, *, form: str | None = None) -> Path:
    """Write a figure to a file, in the form that its name ends in unless one is named.

    Raises:
        OSError: it cannot be written.
    """
    figure.savefig(path, format=form)
    return path
