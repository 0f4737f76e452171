# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The reidentifier on a (simulated) GPU: TensorRT behind it, pictures and results in CUDA memory."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import cupy_fake as cupy
import tensorrt_fake
from pamtri_edge import Reidentifier, reidentifier, samples
from pamtri_edge.bundle import Bundle
from pamtri_edge.errors import BundleError, EngineError, InputError
from pamtri_edge.ops import driver
from pamtri_edge.runtime import create_backend
from simulated_gpu import Gpu
from streamed_operations import StreamedOperations

Micro = Callable[..., Path]


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Gpu:
    """Put a driver, CuPy, TensorRT and a GPU on this machine."""
    monkeypatch.setattr(driver, "check_driver", lambda need: 13010)
    monkeypatch.setattr("pamtri_edge.runtime.tensorrt.backend.ops", StreamedOperations)
    monkeypatch.setenv("PAMTRI_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("PAMTRI_TENSORRT", raising=False)
    found = cupy.install(monkeypatch)
    found.trt = tensorrt_fake.install(monkeypatch)
    return found


@pytest.fixture
def pictures(rng: np.random.Generator) -> NDArray[np.uint8]:
    return rng.integers(0, 256, (5, 40, 60, 3), dtype=np.uint8)


def assert_same(found: Any, meant: Any) -> None:
    for field in dataclasses.fields(meant):
        one, other = getattr(found, field.name), getattr(meant, field.name)
        if not isinstance(other, np.ndarray):
            assert one == other
        else:
            np.testing.assert_allclose(
                one.get() if isinstance(one, cupy.ndarray) else one, other, atol=1e-4, err_msg=field.name
            )
    assert (found.colors, found.types) == (meant.colors, meant.types)


def test_results_on_the_device_do_not_block_the_host_until_a_label_is_read(gpu: Any, micro: Micro) -> None:
    crops = samples.crops(3)
    with Reidentifier.load(micro(), backend="tensorrt") as reid:
        meant = reid.embed(crops)
        cupy.cuda.Stream.null.synchronize()
        gpu.log.clear()
        found = reid.embed(crops, output="device")
        assert not [name for name in gpu.log if name.startswith("run ")]
        assert "argmax" not in gpu.log
        assert (found.colors, found.types) == (meant.colors, meant.types)
        assert found.colors is found.colors


def test_an_engine_is_built_at_the_first_load_and_proves_itself(gpu: Any, micro: Micro) -> None:
    path = micro()
    with Reidentifier.load(path, backend="tensorrt") as reid:
        assert (reid.backend.name, reid.backend.device) == ("tensorrt", "cuda:0")
    assert any(name.startswith("run ") for name in gpu.log), "the golden crops were run"
    (record,) = (path / "engines").glob("*.json")
    assert json.loads(record.read_text())["precision"] == "fp32"
    gpu.log.clear()
    Reidentifier.load(path, backend="tensorrt", build=False).close()
    assert any(name.startswith("run ") for name in gpu.log), "at every load"
    assert gpu.trt.record.builds == 1


def test_an_engine_that_computes_something_else_is_refused(gpu: Any, micro: Micro) -> None:
    with pytest.raises(BundleError, match=r"self-test on tensorrt \(cuda:0, fp32\).*Deleting .*engines/"):
        Reidentifier.load(micro(spoil="embedding"), backend="tensorrt")
    assert gpu.pinned == 0, "and closed"


@pytest.mark.parametrize("size", [1, 32])
def test_every_batch_size_proves_itself(gpu: Any, micro: Micro, size: int) -> None:
    gpu.trt.record.wrong_at = size
    with pytest.raises(BundleError, match=rf"self-test on tensorrt \(cuda:0, fp32\) at batch size {size}: "):
        Reidentifier.load(micro(), backend="tensorrt")


def test_without_an_engine_building_can_be_refused(gpu: Any, micro: Micro) -> None:
    with pytest.raises(EngineError, match=r"no engine of model\.onnx for this machine"):
        Reidentifier.load(micro(), backend="tensorrt", build=False)


def test_host_pictures_give_what_they_give_on_the_cpu(gpu: Any, micro_bundle: Path, tmp_path: Path) -> None:
    crops = samples.crops(34)
    with Reidentifier.load(micro_bundle, backend="openvino") as reid:
        meant = reid.embed(crops)
    with Reidentifier.load(micro_bundle, backend="tensorrt") as reid:
        assert_same(reid.embed(crops), meant)
        assert_same(reid.embed(crops, output="device"), meant)
        assert len(reid.embed([])) == 0


def test_the_original_geometry_runs_from_the_host(gpu: Any, original_bundle: Path) -> None:
    crops = samples.crops(3)
    with Reidentifier.load(original_bundle, backend="openvino") as reid:
        meant = reid.embed(crops)
    with Reidentifier.load(original_bundle, backend="tensorrt") as reid:
        assert_same(reid.embed(crops), meant)
        with pytest.raises(InputError, match="windows of the crops, which are made on the host"):
            reid.embed(cupy.zeros((1, 8, 8, 3), np.uint8))


def test_pictures_on_the_device_give_what_they_give_on_the_host(
    gpu: Any, micro_bundle: Path, pictures: Any
) -> None:
    gpu.schedule = "random"
    with Reidentifier.load(micro_bundle, backend="tensorrt") as reid:
        for order in ("rgb", "bgr"):
            meant = reid.embed(pictures, color_order=order)
            for output, kind in (("numpy", np.ndarray), ("device", cupy.ndarray)):
                found = reid.embed(cupy.asarray(pictures), color_order=order, output=output)
                assert isinstance(found.embeddings, kind)
                assert_same(found, meant)


@pytest.mark.parametrize("backend", ["openvino", "torch"])
def test_pictures_on_the_device_are_refused_by_engines_of_the_host(
    gpu: Any, micro_bundle: Path, pictures: Any, backend: str
) -> None:
    said = f"batch is in CUDA memory, and backend '{backend}' on 'cpu'"
    with (
        Reidentifier.load(micro_bundle, backend=backend, device="cpu") as reid,
        pytest.raises(InputError, match=said),
    ):
        reid.embed(cupy.asarray(pictures))


def test_a_list_with_a_picture_on_the_device_is_refused(gpu: Any, micro_bundle: Path, pictures: Any) -> None:
    with Reidentifier.load(micro_bundle, backend="tensorrt") as reid:
        with pytest.raises(InputError, match="crop 1 is in CUDA memory"):
            reid.embed([pictures[0], cupy.asarray(pictures[1])])
        with pytest.raises(InputError, match="the frame is in CUDA memory"):
            reid.embed_frame(cupy.asarray(pictures[0]), [[0, 0, 8, 8]])


def test_device_arrays_of_another_form_are_refused(gpu: Any, micro_bundle: Path) -> None:
    with Reidentifier.load(micro_bundle, backend="tensorrt") as reid:
        for shape in ((40, 60, 3), (5, 3, 40, 60), (5, 40, 60, 4)):
            with pytest.raises(InputError, match=r"expected \(N, H, W, 3\) uint8 in CUDA memory"):
                reid.embed(cupy.zeros(shape, np.uint8))


@pytest.mark.parametrize(("original", "offered"), [(False, True), (True, False)])
def test_two_engines_are_offered_only_where_our_operations_fit_between_them(
    micro: Micro, monkeypatch: pytest.MonkeyPatch, original: bool, offered: bool
) -> None:
    given = []

    def create(*arguments: Any, **options: Any) -> Any:
        given.append(options["staged"])
        return create_backend(*arguments, **{**options, "staged": None})

    paths = Path("staged.pose.onnx"), Path("staged.reid.onnx")
    monkeypatch.setattr(reidentifier, "create_backend", create)
    monkeypatch.setattr(Bundle, "staged", property(lambda self: paths))
    Reidentifier.load(micro(original=original), backend="openvino").close()
    assert given == [paths if offered else None]
