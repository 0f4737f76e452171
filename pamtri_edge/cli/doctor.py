# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""`pamtri doctor`: what this machine can run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.table import Table

from pamtri_edge import console

if TYPE_CHECKING:
    from pamtri_edge.doctor import Finding, Report

_COLORS: Final = {"ok": "green", "missing": "yellow", "unusable": "red", "skipped": "dim"}


def doctor(
    require: Annotated[
        str,
        typer.Option(
            metavar="NAMES",
            help="Exit with 1 unless all of these, separated by commas, are ok: openvino,cuda or run.",
            show_default=False,
        ),
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Show what this machine can run, what is missing for what, and how to get it."""
    from pamtri_edge.doctor import NAMES, examine

    wanted = _wanted(require, NAMES)
    with console.err.status("Looking at this machine ..."):
        report = examine()
    if as_json:
        console.out.print_json(json.dumps(report.to_json()))
    else:
        _show(report)
    failed = [name for name in wanted if not report[name].ok]
    for name in failed:
        console.err.print(console.styled("required:", "bold red"), f"{name}: {_reason(report, name)}")
    if failed:
        raise typer.Exit(1)


def _wanted(require: str, accepted: Sequence[str]) -> list[str]:
    names = [name.strip() for name in require.split(",") if name.strip()]
    unknown = [name for name in names if name not in accepted]
    if unknown:
        raise typer.BadParameter(
            f"{', '.join(unknown)}: no such thing; accepted: {', '.join(accepted)}",
            param_hint="--require",
        )
    return names


def _reason(report: Report, name: str) -> str:
    entry = report[name]
    lacking: Sequence[str] = getattr(entry, "lacking", ())
    return getattr(entry, "summary", "") or f"needs {', '.join(lacking)}"


def _show(report: Report) -> None:
    needed = {name for ability in report.abilities for name in ability.needs}
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for finding in report.findings:
        color = _COLORS[finding.status] if finding.name in needed or finding.ok else "dim"
        table.add_row(finding.title, console.styled(finding.status, color), finding.summary)
    table.add_row()
    for ability in report.abilities:
        verdict = console.styled("yes", "green") if ability.ok else console.styled("no", "yellow")
        table.add_row(
            ability.title, verdict, f"lacks {', '.join(ability.lacking)}" if ability.lacking else ""
        )
    console.out.print(console.styled(f"pamtri-edge {report.version}", "bold"))
    console.out.print(table)
    for title, remedy in _remedies(report.findings, needed):
        console.out.print(f"To get {title}:", console.styled(remedy, "cyan"))


def _remedies(findings: Sequence[Finding], needed: set[str]) -> list[tuple[str, str]]:
    """Return what to do for what, each command once; what is missing and nothing needs is left alone."""
    titles: dict[str, list[str]] = {}
    for finding in findings:
        wanted = finding.status == "unusable" or (finding.status == "missing" and finding.name in needed)
        if wanted and finding.remedy:
            titles.setdefault(finding.remedy, []).append(finding.title)
    return [(" and ".join(names), remedy) for remedy, names in titles.items()]
