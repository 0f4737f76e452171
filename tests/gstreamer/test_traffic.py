# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""pipelines/apps/traffic.py watches a real RTSP camera, outlives it, and connects again when it is back."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from pamtri_edge.events import read_events

pytestmark = pytest.mark.slow
HERE = Path(__file__).parent
TRAFFIC = HERE.parents[1] / "pipelines" / "apps" / "traffic.py"
RUN = """
import runpy, sys
sys.path.append({system!r})
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
RTSP = "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import GstRtspServer"


@pytest.fixture
def program(gi_python, system_packages):
    """Return what starts a program that uses PyGObject."""

    def start(path, *arguments, **options):
        command = [gi_python, "-c", RUN.format(system=system_packages), path, *map(str, arguments)]
        return subprocess.Popen(command, text=True, **options)

    return start


@pytest.fixture
def camera(program, gi_python, system_packages):
    """Return what runs a camera on one port, killed in the end."""
    check = f"import sys; sys.path.append({system_packages!r}); {RTSP}"
    if subprocess.run([gi_python, "-c", check], capture_output=True).returncode:
        pytest.skip("there is no RTSP server of GStreamer: gir1.2-gst-rtsp-server-1.0")
    if subprocess.run(["gst-inspect-1.0", "--exists", "x264enc"]).returncode:
        pytest.skip("there is no x264enc: gstreamer1.0-plugins-ugly")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    @contextmanager
    def run():
        server = program(HERE / "rtsp_camera.py", port, stdout=subprocess.PIPE)
        try:
            assert server.stdout.readline() == "serving\n"
            yield
        finally:
            server.kill()
            server.communicate()

    run.address = f"rtsp://127.0.0.1:{port}/camera"
    return run


def wait_for(condition, what, seconds=40.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited {seconds} s in vain until {what}"
        time.sleep(0.1)


def events_in(path):
    return list(read_events(path)) if path.exists() else []


@pytest.fixture
def table(tmp_path):
    """Return tracks of which one ends with frame 11, and one goes on."""
    rows = [
        f"{frame},{track},{x},40,{x + 90},130" for frame in range(5000) for track, x in ((1, 20), (2, 180))
    ]
    kept = [row for row in rows if int(row.split(",")[0]) < 12 or row.split(",")[1] == "2"]
    (tmp_path / "tracks.csv").write_text("\n".join(["frame,id,x1,y1,x2,y2", *kept, ""]))
    return tmp_path / "tracks.csv"


def test_a_camera_that_goes_away_is_connected_to_again(camera, program, environment, table, tmp_path):
    found, said = tmp_path / "events.jsonl", tmp_path / "said"
    with said.open("w") as log:
        watching = program(
            TRAFFIC, camera.address, "--bundle", "fake", "--regions", f"pamtritracks location={table}",
            "--sink", f"file:{found}", "--camera", "north", "--reconnect", "20", env=environment, stderr=log,
        )  # fmt: skip
        try:
            with camera():
                wait_for(lambda: events_in(found), "the first track is told")
            wait_for(lambda: "north:" in said.read_text(), "the camera is missed")
            wait_for(lambda: len(events_in(found)) == 2, "what was there then is told")
            with camera():
                wait_for(lambda: len(events_in(found)) > 2, "a track is told when it is back")
                watching.send_signal(signal.SIGTERM)
                assert watching.wait(20) == 0, said.read_text()
        finally:
            watching.kill()
            watching.wait()
    events = events_in(found)
    assert {event.camera for event in events} == {"north"}
    # The second track was told when the camera went away, and when the program was stopped.
    assert [event.track_id for event in events] == [1, 2, 1, 2]
    assert "Traceback" not in said.read_text()


def test_a_camera_that_never_answers_is_given_up(camera, program, environment, table, tmp_path):
    watching = program(
        TRAFFIC, camera.address, "--bundle", "fake", "--regions", f"pamtritracks location={table}",
        "--sink", f"file:{tmp_path}/events.jsonl", "--reconnect", "1",
        env=environment, stderr=subprocess.PIPE,
    )  # fmt: skip
    _, said = watching.communicate(timeout=40)
    assert watching.returncode == 1
    assert "camera:" in said
    assert "Traceback" not in said
