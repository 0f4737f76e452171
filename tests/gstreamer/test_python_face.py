# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""pamtri_edge.gst reads in a probe what pamtri attached, and its messages from the bus."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from pamtri_edge import gst
from pamtri_edge.errors import InputError, MissingDependencyError

FORM = "video/x-raw,format=RGB,width=320,height=240,framerate=25/1"

PROGRAM = """
import json, sys
sys.path.append({system!r})
import gi
gi.require_version("Gst", "1.0")
from gi.repository import Gst
from pamtri_edge import gst

Gst.init(None)
pipeline = Gst.parse_launch({line!r})
seen = []

def probe(pad, info):
    seen.append(gst.vehicles(info.get_buffer()))
    return Gst.PadProbeReturn.OK

pipeline.get_by_name("end").get_static_pad("sink").add_probe(Gst.PadProbeType.BUFFER, probe)
pipeline.set_state(Gst.State.PLAYING)
events, bus = [], pipeline.get_bus()
while True:
    message = bus.timed_pop(20 * Gst.SECOND)
    if message.type == Gst.MessageType.ELEMENT:
        events.append(gst.event_of(message))
    elif message.type in (Gst.MessageType.EOS, Gst.MessageType.ERROR):
        break
pipeline.set_state(Gst.State.NULL)
one = seen[-1][0]
json.dump({{
    "end": message.type == Gst.MessageType.EOS, "frames": len(seen), "counts": [len(v) for v in seen],
    "id": one.track_id, "box": one.box, "state": one.state, "views": one.views, "color": one.color,
    "type": one.type, "probability": one.type_probability, "embedding": one.embedding.tolist(),
    "keypoints": one.keypoints.tolist(), "bundle": one.bundle, "untracked": seen[-1][1].track_id,
    "events": [event.track_id for event in events if event is not None],
}}, sys.stdout)
"""


def test_a_probe_reads_the_vehicles_of_each_frame(gi_python, system_packages, environment, tmp_path):
    table = tmp_path / "table.csv"
    rows = [
        f"{k},{track},{x},40,{x + 90},130" for k in range(5) for track, x in ((2**60, 20), (2**64 - 1, 180))
    ]
    table.write_text("\n".join(["frame,id,x1,y1,x2,y2", *rows, ""]))
    line = (
        f"videotestsrc num-buffers=5 pattern=snow ! {FORM} ! pamtritracks location={table} ! "
        "pamtri bundle=fake sync=true batch=1 ! videoscale ! video/x-raw,width=640,height=480 ! "
        "fakesink name=end"
    )
    program = PROGRAM.format(system=system_packages, line=line)
    done = subprocess.run(
        [gi_python, "-c", program], env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["end"]
    assert told["counts"] == [2] * 5
    assert (told["id"], told["untracked"]) == (2**60, None)
    assert told["box"] == [40, 80, 220, 260]
    assert (told["state"], told["views"], told["type"], told["probability"]) == ("answered", 1, "car", 0.75)
    assert sum(value**2 for value in told["embedding"]) == pytest.approx(1, abs=1e-6)
    assert told["keypoints"][0] == pytest.approx([40 + 0.25 * 180, 80 + 0.5 * 180, 0.9], abs=1e-4)
    assert told["events"].count(2**60) == 1
    assert told["events"].count(2**64 - 1) == 5  # each sighting of an untracked vehicle is a track


@pytest.mark.parametrize("first", ["gi", "pamtri_edge", "Gst.init", "pamtri_edge.gst"])
def test_a_bundle_runs_in_a_program_with_gstreamer_in_whatever_order_they_are_loaded(
    gi_python, system_packages, tiny_bundle, first
):
    gi = "import gi\ngi.require_version('Gst', '1.0')\nfrom gi.repository import Gst\n"
    ours, init = "from pamtri_edge import Reidentifier\n", "Gst.init(None)\n"
    face = "from pamtri_edge import gst\n"
    program = {
        "gi": gi + ours + init,
        "pamtri_edge": ours + gi + init,
        "Gst.init": gi + init + ours,
        "pamtri_edge.gst": gi + face + init + ours,  # which loads NumPy, and that the C++ library
    }[first]
    program = f"import sys\nsys.path.append({system_packages!r})\n{program}"
    program += f"Reidentifier.load({str(tiny_bundle)!r}, backend='openvino').embed([])\n"
    done = subprocess.run([gi_python, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_what_is_missing_is_named():
    with pytest.raises(InputError, match="buffer is None"):
        gst.vehicles(None)
    with pytest.raises(MissingDependencyError, match="cannot be loaded"):
        gst.vehicles(1, plugin="/nowhere/libgstpamtri.so")
    with pytest.raises(MissingDependencyError, match=r"python3-gi|make pipelines"):
        gst.vehicles(1)


def test_the_structure_is_the_one_of_the_header(tmp_path, built):
    """As the C compiler lays it out."""
    header = Path(__file__).parents[2] / "pipelines" / "gstreamer" / "vehicle.h"
    source = tmp_path / "layout.c"
    names = [name for name, *_ in gst.CVehicle._fields_]
    prints = "".join(f'printf("%zu\\n", offsetof(PamtriVehicle, {name}));' for name in names)
    source.write_text(
        f'#include <stddef.h>\n#include <stdio.h>\n#include "{header}"\n'
        f'int main(void) {{ {prints} printf("%zu\\n", sizeof(PamtriVehicle)); return 0; }}\n'
    )
    flags = subprocess.run(
        ["pkg-config", "--cflags", "gstreamer-1.0"], capture_output=True, text=True
    ).stdout.split()
    subprocess.run(["cc", *flags, source, "-o", tmp_path / "layout"], check=True)
    offsets = subprocess.run([tmp_path / "layout"], capture_output=True, text=True).stdout.split()
    expected = [getattr(gst.CVehicle, name).offset for name in names]
    import ctypes

    assert [int(offset) for offset in offsets] == [*expected, ctypes.sizeof(gst.CVehicle)]
