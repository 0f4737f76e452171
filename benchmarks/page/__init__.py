# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Result files as one page: sections with a plot, a table, and the machine that measured them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Bar:
    """A bar of a plot.

    Attributes:
        label: who it is.
        value: how long it is.
        low, high: the ends of its interval, where there is one.
        ours: whether it is this project's.
    """

    label: str
    value: float
    low: float | None = None
    high: float | None = None
    ours: bool = False


@dataclass(frozen=True)
class Plot:
    """Bars with a unit; where there are x values, lines instead.

    Attributes:
        title: what is shown.
        unit: what the numbers are.
        bars: from top to bottom.
        lines: points by the name of their line, joined in the order of x.
        x: what x is.
        wanted: where a line is drawn as the target.
        logarithmic: whether bars grow tenfold a step.
    """

    title: str
    unit: str
    bars: Sequence[Bar] = ()
    lines: Mapping[str, Sequence[tuple[float, float]]] = field(default_factory=dict)
    x: str = ""
    wanted: float | None = None
    logarithmic: bool = False


@dataclass(frozen=True)
class Section:
    """What one result file says.

    Attributes:
        title: its heading.
        text: a sentence or two on what was measured.
        plots: side by side.
        head, rows: of the table; none where there are no rows.
        file, date, machine: where the figures come from.
    """

    title: str
    text: str
    plots: Sequence[Plot]
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    file: str
    date: str
    machine: str
