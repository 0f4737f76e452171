# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Figures as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.table import Table

from pamtri_edge.evaluate.attributes import Attributes
from pamtri_edge.evaluate.bootstrap import Interval
from pamtri_edge.evaluate.measure import SHOWN_RANKS, Evaluation
from pamtri_edge.evaluate.pose import Pck


def percent(value: float | None) -> str:
    """Return a share as a percentage with one decimal, or a dash."""
    return "-" if value is None or value != value else f"{100 * value:.1f}"


def percent_interval(found: Interval) -> str:
    """Return a share and its interval as percentages."""
    return f"{100 * found.value:.1f} [{100 * found.low:.1f}, {100 * found.high:.1f}]"


def retrieval_table(evaluations: Sequence[Evaluation]) -> Table:
    """Return a row a feature: mAP with its interval, rank-K mAP, the ranks of the paper's tables, attributes.

    Args:
        evaluations: one or more, of one test set.
    """
    extras = {
        "color": [_accuracy(one.color) for one in evaluations],
        "type": [_accuracy(one.type) for one in evaluations],
        "PCK": [percent(one.pck.mean) if one.pck else "-" for one in evaluations],
    }
    shown = {name: cells for name, cells in extras.items() if set(cells) != {"-"}}
    ranks = [f"rank-{rank}" for rank in SHOWN_RANKS]
    table = _table("feature", "mAP [95 %]", f"mAP r{evaluations[0].top[0]}", "mINP", *ranks, *shown)
    for row, one in enumerate(evaluations):
        table.add_row(
            one.feature,
            percent_interval(one.mean_average_precision),
            percent(one.top[1]),
            percent(one.retrieval.mINP),
            *(percent(one.retrieval.rank(rank)) for rank in SHOWN_RANKS),
            *(cells[row] for cells in shown.values()),
        )
    return table


def keypoint_table(placed: Mapping[str, Pck]) -> Table:
    """Return the PCK by part of the body, a row a feature.

    Args:
        placed: one or more, by the feature's name, all by one rule.
    """
    first = next(iter(placed.values()))
    parts = [part.replace("_", " ") for part in first.by_part]
    table = _table(f"PCK ({first.rule}, {first.threshold:g})", *parts, "mean")
    for feature, found in placed.items():
        table.add_row(feature, *map(percent, found.by_part.values()), percent(found.mean))
    return table


def difference_table(first: str, differences: Mapping[str, Interval]) -> Table:
    """Return how much more mAP the first feature reaches than each other, a row an other feature."""
    table = _table(f"{first} above", "mAP points [95 %]")
    table.add_column("")
    for other, found in differences.items():
        verdict = "excludes zero" if found.excludes_zero else "includes zero"
        table.add_row(other, percent_interval(found), verdict)
    return table


def clip_table(
    clips: Mapping[str, Sequence[Evaluation]], means: Mapping[str, Interval] | None = None
) -> Table:
    """Return mAP with its interval and rank-1, a row a clip and a column a feature.

    Args:
        clips: for each test set the same features in the same order.
        means: by feature, the mean over the sets, as a last row.
    """
    features = [one.feature for one in next(iter(clips.values()))]
    table = _table("clip", "vehicles", *(f"{feature}: mAP [95 %] / rank-1" for feature in features))
    for name, evaluations in clips.items():
        cells = [
            f"{percent_interval(one.mean_average_precision)} / {percent(one.retrieval.rank(1))}"
            for one in evaluations
        ]
        table.add_row(name, str(evaluations[0].mean_average_precision.identities), *cells)
    if means is not None:
        vehicles = str(next(iter(means.values())).identities)
        table.add_row("mean", vehicles, *(percent_interval(means[name]) for name in features))
    return table


def _table(first: str, *numbers: str) -> Table:
    """Return a table with a column of names and columns of numbers."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(first)
    for header in numbers:
        table.add_column(header, justify="right")
    return table


def _accuracy(found: Attributes | None) -> str:
    return percent(found.accuracy) if found is not None else "-"
