# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What the tests of synthetic vehicles share."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pamtri_edge.synth.body.mesh import Mesh
from pamtri_edge.synth.body.shape import build
from pamtri_edge.synth.specification.families import FAMILIES
from pamtri_edge.synth.specification.vehicle import VehicleSpec, sample_vehicle

# Processes that draw are told where modules lie, and import the fake renderer by its name.
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def vehicles() -> dict[str, tuple[VehicleSpec, Mesh]]:
    """Return a vehicle of every family, as it was drawn and as it was built; leave it so."""
    specs = {name: sample_vehicle(6, 1, family=name) for name in FAMILIES}
    return {name: (spec, build(spec)) for name, spec in specs.items()}
