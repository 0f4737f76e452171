# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The elements on real GStreamer: the plugin and its C++ tests are built once."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FLAGS = "-O1 -Wno-maybe-uninitialized"  # GCC 12 sees such in optionals that are there
NEEDED = ("gstreamer-video-1.0 >= 1.22", "gstreamer-check-1.0 >= 1.22")


def tool(name: str) -> str | None:
    """Return a program of the environment that runs the tests, or of the system."""
    beside = Path(sys.executable).with_name(name)
    return str(beside) if beside.exists() else shutil.which(name)


def missing() -> str | None:
    """Say what of GStreamer is not there; None where all is."""
    for program in ("pkg-config", "gst-launch-1.0", "cmake"):
        if tool(program) is None:
            return f"there is no {program}; .ci/gstreamer installs GStreamer on Debian and Ubuntu"
    found = subprocess.run(["pkg-config", "--exists", *NEEDED], capture_output=True)
    return None if found.returncode == 0 else "there is no GStreamer 1.22 or later; .ci/gstreamer installs it"


def run(*command: object, **options: object) -> str:
    """Run a command; what it said is in the failure."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)  # type: ignore[call-overload]
    assert done.returncode == 0, (
        f"{' '.join(map(str, command))}\n{done.stdout[-6000:]}\n{done.stderr[-6000:]}"
    )
    return str(done.stdout)


def build(folder: Path, *targets: str, flags: str = FLAGS, **definitions: str) -> Path:
    """Build targets with GStreamer; return the folder of the build."""
    given = {"PAMTRI_PYTHON": "OFF", "PAMTRI_GSTREAMER": "ON", "PAMTRI_TESTS": "ON", "PAMTRI_WERROR": "ON"}
    given |= {
        "CMAKE_BUILD_TYPE": "Debug",
        "CMAKE_CXX_FLAGS": flags,
        "Python_EXECUTABLE": sys.executable,
        **definitions,
    }
    ninja = tool("ninja")
    generator = ("-G", "Ninja", f"-DCMAKE_MAKE_PROGRAM={ninja}") if ninja else ()
    cmake = tool("cmake")
    run(cmake, "-S", ROOT, "-B", folder, *generator, *(f"-D{name}={value}" for name, value in given.items()))
    run(cmake, "--build", folder, "--parallel", "2", "--target", *targets)
    return folder


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build plugin and C++ tests; return the folder. PAMTRI_GSTREAMER_BUILD: a kept one."""
    lacking = missing()
    if lacking is not None:
        pytest.skip(lacking)
    kept = os.environ.get("PAMTRI_GSTREAMER_BUILD")
    folder = Path(kept) if kept else tmp_path_factory.mktemp("gstreamer")
    return build(folder, "gstpamtri_fake", "gstreamer_tests")


@pytest.fixture(scope="session")
def environment(built: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the environment in which GStreamer finds the plugin on the network for tests."""
    return {
        **os.environ,
        "GST_PLUGIN_PATH": str(built / "tests" / "gstreamer" / "fake_plugin"),
        "GST_REGISTRY": str(tmp_path_factory.mktemp("registry") / "registry.bin"),
        "GST_DEBUG_NO_COLOR": "1",
    }


@pytest.fixture(scope="session")
def real(built: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the environment in which GStreamer finds the plugin that runs bundles."""
    if importlib.util.find_spec("openvino") is None:
        pytest.skip("there is no OpenVINO: pip install openvino")
    build(built, "gstpamtri")
    return {
        **os.environ,
        "GST_PLUGIN_PATH": str(built / "pipelines" / "gstreamer"),
        "GST_REGISTRY": str(tmp_path_factory.mktemp("registry") / "registry.bin"),
        "GST_DEBUG_NO_COLOR": "1",
    }


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
