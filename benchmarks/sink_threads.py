# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The C++ sinks under the thread sanitizer, against real brokers that stop answering for a while.

`python benchmarks/sink_threads.py --build FOLDER` builds the sender of tests/sinks in FOLDER, sends 120
events to Mosquitto, Redis and librdkafka's cluster for tests, each held for a second and a half in the
middle, and prints how many were acknowledged and how many races were seen.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "tests" / "fakes"))

from message_brokers import Kafka, Mosquitto, Redis, Sender  # noqa: E402 - found beside the tests

COUNT = 120
OPTIONS = "?timeout=1&backoff=0.05&most-backoff=0.3&flush=20"


def build(folder: Path) -> Path:
    """Build the sender with the thread sanitizer; return the program."""
    given = ["-DPAMTRI_PYTHON=OFF", "-DPAMTRI_TESTS=ON", "-DCMAKE_BUILD_TYPE=Debug"]
    given += ["-DCMAKE_CXX_FLAGS=-fsanitize=thread", "-DCMAKE_CXX_FLAGS_DEBUG=-O1 -g1"]
    given += [f"-DPython_EXECUTABLE={sys.executable}"]
    cmake = Path(sys.executable).with_name("cmake")
    for command in (["-S", ROOT, "-B", folder, *given], ["--build", folder, "--target", "sink_probe"]):
        subprocess.run(
            [cmake if cmake.exists() else "cmake", *command], check=True, stdout=subprocess.DEVNULL
        )
    return folder / "tests" / "sinks" / "sink_probe"


def measure(program: Path, kind: type) -> dict[str, object]:
    """Send to one broker."""
    with tempfile.TemporaryDirectory() as name:
        broker = kind(Path(name))
        broker.start()
        try:
            broker.consume()
            sender = Sender([program], broker.uri + OPTIONS)
            sender.post(range(COUNT // 2), every_s=0.005)
            broker.hold(1.5)
            sender.post(range(COUNT // 2, COUNT), every_s=0.005)
            out, told = sender.process.communicate(timeout=60)
        finally:
            broker.close()
    races = told.count("WARNING: ThreadSanitizer")
    if races:
        print(told, file=sys.stderr)
    report = json.loads(out.rpartition("report ")[2])
    return {"acknowledged": report["acknowledged"], "races": races, "ended with": sender.process.returncode}


def main() -> None:
    """Print a line of JSON for each broker; end with 1 if a race was seen."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--build", type=Path, required=True, help="the folder to build in")
    program = build(parser.parse_args().build)
    found = {kind.__name__: measure(program, kind) for kind in (Mosquitto, Redis, Kafka)}
    for name, figures in found.items():
        print(json.dumps({"broker": name, **figures}))
    sys.exit(any(figures["races"] for figures in found.values()))


if __name__ == "__main__":
    main()
