# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What holds for every engine."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from onnx_oracle import under_onnxruntime
from pamtri_edge.bundle import open_bundle
from pamtri_edge.errors import BundleError, InputError
from pamtri_edge.runtime import Backend, create_backend
from pamtri_edge.runtime.torch.backend import EMULATED_HALF

ENGINES = ("openvino", "torch")
Pictures = NDArray[np.float32]


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def backend(models: dict[str, Path], engine: str) -> Iterator[Backend]:
    backend = create_backend(models["fp32"], backend=engine, threads=2)
    yield backend
    backend.close()


def expected(path: Path, images: Pictures) -> Pictures:
    return under_onnxruntime(path, {"images": images})["embedding"]


@pytest.mark.parametrize(("precision", "near"), [("fp32", 1e-5), ("fp16", 5e-3), ("int8", 0.03)])
def test_an_engine_computes_what_the_file_says(
    models: dict[str, Path], engine: str, precision: str, near: float, pictures: Pictures
) -> None:
    backend = create_backend(models[precision], backend=engine)
    arithmetic = {"openvino": "fp32", "torch": EMULATED_HALF}[engine] if precision == "fp16" else precision
    assert (backend.name, backend.device, backend.arithmetic) == (engine, "cpu", arithmetic)
    found = backend.run({"images": pictures})
    assert list(found) == ["embedding"]
    assert found["embedding"].dtype == np.float32
    np.testing.assert_allclose(found["embedding"], expected(models[precision], pictures), atol=near)


def test_torch_rounds_quantized_numbers_as_the_file_says(models: dict[str, Path], pictures: Pictures) -> None:
    found = create_backend(models["int8"], backend="torch").run({"images": pictures})["embedding"]
    plain = expected(models["fp32"], pictures)
    meant = expected(models["int8"], pictures)
    assert np.abs(found - meant).max() < np.abs(plain - meant).max() / 20


@pytest.mark.parametrize("count", [0, 1, 9])
def test_any_batch_size_runs(backend: Backend, models: dict[str, Path], count: int) -> None:
    images = np.random.default_rng(count).normal(size=(count, 3, 16, 16)).astype(np.float32)
    found = backend.run({"images": images})["embedding"]
    assert found.shape == (count, 8)
    if count:
        np.testing.assert_allclose(found, expected(models["fp32"], images), atol=1e-5)


def test_an_item_does_not_depend_on_its_batch(backend: Backend, pictures: Pictures) -> None:
    together = backend.run({"images": pictures})["embedding"]
    alone = [backend.run({"images": pictures[at : at + 1]})["embedding"][0] for at in range(5)]
    np.testing.assert_allclose(together, alone, atol=1e-6 if backend.name == "torch" else 0)


def test_several_threads_may_run_at_once(backend: Backend) -> None:
    rng = np.random.default_rng(0)
    batches = [rng.normal(size=(1 + at % 7, 3, 16, 16)).astype(np.float32) for at in range(14)]
    alone = [backend.run({"images": batch})["embedding"] for batch in batches]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda batch: backend.run({"images": batch})["embedding"], batches))
    for one, other in zip(found, alone, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_results_are_the_callers_to_keep(backend: Backend, pictures: Pictures) -> None:
    first = backend.run({"images": pictures})["embedding"]
    kept = first.copy()
    backend.run({"images": pictures * 2})
    np.testing.assert_array_equal(first, kept)
    first[:] = 0  # and to write to


def test_pictures_in_any_memory_layout_are_taken(backend: Backend, pictures: Pictures) -> None:
    turned = np.asfortranarray(pictures)
    turned.flags.writeable = False
    np.testing.assert_array_equal(
        backend.run({"images": turned})["embedding"], backend.run({"images": pictures})["embedding"]
    )


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({}, "input 'images' is missing"),
        ({"images": [[1.0]]}, "input 'images' is a list"),
        ({"images": np.zeros((1, 3, 16, 16))}, "is float64 of shape"),
        ({"images": np.zeros((1, 3, 8, 16), np.float32)}, r"of shape \(1, 3, 8, 16\); expected float32"),
        ({"images": np.zeros((3, 16, 16), np.float32)}, r"expected float32 of shape \('N', 3, 16, 16\)"),
        (
            {"images": np.zeros((1, 3, 16, 16), np.float32), "extra": np.zeros(1, np.float32)},
            r"no input \['extra'\]",
        ),
    ],
)
def test_inputs_that_do_not_fit_are_refused(backend: Backend, inputs: dict[str, Pictures], said: str) -> None:
    with pytest.raises(InputError, match=said):
        backend.run(inputs)


def test_a_closed_engine_says_so(backend: Backend, pictures: Pictures) -> None:
    backend.run({"images": pictures})
    backend.close()
    backend.close()
    with pytest.raises(InputError, match="closed"):
        backend.run({"images": pictures})


@pytest.mark.parametrize("content", [b"", b"no network at all", b"\x08\x0a\x12\x00\xff\xff"])
def test_a_file_that_is_no_network_is_named(tmp_path: Path, engine: str, content: bytes) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(BundleError, match=r"model\.onnx"):
        create_backend(path, backend=engine)


def test_both_engines_agree_on_an_exported_network(tiny_bundle: Path) -> None:
    bundle = open_bundle(tiny_bundle)
    inputs = bundle.golden().inputs
    one, other = (create_backend(bundle.model, backend=engine).run(inputs) for engine in ENGINES)
    assert set(one) == set(other) == {spec.name for spec in bundle.manifest.outputs}
    for name in one:
        np.testing.assert_allclose(one[name], other[name], atol=2e-3, err_msg=name)
    np.testing.assert_allclose(one["embedding"], other["embedding"], atol=1e-4)


@pytest.fixture
def _torch_for_the_gpu() -> None:
    if not torch.cuda.is_available():
        pytest.skip("this torch was built without CUDA")


# int8: a sum that lies between two of the 255 steps may be rounded either way, and one step is what
# test_an_engine_computes_what_the_file_says allows.
@pytest.mark.gpu
@pytest.mark.usefixtures("_torch_for_the_gpu")
@pytest.mark.parametrize(("precision", "near"), [("fp32", 1e-5), ("fp16", 5e-3), ("int8", 0.02)])
def test_torch_computes_the_same_on_a_gpu(
    models: dict[str, Path], precision: str, near: float, pictures: Pictures
) -> None:
    there = create_backend(models[precision], backend="torch", device="cuda")
    here = create_backend(models[precision], backend="torch")
    assert (there.name, there.device, there.arithmetic) == ("torch", "cuda", precision)
    np.testing.assert_allclose(
        there.run({"images": pictures})["embedding"], here.run({"images": pictures})["embedding"], atol=near
    )


@pytest.mark.gpu
@pytest.mark.usefixtures("_torch_for_the_gpu")
def test_an_exported_network_gives_the_same_on_a_gpu(tiny_bundle: Path) -> None:
    bundle = open_bundle(tiny_bundle)
    inputs = bundle.golden().inputs
    there = create_backend(bundle.model, backend="torch", device="cuda").run(inputs)
    here = create_backend(bundle.model, backend="torch").run(inputs)
    for name in here:
        np.testing.assert_allclose(there[name], here[name], atol=2e-3, err_msg=name)
