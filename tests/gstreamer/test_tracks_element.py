# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""pamtritracks puts the boxes of any file of tracks on the frames of a video."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from pamtri_edge.tracks import read_tracks
from pamtri_edge.tracks.sets import write_table

FORMS = {
    "mot": (
        "gt.txt",
        "1,7,10.5,20,30,40,1,-1,-1,-1\n2,7,11,20,30,40,1,-1,-1,-1\n2,9007199254740993,0,0,8,8,1,-1,-1,-1\n",
    ),
    "kitti": (
        "0001.txt",
        "0 7 Car 0 0 0 10.5 20 40.5 60 0 0 0 0 0 0 0\n1 7 Car 0 0 0 11 20 41 60 0 0 0 0 0 0 0\n",
    ),
}


def table(folder: Path, form: str) -> Path:
    name, text = FORMS[form]
    (folder / name).write_text(text)
    write_table(read_tracks(folder / name), folder / "table.csv")
    return folder / "table.csv"


def boxes(output: str) -> list[tuple[int, str]]:
    """Return the track and left edge of each region that the frames of a debug log have, in order."""
    return [(int(track), left) for track, left in re.findall(r"region track=(\d+) x1=(\S+)", output)]


@pytest.mark.parametrize("form", FORMS)
def test_each_frame_gets_its_boxes_whatever_the_layout(tmp_path, launch, environment, form):
    path = table(tmp_path, form)
    environment["GST_DEBUG"] = "pamtritracks:6"
    done = launch(f"videotestsrc num-buffers=3 ! pamtritracks location={path} ! fakesink")
    del environment["GST_DEBUG"]
    assert done.returncode == 0, done.stderr
    expected = [(7, "10.5"), (7, "11")] + [(9007199254740993, "0")] * (form == "mot")
    assert boxes(done.stderr) == expected


@pytest.mark.parametrize(
    ("properties", "found"),
    [
        ("", "location is not set"),
        ("location=nowhere.csv", "nowhere.csv: it cannot be read. Expected is a table"),
    ],
)
def test_without_a_table_the_pipeline_stops_and_it_is_said_how_to_make_one(launch, properties, found):
    done = launch(f"videotestsrc num-buffers=3 ! pamtritracks {properties} ! fakesink")
    assert done.returncode != 0
    assert found in done.stderr
    assert "pamtri tracks FILE --output TABLE.csv" in done.stderr


def test_a_video_that_runs_backward_has_each_box_on_its_frame(
    tmp_path, gi_python, system_packages, environment
):
    path = tmp_path / "table.csv"
    path.write_text("frame,id,x1,y1,x2,y2\n" + "".join(f"{k},7,{k},0,90,90\n" for k in range(5)))
    program = f"""import sys
sys.path.append({system_packages!r})
import gi
gi.require_version("Gst", "1.0")
from gi.repository import Gst
Gst.init(None)
pipeline = Gst.parse_launch(
    "videotestsrc ! video/x-raw,framerate=25/1 ! pamtritracks location={path} ! fakesink"
)
pipeline.set_state(Gst.State.PAUSED)
pipeline.get_state(9 * Gst.SECOND)
of, at = Gst.SeekFlags.FLUSH, Gst.SeekType.SET
pipeline.seek(-1, Gst.Format.TIME, of, at, 0, at, 200 * Gst.MSECOND)
pipeline.set_state(Gst.State.PLAYING)
pipeline.get_bus().timed_pop_filtered(9 * Gst.SECOND, Gst.MessageType.EOS)
pipeline.set_state(Gst.State.NULL)
"""
    done = subprocess.run(
        [gi_python, "-c", program],
        env={**environment, "GST_DEBUG": "pamtritracks:6"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert [left for _, left in boxes(done.stderr)][-5:] == ["4", "3", "2", "1", "0"]
