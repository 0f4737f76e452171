# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Batches through the backend: every item once, on time, with constant memory, whatever their sizes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pamtri_edge.runtime import create_backend
from pamtri_edge.runtime.tensorrt.backend import TensorRtBackend

Load = Callable[..., TensorRtBackend]
Array = NDArray[np.float32]


@pytest.fixture
def expected(bundle: Path) -> Callable[[Array], Array]:
    """Return a function that computes the small network's output with another engine."""
    other = create_backend(bundle, backend="torch", device="cpu")
    return lambda images: other.run({"images": images})["embedding"]


def images(count: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=(count, 3, 16, 16)).astype(np.float32)


def test_it_says_what_it_is(load: Load) -> None:
    backend = load()
    assert (backend.name, backend.device, backend.arithmetic) == ("tensorrt", "cuda:0", "fp32")


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5, 8, 15, 16, 31, 32, 33, 64, 70])
def test_any_batch_size_runs(load: Load, expected: Callable[[Array], Array], count: int) -> None:
    given = images(count)
    found = load().run({"images": given})
    assert list(found) == ["embedding"]
    assert found["embedding"].shape == (count, 8)
    np.testing.assert_allclose(found["embedding"], expected(given), atol=1e-5)
