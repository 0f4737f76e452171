# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""`pamtri lint`: what is wrong in a configuration of DeepStream, and the change."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from pamtri_edge import console
from pamtri_edge.errors import BundleError, MissingDependencyError
from pamtri_edge.printable import counted
from pamtri_edge.words import LintFormat

if TYPE_CHECKING:
    from pamtri_edge.lint import Report

HELP: Final = """Examine DeepStream configurations before they run: names, values, files, the bundle's needs.

nvinfer passes over a misspelled key, and a wrong scale or color order starts as well as a right one: the
embeddings are just wrong. Each finding names file, line and key, says what goes wrong at run time, and
what to write instead.

\b
Exit codes:
  0  nothing was found (with --fix: nothing is left)
  1  there are findings
  2  a file or the bundle cannot be read, or is none that lint knows

\b
Examples:
  pamtri lint street.pamtri/deepstream/nvinfer.txt
  pamtri lint --bundle street.pamtri --fix app.txt sgie.txt
  pamtri lint --format sarif configs/*.txt > lint.sarif
"""

_FOUND: Final = 1
_UNREADABLE: Final = 2


def lint(
    configs: Annotated[
        list[Path],
        typer.Argument(
            metavar="CONFIG...",
            help="Files of nvinfer (.txt or .yml), deepstream-app, deepstream-test5, nvdspostprocess, or "
            "pipelines of Service Maker. Files of nvinfer that they name are examined as well.",
        ),
    ],
    bundle: Annotated[
        Path | None,
        typer.Option(
            help="The bundle that the configuration runs. [default: the one that its onnx-file or engine "
            "belongs to, else the one that comes with the package]"
        ),
    ] = None,
    fix: Annotated[
        bool,
        typer.Option(
            "--fix",
            help="Write the changes that are certain into the named files: each file whole or not at all, "
            "comments and order kept, keys that must go as comments. No copy of the old file is kept.",
        ),
    ] = False,
    output_format: Annotated[
        LintFormat, typer.Option("--format", help="How findings are printed; sarif is SARIF 2.1.0.")
    ] = "text",
    files: Annotated[
        bool,
        typer.Option(
            "--files/--no-files",
            help="Look for the files that are named; --no-files for configurations of another machine. What "
            "lies under /opt/nvidia/deepstream is looked for only where DeepStream is installed.",
        ),
    ] = True,
) -> None:
    """Run the command; users read `HELP`."""
    from pamtri_edge.lint import Options, lint_files
    from pamtri_edge.lint.fixing import fix_all
    from pamtri_edge.lint.formats import json_report, sarif_report

    options = Options(bundle=bundle, look=files)
    fixed: dict[Path, int] = {}
    try:
        report = lint_files(configs, options)
        if fix:
            report, fixed = fix_all(configs, options, report)
    except (BundleError, MissingDependencyError) as error:
        console.err.print(console.styled("error:", "bold red"), str(error))
        raise typer.Exit(_UNREADABLE) from None
    for path, reason in report.unreadable.items():
        console.err.print(console.styled("error:", "bold red"), reason or str(path))
    for path, kind in report.passed_over.items():
        console.err.print(f"{path} is {kind}, which is not examined.")
    if output_format == "text":
        _show(report, fixed, configs)
    else:
        text = json_report(report, fixed) if output_format == "json" else sarif_report(report)
        console.out.print(text)
    if report.unreadable:
        raise typer.Exit(_UNREADABLE)
    if report.findings:
        raise typer.Exit(_FOUND)


def _show(report: Report, fixed: dict[Path, int], given: list[Path]) -> None:
    for finding in report.findings:
        color = "bold red" if finding.severity == "error" else "bold yellow"
        place = f"{finding.path}:{finding.line}:"
        where = finding.key or finding.group
        console.out.print(
            place,
            console.styled(f"{finding.severity}:", color),
            f"{where}: {finding.problem}" if where else finding.problem,
            f"[{finding.rule}]",
        )
        console.out.print(f"    {finding.change}")
    for path, count in fixed.items():
        console.out.print(f"{path}: {counted(count, 'finding')} fixed")
    if report.examined:
        files = counted(len(report.examined), "file")
        found = counted(len(report.findings), "finding") if report.findings else "nothing found"
        followed = [str(path) for path in report.examined if path not in given]
        console.out.print(f"{files} examined: {found}")
        if followed:
            console.out.print(f"Named by another file: {', '.join(followed)}")
