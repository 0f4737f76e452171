# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The tiny networks of these tests and their graphs."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")
pytest.importorskip("onnx")

from pamtri_edge import samples
from pamtri_edge.export import bundle_export
from pamtri_edge.export.comparison import golden, runs
from pamtri_edge.export.estimate import Speed
from pamtri_edge.export.options import ExportOptions
from pamtri_edge.geometry import Geometry
from pamtri_edge.models import Pamtri
from remembered_exports import remembered_export, remembered_seeded
from tiny_networks import ORIGINAL, SMALLEST, WHOLE


@pytest.fixture(scope="module", autouse=True)
def _few_candidates():
    """Choose the golden crops among few, in the bundles that tests share too."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(golden, "CANDIDATES", 2)
        yield


@pytest.fixture(autouse=True)
def _little_else(monkeypatch):
    """Plan for a machine of a known speed, and compare with one engine; see `every_engine`."""
    monkeypatch.setattr(bundle_export, "measure", lambda given: Speed(pose=0.1, reid=0.1, loop=0.05))
    monkeypatch.setattr(bundle_export, "BACKENDS", ("torch",))


@pytest.fixture
def every_engine(monkeypatch, _little_else):
    """Compare with every engine of this machine, as an export does."""
    monkeypatch.setattr(bundle_export, "BACKENDS", runs.BACKENDS)


@pytest.fixture(scope="session")
def tiny_modules():
    """Return a fused module of both geometries, that of `original` with all that an export can ask for."""
    pictures = samples.crops(16)  # as an export draws its weights, so that it has the same graphs
    return {
        Geometry.UNIFIED: Pamtri(*remembered_seeded(SMALLEST, pictures=pictures)),
        Geometry.ORIGINAL: Pamtri(*remembered_seeded(WHOLE, pictures=pictures), **ORIGINAL),
    }


@pytest.fixture(scope="session")
def tiny_graphs(tiny_modules):
    """Return the float32 graph of both geometries; leave them as they are."""
    return {geometry: remembered_export(module, name="tiny") for geometry, module in tiny_modules.items()}


@pytest.fixture
def tiny_options(tmp_path):
    """Return the options of a tiny export, with changes."""

    def options(**changes):
        defaults = {"model": SMALLEST, "output": tmp_path / "tiny.pamtri"}
        return ExportOptions(**{**defaults, "parity_crops": 6, "calibration_crops": 6, **changes})

    return options
