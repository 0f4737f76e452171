# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The elements on real GStreamer: the plugin and its C++ tests are built once."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import native_builds


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build plugin and C++ tests, with sanitizers where there are some; return the folder."""
    lacking = native_builds.gstreamer_missing()
    if lacking is not None:
        pytest.skip(lacking)
    return native_builds.sanitized(tmp_path_factory, "gstpamtri_fake", "gstreamer_tests")


@pytest.fixture(scope="session")
def environment(built: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the environment in which GStreamer finds the plugin on the network for tests."""
    return _environment(built / "tests" / "gstreamer" / "fake_plugin", tmp_path_factory)


@pytest.fixture(scope="session")
def real(built: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the environment in which GStreamer finds the plugin that runs bundles."""
    if importlib.util.find_spec("openvino") is None:
        pytest.skip("there is no OpenVINO: pip install openvino")
    native_builds.build(built, "gstpamtri")
    return _environment(built / "pipelines" / "gstreamer", tmp_path_factory)


def _environment(plugins: Path, folders: pytest.TempPathFactory) -> dict[str, str]:
    environment = {
        **os.environ,
        **native_builds.sanitizers_loaded(),
        "GST_PLUGIN_PATH": str(plugins),
        "GST_REGISTRY": str(folders.mktemp("registry") / "registry.bin"),
        "GST_DEBUG_NO_COLOR": "1",
    }
    # The first program fills the registry, for which it loads every plugin of the system and their libraries;
    # some crash as it ends (libva, once in a few times). That shall not be the program of a test.
    subprocess.run(["gst-inspect-1.0", "pamtri"], env=environment, capture_output=True)
    return environment


@pytest.fixture(scope="session")
def red_detector(detecting: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a network that finds what is red, beside its description."""
    pytest.importorskip("onnx", reason="the network is made with onnx")
    import tiny_detectors
    from pamtri_edge.video.detect.description import SUFFIX, describe, write_description

    net, outputs = tiny_detectors.yolov8()
    path = net.save(tmp_path_factory.mktemp("detector") / "red.onnx", outputs)
    write_description(describe(path)[0], path.with_suffix(SUFFIX))
    return path


@pytest.fixture(scope="session")
def detecting(built: Path) -> Path:
    """Return the folder of `built`, if the plugin in it has pamtridetect."""
    if "OpenVINO_DIR:PATH=OpenVINO_DIR-NOTFOUND" in (built / "CMakeCache.txt").read_text():
        pytest.skip("there is no OpenVINO: pip install openvino")
    return built


@pytest.fixture(scope="session")
def system_packages() -> str:
    """Return the folder where Debian puts PyGObject."""
    return "/usr/lib/python3/dist-packages"


@pytest.fixture(scope="session")
def gi_python(system_packages: str) -> str:
    """Return the Python that runs the tests, if it can use the system's PyGObject."""
    check = f"import sys; sys.path.append({system_packages!r}); import gi; gi.require_version('Gst', '1.0')"
    if subprocess.run([sys.executable, "-c", check], capture_output=True).returncode:
        pytest.skip("this Python has no PyGObject with GStreamer: python3-gi, gir1.2-gstreamer-1.0")
    return sys.executable


@pytest.fixture(scope="session")
def launch(environment: dict[str, str]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return what runs a gst-launch line to its end."""

    def run_line(line: str, **options: object) -> subprocess.CompletedProcess[str]:
        command = ["gst-launch-1.0", *line.split()]
        return subprocess.run(  # type: ignore[call-overload, no-any-return]
            command, env=environment, capture_output=True, text=True, timeout=120, **options
        )

    return run_line
