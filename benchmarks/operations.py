# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The compiled operations beside NumPy and OpenCV, and beside a copy of the bytes that they have to move.

`python benchmarks/operations.py` runs each on one core, round by round in alternating order (`pairing.py`),
and compares processor time, which neighbors disturb least. Bytes are each input once and each output once
(`gpu/traffic.py`); the copy moves as many, half of them read and half written. MMPose's decoder takes part
where mmpose is installed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from typing import Annotated, Any

import cv2
import numpy as np
import typer
from gpu import traffic
from machine import Others, describe
from numpy.typing import NDArray
from pairing import Block, Ratio, interleave, median_cpu, paired_ratio
from peers import glue
from reference import plain_operations
from rich.table import Table
from saving import save_result
from test_segments import keypoints as spread_keypoints

from pamtri_edge import console, ops
from pamtri_edge.ops import native
from pamtri_edge.ops.tables import SEGMENT_CORNERS

PLAIN_TARGET, COPY_TARGET = 3.0, 0.5
"""Times as fast as NumPy and OpenCV; share of the copy's bandwidth."""

Call = Callable[[], object]


@dataclass(frozen=True)
class Operation:
    """One of ours, what others write for it, and the bytes that both must move."""

    ours: Call
    others: dict[str, Call]
    bytes: int


@dataclass(frozen=True)
class Row:
    """What was measured of one operation.

    Attributes:
        microseconds: processor time a vehicle.
        gigabytes: a second of processor time.
        times: how many times as fast as each of the others.
        copy_share: its bytes a second as a part of the copy's.
    """

    name: str
    microseconds: float
    gigabytes: float
    times: dict[str, Ratio]
    copy_share: Ratio


def main(
    vehicles: Annotated[int, typer.Option(min=1, help="Vehicles a call.")] = 16,
    rounds: Annotated[int, typer.Option(min=3, help="Rounds.")] = 15,
    save: Annotated[bool, typer.Option(help="Write the figures into benchmarks/results.")] = True,
) -> None:
    """Print how fast the operations are on one core of this machine."""
    ops.set_threads(1)
    cv2.setNumThreads(1)
    with Others() as others:
        rows = [
            _measure(name, operation, vehicles, rounds) for name, operation in _operations(vehicles).items()
        ]
    about = describe()
    _show(rows, f"{about['processor']}, one core, {vehicles} vehicles a call")
    absent = [] if find_spec("mmpose") else ["MMPose's decoder: mmpose is not installed (pip install mmpose)"]
    for one in absent:
        console.out.print(f"not measured: {one}.")
    if save:
        record = {"vehicles": vehicles, "rounds": rounds, "others": others.share, "absent": absent}
        save_result("operations", {**about, **record, "rows": [asdict(row) for row in rows]})


def _operations(count: int) -> dict[str, Operation]:
    rng = np.random.default_rng(0)
    heatmaps = rng.uniform(-0.2, 1.0, (count, 36, 64, 64)).astype(np.float32)
    images = rng.uniform(0, 255, (count, 3, 256, 256)).astype(np.float32)
    points = np.ascontiguousarray(np.resize(spread_keypoints(), (count, 36, 3)))
    corners = np.ascontiguousarray(points[:, SEGMENT_CORNERS, :2] * 256).astype(np.int32)
    frame = rng.integers(0, 256, (1080, 1920, 3)).astype(np.uint8)
    boxes = np.array([[100 * i, 40 * i, 100 * i + 300, 40 * i + 240] for i in range(count)], np.int32)
    boxes = boxes % np.array([1600, 800, 1600, 800], np.int32)
    boxes[:, 2:] = boxes[:, :2] + (300, 240)
    found = np.zeros((count, 36, 3), np.float32)
    masks, plain_masks = (np.zeros((count, 13, 256, 256), np.float32) for _ in range(2))
    stack, plain_stack = (np.zeros((count, 39, 256, 256), np.float32) for _ in range(2))
    cut, plain_cut = (np.zeros((count, 3, 256, 256), np.float32) for _ in range(2))
    return {
        "decode": Operation(
            lambda: native.decode(heatmaps, found, True),
            {
                "NumPy": lambda: glue.keypoints_of(heatmaps),
                "NumPy, no quarter": lambda: plain_operations.decode(heatmaps),
                **_mmpose(heatmaps),
            },
            traffic.decode(count, item=4).total,
        ),
        "segments": Operation(
            lambda: native.segments(points, masks, 0.5),
            {"cv2.fillPoly": lambda: plain_operations.segments(corners, plain_masks)},
            traffic.segments(count, size=256, item=4).total,
        ),
        "stack": Operation(
            lambda: native.stack(images, heatmaps, None, None, stack, 0.5),
            {"cv2.resize": lambda: plain_operations.stack(images, heatmaps, plain_stack)},
            traffic.stack(count, image_item=4, heatmap_item=4, out_item=4).total,
        ),
        "crop": Operation(
            lambda: native.crop(frame, boxes, cut, False),
            {"cv2.resize": lambda: plain_operations.crop(frame, boxes, plain_cut)},
            traffic.crop(boxes, pixel_format="rgb", out_item=4).total,
        ),
    }


def _mmpose(heatmaps: NDArray[np.float32]) -> dict[str, Call]:
    if find_spec("mmpose") is None:
        return {}
    from mmpose.codecs.utils import get_heatmap_maximum, refine_keypoints

    def decoded() -> Any:
        places, peaks = get_heatmap_maximum(heatmaps)
        return [refine_keypoints(p[None], maps) for p, maps in zip(places, heatmaps, strict=True)], peaks

    return {"MMPose": decoded}


def _measure(name: str, operation: Operation, vehicles: int, rounds: int) -> Row:
    source = np.zeros(operation.bytes // 2, np.uint8)
    target = np.ones_like(source)
    calls: dict[str, Call] = {
        "ours": operation.ours,
        "copy": lambda: np.copyto(target, source),
        **operation.others,
    }
    blocks = interleave(calls, rounds=rounds, block=0.1)
    ours = blocks["ours"]
    return Row(
        name=name,
        microseconds=median_cpu(ours) / vehicles * 1e6,
        gigabytes=operation.bytes / median_cpu(ours) / 1e9,
        times={other: _times(blocks[other], ours) for other in operation.others},
        copy_share=_times(blocks["copy"], ours),
    )


def _times(other: Sequence[Block], ours: Sequence[Block]) -> Ratio:
    return paired_ratio(other, ours, clock="cpu")


def _show(rows: Sequence[Row], title: str) -> None:
    table = Table(title=title, title_justify="left")
    table.add_column("")
    for heading in ("us a vehicle", "GB/s", "of a copy", "times as fast as"):
        table.add_column(heading, justify="right")
    for row in rows:
        times = ", ".join(f"{name} {ratio.median:.2g}" for name, ratio in row.times.items())
        first = next(iter(row.times.values())).median
        table.add_row(
            row.name,
            f"{row.microseconds:.0f}",
            f"{row.gigabytes:.1f}",
            f"{row.copy_share.median:.0%} {_verdict(row.copy_share.median, COPY_TARGET)}",
            f"{times} {_verdict(first, PLAIN_TARGET)}",
        )
    console.out.print(table)


def _verdict(found: float, wanted: float) -> str:
    return f"(wanted {wanted:g}: {'met' if found >= wanted else 'missed'})"


if __name__ == "__main__":
    console.guarded(lambda: typer.run(main))
