# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures that int8 should not be fitted to are warned of in words."""

from __future__ import annotations

import numpy as np
import pytest

from pamtri_edge import samples
from pamtri_edge.export.onnx.doubts import calibration_doubts
from pamtri_edge.parity.pictures import Pictures, drawn_pictures


def pictures(crops):
    return Pictures(tuple(f"{index}.png" for index in range(len(crops))), list(crops), "street")


def black(count):
    return [np.zeros((64, 80, 3), np.uint8)] * count


@pytest.mark.parametrize(
    ("crops", "said"),
    [
        (samples.crops(48, seed=5), []),
        (samples.crops(7, seed=5), ["fitted to 7 pictures only"]),
        (samples.crops(1, seed=5), ["fitted to 1 picture only"]),
        (black(40), ["40 of the 40 pictures that int8 is fitted to are black"]),
        (black(8), ["fitted to 8 pictures only", "8 of the 8 pictures"]),
        ([*samples.crops(39, seed=5), *black(1)], ["1 of the 40 pictures that int8 is fitted to is black"]),
        (samples.crops(3, seed=5) * 20, ["only 3 of the 60 pictures that int8 is fitted to differ"]),
        ([np.hstack([crop, crop]) for crop in samples.crops(40, seed=5)], ["40 of the 40 pictures"]),
        (samples.crops(1, seed=5) * 33, ["only 1 of the 33 pictures that int8 is fitted to differs"]),
    ],
    ids=["good", "few", "one", "black", "few and black", "one black", "alike", "annotated", "one many times"],
)
def test_few_blank_and_alike_pictures_are_doubted(crops, said):
    doubts = calibration_doubts(pictures(crops))
    assert len(doubts) == len(said)
    for doubt, expected in zip(doubts, said, strict=True):
        assert expected in doubt
        assert "better are 64 or more" in doubt or "give it the crops of the run" in doubt


def test_drawn_pictures_are_not_doubted():
    assert calibration_doubts(drawn_pictures(4, seed=1)) == ()
