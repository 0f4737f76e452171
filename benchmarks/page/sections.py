# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What each kind of result file says: one function a kind, from its record to a section."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from page import Bar, Plot, Record, Section

Parts = tuple[str, str, Sequence[Plot], Sequence[str], Sequence[Sequence[str]]]
"""Title, text, plots, and head and rows of the table."""


def section_of(kind: str, name: str, record: Record) -> Section | None:
    """Return the section of a result file; None for a kind that the page does not show."""
    make = KINDS.get(kind)
    if make is None:
        return None
    title, text, plots, head, rows = make(record)
    machine = f"{record.get('processor', 'unknown processor')}, {record.get('cores', '?')} cores"
    flags = " ".join(record.get("flags", ()))
    busy = record.get("others")
    note = f"; other programs took {busy:.0%} of it meanwhile" if isinstance(busy, float) else ""
    return Section(title, text, plots, head, rows, name, _date(name, record), f"{machine} ({flags}){note}")


def _date(name: str, record: Record) -> str:
    return str(record.get("date") or name.partition("-")[2][:10])


def _speed(record: Record) -> Parts:
    rows = record.get("rows") or [
        {**row, "batch": one["batch"]} for one in record["measured"] for row in one["rows"]
    ]
    plots = []
    for batch in sorted({row["batch"] for row in rows}, reverse=True):
        bars = [
            Bar(
                row["name"],
                row["ratio"]["median"],
                row["ratio"]["low"],
                row["ratio"]["high"],
                ours=_is_ours(row["name"]),
            )
            for row in rows
            if row["batch"] == batch and row.get("ratio")
        ]
        title, unit = f"batch {batch}", "times as many vehicles a second as the original"
        if bars:
            plots.append(Plot(title, unit, bars, wanted=1))
        else:  # a run without the original
            plots.append(Plot(title, "processor ms a vehicle", _processor_times(rows, batch)))
    table = [
        [
            f"{row['name']}, batch {row['batch']}",
            f"{row['milliseconds']:.1f}",
            f"{row['processor_milliseconds']:.1f}",
            f"{row['vehicles_per_second']:.1f}",
            _share(row.get("limit_share")),
            row["arithmetic"],
        ]
        for row in rows
    ]
    head = ["", "ms a vehicle", "processor ms", "vehicles/s", "of the limit", "arithmetic"]
    text = (
        "From uint8 crops to embedding, color, type and keypoints; ratios within rounds of one run, with "
        "their 95 % interval. The limit is a product of matrices in the same precision, by processor time."
    )
    return "Vehicles a second", text, plots, head, table


def _processor_times(rows: Sequence[Record], batch: int) -> list[Bar]:
    return [
        Bar(row["name"], row["processor_milliseconds"], ours=_is_ours(row["name"]))
        for row in rows
        if row["batch"] == batch and not row["name"].startswith("matrix product")
    ]


def _is_ours(name: str) -> bool:
    return name.startswith(("paper", "lite")) and not any(
        peer in name for peer in ("PyTorch", "ONNX Runtime", "OpenVINO")
    )


def _share(ratio: Any) -> str:
    return f"{ratio['median']:.0%}" if ratio else ""


def _operations(record: Record) -> Parts:
    rows = record["rows"]
    times = [
        Bar(f"{row['name']} / {other}", found["median"], found["low"], found["high"], ours=True)
        for row in rows
        for other, found in row["times"].items()
    ]
    copies = [
        Bar(
            row["name"],
            row["copy_share"]["median"],
            row["copy_share"]["low"],
            row["copy_share"]["high"],
            ours=True,
        )
        for row in rows
    ]
    plots = [
        Plot("beside NumPy and OpenCV", "times as fast, one core", times, wanted=3),
        Plot("beside a copy of as many bytes", "part of the copy's bandwidth", copies, wanted=0.5),
    ]
    table = [[row["name"], f"{row['microseconds']:.0f}", f"{row['gigabytes']:.1f}"] for row in rows]
    text = "The compiled operations on one core, by processor time."
    return "Operations", text, plots, ["", "us a vehicle", "GB/s"], table


def _startup(record: Record) -> Parts:
    bars = [Bar(row["name"], row["cpu"], ours=True) for row in record["rows"]]
    table = [
        [row["name"], f"{row['wall']:.2f}", f"{row['cpu']:.2f}", _number(row["target"])]
        for row in record["rows"]
    ]
    text = f"Whole processes, with the interpreter; the bundle is {record['bundle']}."
    return (
        "Start-up",
        text,
        [Plot("from start to end", "processor seconds", bars)],
        ["", "wall s", "processor s", "at most"],
        table,
    )


def _number(value: Any) -> str:
    return "" if value is None else f"{value:g}"


def _scaling(record: Record) -> Parts:
    plots = [
        Plot(
            name,
            curve["unit"],
            lines={line: [(x, y) for x, y in points] for line, points in curve["lines"].items()},
            x=curve["x"],
        )
        for name, curve in record["curves"].items()
    ]
    table = [
        [f"{name}, {line}", words]
        for name, curve in record["curves"].items()
        for line, words in curve["words"].items()
    ]
    text = "What grows with what: the exponent of a power, or the knee where it stops."
    return "Scaling", text, plots, ["", "found"], table


def _memory(record: Record) -> Parts:
    bars = [Bar(one["name"], one["resident"] / 1e6, ours=True) for one in record["peaks"]]
    table = [
        [
            one["name"],
            f"{one['resident'] / 1e6:.0f}",
            "" if one["limit"] is None else f"{one['limit'] / 1e6:.0f}",
        ]
        for one in record["peaks"]
    ]
    text = f"Peak of all processes of pamtri run on {record['clip']}, batch {record['batch']}."
    return "Memory", text, [Plot("peak resident memory", "MB", bars)], ["", "MB", "at most"], table


def _stem(record: Record) -> Parts:
    bars = [
        Bar(
            f"{row['size']}, batch {row['batch']}",
            row["gain"]["median"],
            row["gain"]["low"],
            row["gain"]["high"],
            ours=True,
        )
        for row in record["rows"]
    ]
    text = f"The rewritten first convolution beside the plain one, {record['precision']}."
    return "Rewritten stem", text, [Plot("gain", "times as fast", bars, wanted=1)], [], []


def _ablation(record: Record) -> Parts:
    bars = [Bar(row["name"], 100 * row["scores"]["mAP"], ours=True) for row in record["rows"]]
    text = "What keypoints (K), heatmaps (H), segments (S) and multi-task learning (MT) add, short trainings."
    return "Ablation", text, [Plot("synthetic test set", "mAP, %", bars)], [], []


def _footage(record: Record) -> Parts:
    plots = [
        Plot(
            clip,
            "mAP, %",
            [
                Bar(one["feature"], 100 * one["mAP"], ours=one["feature"].startswith("pamtri"))
                for one in features
            ],
        )
        for clip, features in record["clips"].items()
    ]
    text = "Tracks of real clips found again, beside simple features."
    return "Real footage", text, plots, [], []


KINDS: dict[str, Callable[[Record], Parts]] = {
    "speed": _speed,
    "operations": _operations,
    "startup": _startup,
    "scaling": _scaling,
    "memory": _memory,
    "stem": _stem,
    "footage": _footage,
    "ablation": _ablation,
}
"""In the order of the page."""
