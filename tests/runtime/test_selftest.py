# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import numpy as np
import pytest

from pamtri_edge.runtime.selftest import differences, row_cosines

EXPECTED = np.array([[1.0, 0.0, 0.0], [0.0, 2.0, 0.0]], np.float32)


def test_equal_arrays_keep_every_limit() -> None:
    assert differences(EXPECTED, EXPECTED, {"cosine": 1.0, "max_abs": 0.0, "share": 1.0}) == []


def test_the_least_cosine_counts_and_its_crop_is_named() -> None:
    found = EXPECTED + np.array([[0, 0, 0], [2, 0, 0]], np.float32)
    assert differences(found, EXPECTED, {"cosine": 0.70}) == []
    assert differences(found, EXPECTED, {"cosine": 0.71}) == ["has cosine 0.707107 at crop 1 (limit 0.71)"]


def test_a_length_that_differs_leaves_the_cosine() -> None:
    assert differences(EXPECTED * 3, EXPECTED, {"cosine": 0.9999999}) == []


def test_the_largest_difference_counts() -> None:
    found = EXPECTED + np.array([[0.25, 0, 0], [0, 0, 0]], np.float32)
    assert differences(found, EXPECTED, {"max_abs": 0.25}) == []
    (said,) = differences(found, EXPECTED, {"max_abs": 0.2})
    assert said.startswith("differs by up to 0.25 (limit 0.2, kept by 83.3%")


def test_a_share_of_the_values_may_be_let_off() -> None:
    found = EXPECTED + np.array([[9, 0, 0], [0, 0, 0]], np.float32)
    assert differences(found, EXPECTED, {"max_abs": 0.1, "share": 0.8}) == []
    assert differences(found, EXPECTED, {"max_abs": 0.1, "share": 0.9}) != []


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_are_never_let_off(value: float) -> None:
    found = EXPECTED.copy()
    found[0, 0] = value
    assert differences(found, EXPECTED, {"max_abs": 1e9, "share": 0.0}) == [
        "holds values that are not finite"
    ]


def test_another_shape_is_told() -> None:
    assert differences(EXPECTED[:, :2], EXPECTED, {"cosine": 0}) == ["has shape (2, 2) instead of (2, 3)"]


def test_rows_of_zeros_are_alike_only_among_themselves() -> None:
    zeros = np.zeros((1, 3), np.float32)
    assert row_cosines(zeros, zeros).tolist() == [1.0]
    assert row_cosines(zeros, EXPECTED[:1]).tolist() == [0.0]
