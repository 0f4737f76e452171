# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What has to be there before TensorRT is touched, and what is said where it is not."""

from __future__ import annotations

import importlib.metadata
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cupy_fake
import tensorrt_fake
from pamtri_edge.errors import InputError, MissingDependencyError
from pamtri_edge.runtime import create_backend
from pamtri_edge.runtime.tensorrt.device import find_gpu, load_cupy
from pamtri_edge.runtime.tensorrt.library import load_library
from simulated_gpu import Gpu


def refusal(bundle: Path) -> str:
    """Return what is said when TensorRT is asked for by name; it is one or two sentences."""
    with pytest.raises(MissingDependencyError) as caught:
        create_backend(bundle, backend="tensorrt")
    said = str(caught.value)
    assert "\n" not in said
    return said


def test_no_driver_is_told(machine: Any, bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pamtri_edge.libcuda.LIBCUDA", "libcuda-that-is-not-there.so.1")
    said = refusal(bundle)
    assert "needs an NVIDIA driver, and there is none here" in said
    assert "--gpus all" in said


def test_a_driver_older_than_tensorrt_is_told(
    machine: Any, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_CUDA_VERSION", "12040")
    monkeypatch.setattr(cupy_fake.cuda.runtime, "runtimeGetVersion", lambda: 12060)
    version = importlib.metadata.version

    def installed(name: str) -> str:
        return "10.16.0" if name == "tensorrt-cu13" else version(name)

    monkeypatch.setattr(importlib.metadata, "version", installed)
    said = refusal(bundle)
    assert "runs CUDA up to 12.4, and the installed TensorRT was made for CUDA 13" in said
    assert "pip install tensorrt-cu12" in said


def test_no_tensorrt_is_told(machine: Any, bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("tensorrt", "tensorrt_rtx"):
        monkeypatch.setitem(sys.modules, module, None)
    said = refusal(bundle)
    assert "no TensorRT can be used here" in said
    assert "pip install 'pamtri-edge[tensorrt]'" in said


def test_an_old_tensorrt_is_told(machine: Any, bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tensorrt_fake.install(monkeypatch, version="8.6.1")
    assert "TensorRT 8.6.1 is installed; 10.3 or later is needed" in refusal(bundle)


@pytest.mark.parametrize(
    ("version", "flavour", "title", "flags"),
    [
        ("10.3.0.26", "tensorrt", "TensorRT 10.3.0.26", 2),
        ("10.16.1.7", "tensorrt", "TensorRT 10.16.1.7", 2),
        ("11.4.1.3", "tensorrt", "TensorRT 11.4.1.3", 1),
        ("1.7.1.116", "tensorrt_rtx", "TensorRT-RTX 1.7.1.116", 1),
    ],
)
def test_every_version_makes_strongly_typed_networks(
    machine: Any,
    bundle: Path,
    monkeypatch: pytest.MonkeyPatch,
    version: str,
    flavour: str,
    title: str,
    flags: int,
) -> None:
    monkeypatch.setitem(sys.modules, "tensorrt", None)
    trt = tensorrt_fake.install(monkeypatch, version=version, flavour=flavour)
    if flavour == "tensorrt_rtx":
        cupy_fake.install(monkeypatch, Gpu(compute=(8, 9)))
    library = load_library()
    assert library.title == title
    backend = create_backend(bundle, backend="tensorrt")
    images = np.zeros((9, 3, 16, 16), np.float32)
    assert np.isfinite(backend.run({"images": images})["embedding"]).all()
    backend.close()
    (network,) = trt.record.networks
    assert (network.typed, network.flags) == (True, flags)


def test_the_environment_chooses_between_two(machine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    tensorrt_fake.install(monkeypatch, version="1.7.1.116", flavour="tensorrt_rtx")
    assert load_library().flavour == "tensorrt"
    monkeypatch.setenv("PAMTRI_TENSORRT", "tensorrt_rtx")
    assert load_library().flavour == "tensorrt_rtx"
    monkeypatch.setenv("PAMTRI_TENSORRT", "trt")
    with pytest.raises(InputError, match="PAMTRI_TENSORRT is 'trt'; accepted: 'tensorrt', 'tensorrt_rtx'"):
        load_library()


RTX = {"version": "1.7.1.116", "flavour": "tensorrt_rtx"}


@pytest.mark.parametrize(("compute", "number"), [((8, 7), "8.7"), ((10, 0), "10.0")])
def test_a_gpu_that_tensorrt_rtx_does_not_know_is_refused_before_an_engine_is_built(
    machine: Any, bundle: Path, monkeypatch: pytest.MonkeyPatch, compute: tuple[int, int], number: str
) -> None:
    monkeypatch.setitem(sys.modules, "tensorrt", None)
    trt = tensorrt_fake.install(monkeypatch, **RTX)
    cupy_fake.install(monkeypatch, Gpu(compute=compute))
    said = refusal(bundle)
    assert f"TensorRT-RTX 1.7.1.116 does not run on a GPU of compute capability {number}, only of 7.5" in said
    assert "tensorrt-rtx]" not in said, "what does not help is not offered"
    assert trt.record.builds == 0


@pytest.mark.parametrize("compute", [(7, 5), (12, 1)])
def test_a_gpu_that_tensorrt_rtx_knows_is_taken(
    machine: Any, bundle: Path, monkeypatch: pytest.MonkeyPatch, compute: tuple[int, int]
) -> None:
    monkeypatch.setitem(sys.modules, "tensorrt", None)
    tensorrt_fake.install(monkeypatch, **RTX)
    cupy_fake.install(monkeypatch, Gpu(compute=compute))
    backend = create_backend(bundle, backend="tensorrt")
    assert backend.run({"images": np.zeros((1, 3, 16, 16), np.float32)})["embedding"].shape == (1, 8)
    backend.close()


@pytest.mark.parametrize("broken", ["8.6.1", None])
def test_whatever_one_tensorrt_lacks_the_next_is_asked(
    machine: Any, monkeypatch: pytest.MonkeyPatch, broken: str | None
) -> None:
    tensorrt_fake.install(monkeypatch, **RTX)
    if broken is None:
        monkeypatch.setitem(sys.modules, "tensorrt", None)
    else:
        tensorrt_fake.install(monkeypatch, version=broken)
    assert load_library(compute="sm_89").flavour == "tensorrt_rtx"
    with pytest.raises(MissingDependencyError, match=r"TensorRT.*; TensorRT-RTX .* does not run on a GPU"):
        load_library(compute="sm_90")


def test_building_with_tensorrt_rtx_needs_no_driver(machine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    tensorrt_fake.install(monkeypatch, version="1.7.1.116", flavour="tensorrt_rtx")
    monkeypatch.setenv("PAMTRI_TENSORRT", "tensorrt_rtx")
    monkeypatch.setattr("pamtri_edge.libcuda.LIBCUDA", "libcuda-that-is-not-there.so.1")
    library = load_library(build_only=True)
    with pytest.raises(MissingDependencyError, match="needs an NVIDIA driver"):
        library.create_runtime()  # the real one would end the process here


def test_a_gpu_is_described(machine: Any) -> None:
    gpu = find_gpu(load_cupy(), "cuda")
    assert (gpu.device, gpu.name, gpu.compute, gpu.integrated, gpu.l4t, gpu.cuda) == (
        "cuda:0",
        "Simulated GPU",
        "sm_87",
        False,
        None,
        "13.0",
    )


@pytest.mark.parametrize(
    ("text", "release"),
    [
        ("# R36 (release), REVISION: 4.0, GCID: 37537400, BOARD: generic, EABI: aarch64\n", "36.4.0"),
        ("", "unknown"),
    ],
)
def test_a_jetson_tells_its_release(machine: Any, tmp_path: Path, text: str, release: str) -> None:
    (tmp_path / "no_tegra_release").write_text(text)
    assert find_gpu(load_cupy(), "cuda").l4t == release


def test_the_current_gpu_is_meant_where_none_is_named(machine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    cupy_fake.install(monkeypatch, Gpu(), Gpu(name="Second"))
    with cupy_fake.cuda.Device(1):
        assert find_gpu(load_cupy(), "cuda").name == "Second"
    assert find_gpu(load_cupy(), "cuda").index == 0
