# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The elements' C++ tests with the address and undefined-behavior sanitizers, and a short run under valgrind.

`python benchmarks/gstreamer_checks.py --build FOLDER` builds the tests of tests/gstreamer with the sanitizers
in FOLDER (some minutes; a second run builds what changed), runs each in a process of its own and prints which
failed. `--valgrind PROGRAM` runs a few tests of such a program built without sanitizers under valgrind.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
FLAGS = "-O1 -fsanitize=address,undefined -fno-omit-frame-pointer -fno-sanitize-recover=undefined"
SHORT = (
    "a_vehicle_is_answered_on_its_frame_and_on_every_later_one",
    "the_end_of_a_stream_finishes_tracks_and_tells_each_event_once_before_it",
    "an_element_can_be_stopped_and_played_again",
    "a_stream_may_change_its_size_and_format",
)
"""What valgrind, which is 30 times slower, is given."""
OTHERS = "leak:call_init\n"
"""Leaks that are not ours: what libraries (GLib) make while they are loaded, and keep."""
OTHERS_OF_VALGRIND = "{\n   loading\n   Memcheck:Leak\n   ...\n   fun:call_init\n   ...\n}\n"
"""The same in valgrind's words."""
ENVIRONMENT = {
    **os.environ,
    "ASAN_OPTIONS": "detect_leaks=1:fast_unwind_on_malloc=0",
    "G_SLICE": "always-malloc",
    "G_DEBUG": "fatal-warnings",
    "GST_PLUGIN_PATH": "",
    "GST_REGISTRY_FORK": "no",
}


def names() -> list[str]:
    """Return the names of the tests."""
    sources = sorted((ROOT / "tests" / "gstreamer").glob("*_tests.cpp"))
    found = [re.findall(r"^TEST\((\w+)\)", source.read_text(), re.MULTILINE) for source in sources]
    return [name for several in found for name in several]


def build(folder: Path) -> Path:
    """Build the tests with the sanitizers; return the program."""
    given = ["-DPAMTRI_PYTHON=OFF", "-DPAMTRI_GSTREAMER=ON", "-DPAMTRI_TESTS=ON", "-DCMAKE_BUILD_TYPE=Debug"]
    given += [f"-DCMAKE_CXX_FLAGS={FLAGS}", f"-DPython_EXECUTABLE={sys.executable}"]
    subprocess.run(["cmake", "-S", ROOT, "-B", folder, *given], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(
        ["cmake", "--build", folder, "--parallel", "2", "--target", "gstreamer_tests"],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return folder / "tests" / "gstreamer" / "gstreamer_tests"


def run(command: list[str], suppressions: Path) -> str | None:
    """Run a test; return what went wrong."""
    environment = {**ENVIRONMENT, "LSAN_OPTIONS": f"suppressions={suppressions}"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=900)
    return None if done.returncode == 0 else (done.stdout + done.stderr)[-3000:]


def report(kind: str, faults: dict[str, str | None], begin: float) -> bool:
    """Print what was run, and what failed."""
    wrong = {name: fault for name, fault in faults.items() if fault}
    figures = {"tests": len(faults), "failed": len(wrong), "seconds": round(time.monotonic() - begin)}
    print(json.dumps({kind: figures}), flush=True)
    for name, fault in wrong.items():
        print(f"{name}\n{fault}", file=sys.stderr)
    return not wrong


def main() -> int:
    """Run the checks; 1 where one fails."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--build", type=Path, help="folder of the build with sanitizers")
    parser.add_argument(
        "--valgrind", type=Path, metavar="PROGRAM", help="gstreamer_tests, without sanitizers"
    )
    options = parser.parse_args()
    good = True
    with tempfile.TemporaryDirectory() as folder:
        (others := Path(folder) / "others").write_text(OTHERS)
        if options.build is not None:
            program, begin = build(options.build), time.monotonic()
            faults = {name: run([str(program), name], others) for name in names()}
            good &= report("sanitizers", faults, begin)
        if options.valgrind is not None:
            begin = time.monotonic()
            command = ["valgrind", "--error-exitcode=9", "--leak-check=full"]
            (known := Path(folder) / "known").write_text(OTHERS_OF_VALGRIND)
            command += ["--errors-for-leak-kinds=definite", f"--suppressions={known}", str(options.valgrind)]
            good &= report("valgrind", {name: run([*command, name], others) for name in SHORT}, begin)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
