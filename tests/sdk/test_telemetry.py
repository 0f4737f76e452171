# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""OpenVINO runs here without telling anyone, and without a home."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pamtri_edge.runtime.openvino_library import without_telemetry

WATCHED = """
import json, os, sys
seen = []
def watch(event, arguments):
    first = str(arguments[0]) if arguments else ""
    if event.startswith("socket.") or event in ("subprocess.Popen", "os.fork", "os.posix_spawn", "os.exec"):
        seen.append([event, first])
    if event in ("os.mkdir", "os.rename", "os.remove") and first.startswith(HOME):
        seen.append([event, first])
    if event == "open" and first.startswith(HOME):
        seen.append([event, first])
HOME = sys.argv[1]
sys.addaudithook(watch)
"""

EMBED = """
from pamtri_edge import Reidentifier, samples
with Reidentifier.load(sys.argv[2], backend="openvino", threads=1) as reid:
    assert len(reid.embed(samples.crops(2))) == 2
"""

CONVERT = """
from pamtri_edge.runtime.openvino_library import load_openvino
load_openvino().convert_model(sys.argv[2] + "/model.onnx")
"""

REPORT = """
converts = sys.modules["openvino"].convert_model is not None
print(json.dumps([seen, "openvino_telemetry" in sys.modules, converts]))
"""


def run(script: str, home: Path, bundle: Path | str = "", **environ: str) -> Any:
    program = WATCHED + script + REPORT
    # Not in CI, where the telemetry keeps quiet of itself.
    variables: Mapping[str, str] = {
        key: value for key, value in os.environ.items() if key not in ("CI", "HOME")
    }
    done = subprocess.run(
        [sys.executable, "-c", program, str(home), str(bundle)],
        capture_output=True,
        text=True,
        env={**variables, **environ},
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_embedding_and_converting_connect_to_nothing_and_write_nothing_under_home(
    micro_bundle: Path, tmp_path: Path
) -> None:
    seen, telemetry, converts = run(EMBED + CONVERT, tmp_path, micro_bundle, HOME=str(tmp_path))
    assert (seen, telemetry, converts) == ([], False, True)
    assert not list(tmp_path.iterdir())


def test_the_watch_sees_what_openvino_does_alone(tmp_path: Path) -> None:
    seen, telemetry, _ = run("import openvino", tmp_path, HOME=str(tmp_path))
    assert telemetry
    assert seen


def test_a_user_without_a_home_can_embed(micro_bundle: Path, tmp_path: Path) -> None:
    nobody = "import os; os.getuid = lambda: 4_000_000_000\n"
    seen, _, _ = run(nobody + EMBED, tmp_path, micro_bundle)
    assert not seen


def test_a_programs_own_use_of_the_package_is_left_as_it_was() -> None:
    stands, inner = object(), object()
    sys.modules["openvino_telemetry"] = stands  # type: ignore[assignment]
    sys.modules["openvino_telemetry.main"] = inner  # type: ignore[assignment]
    try:
        with without_telemetry():
            assert sys.modules["openvino_telemetry"] is None
            assert "openvino_telemetry.main" not in sys.modules
        assert sys.modules["openvino_telemetry"] is stands
        assert sys.modules["openvino_telemetry.main"] is inner
    finally:
        del sys.modules["openvino_telemetry"], sys.modules["openvino_telemetry.main"]
