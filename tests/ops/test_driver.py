# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The driver and CuPy are asked for before a CUDA array is touched, and what is missing is named."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from pamtri_edge.errors import MissingDependencyError
from pamtri_edge.ops import driver


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    driver.load_cupy.cache_clear()
    yield
    driver.load_cupy.cache_clear()


@pytest.fixture
def install_driver(libcuda: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return what puts a driver on this machine that starts, or does not, and tells a version."""

    def install(*, version: int = 13000, error: int = 0) -> None:
        monkeypatch.setattr("pamtri_edge.libcuda.LIBCUDA", str(libcuda))
        monkeypatch.setenv("FAKE_CUDA_VERSION", str(version))
        monkeypatch.setenv("FAKE_CUDA_INIT", str(error))

    return install


def install_cupy(monkeypatch: pytest.MonkeyPatch, built_for: int) -> ModuleType:
    module = ModuleType("cupy")
    module.cuda = SimpleNamespace(runtime=SimpleNamespace(runtimeGetVersion=lambda: built_for))  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "cupy", module)
    return module


def test_no_driver(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("pamtri_edge.libcuda.LIBCUDA", str(tmp_path / "libcuda.so.1"))
    with pytest.raises(MissingDependencyError, match=r"need an NVIDIA driver.*install it .* NumPy arrays"):
        driver.load_cupy()


@pytest.mark.parametrize(
    ("error", "complaint"),
    [(100, "sees no GPU: look at CUDA_VISIBLE_DEVICES"), (803, r"does not start \(cuInit gives error 803\)")],
)
def test_a_driver_that_does_not_start(
    install_driver: Callable[..., None], error: int, complaint: str
) -> None:
    install_driver(error=error)
    with pytest.raises(MissingDependencyError, match=complaint):
        driver.load_cupy()


def test_a_driver_that_is_older_than_cupy(
    monkeypatch: pytest.MonkeyPatch, install_driver: Callable[..., None]
) -> None:
    install_driver(version=12060)
    install_cupy(monkeypatch, 13020)
    with pytest.raises(MissingDependencyError) as caught:
        driver.load_cupy()
    assert str(caught.value) == (
        "the NVIDIA driver runs CUDA up to 12.6, and CuPy is for 13.2: update the driver, or "
        "pip uninstall cupy-cuda13x && pip install cupy-cuda12x."
    )


def test_no_cupy(monkeypatch: pytest.MonkeyPatch, install_driver: Callable[..., None]) -> None:
    install_driver(version=12060)
    monkeypatch.setitem(sys.modules, "cupy", None)
    with pytest.raises(MissingDependencyError, match=r"need CuPy, .*: pip install cupy-cuda12x"):
        driver.load_cupy()


@pytest.mark.parametrize("version", [13000, 13050, 14000])
def test_a_driver_of_the_same_major_version_will_do(
    monkeypatch: pytest.MonkeyPatch, install_driver: Callable[..., None], version: int
) -> None:
    install_driver(version=version)
    module = install_cupy(monkeypatch, 13020)
    assert driver.load_cupy() is module


@pytest.mark.parametrize("home", ["none", "a file"])
def test_without_a_home_to_write_to_compiled_kernels_stay_in_memory(
    home: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, install_driver: Callable[..., None]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("CUPY_CACHE_DIR", "CUPY_CACHE_IN_MEMORY"):
        monkeypatch.setenv(name, "remembered, so that it is put back")
        monkeypatch.delenv(name)
    (tmp_path / "file").touch()
    if home == "none":
        monkeypatch.delenv("HOME")
        monkeypatch.setattr("pathlib.Path.expanduser", _no_home)
    else:
        monkeypatch.setenv("HOME", str(tmp_path / "file"))
    install_driver()
    install_cupy(monkeypatch, 12090)
    driver.load_cupy()
    assert os.environ["CUPY_CACHE_IN_MEMORY"] == "1"
    assert Path(os.environ["CUPY_CACHE_DIR"]).is_dir()
    assert not (tmp_path / "~").exists()


def _no_home(path: Path) -> Path:
    raise RuntimeError("Could not determine home directory.")
