# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The machine with a GPU that is not there, borrowed from the tests of the TensorRT backend."""

from __future__ import annotations

import importlib.util
import sys
from functools import partial
from pathlib import Path

import pytest

from pamtri_edge.export.engines import profile
from pamtri_edge.runtime.tensorrt import choice, timing

_SOURCE = Path(__file__).parents[2] / "runtime" / "tensorrt" / "conftest.py"
_spec = importlib.util.spec_from_file_location("machine_with_a_gpu", _SOURCE)
_machine = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = _machine  # its dataclasses look themselves up there
_spec.loader.exec_module(_machine)

driver, machine = _machine.driver, _machine.machine


@pytest.fixture(autouse=True)
def _few_rounds(monkeypatch):
    """Measure on few batches: no test is about how long they take."""
    monkeypatch.setattr(profile, "GPU_SIZES", (1, 2))
    monkeypatch.setattr(profile, "GPU_ROUNDS", 1)
    monkeypatch.setattr(timing, "_WARM", 0)
    for name in ("_ROUNDS", "BATCH"):
        monkeypatch.setattr(choice, name, 1)
    monkeypatch.setattr(choice, "_WARM", 0)


@pytest.fixture
def tiny_options(tiny_options):
    """Return the options of a tiny export, of few crops."""
    return partial(tiny_options, parity_crops=3)
