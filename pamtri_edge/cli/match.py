# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""`pamtri match`: which vehicle of one camera is which of another."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from contextlib import suppress
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from pamtri_edge import console
from pamtri_edge.cli.match_shown import Compared, record_of, show, write_record
from pamtri_edge.errors import InputError
from pamtri_edge.options import check_output, finite, refuse_inputs
from pamtri_edge.printable import printable

if TYPE_CHECKING:
    from pamtri_edge.manifest import Manifest
    from pamtri_edge.matching.rules import Span
    from pamtri_edge.matching.sets import EventSet

_log = logging.getLogger(__name__)

_SUFFIXES: Final = (".json", ".csv")


def match(
    events: Annotated[
        list[Path],
        typer.Argument(
            help="Events of two or more cameras: a file events.jsonl for each, the folder of its run, or a "
            "folder with the runs of several."
        ),
    ],
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
    window: Annotated[
        str | None,
        typer.Option(
            metavar="MIN,MAX",
            help="Seconds from a vehicle's first frame at the earlier named camera to that at the later "
            "named: least and most, such as 5,120 or -60,60.",
        ),
    ] = None,
    begin: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="TIME", help="Compare vehicles from then on: seconds of the video, or ISO 8601."
        ),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Compare vehicles that came until then; in the same form."),
    ] = None,
    same_color: Annotated[
        bool, typer.Option("--same-color", help="Only vehicles of the same most probable color match.")
    ] = False,
    same_type: Annotated[
        bool, typer.Option("--same-type", help="Only vehicles of the same most probable type match.")
    ] = False,
    truth: Annotated[
        Path | None,
        typer.Option(help="Which track is which vehicle: a CSV with camera, track_id, identity."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the matches into this .json or .csv file.")
    ] = None,
    pictures: Annotated[
        Path | None,
        typer.Option(
            help="Draw the matched pairs side by side onto this .jpg or .png, with their scores; the crops "
            "are those in the folders of the runs."
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace these files.")] = False,
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
    """Tell which vehicle of one camera is which of another.

    Two vehicles match if each is the most alike to the other, among those that --window, --same-color and
    --same-type allow, and their cosine reaches the threshold. Of several cameras each is compared with every
    other. With --truth every match is judged, and mAP and rank-1 of the first camera's vehicles among the
    second's are given. Of several events of one camera and track in a file the last counts: streams write
    updates.
    """
    from pamtri_edge.evaluate.truth import judge, read_identities
    from pamtri_edge.gallery import match as match_sets
    from pamtri_edge.matching.rules import Rules, read_span, read_window
    from pamtri_edge.report import SHEET_SUFFIXES

    check_output(output, overwrite=overwrite, suffixes=_SUFFIXES)
    check_output(pictures, overwrite=overwrite, suffixes=SHEET_SUFFIXES, option="--pictures")
    rules = Rules(None if window is None else read_window(window), same_color, same_type)
    span = read_span(begin, until)
    files = _files(events)
    for written in (output, pictures):
        refuse_inputs(written, [*files, truth])
    if pictures is not None:
        _check_crops(files)
    sets = _events(files, gate, span)
    _check_spaces(sets)
    manifest = _manifest(bundle, sets[0].embeddings.space) if threshold is None else None
    identities = None if truth is None else read_identities(truth)
    compared = []
    for first, second in combinations(sets, 2):
        matches = match_sets(
            first.embeddings,
            second.embeddings,
            threshold=threshold,
            manifest=manifest,
            allowed=rules.allowed(first.seen, second.seen),
        )
        verdict = None if identities is None else judge(matches, first.seen, second.seen, identities)
        compared.append(Compared(first, second, matches, verdict))
    record = record_of(sets, compared)
    if as_json:
        typer.echo(json.dumps(record, indent=2))
    else:
        for one in compared:
            show(one)
    if output is not None:
        write_record(output, record)
    if pictures is not None:
        _draw(pictures, compared)


def _files(given: list[Path]) -> list[Path]:
    """Return the files of events that are meant, two or more."""
    from pamtri_edge.video.write import EVENTS_FILE

    files: list[Path] = []
    for path in given:
        inside = sorted(path.glob(f"*/{EVENTS_FILE}")) if path.is_dir() else []
        if path.is_dir() and not (path / EVENTS_FILE).exists() and inside:
            files += inside
        else:
            files.append(path / EVENTS_FILE if path.is_dir() else path)
    if len(files) < 2 and not files[0].exists():
        raise InputError(f"{printable(files[0])} cannot be read: No such file or directory.")
    if len(files) < 2:
        raise InputError(
            f"there is one file of events, {files[0]}; expected those of two cameras or more, such as "
            "pamtri match OUT-A OUT-B."
        )
    for one, other in combinations(files, 2):
        with suppress(OSError):  # what is not there is told by who reads it
            if one.samefile(other):
                raise InputError(
                    f"{printable(other)} is given twice, and every vehicle in it would match itself; give "
                    "the events of another camera."
                )
    return files


def _events(files: list[Path], gate: bool, span: Span | None) -> list[EventSet]:
    from pamtri_edge.matching.sets import read_event_sets

    sets = read_event_sets(files, gate=gate, span=span)
    for file, found in zip(files, sets, strict=True):
        if found.updates:
            several_runs = (
                f", but {found.renewed} began at another time: are these several runs in one file? Give each "
                "its own --camera"
            )
            _log.warning(
                "%s: %s followed by another of the same camera and track; the last of each counts%s",
                file,
                "1 event is" if found.updates == 1 else f"{found.updates} events are",
                several_runs if found.renewed else "",
            )
    return sets


def _check_spaces(sets: Sequence[EventSet]) -> None:
    """Refuse events of different weights, naming the files."""
    for other in sets[1:]:
        if other.embeddings.space != sets[0].embeddings.space:
            raise InputError(
                f"the embeddings are of different spaces: {sets[0].embeddings.space!r} in "
                f"{printable(sets[0].path)} and {other.embeddings.space!r} in {printable(other.path)}. The "
                "weights that gave them differ, so they do not compare; run all videos with one bundle."
            )


def _manifest(bundle: Path | None, space: str) -> Manifest | None:
    """Return the manifest whose threshold applies; the default bundle's only if it gave these events."""
    from pamtri_edge.bundle import default_bundle, open_bundle

    if bundle is not None:
        return open_bundle(bundle).manifest
    if not default_bundle().exists():
        return None
    manifest = open_bundle(default_bundle()).manifest
    return manifest if manifest.embedding_space == space else None


def _check_crops(files: Sequence[Path]) -> None:
    """Refuse to draw where there is nothing to draw."""
    from pamtri_edge.video.write import CROPS_FOLDER

    for file in files:
        if not (file.parent / CROPS_FOLDER).is_dir():
            raise InputError(
                f"there is no folder {printable(file.parent / CROPS_FOLDER)} with the crops of these events; "
                "--pictures needs the folders that pamtri run wrote."
            )


def _draw(path: Path, compared: Sequence[Compared]) -> None:
    """Draw the pairs of all cameras, the most alike first."""
    from pamtri_edge.report import Pair, write_sheet
    from pamtri_edge.video.write import CROPS_FOLDER

    pairs = []
    for one in compared:
        for at, found in enumerate(one.matches.pairs):
            seen = one.first.seen[found.first], one.second.seen[found.second]
            folders = one.first.path.parent, one.second.path.parent
            crops = [
                folder / CROPS_FOLDER / f"{side.track_id}.jpg"
                for folder, side in zip(folders, seen, strict=True)
            ]
            right = None if one.verdict is None else one.verdict.right[at]
            word = {True: ", right", False: ", wrong", None: ""}[right]
            titles = [f"{side.camera} #{side.track_id}" for side in seen]
            pair = Pair(
                (crops[0], crops[1]), (titles[0], titles[1]), f"cosine {found.cosine:.3f}{word}", right
            )
            pairs.append((found.cosine, pair))
    if not pairs:
        console.err.print("no pairs, so no pictures were written")
        return
    shown = write_sheet(path, [pair for _, pair in sorted(pairs, key=lambda item: -item[0])])
    left = f" ({shown} most alike of {len(pairs)} pairs)" if shown < len(pairs) else ""
    console.err.print(f"written: {path!s}{left}")
