# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What the GStreamer elements cost, how much memory `pamtri` keeps, and whether four live streams go on.

`python benchmarks/gstreamer.py BUNDLE` runs real pipelines; GST_PLUGIN_PATH names the plugin's folder:

* idle: processor time of a frame of 640x352 without vehicles, with the element and without it;
* memory: the resident set and what is allocated, over 10,000 frames in which a track ends and another begins
  every 25;
* draw: processor time of the overlay of ten vehicles on a frame of 1280x720, by `pamtridraw` and by
  `pamtri run`;
* live: four live streams of 25 frames a second in one process, five vehicles each, for `--seconds`.

Needs PyGObject with GStreamer, of Debian's packages or of the environment.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import resource
import sys
import tempfile
import time
from array import array
from itertools import pairwise
from pathlib import Path
from typing import Any

sys.path.append("/usr/lib/python3/dist-packages")  # where Debian puts PyGObject

import gi

gi.require_version("Gst", "1.0")
import numpy as np  # noqa: E402
from gi.repository import Gst  # noqa: E402 - the version is chosen first

from pamtri_edge import Reidentifier, _core  # noqa: E402
from pamtri_edge.video.draw import Overlay, draw_overlays  # noqa: E402

FORM = "video/x-raw,format=I420,width=640,height=352,framerate=25/1"
RATE = 25
PAGE = os.sysconf("SC_PAGE_SIZE")
_HEAP = (
    "arena",
    "ordblks",
    "smblks",
    "hblks",
    "hblkhd",
    "usmblks",
    "fsmblks",
    "uordblks",
    "fordblks",
    "keepcost",
)


def table(path: Path, frames: int, vehicles: int, lasting: int | None = None) -> Path:
    """Write tracks side by side; where they last so many frames, others then take their places."""
    with path.open("w") as file:
        file.write("frame,id,x1,y1,x2,y2\n")
        for frame in range(frames):
            for vehicle in range(vehicles):
                track = vehicle if lasting is None else vehicle + vehicles * (frame // lasting)
                left = 10 + 125 * vehicle
                file.write(f"{frame},{track},{left},100,{left + 110},220\n")
    return path


def run(line: str, limit_s: float | None = None) -> Any:
    """Run a pipeline to its end, or for so many seconds; return it, stopped but for its elements' counts."""
    pipeline: Any = Gst.parse_launch(line)
    pipeline.set_state(Gst.State.PLAYING)
    wait = Gst.CLOCK_TIME_NONE if limit_s is None else int(limit_s * Gst.SECOND)
    message = pipeline.get_bus().timed_pop_filtered(wait, Gst.MessageType.ERROR | Gst.MessageType.EOS)
    if message is not None and message.type == Gst.MessageType.ERROR:
        sys.exit(message.parse_error()[0].message)
    return pipeline


def used_s() -> float:
    """Return the processor time of this process so far."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def resident() -> int:
    """Return the bytes of this process that are in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


class _Heap(ctypes.Structure):
    """The answer of glibc's `mallinfo2`."""

    _fields_ = [(name, ctypes.c_size_t) for name in _HEAP]


def allocated() -> int:
    """Return the bytes that the program has of malloc and has not given back."""
    count: Any = ctypes.CDLL(None).mallinfo2
    count.restype = _Heap
    heap = count()
    return int(heap.uordblks + heap.hblkhd)


def idle(bundle: str, frames: int) -> dict[str, float]:
    """Measure frames without vehicles."""
    cost = {}
    for name, ours in (("without", "identity"), ("with", f"pamtri bundle={bundle}")):
        source = f"videotestsrc num-buffers={frames} pattern=black ! {FORM}"
        run(f"{source} ! {ours} ! fakesink").set_state(Gst.State.NULL)  # opened once
        pipeline = Gst.parse_launch(f"{source} ! {ours} ! fakesink")
        pipeline.set_state(Gst.State.PAUSED)
        pipeline.get_state(Gst.CLOCK_TIME_NONE)
        before = used_s()
        pipeline.set_state(Gst.State.PLAYING)
        pipeline.get_bus().timed_pop_filtered(Gst.CLOCK_TIME_NONE, Gst.MessageType.EOS)
        cost[name] = 1000 * (used_s() - before) / frames
        pipeline.set_state(Gst.State.NULL)
    ours_ms = cost["with"] - cost["without"]
    return {"ms a frame": round(ours_ms, 4), "share of a frame's time": round(ours_ms * RATE / 1000, 5)}


def scene(bundle: str) -> tuple[Any, Any]:
    """Return a frame of 1280x720 with ten of the bundle's own vehicles, and their boxes."""
    crops = np.load(Path(bundle) / "golden.npz")["input/images"].transpose(0, 2, 3, 1)
    frame = np.full((720, 1280, 3), 90, np.uint8)
    boxes = []
    for k in range(10):
        left, top, side = 20 + 250 * (k % 5), 60 + 330 * (k // 5), 220
        places = np.arange(side) * crops.shape[1] // side
        frame[top : top + side, left : left + side] = crops[k % len(crops)][places][:, places]
        boxes.append((left, top, left + side, top + side))
    return frame, np.array(boxes, float)


def drawn_by_element(bundle: str, folder: Path, frames: int) -> dict[str, float]:
    """Measure `pamtridraw`, behind a converter that gives it frames which nobody else holds."""
    frame, boxes = scene(bundle)
    tracks = folder / "draw.csv"
    rows = [f"{n},{k},{','.join(map(str, box))}" for n in range(frames) for k, box in enumerate(boxes)]
    tracks.write_text("\n".join(["frame,id,x1,y1,x2,y2", *rows, ""]))
    cost = {}
    for form in ("I420", "NV12", "RGB"):
        for ours in ("identity", "pamtridraw"):
            pipeline: Any = Gst.parse_launch(
                "appsrc name=in format=time block=true max-buffers=4 ! videoconvert ! "
                f"video/x-raw,format={form} ! pamtritracks location={tracks} ! "
                f"pamtri bundle={bundle} sync=true ! {ours} ! fakesink"
            )
            source = pipeline.get_by_name("in")
            source.set_property(
                "caps", Gst.Caps.from_string("video/x-raw,format=BGR,width=1280,height=720,framerate=25/1")
            )
            pixels = np.ascontiguousarray(frame[..., ::-1]).tobytes()
            pipeline.set_state(Gst.State.PLAYING)
            for number in range(frames):
                if number == 3 * RATE:  # all are embedded by now
                    before = used_s()
                buffer = Gst.Buffer.new_wrapped(pixels)
                buffer.pts, buffer.duration = number * Gst.SECOND // RATE, Gst.SECOND // RATE
                source.emit("push-buffer", buffer)
            source.emit("end-of-stream")
            pipeline.get_bus().timed_pop_filtered(
                Gst.CLOCK_TIME_NONE, Gst.MessageType.EOS | Gst.MessageType.ERROR
            )
            cost[ours] = 1000 * (used_s() - before) / (frames - 3 * RATE)
            pipeline.set_state(Gst.State.NULL)
        cost[form] = round(cost["pamtridraw"] - cost["identity"], 3)
    return {form: cost[form] for form in ("I420", "NV12", "RGB")}


def draw(bundle: str, folder: Path, frames: int) -> dict[str, Any]:
    """Measure both overlays."""
    frame, boxes = scene(bundle)
    with Reidentifier.load(bundle) as reid:
        found = reid.embed_frame(frame, boxes)
    overlays = []
    for k, box in enumerate(boxes):
        points = found.keypoints[k].copy()
        points[:, :2] = (points[:, :2] - box[:2]) / (box[2:] - box[:2])
        text = _core.overlay_label(k, (found.colors[k], 0.9), (found.types[k], 0.9))
        overlays.append(Overlay(k, tuple(box), text, points))
    draw_overlays(frame, overlays)
    before = used_s()
    for _ in range(frames):
        draw_overlays(frame, overlays)
    python = round(1000 * (used_s() - before) / frames, 3)
    return {"pamtridraw ms a frame": drawn_by_element(bundle, folder, frames), "pamtri run, RGB": python}


def memory(bundle: str, folder: Path, frames: int) -> dict[str, Any]:
    """Follow memory over many frames and tracks: what is resident, and what is allocated."""
    tracks = table(folder / "memory.csv", frames, 1, lasting=25)
    residents, heaps = array("Q", [0]) * frames, array("Q", [0]) * frames  # which take no more as they fill
    numbers = iter(range(frames))

    def probe(pad: Any, info: Any) -> Any:
        number = next(numbers)
        residents[number], heaps[number] = resident(), allocated()
        return Gst.PadProbeReturn.OK

    pipeline: Any = Gst.parse_launch(
        f"videotestsrc num-buffers={frames} pattern=snow ! {FORM} ! pamtritracks location={tracks} ! "
        f"pamtri name=p bundle={bundle} ! fakesink name=end"
    )
    pipeline.get_by_name("end").get_static_pad("sink").add_probe(Gst.PadProbeType.BUFFER, probe)
    pipeline.set_state(Gst.State.PLAYING)
    pipeline.get_bus().timed_pop_filtered(Gst.CLOCK_TIME_NONE, Gst.MessageType.EOS | Gst.MessageType.ERROR)
    stats = pipeline.get_by_name("p").get_property("stats")
    pipeline.set_state(Gst.State.NULL)
    fifths = [slice(k * frames // 5, (k + 1) * frames // 5) for k in range(5)]
    return {
        "frames": next(numbers, frames),
        "events": stats.get_uint64("events")[1],
        "resident MB at most, by fifths": [round(max(residents[fifth]) / 1e6, 1) for fifth in fifths],
        "allocated MB at least, by fifths": [round(min(heaps[fifth]) / 1e6, 2) for fifth in fifths],
    }


def live(bundle: str, folder: Path, seconds: float, streams: int) -> dict[str, Any]:
    """Run live streams at once."""
    tracks = table(folder / "live.csv", int(seconds * RATE) + 100, 5, lasting=50)
    one = (
        f"videotestsrc is-live=true pattern=snow ! {FORM} ! pamtritracks location={tracks} ! "
        f"queue name=q{{0}} max-size-buffers=4 ! pamtri name=p{{0}} bundle={bundle} max-waiting=8 ! "
        "fakesink name=end{0} sync=false"
    )
    pipeline: Any = Gst.parse_launch(" ".join(one.format(k) for k in range(streams)))
    waits: list[list[float]] = [[] for _ in range(streams)]
    waiting = [0] * streams

    def probe(pad: Any, info: Any, k: int) -> Any:
        waits[k].append(time.monotonic())
        waiting[k] = max(waiting[k], pipeline.get_by_name(f"q{k}").get_property("current-level-buffers"))
        return Gst.PadProbeReturn.OK

    for k in range(streams):
        pad = pipeline.get_by_name(f"end{k}").get_static_pad("sink")
        pad.add_probe(Gst.PadProbeType.BUFFER, probe, k)
    before = used_s()
    pipeline.set_state(Gst.State.PLAYING)
    message = pipeline.get_bus().timed_pop_filtered(int(seconds * Gst.SECOND), Gst.MessageType.ERROR)
    if message is not None:
        sys.exit(message.parse_error()[0].message)
    stats = [pipeline.get_by_name(f"p{k}").get_property("stats") for k in range(streams)]
    begin = time.monotonic()
    pipeline.set_state(Gst.State.NULL)
    stopped_s = time.monotonic() - begin

    def each(name: str) -> list[int]:
        return [one.get_uint64(name)[1] for one in stats]

    return {
        "frames": each("frames"),
        "due": [round((times[-1] - times[0]) * RATE) + 1 for times in waits],
        "longest pause ms": [round(1000 * max(b - a for a, b in pairwise(times))) for times in waits],
        "frames in the queue at most": waiting,
        "embedded": each("embedded"),
        "late": each("late"),
        "events": each("events"),
        "processors used": round((used_s() - before) / seconds, 2),
        "stopped in s": round(stopped_s, 2),
    }


def main() -> None:
    """Measure, and print a line of JSON for each."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("bundle", help="NAME.pamtri")
    parser.add_argument("--frames", type=int, default=10000)
    parser.add_argument("--seconds", type=float, default=20.0, help="of the live streams")
    parser.add_argument("--streams", type=int, default=4)
    parser.add_argument("--only", choices=("idle", "draw", "memory", "live"), help="one of the four")
    options = parser.parse_args()
    Gst.init(None)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        parts = {
            "idle": lambda: idle(options.bundle, options.frames),
            "draw": lambda: draw(options.bundle, folder, min(options.frames, 1000)),
            "memory": lambda: memory(options.bundle, folder, options.frames),
            "live": lambda: live(options.bundle, folder, options.seconds, options.streams),
        }
        for part, measure in parts.items():
            if options.only in (None, part):
                print(json.dumps({part: measure()}), flush=True)


if __name__ == "__main__":
    main()
