# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""embed, from crops to results: how long it takes, that it adds nothing to the engine, what int8 loses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from conftest import RatioGate
from numpy.typing import NDArray
from pytest_benchmark.fixture import BenchmarkFixture
from reference.plain_engine import PlainEngine

from pamtri_edge import Reidentifier
from pamtri_edge.bundle import open_bundle
from pamtri_edge.processors import available_processors

pytestmark = pytest.mark.filterwarnings("ignore:.*untrained weights")

Crops = list[NDArray[np.uint8]]


@pytest.mark.benchmark(group="embed with the tiny networks")
@pytest.mark.parametrize("precision", ["fp32", "int8"])
@pytest.mark.parametrize("batch", [1, 8])
def test_embed(
    benchmark: BenchmarkFixture, tiny_bundles: dict[str, Path], crops: Crops, batch: int, precision: str
) -> None:
    with Reidentifier.load(tiny_bundles[precision], backend="openvino") as reid:
        benchmark(reid.embed, crops[:batch])


def test_the_sdk_costs_nothing_beside_the_engine(
    ratio_gate: RatioGate, tiny_bundles: dict[str, Path], crops: Crops
) -> None:
    threads = available_processors()
    plain = PlainEngine(open_bundle(tiny_bundles["fp32"]).model, threads=threads)
    with Reidentifier.load(tiny_bundles["fp32"], backend="openvino", threads=threads) as reid:
        np.testing.assert_allclose(plain.embed(crops), reid.embed(crops).embeddings, atol=1e-5)
        ratio_gate(lambda: reid.embed(crops), lambda: plain.embed(crops), at_most=1.0)


@pytest.mark.parametrize(("precision", "least", "mean"), [("fp16", 0.999, 0.9999), ("int8", 0.7, 0.85)])
def test_a_typed_bundle_stays_near_its_float_one(
    tiny_bundles: dict[str, Path], crops: Crops, precision: str, least: float, mean: float
) -> None:
    # The tiny networks are eight channels wide: of the real ones int8 leaves far more.
    exact, typed = (_embeddings(tiny_bundles[name], crops) for name in ("fp32", precision))
    cosines = (exact * typed).sum(axis=1)
    assert cosines.min() > least
    assert cosines.mean() > mean
    assert (exact @ typed.T).argmax(axis=1).tolist() == list(range(len(crops)))


def _embeddings(bundle: Path, crops: Crops) -> NDArray[np.float32]:
    with Reidentifier.load(bundle, backend="openvino") as reid:
        return reid.embed(crops).embeddings
