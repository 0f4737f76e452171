# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Watch a camera with GStreamer: decode, find vehicles, describe them, send an event for each; connect again.

    python traffic.py rtsp://camera/stream --bundle NAME.pamtri --sink mqtt://broker/site/events \
        --regions "gvadetect model=yolox.xml ! gvatrack tracking-type=short-term-imageless"
    python traffic.py crossing.mp4 --bundle NAME.pamtri --sink file:events.jsonl \
        --regions "pamtritracks location=crossing.csv"

Needs PyGObject with GStreamer (python3-gi, which a virtual environment made with --system-site-packages sees)
and the plugin of `make pipelines` in GST_PLUGIN_PATH.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import gi

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402 - the version is chosen first

LONGEST_PAUSE_S = 30.0
FINISHING = 10 * Gst.SECOND  # what is still to be embedded when a source fails
POLL = 200 * Gst.MSECOND


@dataclass
class End:
    """How a pipeline ended: with its stream, by a failure, or because the user stopped it."""

    word: str
    reason: str = ""
    frames: int = 0


def quoted(text: str) -> str:
    """Return text as the value of a property in a launch line."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def describe(options: argparse.Namespace) -> str:
    """Return the launch line of the camera's pipeline."""
    live = "://" in options.source
    uri = options.source if live else Gst.filename_to_uri(str(Path(options.source).resolve()))
    pamtri = f"pamtri name=pamtri bundle={quoted(options.bundle)} camera={quoted(options.camera)}"
    if not live:
        pamtri += " sync=true"  # nothing of a file is late
    sink = f"pamtrisink uri={quoted(options.sink)}"
    if options.spool:
        sink += f" spool={quoted(options.spool)}"
    return " ! ".join(
        [
            f"uridecodebin uri={quoted(uri)}",
            # Of a live camera the newest frames count.
            "queue leaky=downstream max-size-buffers=4" if live else "queue",
            "videoconvert",  # frames that pamtri takes pass as they are
            options.regions,
            pamtri,
            sink,
        ]
    )


def finish(pipeline: Any) -> None:
    """End the stream of a pipeline whose source failed, so that the tracks that were open are told."""
    pamtri = pipeline.get_by_name("pamtri")
    if pamtri.get_property("stats").get_uint64("frames")[1]:
        # Some sources end it themselves, a little later; then this one is not taken.
        pamtri.get_static_pad("sink").send_event(Gst.Event.new_eos())
        pipeline.get_bus().timed_pop_filtered(FINISHING, Gst.MessageType.EOS)


def play(line: str, stopped: list[bool]) -> End:
    """Run a pipeline to its end; once the user has stopped it, tracks are finished and sent."""
    pipeline: Any = Gst.parse_launch(line)
    bus = pipeline.get_bus()
    pipeline.set_state(Gst.State.PLAYING)
    end, asked = End("stopped"), False
    try:
        while True:
            if stopped and not asked:
                asked = True
                if not pipeline.send_event(Gst.Event.new_eos()):
                    break
            message = bus.timed_pop_filtered(
                POLL, Gst.MessageType.ERROR | Gst.MessageType.WARNING | Gst.MessageType.EOS
            )
            if message is None:
                continue
            if message.type == Gst.MessageType.EOS:
                end = End("stopped" if asked else "over")
                break
            error, _ = (
                message.parse_error() if message.type == Gst.MessageType.ERROR else message.parse_warning()
            )
            if message.type == Gst.MessageType.ERROR:
                end = End("failed", error.message)
                finish(pipeline)
                break
            print(f"{message.src.get_name()}: {error.message}", file=sys.stderr)
        end.frames = pipeline.get_by_name("pamtri").get_property("stats").get_uint64("frames")[1]
    finally:
        pipeline.set_state(Gst.State.NULL)
    return end


def main() -> int:
    """Run the camera until it is over or the user stops it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("source", help="a video's path, or an address such as rtsp://camera/stream")
    parser.add_argument("--bundle", required=True, help="the network, NAME.pamtri")
    parser.add_argument("--regions", required=True, help="elements that find and track vehicles, with '!'")
    parser.add_argument("--sink", required=True, help="where events go: file:PATH, mqtt://HOST/TOPIC, ...")
    parser.add_argument("--spool", help="file that keeps events until the broker has them")
    parser.add_argument("--camera", default="camera", help="its name in the events")
    parser.add_argument("--reconnect", type=int, default=6, help="failed tries in a row, then it gives up")
    options = parser.parse_args()
    Gst.init(None)
    stopped: list[bool] = []

    def stop(number: int, frame: FrameType | None) -> None:
        stopped.append(True)

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    live, failures = "://" in options.source, 0
    while True:
        end = play(describe(options), stopped)
        if stopped or (end.word == "over" and not live):
            return 0
        failures = 1 if end.frames else failures + 1
        print(f"{options.camera}: {end.reason or 'the stream ended'} ({end.frames} frames)", file=sys.stderr)
        if not live or failures > options.reconnect:
            return 1
        until = time.monotonic() + min(0.5 * 2**failures, LONGEST_PAUSE_S)
        while not stopped and time.monotonic() < until:
            time.sleep(0.1)
        if stopped:
            return 0


if __name__ == "__main__":
    sys.exit(main())
