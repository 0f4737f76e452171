# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A few of the elements' C++ tests under valgrind: memory that is not theirs, and what they leave behind.

`python benchmarks/gstreamer_valgrind.py PROGRAM`: PROGRAM is `gstreamer_tests`, built without sanitizers
(`cmake -DPAMTRI_TESTS=ON -DPAMTRI_GSTREAMER=ON`, target `gstreamer_tests`). With sanitizers, and looking for
leaks, all of them run with the tests (`tests/gstreamer/test_harness.py`).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SHORT = (
    "a_vehicle_is_answered_on_its_frame_and_on_every_later_one",
    "the_end_of_a_stream_finishes_tracks_and_tells_each_event_once_before_it",
    "an_element_can_be_stopped_and_played_again",
    "a_stream_may_change_its_size_and_format",
)
"""What valgrind, which is 30 times slower, is given."""
OTHERS = """
{
   what libraries (GLib) make while they are loaded, and keep
   Memcheck:Leak
   ...
   fun:call_init
   ...
}
{
   glibc reads the search path of a library by words of eight bytes
   Memcheck:Addr8
   fun:strncmp
   fun:is_dst
   ...
}
"""
"""Findings that are not ours, in valgrind's words."""
ENVIRONMENT = {
    **os.environ,
    "G_SLICE": "always-malloc",
    "G_DEBUG": "fatal-warnings",
    "GST_PLUGIN_PATH": "",
    "GST_REGISTRY_FORK": "no",
}


def main() -> int:
    """Run the tests; 1 where one fails."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("program", type=Path, help="gstreamer_tests, without sanitizers")
    options = parser.parse_args()
    begin, wrong = time.monotonic(), {}
    with tempfile.TemporaryDirectory() as folder:
        (others := Path(folder) / "others").write_text(OTHERS)
        command = ["valgrind", "--error-exitcode=9", "--leak-check=full"]
        command += ["--errors-for-leak-kinds=definite", f"--suppressions={others}", str(options.program)]
        for name in SHORT:
            done = subprocess.run(
                [*command, name], env=ENVIRONMENT, capture_output=True, text=True, timeout=900
            )
            if done.returncode != 0:
                wrong[name] = (done.stdout + done.stderr)[-3000:]
    seconds = round(time.monotonic() - begin)
    print(json.dumps({"tests": len(SHORT), "failed": len(wrong), "seconds": seconds}), flush=True)
    for name, fault in wrong.items():
        print(f"{name}\n{fault}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
