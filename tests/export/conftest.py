# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The tiny networks of these tests and their graphs."""

from __future__ import annotations

import dataclasses

import pytest

pytest.importorskip("torch")
pytest.importorskip("onnx")

from pamtri_edge import samples
from pamtri_edge.export import bundle_export
from pamtri_edge.export.estimate import Speed
from pamtri_edge.export.options import ExportOptions
from pamtri_edge.geometry import Geometry
from pamtri_edge.models import Pamtri, ReidNet
from remembered_exports import remembered_export, remembered_seeded
from tiny_networks import EVERYTHING, SMALLEST


@pytest.fixture(autouse=True)
def _same_speed(monkeypatch):
    """Plan for a machine of a known speed."""
    monkeypatch.setattr(bundle_export, "measure", lambda given: Speed(pose=0.1, reid=0.1, loop=0.05))


@pytest.fixture(scope="session")
def tiny_networks():
    """Return a pose and a re-identification network of the smallest size."""
    return remembered_seeded(EVERYTHING, pictures=samples.crops(16))  # as an export of EVERYTHING draws them


@pytest.fixture(scope="session")
def tiny_modules(tiny_networks):
    """Return the fused module of both geometries, that of `original` with the flip test."""
    return {
        Geometry.UNIFIED: Pamtri(*tiny_networks),
        Geometry.ORIGINAL: Pamtri(*tiny_networks, geometry=Geometry.ORIGINAL, flip_test=True),
    }


@pytest.fixture(scope="session")
def tiny_graphs(tiny_modules):
    """Return the float32 graph of both geometries; leave them as they are."""
    return {geometry: remembered_export(module, name="tiny") for geometry, module in tiny_modules.items()}


@pytest.fixture(scope="session")
def whitened_graph(tiny_networks):
    """Return the float32 graph of networks whose embedding is whitened; leave it as it is."""
    pose, reid = tiny_networks
    whitened = ReidNet(dataclasses.replace(reid.spec, whitened=True))
    whitened.load_state_dict(reid.state_dict(), strict=False)  # its own weights stay as torch draws them
    return remembered_export(Pamtri(pose, whitened), name="whitened")


@pytest.fixture
def tiny_options(tmp_path):
    """Return the options of a tiny export, with changes."""

    def options(**changes):
        defaults = {"model": SMALLEST, "output": tmp_path / "tiny.pamtri"}
        return ExportOptions(**{**defaults, "parity_crops": 6, "calibration_crops": 6, **changes})

    return options
