# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""`pamtri match`: which vehicle of one camera is which of another."""

from __future__ import annotations

import csv
import io
import json
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.table import Table
from rich.text import Text

from pamtri_edge import console
from pamtri_edge.atomic import write_atomically
from pamtri_edge.errors import InputError
from pamtri_edge.options import finite, refuse_inputs
from pamtri_edge.printable import counted

if TYPE_CHECKING:
    from pamtri_edge.evaluate.truth import Verdict
    from pamtri_edge.event_sets import EventSet, Seen
    from pamtri_edge.gallery import Matches
    from pamtri_edge.manifest import Manifest

_log = logging.getLogger(__name__)

SCHEMA: Final = 1
_MOST_ROWS: Final = 200  # that a terminal shows
_SUFFIXES: Final = (".json", ".csv")


def match(
    events_a: Annotated[
        Path, typer.Argument(help="Events of the first camera: events.jsonl, or the folder of its run.")
    ],
    events_b: Annotated[Path, typer.Argument(help="Events of the second camera: the same.")],
    threshold: Annotated[
        float | None,
        typer.Option(
            callback=finite,
            min=-1.0,
            max=1.0,
            help="Least cosine of a match. [default: the bundle's suggestion]",
        ),
    ] = None,
    bundle: Annotated[
        Path | None,
        typer.Option(
            help="The bundle whose suggested threshold is used. [default: $PAMTRI_BUNDLE, else the trained "
            "one that comes along]"
        ),
    ] = None,
    truth: Annotated[
        Path | None,
        typer.Option(help="Which track is which vehicle: a CSV with camera, track_id, identity."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Write the matches into this .json or .csv file.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace that file.")] = False,
    gate: Annotated[
        bool,
        typer.Option(
            "--gate/--no-gate",
            help="Leave out events that are below the gate: no view was large, whole and clear enough.",
        ),
    ] = True,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the matches as JSON, not as a table.")
    ] = False,
) -> None:
    """Tell which vehicle of the first camera is which of the second.

    Two vehicles match if each is the most alike to the other and their cosine reaches the threshold.
    With --truth every match is judged, and mAP and rank-1 of the first camera's vehicles among the
    second's are given. Of several events of one camera and track in a file the last counts: streams write
    updates.
    """
    from pamtri_edge.evaluate.truth import judge, read_identities
    from pamtri_edge.gallery import match as match_sets

    refuse_inputs(output, [events_a, events_b, truth])
    if output is not None and output.suffix not in _SUFFIXES:
        raise typer.BadParameter(
            f"{output} ends in neither {' nor '.join(_SUFFIXES)}.", param_hint="--output"
        )
    if output is not None and os.path.lexists(output) and not overwrite:
        raise InputError(f"{output} exists; give another name, or --overwrite to replace it.")
    sets = _events(events_a, gate), _events(events_b, gate)
    sides = sets[0].seen, sets[1].seen
    manifest = _manifest(bundle, sets[0].embeddings.space) if threshold is None else None
    matches = match_sets(sets[0].embeddings, sets[1].embeddings, threshold=threshold, manifest=manifest)
    verdict = None if truth is None else judge(matches, *sides, read_identities(truth))
    record = _record(matches, *sets, verdict)
    if as_json:
        typer.echo(json.dumps(record, indent=2))
    else:
        _show(matches, *sets, verdict)
    if output is not None:
        _write(output, record)


def _events(path: Path, gate: bool) -> EventSet:
    from pamtri_edge.event_sets import read_event_set
    from pamtri_edge.video.write import EVENTS_FILE

    file = path / EVENTS_FILE if path.is_dir() else path
    found = read_event_set(file, gate=gate)
    if found.updates:
        several = found.updates != 1
        _log.warning(
            "%s: %d event%s %s followed by another of the same camera and track; the last of each counts%s",
            file, found.updates, "s" * several, "are" if several else "is",
            "" if not found.renewed else f", but {found.renewed} began at another time: are these several "
            "runs in one file? Give each its own --camera",
        )  # fmt: skip
    return found


def _manifest(bundle: Path | None, space: str) -> Manifest | None:
    """Return the manifest whose threshold applies; the default bundle's only if it gave these events."""
    from pamtri_edge.bundle import default_bundle, open_bundle

    if bundle is not None:
        return open_bundle(bundle).manifest
    if not default_bundle().exists():
        return None
    manifest = open_bundle(default_bundle()).manifest
    return manifest if manifest.embedding_space == space else None


def _record(matches: Matches, first: EventSet, second: EventSet, verdict: Verdict | None) -> dict[str, Any]:
    rows = []
    for index, pair in enumerate(matches.pairs):
        a, b = first.seen[pair.first], second.seen[pair.second]
        row: dict[str, Any] = {
            "camera_a": a.camera,
            "track_a": a.track_id,
            "track_a_str": str(a.track_id),
            "camera_b": b.camera,
            "track_b": b.track_id,
            "track_b_str": str(b.track_id),
            "cosine": round(pair.cosine, 6),
        }
        rows.append(row if verdict is None else {**row, "right": verdict.right[index]})
    return {
        "schema": SCHEMA,
        "embedding_space": first.embeddings.space,
        "vehicles": [len(first.seen), len(second.seen)],
        "below_gate": [first.below_gate, second.below_gate],
        "threshold": matches.threshold,
        "false_match_rate": matches.false_match_rate,
        "matches": rows,
        "truth": None if verdict is None else verdict.to_json(),
    }


def _show(matches: Matches, first: EventSet, second: EventSet, verdict: Verdict | None) -> None:
    cameras = [", ".join(dict.fromkeys(one.camera for one in side.seen)) for side in (first, second)]
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for camera in cameras:
        table.add_column(f"{camera}: track", justify="right")
    table.add_column("cosine", justify="right")
    table.add_column("color, type")
    if verdict is not None:
        table.add_column("truth")
    words = {
        True: console.styled("right", "green"),
        False: console.styled("wrong", "red"),
        None: console.styled("unknown", ""),
    }
    for index, pair in enumerate(matches.pairs[:_MOST_ROWS]):
        a, b = first.seen[pair.first], second.seen[pair.second]
        row: list[str | Text] = [str(a.track_id), str(b.track_id), f"{pair.cosine:.3f}", _looks(a, b)]
        table.add_row(*row, *(() if verdict is None else (words[verdict.right[index]],)))
    if len(matches):
        console.out.print(table)
    if len(matches) > _MOST_ROWS:
        console.out.print(f"... and {len(matches) - _MOST_ROWS} more; --json or --output has all.")
    console.out.print(
        f"{counted(len(matches), 'match', 'matches')} among {counted(len(first.seen), 'vehicle')} of "
        f"{cameras[0]} and {len(second.seen)} of {cameras[1]}; {_limit(matches)}.",
        soft_wrap=True,
    )
    if first.below_gate or second.below_gate:
        console.out.print(
            f"Left out as below the gate: {first.below_gate} of {cameras[0]}, {second.below_gate} of "
            f"{cameras[1]} (--no-gate keeps them).",
            soft_wrap=True,
        )
    if verdict is not None:
        _show_verdict(verdict)


def _show_verdict(verdict: Verdict) -> None:
    console.out.print(
        f"{verdict.correct} right and {verdict.wrong} wrong; "
        f"{counted(verdict.common, 'vehicle')} seen by both."
    )
    found = verdict.retrieval
    if found is None:
        console.out.print("no vehicle was seen by both, so there is neither mAP nor rank-1.")
    else:
        console.out.print(f"mAP {100 * found.mAP:.1f}, rank-1 {100 * found.rank(1):.1f}")


def _limit(matches: Matches) -> str:
    if matches.threshold is None:
        return "no threshold, as no bundle suggests one for these events (--bundle, --threshold)"
    if matches.false_match_rate is None:
        return f"threshold {matches.threshold:g}"
    return (
        f"threshold {matches.threshold:.3g}; on the bundle's validation set "
        f"{100 * matches.false_match_rate:.2g} % of the pairs of different vehicles reach it"
    )


def _looks(a: Seen, b: Seen) -> str:
    """Return color and type, of both where they differ."""
    words = []
    for first, second in ((a.color, b.color), (a.type, b.type)):
        labels = dict.fromkeys(one for one in (first, second) if one is not None)
        words += ["/".join(labels)] if labels else []
    return ", ".join(words)


def _write(path: Path, record: dict[str, Any]) -> None:
    """Write the record as JSON, or its matches as CSV; whole or not at all."""
    if path.suffix == ".json":
        text = json.dumps(record, indent=2, ensure_ascii=False) + "\n"
    else:
        buffer = io.StringIO()
        names = ["camera_a", "track_a", "camera_b", "track_b", "cosine"]
        names += [] if record["truth"] is None else ["right"]
        writer = csv.DictWriter(buffer, names, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(record["matches"])
        text = buffer.getvalue()
    try:
        write_atomically(path, text.encode())
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}.") from error
    console.err.print(f"written: {path!s}", soft_wrap=True)
