# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What the benchmarks share: tiny bundles, crops, and a gate for ratios that does not cry wolf."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np
import pytest
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent))  # the scripts of this folder import one another by name

from gate import BASELINES, Pair, Settled, compare, complaint, device_name, judge
from pairing import Ratio

from pamtri_edge import samples


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("gate")
    group.addoption("--settle", action="store_true", help="Write the ratios measured now into limits.json.")
    group.addoption(
        "--update-baselines",
        action="store_true",
        help="Write this device's milliseconds into the folder of baselines.",
    )
    group.addoption(
        "--baselines",
        type=Path,
        default=BASELINES,
        metavar="FOLDER",
        help="Where milliseconds are kept, a file for each device. [default: benchmarks/baselines]",
    )


class RatioGate(Protocol):
    """Fails the test if a program has become slower, compared with another of its kind."""

    def __call__(
        self,
        candidate: Callable[[], object],
        reference: Callable[[], object],
        *,
        at_most: float,
        tolerance: float = 0.10,
    ) -> Ratio:
        """Compare two programs in interleaved rounds.

        Args:
            candidate: what is being watched.
            reference: a plain program of the same kind, kept in `benchmarks/reference/`.
            at_most: the ratio candidate / reference that was settled.
            tolerance: how far the ratio may lie above that.

        Returns:
            The ratio of the attempt that passed.
        """


@pytest.fixture
def ratio_gate(request: pytest.FixtureRequest) -> RatioGate:
    """Return the gate: it fails only if three attempts agree that the candidate is slower."""
    if request.config.getoption("benchmark_disable", default=False):
        pytest.skip("speed is not measured with --benchmark-disable")

    def gate(
        candidate: Callable[[], object],
        reference: Callable[[], object],
        *,
        at_most: float,
        tolerance: float = 0.10,
    ) -> Ratio:
        known = Settled(at_most, tolerance, "any device")
        found = judge(lambda: compare(Pair(candidate, reference), known.limit))
        if found.slower:
            pytest.fail(complaint("candidate", found, known, device_name()))
        return found.ratio

    return gate


@pytest.fixture(scope="session")
def crops() -> list[NDArray[np.uint8]]:
    """Return eight drawn crops."""
    return samples.crops(8, seed=5)


@pytest.fixture(scope="session")
def tiny_bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the tiny networks as bundles, by precision; exported once."""
    export = pytest.importorskip("pamtri_edge.export.bundle_export", exc_type=ImportError)
    options = pytest.importorskip("pamtri_edge.export.options", exc_type=ImportError)
    models = pytest.importorskip("pamtri_edge.models", exc_type=ImportError)
    folder = tmp_path_factory.mktemp("bundles")
    made = {}
    for precision in ("fp32", "fp16", "int8"):
        made[precision] = folder / f"tiny-{precision}.pamtri"
        export.export_bundle(
            options.ExportOptions(
                model=models.TINY,
                precision=precision,
                output=made[precision],
                parity_crops=4,
                calibration_crops=8,
                allow_drift=precision == "int8",  # networks this narrow lose more than the real ones
            )
        )
    return made
