# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The TensorRT backend on a real GPU, with the real CuPy and TensorRT."""

from __future__ import annotations

import gc
import importlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pamtri_edge import Reidentifier, ops, samples
from pamtri_edge.bundle import open_bundle
from pamtri_edge.errors import EngineError, MissingDependencyError
from pamtri_edge.runtime import create_backend
from pamtri_edge.runtime.tensorrt.device import find_gpu, load_cupy
from pamtri_edge.runtime.tensorrt.engine_cache import NoEngineError
from pamtri_edge.runtime.tensorrt.library import load_library

pytestmark = pytest.mark.gpu

Load = Callable[..., Any]


@pytest.fixture(scope="module")
def cupy() -> Any:
    return pytest.importorskip("cupy")


@pytest.fixture(scope="session", autouse=True)
def _tensorrt(_missing_gpu: str | None) -> None:
    """Skip before anything is exported."""
    if _missing_gpu is not None:
        pytest.skip(f"needs an NVIDIA GPU: {_missing_gpu}")
    try:
        load_library(compute=find_gpu(load_cupy(), "cuda").compute)
    except MissingDependencyError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def bundle(tiny_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the tiny bundle in a folder where its engines may lie."""
    return Path(shutil.copytree(tiny_bundle, tmp_path_factory.mktemp("gpu") / "tiny.pamtri"))


@pytest.fixture(scope="module")
def images() -> NDArray[np.float32]:
    return ops.resize(samples.crops(70))


@pytest.fixture(scope="module")
def meant(bundle: Path, images: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    return create_backend(bundle / "model.onnx", backend="torch", device="cpu").run({"images": images})


@pytest.fixture
def load(bundle: Path, cupy: Any) -> Iterator[Load]:
    from pamtri_edge.runtime.tensorrt.backend import TensorRtBackend

    loaded: list[Any] = []

    def load(**options: Any) -> Any:
        loaded.append(TensorRtBackend(bundle / "model.onnx", **options))
        return loaded[-1]

    yield load
    for backend in loaded:
        backend.close()


def near(found: dict[str, Any], meant: dict[str, NDArray[np.float32]], count: int) -> None:
    for name, array in meant.items():
        np.testing.assert_allclose(found[name], array[:count], atol=2e-3, err_msg=name)


@pytest.mark.parametrize("graphs", [True, False])
@pytest.mark.parametrize("count", [1, 2, 3, 8, 15, 32, 70])
def test_batches_give_what_they_give_on_the_cpu(
    load: Load, images: Any, meant: Any, count: int, graphs: bool
) -> None:
    backend = load(graphs=graphs)
    for _ in range(3):
        near(backend.run({"images": images[:count]}), meant, count)


def test_every_size_is_captured_as_a_graph(load: Load, images: Any) -> None:
    backend = load()
    for size in (1, 2, 4, 8, 16, 32):
        backend.run({"images": images[:size]})
    assert all(graph is not None for graph in backend._execution._graphs.values())
    assert set(backend._execution._graphs) == {1, 2, 4, 8, 16, 32}


def test_a_bundle_proves_itself_on_load_and_is_found_again_without_building(bundle: Path, cupy: Any) -> None:
    with Reidentifier.load(bundle, backend="tensorrt") as reid:
        assert reid.backend.name == "tensorrt"
    with Reidentifier.load(bundle, backend="tensorrt", build=False) as reid:
        assert len(reid.embed(samples.crops(3))) == 3


def test_pictures_on_the_device_give_what_they_give_on_the_host(bundle: Path, cupy: Any) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (37, 90, 140, 3), dtype=np.uint8)
    with Reidentifier.load(bundle, backend="tensorrt") as reid:
        here = reid.embed(pictures)
        stream = cupy.cuda.Stream(non_blocking=True)
        with stream:
            there = reid.embed(cupy.asarray(pictures), output="device")
            np.testing.assert_allclose(there.embeddings.get(), here.embeddings, atol=2e-3)
        np.testing.assert_allclose(reid.embed(cupy.asarray(pictures)).embeddings, here.embeddings, atol=2e-3)


def test_a_tensor_of_torch_is_taken(bundle: Path, cupy: Any) -> None:
    torch = importlib.import_module("torch")
    if not torch.cuda.is_available():
        pytest.skip("this torch was built without CUDA")
    pictures = np.random.default_rng(0).integers(0, 256, (5, 90, 140, 3), dtype=np.uint8)
    with Reidentifier.load(bundle, backend="tensorrt") as reid:
        here = reid.embed(pictures)
        there = reid.embed(torch.from_numpy(pictures).cuda(), output="device")
        taken = torch.from_dlpack(there.embeddings)
        np.testing.assert_allclose(taken.cpu().numpy(), here.embeddings, atol=2e-3)


def test_random_batch_sizes_lose_nothing_and_leak_nothing(
    load: Load, cupy: Any, images: Any, meant: Any
) -> None:
    backend = load()
    rng = np.random.default_rng(1)
    free = None
    for turn in range(400):
        count = int(rng.integers(0, 71))
        near(backend.run({"images": images[:count]}), meant, count)
        if turn == 99:
            gc.collect()
            free = cupy.cuda.runtime.memGetInfo()[0]
    gc.collect()
    assert abs(free - cupy.cuda.runtime.memGetInfo()[0]) <= 1 << 20


def test_running_out_of_memory_is_told_and_survived(load: Load, cupy: Any, images: Any, meant: Any) -> None:
    backend = load()
    backend.run({"images": images[:1]})
    pool = cupy.get_default_memory_pool()
    pool.set_limit(size=pool.total_bytes() + (1 << 20))
    try:
        with pytest.raises(EngineError, match="ran out"):
            backend.run_on_device(({"images": images} for _ in range(2000)), 2000 * len(images))
    finally:
        pool.set_limit(size=0)
    near(backend.run({"images": images}), meant, len(images))


def test_a_truncated_engine_is_built_anew(bundle: Path, load: Load, images: Any, meant: Any) -> None:
    load().close()
    for path in (bundle / "engines").glob("*.engine"):
        path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(NoEngineError, match="truncated or damaged"):
        load(build=False)
    near(load().run({"images": images[:5]}), meant, 5)


def test_the_bundle_that_ships_gives_its_golden_results(tmp_path: Path, cupy: Any) -> None:
    from pamtri_edge.bundle import SHIPPED_BUNDLE

    copy = Path(shutil.copytree(SHIPPED_BUNDLE, tmp_path / "lite.pamtri"))
    with Reidentifier.load(copy, backend="tensorrt") as reid:
        assert reid.backend.arithmetic == open_bundle(copy).manifest.precision
        assert len(reid.embed(samples.crops(20))) == 20
