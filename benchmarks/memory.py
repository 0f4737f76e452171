# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""How much memory `pamtri run` takes on half a minute of video: the peak over its whole process tree.

`python benchmarks/memory.py [CLIP --tracks FILE]` runs the command as a user would, in processes of its own,
and looks every 50 ms how much memory they hold. The resident set size, summed over the tree, counts pages
that processes share once for each: it is the upper bound, and what the limits are held against. The
proportional set size shares such pages out, also among programs that are not ours, and is shown beside it.
Without a clip, synthetic traffic is rendered once and repeated until it lasts 30 seconds.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated

import typer
from bundles import DEFAULT_FOLDER, provide
from machine import describe
from rich.table import Table

from pamtri_edge import console

RESULTS = Path(__file__).parent / "results"
CASES = (("paper", "fp32", 1.2e9), ("paper", "int8", None), ("lite", "fp32", 600e6), ("lite", "int8", 600e6))
"""Size, precision, and the limit in bytes."""
SECONDS = 30.0
INTERVAL = 0.05


@dataclass(frozen=True)
class Peak:
    """The highest sample of one run.

    Attributes:
        name: size and precision.
        resident: bytes, summed over the processes.
        proportional: bytes, summed too; None where the system does not tell.
        seconds: how long the command took.
        samples: how often was looked.
        limit: bytes, or None.
        events: how many events it wrote.
    """

    name: str
    resident: int
    proportional: int | None
    seconds: float
    samples: int
    limit: float | None
    events: int


def main(
    clip: Annotated[Path | None, typer.Argument(help="A video. [default: synthetic traffic, 30 s]")] = None,
    tracks: Annotated[Path | None, typer.Option(help="The clip's tracks.")] = None,
    bundles: Annotated[
        Path, typer.Option(help="Where bundles are; missing ones are exported.")
    ] = DEFAULT_FOLDER,
    batch: Annotated[int, typer.Option(min=1, help="Views that go through the network at a time.")] = 8,
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads. [default: all]")] = None,
    save: Annotated[bool, typer.Option(help="Write the figures into benchmarks/results.")] = True,
) -> None:
    """Print the peak memory of `pamtri run` for each bundle, against its limit."""
    if (clip is None) != (tracks is None):
        raise typer.BadParameter("give a clip and its tracks, or neither.")
    peaks = []
    with tempfile.TemporaryDirectory(prefix="memory-") as folder:
        if clip is None or tracks is None:
            clip, tracks = half_a_minute(Path(folder))
        for size, precision, limit in CASES:
            bundle = provide(bundles, size, precision, announce=console.err.print)
            output = Path(folder) / f"{size}-{precision}"
            command = [sys.executable, "-c", "from pamtri_edge.cli import main; main()", "run", str(clip)]
            command += ["--tracks", str(tracks), "--bundle", str(bundle), "--output", str(output)]
            command += ["--batch", str(batch)]
            if threads is not None:
                command += ["--threads", str(threads)]
            watched = watch(command)
            events = len((output / "events.jsonl").read_text().splitlines())
            peaks.append(Peak(f"{size} {precision}", *watched, limit=limit, events=events))
        name = clip.name
    _show(peaks, name, batch)
    if save:
        now = datetime.now(timezone.utc)
        path = RESULTS / f"memory-{now:%Y-%m-%d-%H%M%S}.json"
        path.parent.mkdir(exist_ok=True)
        record = {"date": f"{now:%Y-%m-%d}", **describe(), "clip": name, "batch": batch}
        record["peaks"] = [asdict(peak) for peak in peaks]
        path.write_text(json.dumps(record, indent=2) + "\n")
        console.out.print(f"written: {path}")


def watch(command: list[str]) -> tuple[int, int | None, float, int]:
    """Run a command; return its tree's peaks in bytes (see `tree_memory`), its seconds, how often was looked.

    Raises:
        SystemExit: the command failed; its last words are shown.
    """
    start = time.perf_counter()
    with tempfile.TemporaryFile() as words:
        process = subprocess.Popen(command, stdout=words, stderr=subprocess.STDOUT)
        resident, samples = 0, 0
        proportional: int | None = 0
        while process.poll() is None:
            now, share = tree_memory(process.pid)
            if now:
                resident, samples = max(resident, now), samples + 1
                proportional = None if share is None or proportional is None else max(proportional, share)
            time.sleep(INTERVAL)
        if process.returncode != 0:
            words.seek(0)
            sys.stderr.write(words.read().decode(errors="replace")[-2000:])
            raise SystemExit(f"the command failed with {process.returncode}: {' '.join(command)}")
    return resident, proportional, time.perf_counter() - start, samples


def tree_memory(root: int) -> tuple[int, int | None]:
    """Return what a process and its descendants hold, in bytes: resident and proportional set sizes, summed.

    The second is None where the system does not tell it. A process that has just ended counts as nothing.
    """
    resident, proportional, told = 0, 0, True
    for pid in _tree(root):
        own = _field(Path(f"/proc/{pid}/status"), "VmRSS:")
        share = _field(Path(f"/proc/{pid}/smaps_rollup"), "Pss:")
        told = told and (share is not None or own is None)
        resident, proportional = resident + (own or 0), proportional + (share or 0)
    return resident, proportional if told else None


def half_a_minute(folder: Path) -> tuple[Path, Path]:
    """Render synthetic traffic and repeat it until it lasts 30 seconds, each time with new tracks."""
    from pamtri_edge.synth.traffic.plan import TrafficPlan
    from pamtri_edge.synth.traffic.videos import write_traffic
    from pamtri_edge.video.encode import VideoWriter
    from pamtri_edge.video.sources import open_source

    plan = TrafficPlan(cameras=1, supersampling=1)
    video, tracks, _ = write_traffic(plan, folder)
    source = open_source(str(video))
    frames = [frame.picture for frame in source.frames()]
    source.close()
    lines = [line.split(",") for line in tracks.read_text().splitlines()]
    long, long_tracks = folder / "half-a-minute.mp4", folder / "half-a-minute.txt"
    most = max(int(line[1]) for line in lines)
    repeated = []
    writer = VideoWriter(long, rate=plan.fps)
    for index in range(round(SECONDS * plan.fps)):
        turn, at = divmod(index, len(frames))
        writer.write(frames[at], index / plan.fps)
        for frame, track, *rest in lines:
            if int(frame) == at + 1:
                repeated.append(",".join([str(index + 1), str(int(track) + turn * most), *rest]))
    writer.close()
    long_tracks.write_text("\n".join(repeated) + "\n")
    return long, long_tracks


def _tree(root: int) -> list[int]:
    found, waiting = [], [root]
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        for task in _listed(Path(f"/proc/{pid}/task")):
            try:
                waiting += map(int, (task / "children").read_text().split())
            except OSError:  # it has ended meanwhile
                continue
    return found


def _listed(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _field(path: Path, name: str) -> int | None:
    """Return a field of a /proc file in bytes; None where it cannot be read."""
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(name)), None)


def _show(peaks: list[Peak], clip: str, batch: int) -> None:
    table = Table(title=f"pamtri run on {clip}, batch {batch}", title_justify="left")
    table.add_column("bundle")
    for heading in ("peak MB, resident", "proportional", "limit MB", "seconds", "events"):
        table.add_column(heading, justify="right")
    for peak in peaks:
        met = "" if peak.limit is None else ("met" if peak.resident < peak.limit else "missed")
        table.add_row(
            peak.name,
            f"{peak.resident / 1e6:.0f}",
            "" if peak.proportional is None else f"{peak.proportional / 1e6:.0f}",
            "" if peak.limit is None else f"{peak.limit / 1e6:.0f} {met}",
            f"{peak.seconds:.1f}",
            str(peak.events),
        )
    console.out.print(table)


if __name__ == "__main__":
    console.guarded(lambda: typer.run(main))
