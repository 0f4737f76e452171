# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What `scaling.py` says of a curve is true of it."""

from __future__ import annotations

import os

import pytest
from pairing import Block, median_wall
from scaling import _times, found, main

from pamtri_edge.errors import InputError


@pytest.mark.parametrize("exponent", [1.0, 0.5, -0.3, 2.0])
def test_a_power_law_is_told_by_its_exponent(exponent: float) -> None:
    assert found([(x, 3 * x**exponent) for x in (1, 2, 4, 8)]) == f"grows with the power {exponent:.2f}"


def test_what_stops_growing_has_its_knee_there() -> None:
    assert found([(1, 10), (2, 20), (4, 40), (8, 41), (16, 41)]) == "power 1.00 at first, knee at 4"
    assert found([(1, 10), (2, 20), (4, 18)]) == "power 1.00 at first, knee at 2"


def test_a_curve_that_bends_without_stopping_has_no_knee() -> None:
    told = found([(1, 10), (2, 19), (4, 33), (8, 52), (16, 76)])
    assert told == "powers 0.55 to 0.93, no knee up to 16"


def test_a_busy_machine_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getloadavg", lambda: (999.0, 1.0, 1.0))
    with pytest.raises(InputError, match=r"load of this machine is 999\.0 .* --busy"):
        main(bundle=None, rounds=3, only="", busy=False, save=False)


def test_points_keep_their_ratio_where_the_machine_grows_slower() -> None:
    slower = [1.0, 2.0, 4.0]
    blocks = {
        1: [Block(0.1 * by, 0.1) for by in slower],
        2: [Block(0.15 * by * more, 0.1) for by, more in zip(slower, (1, 1, 9), strict=True)],
    }
    assert _times(blocks, median_wall, "wall") == pytest.approx({1: 0.2, 2: 0.3})
