# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""One page of what was measured: the newest result file of each kind, with plots.

`python benchmarks/report.py` reads `benchmarks/results` and writes one HTML file that needs no other. A file
that cannot be read, or says something else than its kind does, is named and left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from page import Section
from page.draw import page
from page.sections import KINDS, section_of
from saving import RESULTS

from pamtri_edge import console
from pamtri_edge.errors import InputError
from pamtri_edge.files.atomic import write_atomically

_NAME = re.compile(r"(?P<kind>[a-z]+)-\d{4}-\d\d-\d\d-\d{6}\.json")


def main(
    results: Annotated[Path, typer.Option(help="Folder of result files.")] = RESULTS,
    output: Annotated[Path, typer.Option(help="The page to write.")] = Path("build/report.html"),
) -> None:
    """Write the newest figures of each kind as one page."""
    sections = [
        section for kind, path in _newest(results).items() if (section := _read(kind, path)) is not None
    ]
    if not sections:
        raise InputError(f"{results} holds no result files; make some: python benchmarks/speed.py")
    output.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(output, page("What pamtri-edge measured", sections).encode())
    console.out.print(f"written: {output}")


def _newest(folder: Path) -> Mapping[str, Path]:
    """Return the newest file of each kind that the page shows, in the order of the page."""
    found: dict[str, Path] = {}
    for path in sorted(folder.glob("*.json")):
        if match := _NAME.fullmatch(path.name):
            found[match["kind"]] = path
    return {kind: found[kind] for kind in KINDS if kind in found}


def _read(kind: str, path: Path) -> Section | None:
    try:
        return section_of(kind, path.name, json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        console.err.print(f"left out: {path}: {type(error).__name__}: {error}")
        return None


if __name__ == "__main__":
    console.guarded(lambda: typer.run(main))
