# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""`pamtri compare`: do two pictures show one vehicle?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from pamtri_edge import console
from pamtri_edge.cli.shared_options import (
    BackendOption,
    BuildOption,
    BundleOption,
    DeviceOption,
    ThreadsOption,
)
from pamtri_edge.printable import printable

if TYPE_CHECKING:
    from pamtri_edge.manifest_fields import Matching
    from pamtri_edge.reidentification import Reidentification


def compare(
    picture_a: Annotated[Path, typer.Argument(help="A picture of one vehicle, cut out.")],
    picture_b: Annotated[Path, typer.Argument(help="Another one.")],
    bundle: BundleOption = None,
    threads: ThreadsOption = None,
    device: DeviceOption = "auto",
    backend: BackendOption = "auto",
    build: BuildOption = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print the comparison as JSON.")] = False,
) -> None:
    """Compare two pictures of vehicles: the cosine of their embeddings, and what was seen of each.

    The cosine is 1 for the same embedding and near 0 for vehicles that have nothing in common. Whether it is
    high is judged by the threshold that the bundle suggests, with the rates that were measured at it.
    """
    from pamtri_edge.gallery import similarity
    from pamtri_edge.pictures import check_pictures
    from pamtri_edge.reidentifier import Reidentifier

    check_pictures([picture_a, picture_b])
    with Reidentifier.load(
        bundle, device=device, backend=backend, threads=threads, build=build
    ) as reidentifier:
        found = reidentifier.embed([picture_a, picture_b])
    cosine = float(similarity(found)[0, 1])
    if as_json:
        typer.echo(json.dumps(_record(found, cosine), indent=2))
        return
    console.out.print(_table(found))
    console.out.print()
    console.out.print(f"cosine {cosine:.3f}: {_verdict(cosine, found.matching)}")
    for doubt in _doubts(found):
        console.out.print(doubt)


def _record(found: Reidentification, cosine: float) -> dict[str, Any]:
    matching = found.matching
    sides = found.to_dicts()
    for side in sides:
        del side["embedding"], side["keypoints"], side["embedding_space"]
        side["name"] = printable(side["name"])
    return {
        "cosine": round(cosine, 6),
        "threshold": None if matching is None else matching.threshold,
        "false_match_rate": None if matching is None else matching.false_match_rate,
        "true_match_rate": None if matching is None else matching.true_match_rate,
        "match": None if matching is None else cosine >= matching.threshold,
        "embedding_space": found.embedding_space,
        "pictures": sides,
    }


def _table(found: Reidentification) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("")
    for one in found:
        table.add_column(printable(Path(one.name or "").name), overflow="fold")
    for title, name in (("color", "color"), ("type", "type")):
        words = [getattr(one, name) for one in found]
        if None not in words:
            chances = [float(getattr(one, f"{name}_probs").max()) for one in found]
            table.add_row(title, *(f"{word} ({p:.0%})" for word, p in zip(words, chances, strict=True)))
    if found.quality is not None:
        table.add_row("quality", *(f"{one.quality:.2f}" for one in found))
    return table


def _verdict(cosine: float, matching: Matching | None) -> str:
    if matching is None:
        return "the bundle suggests no threshold to judge it by."
    reached = cosine >= matching.threshold
    place, word = ("at least", "taken") if reached else ("below", "not taken")
    return (
        f"{place} the threshold {matching.threshold:.3g} that the bundle suggests, so {word} for one "
        f"vehicle. On its validation set {100 * matching.false_match_rate:.2g} % of the pairs of different "
        f"vehicles reach it, and {100 * matching.true_match_rate:.2g} % of the pairs of one vehicle."
    )


def _doubts(found: Reidentification) -> list[str]:
    """Say what makes the comparison doubtful."""
    from pamtri_edge.video.gate import GateSpec

    least = GateSpec().min_quality
    doubts = []
    for name, both in (("color", found.colors), ("type", found.types)):
        if both is not None and both[0] != both[1]:
            doubts.append(f"The {name}s differ: {both[0]} and {both[1]}.")
    for one in found:
        if one.quality is not None and one.quality < least:
            doubts.append(
                f"{printable(one.name)}: the network is not sure of its keypoints (quality "
                f"{one.quality:.2f}, below {least:g}); is it one vehicle, cut out?"
            )
    return doubts
