# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""pamtrisink sends each event once, from wherever it stands behind pamtri."""

from __future__ import annotations

import subprocess

import pytest

from pamtri_edge.events import read_events

FORM = "video/x-raw,format=RGB,width=320,height=240,framerate=25/1"
SOURCE = f"videotestsrc num-buffers=20 pattern=snow ! {FORM}"
LINE = f"{SOURCE} ! pamtritracks location=TABLE ! pamtri bundle=fake sync=true"


@pytest.fixture
def line(tmp_path):
    rows = [
        f"{frame},{track},{x},40,{x + 90},130"
        for track, x, frames in ((1, 20, range(5)), (2, 180, range(3, 20)), (3, 20, range(8, 12)))
        for frame in frames
    ]
    (tmp_path / "table.csv").write_text("\n".join(["frame,id,x1,y1,x2,y2", *rows, ""]))
    return LINE.replace("TABLE", str(tmp_path / "table.csv"))


def tracks(path):
    return [event.track_id for event in read_events(path)]


def test_under_a_tee_each_sink_gets_each_event_once_in_the_order_in_which_tracks_end(line, launch, tmp_path):
    branch = "t. ! queue ! {} pamtrisink uri=file:{}/{}.jsonl"
    small = "videoconvert ! video/x-raw,format=I420 ! videoscale ! video/x-raw,width=160 !"
    branches = [
        branch.format("", tmp_path, "plain"),
        branch.format("videorate drop-only=true max-rate=5 !", tmp_path, "slower"),
        branch.format(small, tmp_path, "smaller"),
        f"t. ! queue ! pamtrisink format=protobuf uri=file:{tmp_path}/events.pb",
    ]
    done = launch(f"{line} ! tee name=t {' '.join(branches)}")
    assert done.returncode == 0, done.stderr
    for name in ("plain", "slower", "smaller"):
        assert tracks(tmp_path / f"{name}.jsonl") == [1, 3, 2]
    assert (tmp_path / "events.pb").read_bytes().count(b"space-of-fakes") == 3


@pytest.mark.parametrize(
    ("properties", "found"),
    [
        ("", "The property uri is not set"),
        ("uri=ftp://example.org/x", "mqtt"),
        ("uri=file:/nowhere/at/all/events.jsonl", "/nowhere/at/all"),
    ],
)
def test_what_it_cannot_use_stops_the_pipeline_with_one_sentence(line, launch, properties, found):
    done = launch(f"{line} ! pamtrisink {properties}")
    assert done.returncode != 0
    assert found in done.stderr
    assert "ERROR: from element" in done.stderr


@pytest.mark.parametrize("spooled", [True, False])
def test_a_broker_that_is_away_stops_nothing_and_no_password_is_told(line, launch, tmp_path, spooled):
    uri = "mqtt://me:secret@127.0.0.1:1/events?flush=0.2"
    done = launch(f"{line} ! pamtrisink uri={uri} " + f"spool={tmp_path}/spool" * spooled)
    if "left out" in done.stderr or "install" in done.stderr:
        pytest.skip("built without MQTT: libmosquitto-dev is not there")
    assert done.returncode == 0, done.stderr
    assert "secret" not in done.stdout + done.stderr
    assert ("3 of 3 events could not be sent" in done.stdout + done.stderr) is not spooled
    assert not spooled or (tmp_path / "spool").stat().st_size > 0


def test_a_password_does_not_stand_in_the_graph_of_a_pipeline(environment, tmp_path):
    uri = "mqtt://joe:hidden1@127.0.0.1:1/site/events?flush=0.1"
    subprocess.run(
        ["gst-launch-1.0", *SOURCE.split(), "!", "pamtrisink", f"uri={uri}"],
        env={**environment, "GST_DEBUG_DUMP_DOT_DIR": str(tmp_path)},
        capture_output=True,
        timeout=60,
    )
    graphs = "".join(path.read_text() for path in tmp_path.glob("*.dot"))
    assert "mqtt://***@127.0.0.1:1/" in graphs
    assert "hidden1" not in graphs
    assert "joe" not in graphs
