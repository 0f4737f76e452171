# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Plots as pieces of SVG, and the page around them: one file without links to others."""

from __future__ import annotations

import io
from collections.abc import Sequence
from html import escape
from typing import Any

from page import Plot, Section
from pamtri_edge.plots import new_figure

OURS, OTHERS, WANTED = "#1f6f54", "#9aa5b1", "#b3382c"

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1d2733; max-width: 1080px;
       margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.7rem } h2 { font-size: 1.25rem; margin: 2.5rem 0 .3rem }
p { margin: .3rem 0 } .from { color: #66717d; font-size: .85rem }
table { border-collapse: collapse; margin: 1rem 0; font-size: .9rem; font-variant-numeric: tabular-nums }
th, td { padding: .25rem .7rem; border-bottom: 1px solid #dde2e7; text-align: right }
th:first-child, td:first-child { text-align: left } th { font-weight: 600; border-bottom: 2px solid #b8c1ca }
svg { max-width: 100%; height: auto } nav a { margin-right: 1rem }
.plots { display: flex; flex-wrap: wrap; gap: 1rem }
"""


def page(title: str, sections: Sequence[Section]) -> str:
    """Return the whole page as HTML."""
    links = "".join(f'<a href="#s{at}">{escape(one.title)}</a>' for at, one in enumerate(sections))
    body = "".join(_section(at, one) for at, one in enumerate(sections))
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{STYLE}</style></head><body><h1>{escape(title)}</h1><nav>{links}</nav>{body}</body></html>\n"
    )


def _section(at: int, section: Section) -> str:
    plots = "".join(svg(plot) for plot in section.plots)
    source = f"{section.file}, {section.date}; {section.machine}"
    return (
        f'<section id="s{at}"><h2>{escape(section.title)}</h2><p>{escape(section.text)}</p>'
        f'<p class="from">{escape(source)}</p><div class="plots">{plots}</div>{_table(section)}</section>'
    )


def _table(section: Section) -> str:
    if not section.rows:
        return ""
    head = "".join(f"<th>{escape(cell)}</th>" for cell in section.head)
    rows = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in section.rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def svg(plot: Plot) -> str:
    """Return a plot as an element of SVG."""
    height = 3.2 if plot.lines else 0.9 + 0.3 * len(plot.bars)
    figure, axes = new_figure(8.4 if plot.bars else 5.2, height)
    if plot.lines:
        for name, points in plot.lines.items():
            ordered = sorted(points)
            axes.plot([x for x, _ in ordered], [y for _, y in ordered], marker="o", label=name)
        axes.set_xlabel(plot.x)
        axes.set_ylabel(plot.unit)
        axes.set_ylim(bottom=0)
        axes.legend(frameon=False, fontsize=8)
    else:
        _bars(axes, plot)
    axes.set_title(plot.title, loc="left", fontsize=10)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    stream = io.StringIO()
    figure.savefig(stream, format="svg", metadata={"Date": None})
    text = stream.getvalue()
    return text[text.index("<svg") :]


def _bars(axes: Any, plot: Plot) -> None:
    places = list(range(len(plot.bars)))
    axes.barh(
        places,
        [bar.value for bar in plot.bars],
        color=[OURS if bar.ours else OTHERS for bar in plot.bars],
        xerr=_errors(plot),
        error_kw={"ecolor": "#1d2733", "elinewidth": 1},
    )
    axes.set_yticks(places, [bar.label for bar in plot.bars], fontsize=8)
    axes.invert_yaxis()
    axes.set_xlabel(plot.unit, fontsize=9)
    if plot.logarithmic:
        axes.set_xscale("log")
    if plot.wanted is not None:
        axes.axvline(plot.wanted, color=WANTED, linestyle="--", linewidth=1)
    for place, bar in zip(places, plot.bars, strict=True):
        axes.annotate(f" {bar.value:.3g}", (bar.high or bar.value, place), va="center", fontsize=8)


def _errors(plot: Plot) -> list[list[float]] | None:
    if not any(bar.low is not None for bar in plot.bars):
        return None
    below = [max(0.0, bar.value - bar.low) if bar.low is not None else 0.0 for bar in plot.bars]
    above = [max(0.0, bar.high - bar.value) if bar.high is not None else 0.0 for bar in plot.bars]
    return [below, above]
