# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The element pamtri in whole pipelines: what it tells of itself, and what it says when it cannot work."""

from __future__ import annotations

import re
import subprocess
from functools import cache

import pytest

from pamtri_edge.events import Event

SOURCE = (
    "videotestsrc num-buffers=4 pattern=snow ! video/x-raw,format=RGB,width=320,height=240,framerate=25/1"
)


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "table.csv"
    places = ((3, 20), (2**60, 180))
    rows = [f"{frame},{track},{left},40,{left + 90},130" for frame in range(4) for track, left in places]
    path.write_text("\n".join(["frame,id,x1,y1,x2,y2", *rows, ""]))
    return path


@pytest.fixture(scope="module")
def inspected(environment):
    """Return what gives what gst-inspect says of an element, asked once."""

    @cache
    def inspect(element):
        told = subprocess.run(["gst-inspect-1.0", element], env=environment, capture_output=True, text=True)
        assert told.returncode == 0, told.stderr
        return told.stdout

    return inspect


@pytest.mark.parametrize("element", ["pamtri", "pamtridetect", "pamtridraw", "pamtritracks"])
def test_gst_inspect_reads_like_documentation(inspected, element, request):
    if element == "pamtridetect":
        request.getfixturevalue("detecting")
    told = inspected(element)
    listed = told.partition("Element Properties")[2]
    properties = dict(re.findall(r"^  ([a-z-]+) +: (.+)$", listed, re.MULTILINE))
    ours = properties.keys() - {"name", "parent", "qos"}
    assert len(ours) >= 2
    for name in ours:
        assert len(properties[name]) > 20, f"{name} says too little: {properties[name]}"
    assert told.count("Default:") >= len(ours)


def test_numbers_out_of_range_are_refused_by_their_property(inspected):
    for name, words in (
        ("min-side", "Range: 1 - 4096 Default: 48"),
        ("max-views", "Range: 1 - 1000 Default: 32"),
        ("reinfer-interval", "Range: 0 - 100000 Default: 7"),
        ("reinfer-overlap", "Double. Range: 0 - 1 Default: 1"),
        ("batch", "Range: 1 - 256 Default: 8"),
        ("expiry", "Range: 0 - 3600000 Default: 2000"),
    ):
        assert words in re.sub(r" +", " ", inspected("pamtri").partition(f"  {name} ")[2])[:400]


def test_that_classes_leave_out_all_there_is_is_told(launch, table):
    line = f"{SOURCE} ! pamtritracks location={table} ! pamtri bundle=fake sync=true classes={{}} ! fakesink"
    done = launch(line.format("car,bus"))
    assert (
        "property classes names, car,bus; there were others, such as 'vehicle'" in done.stdout + done.stderr
    )
    assert "classes" not in launch(line.format("vehicle")).stdout


@pytest.mark.parametrize(
    ("properties", "found"),
    [
        ("", "The property bundle is not set"),
        ("bundle=nowhere", "there is no bundle nowhere; make one: pamtri-export."),
        ("bundle=fake device=tpu", "device is 'tpu'"),
        ("bundle=fake start-utc=yesterday", "start-utc is 'yesterday', which is no date and time"),
        ("bundle=fake dump-dir=/dev/null/views", "/dev/null/views, which cannot be made: "),
        ("bundle=broken sync=true", "the engine fell over; restart the pipeline."),
        ("bundle=broken", "the engine fell over; restart the pipeline."),
    ],
)
def test_what_it_cannot_use_stops_the_pipeline_with_one_sentence(launch, table, properties, found):
    done = launch(f"{SOURCE} ! pamtritracks location={table} ! pamtri {properties} ! fakesink")
    assert done.returncode != 0
    assert "ERROR: from element" in done.stderr
    assert found in done.stderr
    assert "CRITICAL" not in done.stderr


def messages(output):
    """Return the events of the bus messages that gst-launch -m prints."""
    found = re.findall(r'pamtri-event, .*?json=\(string\)"(.+?[^\\])"(?:, |;)', output)
    return [Event.from_json(re.sub(r"\\(.)", r"\1", text)) for text in found]


@pytest.mark.parametrize("sync", ["true", "false"])
def test_each_track_is_one_message_on_the_bus(launch, table, sync):
    line = f"pamtri bundle=fake sync={sync} camera=north start-utc=2026-05-31T08:00:00Z"
    done = launch(f"-m {SOURCE} ! pamtritracks location={table} ! {line} ! fakesink")
    assert done.returncode == 0, done.stderr
    events = messages(done.stdout)
    assert [event.track_id for event in events] == [3, 2**60]
    for event in events:
        assert (event.camera, event.frames.seen, event.start_s, event.end_s) == ("north", 4, 0.0, 0.12)
        assert event.start_utc == "2026-05-31T08:00:00.000Z"
        assert event.end_utc == "2026-05-31T08:00:00.120Z"
        assert event.embedding_space == "space-of-fakes"


def test_messages_can_be_left_out(launch, table):
    line = "pamtri bundle=fake post-messages=false"
    done = launch(f"-m {SOURCE} ! pamtritracks location={table} ! {line} ! fakesink")
    assert done.returncode == 0, done.stderr
    assert "pamtri-event" not in done.stdout


def test_frames_pass_unchanged(launch, table, tmp_path):
    ours = f"pamtritracks location={table} ! pamtri bundle=fake sync=true ! "
    for name, elements in (("with", ours), ("without", "")):
        done = launch(f"{SOURCE} ! {elements}filesink location={tmp_path / name}")
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "with").read_bytes() == (tmp_path / "without").read_bytes()
