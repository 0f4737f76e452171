# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""decode: a heatmap becomes a keypoint."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from pamtri_edge import ops
from pamtri_edge.errors import InputError
from pamtri_edge.geometry import Geometry
from pamtri_edge.ops import native, reference

Floats = NDArray[np.float32]

# Few distinct values, so that ties, equal neighbors and peaks of exactly zero are common.
LEVELS = st.sampled_from([-2.0, -0.5, -0.0, 0.0, 0.25, 0.5, 1.0, 1.25])


@st.composite
def heatmap_batches(draw: st.DrawFn, levels: st.SearchStrategy[float] = LEVELS) -> Floats:
    """Draw (N, K, S, S), empty batches and sides of one cell included."""
    side = draw(st.integers(1, 18))
    shape = (draw(st.integers(0, 3)), draw(st.integers(0, 3)), side, side)
    return draw(hnp.arrays(np.float32, shape, elements=levels, fill=levels))


def final_predictions(heatmaps: Floats) -> Floats:
    """Return what the original's `get_final_preds` computes before it maps back: x, y in cells, peak.

    Written from its description as plain loops, with nothing taken from the implementations under test.
    """
    count, joints, height, width = heatmaps.shape
    result = np.zeros((count, joints, 3), np.float32)
    for n in range(count):
        for k in range(joints):
            heatmap = heatmaps[n, k]
            best, best_value = 0, heatmap.flat[0]
            for index, value in enumerate(heatmap.flat):
                if value > best_value:
                    best, best_value = index, value
            x, y = (float(best % width), float(best // width)) if best_value > 0 else (0.0, 0.0)
            px, py = math.floor(x + 0.5), math.floor(y + 0.5)
            if 1 < px < width - 1 and 1 < py < height - 1:
                x += 0.25 * np.sign(heatmap[py, px + 1] - heatmap[py, px - 1])
                y += 0.25 * np.sign(heatmap[py + 1, px] - heatmap[py - 1, px])
            result[n, k] = x, y, best_value
    return result


@given(heatmap_batches() | heatmap_batches(st.floats(width=32)), st.booleans())
def test_the_compiled_code_equals_the_reference_to_the_bit(heatmaps: Floats, crop_units: bool) -> None:
    expected = np.empty((*heatmaps.shape[:2], 3), np.float32)
    result = np.full_like(expected, 7.0)

    reference.decode(heatmaps, expected, crop_units)
    native.decode(heatmaps, result, crop_units)

    np.testing.assert_array_equal(result, expected)


@given(heatmap_batches())
def test_original_geometry_gives_the_cells_of_the_original_code(heatmaps: Floats) -> None:
    np.testing.assert_array_equal(
        ops.decode(heatmaps, geometry=Geometry.ORIGINAL), final_predictions(heatmaps)
    )


def test_full_size_heatmaps_agree_with_the_original_code(rng: np.random.Generator) -> None:
    heatmaps = rng.normal(0.0, 0.4, (2, 36, 64, 64)).astype(np.float32)
    heatmaps[1, :18] -= 5.0  # peaks below zero
    heatmaps[0, :, ::7, ::3] = heatmaps[0].max()  # many equal peaks

    result = ops.decode(heatmaps, geometry=Geometry.ORIGINAL)

    np.testing.assert_array_equal(result, final_predictions(heatmaps))


def test_unified_geometry_places_a_cell_by_its_center() -> None:
    heatmaps = np.zeros((1, 2, 64, 64), np.float32)
    heatmaps[0, 0, 10, 20] = 1.1
    heatmaps[0, 1, 10, 20] = 0.9
    heatmaps[0, 1, 10, 21] = 0.5  # the right neighbor is higher than the left
    heatmaps[0, 1, 9, 20] = 0.5  # the upper one higher than the lower

    result = ops.decode(heatmaps)

    np.testing.assert_array_equal(result[0, 0], np.array([20.5 / 64, 10.5 / 64, 1.1], np.float32))
    np.testing.assert_array_equal(result[0, 1], np.array([20.75 / 64, 10.25 / 64, 0.9], np.float32))


@pytest.mark.parametrize("peak", [0.0, -0.5])
def test_a_peak_at_or_below_zero_has_no_place(peak: float) -> None:
    heatmaps = np.full((1, 1, 64, 64), peak - 1.0, np.float32)
    heatmaps[0, 0, 30, 40] = peak

    np.testing.assert_array_equal(ops.decode(heatmaps)[0, 0], np.array([0.0, 0.0, peak], np.float32))


@pytest.mark.parametrize(
    ("row", "column", "step"),
    [(2, 2, 0.25), (62, 62, 0.25), (2, 1, 0.0), (1, 2, 0.0), (63, 30, 0.0), (30, 63, 0.0), (0, 0, 0.0)],
)
def test_the_quarter_step_is_taken_from_cell_two_to_cell_sixty_two(
    row: int, column: int, step: float
) -> None:
    slope = np.add.outer(np.arange(64.0), np.arange(64.0))  # higher to the right and below
    heatmaps = slope[None, None].astype(np.float32) / 1000
    heatmaps[0, 0, row, column] = 1.0

    x, y, _ = ops.decode(heatmaps, geometry=Geometry.ORIGINAL)[0, 0]

    assert (x, y) == (column + step, row + step)


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_a_value_that_is_not_finite_does_not_vanish(broken: float) -> None:
    heatmaps = np.zeros((3, 36, 64, 64), np.float32)
    heatmaps[..., 5, 5] = 1.0
    heatmaps[2, 7, 63, 63] = broken

    with pytest.raises(InputError, match="heatmap 7 of vehicle 2 holds NaN or infinity"):
        ops.decode(heatmaps)


@pytest.mark.usefixtures("implementation")
def test_heatmaps_need_not_be_contiguous(rng: np.random.Generator) -> None:
    heatmaps = rng.random((2, 40, 64, 64), dtype=np.float32)

    np.testing.assert_array_equal(
        ops.decode(heatmaps[:, 2:38]), ops.decode(np.ascontiguousarray(heatmaps[:, 2:38]))
    )


@pytest.mark.parametrize(
    ("heatmaps", "complaint"),
    [
        (np.zeros((36, 64, 64), np.float32), r"heatmaps has shape \(36, 64, 64\); expected \(N, K, S, S\)"),
        (np.zeros((1, 36, 64, 32), np.float32), r"shape \(1, 36, 64, 32\); expected \(N, K, S, S\) float32"),
        (np.zeros((1, 36, 64, 64)), "dtype float64; expected .* float32"),
        (np.zeros((1, 36, 0, 0), np.float32), "a side from 1 to 4096"),
        ([[1.0]], "heatmaps is a list; expected"),
    ],
)
def test_other_heatmaps_are_refused(heatmaps: Floats, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        ops.decode(heatmaps)


def test_an_unknown_geometry_is_refused() -> None:
    with pytest.raises(InputError, match=r"geometry is 'square'; accepted: 'unified', 'original'"):
        ops.decode(np.zeros((1, 1, 4, 4), np.float32), geometry="square")  # type: ignore[arg-type]
