# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import pytest

import cupy_fake as cupy


def test_no_name_of_the_fake_cupy_is_missing_in_the_real_one() -> None:
    real = pytest.importorskip("cupy")
    pairs = {
        (cupy.ndarray, real.ndarray): {"place"},
        (cupy.cuda, real.cuda): set(),
        (cupy.cuda.runtime, real.cuda.runtime): set(),
        (cupy.cuda.Stream, real.cuda.Stream): set(),
        (cupy.cuda.Event, real.cuda.Event): set(),
        (cupy.cuda.Graph, real.cuda.Graph): set(),
        (cupy.cuda.MemoryPool, real.cuda.MemoryPool): set(),
        (cupy.cuda.MemoryPointer, real.cuda.MemoryPointer): set(),
    }
    for (fake, meant), own in pairs.items():
        names = {name for name in dir(fake) if not name.startswith("_")}
        assert names - set(dir(meant)) == own, fake
