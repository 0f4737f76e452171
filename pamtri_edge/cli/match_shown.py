# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What `pamtri match` shows and writes."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rich.table import Table
from rich.text import Text

from pamtri_edge import console
from pamtri_edge.errors import InputError
from pamtri_edge.files.atomic import write_atomically
from pamtri_edge.printable import counted, printable

if TYPE_CHECKING:
    from pamtri_edge.evaluate.truth import Verdict
    from pamtri_edge.gallery import Matches
    from pamtri_edge.matching.rules import Seen
    from pamtri_edge.matching.sets import EventSet

SCHEMA: Final = 1
_MOST_ROWS: Final = 200  # that a terminal shows


@dataclass(frozen=True, eq=False)
class Compared:
    """Two cameras, and what was found.

    Attributes:
        first: events of the first.
        second: of the second.
        matches: which is which.
        verdict: how good that is; None where the truth is not known.
    """

    first: EventSet
    second: EventSet
    matches: Matches
    verdict: Verdict | None


def record_of(sets: Sequence[EventSet], compared: Sequence[Compared]) -> dict[str, Any]:
    """Return all that was found as a JSON object.

    Args:
        sets: the events of each camera; `vehicles`, `below_gate` and `outside` count them in this order.
        compared: every two of them.
    """
    return {
        "schema": SCHEMA,
        "embedding_space": sets[0].embeddings.space,
        "vehicles": [len(one.seen) for one in sets],
        "below_gate": [one.below_gate for one in sets],
        "outside": [one.outside for one in sets],
        "threshold": compared[0].matches.threshold,
        "false_match_rate": compared[0].matches.false_match_rate,
        "matches": [row for one in compared for row in _rows(one)],
        "truth": _truth(compared),
    }


def _rows(compared: Compared) -> list[dict[str, Any]]:
    rows = []
    for index, pair in enumerate(compared.matches.pairs):
        a, b = compared.first.seen[pair.first], compared.second.seen[pair.second]
        row: dict[str, Any] = {
            "camera_a": a.camera,
            "track_a": a.track_id,
            "track_a_str": str(a.track_id),
            "camera_b": b.camera,
            "track_b": b.track_id,
            "track_b_str": str(b.track_id),
            "cosine": round(pair.cosine, 6),
        }
        verdict = compared.verdict
        rows.append(row if verdict is None else {**row, "right": verdict.right[index]})
    return rows


def _truth(compared: Sequence[Compared]) -> dict[str, Any] | None:
    """Return how good the matches are: of two cameras with mAP and rank-1, of more the sums and each two."""
    verdicts = [one.verdict.to_json() for one in compared if one.verdict is not None]
    if len(verdicts) < 2:
        return verdicts[0] if verdicts else None
    sums = {name: sum(one[name] for one in verdicts) for name in ("correct", "wrong", "common")}
    pairs = [
        {"cameras": [_cameras(one.first), _cameras(one.second)], **verdict}
        for one, verdict in zip(compared, verdicts, strict=True)
    ]
    return {**sums, "pairs": pairs}


def _cameras(side: EventSet) -> str:
    return ", ".join(dict.fromkeys(one.camera for one in side.seen))


def _called(first: EventSet, second: EventSet) -> tuple[str, str]:
    """Return what two sets are called: their cameras, and where these are the same, where they lie too."""
    names = _cameras(first), _cameras(second)
    if names[0] != names[1]:
        return names
    places = [one.path.absolute().parent.name for one in (first, second)]
    if places[0] == places[1]:
        places = [str(one.path) for one in (first, second)]
    return f"{names[0]} ({printable(places[0])})", f"{names[1]} ({printable(places[1])})"


def show(compared: Compared) -> None:
    """Print what was found between two cameras."""
    matches, first, second, verdict = compared.matches, compared.first, compared.second, compared.verdict
    cameras = _called(first, second)
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
        f"{cameras[0]} and {len(second.seen)} of {cameras[1]}; {_limit(matches)}."
    )
    if first.below_gate or second.below_gate:
        console.out.print(
            f"Left out as below the gate: {first.below_gate} of {cameras[0]}, {second.below_gate} of "
            f"{cameras[1]} (--no-gate keeps them)."
        )
    if first.outside or second.outside:
        console.out.print(
            f"Left out as outside --from and --until: {first.outside} of {cameras[0]}, {second.outside} of "
            f"{cameras[1]}."
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


def write_record(path: Path, record: dict[str, Any]) -> None:
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
    console.err.print(f"written: {path!s}")
