# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What the tests of every room share: real data where it is at hand, one tiny bundle, the GPU marker."""

from __future__ import annotations

import importlib.util
import os
import signal
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

# Tiny networks gain nothing from several threads, and the processes that share the tests fight for the cores:
# torch's threads wait by spinning. It is read when torch is loaded, by the programs that tests start too.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# What a test compiles does not fill the developer's cache, nor come out of it; tests of the cache allow it.
os.environ.setdefault("PAMTRI_NO_CACHE", "1")

import hypothesis
import numpy as np
import pytest
from numpy.typing import NDArray

_TORCH_THREADS = int(os.environ["OMP_NUM_THREADS"].partition(",")[0])

if TYPE_CHECKING:
    from emulated_kernels import EmulatedKernels

# A shell that runs the suite in the background ignores Ctrl-C for it, and for every program it starts; the
# tests of an interrupted run need it heard.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).resolve().parents[1]

# A property that holds must hold on a loaded machine too: no deadline. In CI the same examples every time.
hypothesis.settings.register_profile("developer", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "developer")

SLOW_ROOMS = frozenset(
    {
        "benchmarks",
        "cases",
        "deepstream",
        "export",
        "gstreamer",
        "kernels",
        "nvmsgconv",
        "pipelines",
    }
)
"""Rooms that compile, export or run whole programs; `make quick` leaves them out, and what is marked slow."""

SLOW_FILES = frozenset(
    {
        *("cli/test_train_command.py", "doctor/test_examine.py", "house/test_shared_fixtures.py"),
        *("lint/test_hostile.py", "models/test_exported.py", "ops/test_cuda_on_gpu.py", "sdk/test_forked.py"),
        *("sdk/test_telemetry.py", "sinks/test_brokers.py", "sinks/test_tls.py", "synth/test_generate.py"),
        *("train/test_imagenet.py", "train/test_training.py"),
    }
)
"""Files that do so in rooms that do not: they export, compile, train, or start a process or a broker each, or
measure how long something takes.
"""

SLOW_FIXTURES = frozenset(
    {
        *("compiled_kernels", "foreign_bundles", "shared_data", "sink_probe", "tiny_bundle", "two_forms"),
        "wheel",
    }
)
"""What compiles, builds, exports or is real footage; a test that uses it is slow wherever it stands."""


BUILT_TOGETHER = frozenset({"deepstream", "gstreamer", "pipelines", "sinks"})
"""Rooms of one build of C++: all of their tests run in one process, so that it is built once."""

LONGEST = (
    *("sanitized", "export", "house", "cli", "video", "kernels", "synth", "models"),
    *("train", "cases", "sdk", "parity", "runtime", "ops", "benchmarks"),
)
"""Groups that take longest, and so begin first: whoever came to one last would end long after the others."""


def _group(name: str) -> str:
    """Return what the tests of a file, named relative to this folder, share a process with.

    It is their room, whose tests use the same expensive things.
    """
    room = name.partition("/")[0]
    return "sanitized" if room in BUILT_TOGETHER else room


def _is_slow(name: str) -> bool:
    return name.partition("/")[0] in SLOW_ROOMS or name in SLOW_FILES


def pytest_configure(config: pytest.Config) -> None:
    if _is_quick(config):
        from properties import QUICK

        hypothesis.settings.register_profile("quick", hypothesis.settings.default, max_examples=QUICK)
        hypothesis.settings.load_profile("quick")


def _is_quick(config: pytest.Config) -> bool:
    return bool(config.option.markexpr == "not slow")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out whole rooms and files of slow tests, which would be read and imported for nothing."""
    here = Path(__file__).parent
    if not _is_quick(config) or not collection_path.is_relative_to(here):
        return None
    return _is_slow(collection_path.relative_to(here).as_posix()) or None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    places: dict[pytest.Item, int] = {}
    for item in items:
        path = item.path.relative_to(here) if item.path.is_relative_to(here) else item.path
        name, group = path.as_posix(), _group(path.as_posix())
        if _is_slow(name) or SLOW_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)
        places[item] = LONGEST.index(group) if group in LONGEST else len(LONGEST)
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=places.__getitem__)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Have a room tested in one process, where files are shared out to several; see `_group`."""
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class Grouped(LoadFileScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return _group(nodeid.partition("::")[0].removeprefix("tests/"))

    return Grouped(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Before the first test that may export a network: have torch's exports remembered."""
    if "torch" in sys.modules and item.get_closest_marker("slow") is not None:
        import made_once

        _remember_exports(made_once.base(item.config._tmp_path_factory))  # type: ignore[attr-defined]


@cache
def _remember_exports(base: Path) -> None:
    if importlib.util.find_spec("onnx") is not None:
        import remembered_exports

        remembered_exports.install(base / "exports")


def pytest_runtest_teardown() -> None:
    """Take back the threads of torch that a test asked for: they are the whole process's."""
    # Some tests put another module in torch's place, or take the variable away.
    take_back = getattr(sys.modules.get("torch"), "set_num_threads", None)
    if take_back is not None:
        take_back(_TORCH_THREADS)


def _shared_folder() -> Path | None:
    named = os.environ.get("PAMTRI_SHARED")
    base = Path(named) if named else ROOT.parent / "shared"
    for folder in (base, base / "data"):
        if all((folder / room).is_dir() for room in ("clips", "crops", "detector")):
            return folder
    if named:
        raise pytest.UsageError(f"PAMTRI_SHARED={named}: no clips/, crops/ and detector/ in it or its data/.")
    return None


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real footage (clips/, crops/, detector/); skip where there is none."""
    folder = _shared_folder()
    if folder is None:
        pytest.skip("real footage is not at hand; name its folder in PAMTRI_SHARED")
    return folder


@pytest.fixture(scope="session")
def real_crops(shared_data: Path) -> list[NDArray[np.uint8]]:
    """Return real vehicle crops, (H, W, 3) uint8 RGB, in the order of their file names."""
    import cv2

    crops: list[NDArray[np.uint8]] = []
    for path in sorted((shared_data / "crops").glob("*.jpg")):
        picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
        assert picture is not None, f"{path} is not a picture"
        crops.append(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB).astype(np.uint8))
    assert crops, f"no .jpg in {shared_data / 'crops'}"
    return crops


@pytest.fixture(scope="session")
def tiny_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the path of an fp32 bundle of the smallest networks, exported once; leave it as it is."""
    import made_once

    return made_once.folder(tmp_path_factory, "tiny", _export_tiny) / "tiny.pamtri"


def _export_tiny(folder: Path) -> None:
    from pamtri_edge.export import ExportOptions, export_bundle
    from tiny_networks import SMALLEST

    export_bundle(ExportOptions(model=SMALLEST, output=folder / "tiny.pamtri", parity_crops=8))


@pytest.fixture
def kept_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a cache of compiled networks that takes the smallest ones too."""
    from pamtri_edge.runtime import compiled_cache

    monkeypatch.delenv("PAMTRI_NO_CACHE")
    monkeypatch.setenv("PAMTRI_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(compiled_cache, "LEAST_BYTES", 0)
    return tmp_path / "cache" / "openvino"


@pytest.fixture(scope="session")
def compiled_kernels(tmp_path_factory: pytest.TempPathFactory) -> EmulatedKernels:
    """Return the CUDA kernels, compiled to run on the CPU."""
    import emulated_kernels
    import made_once

    folder = made_once.folder(tmp_path_factory, "kernels", emulated_kernels.compile_library)
    return emulated_kernels.EmulatedKernels(folder / emulated_kernels.LIBRARY)


@pytest.fixture(scope="session")
def libcuda(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a driver's library that says what the environment tells it to; see `fake_libcuda`."""
    import fake_libcuda

    return fake_libcuda.build(tmp_path_factory.mktemp("driver"))


@pytest.fixture(scope="session")
def veri(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of 6 vehicles with 5 pictures each; leave it as it is."""
    from drawn_sets import write_set

    folder = write_set(tmp_path_factory.mktemp("veri"))
    write_set(folder, vehicles=range(11, 15), views=3, part="query")
    return write_set(folder, vehicles=range(11, 15), views=6, part="test")


@pytest.fixture
def make_set(tmp_path: Path) -> Callable[..., Path]:
    """Return what writes a set of one's own; see `write_set`."""
    from drawn_sets import write_set

    return lambda **options: write_set(tmp_path / "set", **options)


@pytest.fixture
def rng() -> np.random.Generator:
    """Return a generator of random numbers that gives every test the same ones on every run."""
    return np.random.default_rng(20190825)


@pytest.fixture(scope="session")
def _missing_gpu() -> str | None:
    """Say why there is no GPU, or None where there is one."""
    from pamtri_edge.doctor import Machine, cuda

    finding = cuda.probe(Machine())
    return None if finding.status == "ok" else finding.summary


@pytest.fixture(autouse=True)
def _gpu_marker(request: pytest.FixtureRequest) -> None:
    if request.node.get_closest_marker("gpu") is None:
        return
    missing = request.getfixturevalue("_missing_gpu")
    if missing is None:
        return
    # What else a test lacks, such as TensorRT, is not this machine's fault: that stays a skip.
    if os.environ.get("PAMTRI_REQUIRE_GPU") == "1":
        pytest.fail(f"PAMTRI_REQUIRE_GPU=1, but there is no NVIDIA GPU: {missing}", pytrace=False)
    pytest.skip(f"needs an NVIDIA GPU: {missing}")
