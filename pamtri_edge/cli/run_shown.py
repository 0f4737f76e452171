# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What `pamtri run` shows: how far it is, and what it did."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from rich.table import Table

from pamtri_edge import console

if TYPE_CHECKING:
    from pamtri_edge.video.frames import Source
    from pamtri_edge.video.run import RunProgress, RunSpec
    from pamtri_edge.video.write import OutputFolder, Summary


def updater(
    bar: Any, source: Source, duration: float | None, camera: str = ""
) -> Callable[[RunProgress], None]:
    """Return what moves the progress bar.

    Args:
        bar: of `console.progress`.
        source: what is read.
        duration: seconds after which it stops; None for all.
        camera: what the bar is called.
    """
    begin = time.monotonic()
    task = bar.add_task(camera, total=source.total, note="")

    def update(progress: RunProgress) -> None:
        note = f"{progress.frames / max(time.monotonic() - begin, 1e-3):.0f}/s"
        if source.live and duration is not None:
            note += f", {progress.time_s:.0f} of {duration:g} s"
        # A header may promise fewer frames than there are.
        total = progress.total and max(progress.total, progress.frames)
        bar.update(task, completed=progress.frames, total=total, note=note)

    return update


def show_summary(summary: Summary, folder: OutputFolder, spec: RunSpec) -> None:
    """Print what a run did, and where to look."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    lost = f" ({summary.lost_frames} lost)" if summary.lost_frames else ""
    table.add_row("frames", f"{summary.frames}{lost}")
    table.add_row("tracks", f"{summary.tracks}{_aside(summary)}")
    reasons = ", ".join(f"{count} {word}" for word, count in summary.below_gate_reasons.items())
    below = f" ({summary.below_gate} below the gate: {reasons})" if summary.below_gate else ""
    table.add_row("events", f"{summary.events}{below}")
    table.add_row("embedded views", str(summary.embedded_views))
    table.add_row("time", f"{summary.elapsed_s:.1f} s, {summary.frames_per_second:g} frames/s")
    console.out.print(table)
    if summary.reason == "interrupted":  # what else ends a run early is told as its error
        console.say_stopped("what was done until then is kept")
    console.out.print("Look at")
    places = [
        ("events", folder.events),
        ("pictures", folder.annotated),
        ("crops", folder.crops),
        ("summary", folder.summary),
    ]
    if spec.video:
        places.insert(1, ("video", folder.video))
    places += [(name, folder.events.with_suffix(f".{name}")) for name in spec.tables]
    for name, path in places:
        if path.exists():
            console.out.print(f"  {name:8} {path!s}")


def _aside(summary: Summary) -> str:
    notes = [
        (summary.short_tracks, "too short dropped"),
        (summary.unseen_tracks, "never inside the frame"),
        (summary.unfinished_tracks, "unfinished"),
    ]
    words = ", ".join(f"{count} {what}" for count, what in notes if count)
    return f" ({words})" if words else ""
