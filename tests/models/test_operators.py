# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The operators of the fused graph agree with `pamtri_edge.ops`, OpenCV and a plain reading of the rules."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from pamtri_edge import ops
from pamtri_edge.geometry import Geometry
from pamtri_edge.models import operators
from pamtri_edge.models.original import coarse_segments, window_keypoints
from pamtri_edge.vehicle import SEGMENTS

Floats = NDArray[np.float32]


def _decoded(heatmaps: Floats, geometry: Geometry) -> Floats:
    cells, confidence = operators.peaks(torch.from_numpy(heatmaps))
    if geometry is Geometry.UNIFIED:
        return operators.crop_keypoints(cells, confidence).numpy()
    return torch.cat([cells, confidence], dim=2).numpy()


def _grid_keypoints(rng: np.random.Generator, count: int) -> Floats:
    """Keypoints as decode gives them: whole pixels of 256, most of them confident."""
    places = rng.integers(0, 257, (count, 36, 2)) / 256
    confidences = rng.choice([0.2, 0.5, 0.9], (count, 36, 1), p=[0.05, 0.15, 0.8])
    return np.concatenate([places, confidences], axis=2).astype(np.float32)


def test_decode_agrees_with_ops_on_smooth_maps(rng: np.random.Generator) -> None:
    heatmaps = rng.normal(size=(3, 36, 64, 64)).astype(np.float32)
    for geometry in Geometry:
        assert np.array_equal(_decoded(heatmaps, geometry), ops.decode(heatmaps, geometry=geometry))


def test_decode_agrees_with_ops_where_many_cells_tie(rng: np.random.Generator) -> None:
    heatmaps = rng.integers(-1, 3, (4, 36, 64, 64)).astype(np.float32) / 2
    assert np.array_equal(_decoded(heatmaps, Geometry.UNIFIED), ops.decode(heatmaps))


def test_decode_agrees_with_ops_at_every_border_and_corner() -> None:
    edge = [0, 1, 2, 61, 62, 63]
    heatmaps = np.zeros((1, len(edge) ** 2, 64, 64), np.float32)
    for index, (row, column) in enumerate((r, c) for r in edge for c in edge):
        heatmaps[0, index] = np.linspace(0, 0.1, 64)  # so that a neighbor on the right is higher
        heatmaps[0, index, row, column] = 1.0
    for geometry in Geometry:
        assert np.array_equal(_decoded(heatmaps, geometry), ops.decode(heatmaps, geometry=geometry))


def test_the_first_of_equal_peaks_counts() -> None:
    heatmaps = np.zeros((1, 1, 64, 64), np.float32)
    heatmaps[0, 0, 40, 9] = heatmaps[0, 0, 7, 50] = heatmaps[0, 0, 7, 20] = 0.8
    cells, confidence = operators.peaks(torch.from_numpy(heatmaps))
    assert cells[0, 0].tolist() == [20.0, 7.0]
    assert confidence.item() == np.float32(0.8)


def test_a_map_without_a_positive_peak_gives_the_origin_and_keeps_its_confidence() -> None:
    heatmaps = np.full((1, 2, 64, 64), -0.5, np.float32)
    heatmaps[0, 0, 30, 30] = -0.25
    heatmaps[0, 1, 30, 30] = 0.0
    assert _decoded(heatmaps, Geometry.UNIFIED)[0].tolist() == [[0, 0, -0.25], [0, 0, 0]]
    assert _decoded(heatmaps, Geometry.ORIGINAL)[0].tolist() == [[0, 0, -0.25], [0, 0, 0]]


def test_segments_equal_those_of_ops_for_decoded_keypoints(rng: np.random.Generator) -> None:
    keypoints = _grid_keypoints(rng, 12)
    expected = ops.segments(keypoints)
    assert expected.sum() > 10_000, "too little is drawn for this to be a test"
    assert np.array_equal(operators.segments(torch.from_numpy(keypoints)).numpy(), expected)


def test_segments_of_any_keypoints_equal_those_of_ops_but_for_centers_on_the_outline(
    rng: np.random.Generator,
) -> None:
    keypoints = rng.uniform(-0.2, 1.2, (8, 36, 3)).astype(np.float32)
    keypoints[..., 2] = 1.0
    differing = operators.segments(torch.from_numpy(keypoints)).numpy() != ops.segments(keypoints)
    assert differing.sum() <= 1e-5 * differing.size


def test_a_segment_needs_all_four_confidences_and_strict_convexity() -> None:
    keypoints = np.zeros((4, 36, 3), np.float32)
    corners = SEGMENTS[9].corners
    keypoints[:, corners, :2] = [[0.25, 0.25], [0.75, 0.25], [0.75, 0.75], [0.25, 0.75]]
    keypoints[:, corners, 2] = 0.5
    keypoints[1, corners[2], 2] = np.nextafter(np.float32(0.5), np.float32(0))
    keypoints[2, corners[3], :2] = [0.75, 0.5]  # three corners on one line
    keypoints[3, corners[3], :2] = [0.9, 0.5]  # the outline crosses itself
    drawn = operators.segments(torch.from_numpy(keypoints)).numpy()
    assert drawn[0, 9].sum() == 128 * 128
    assert drawn.sum() == 128 * 128


def test_stack_channels_equal_those_of_ops(rng: np.random.Generator) -> None:
    images = rng.uniform(0, 255, (2, 3, 256, 256)).astype(np.float32)
    heatmaps = rng.uniform(-0.3, 1.3, (2, 36, 64, 64)).astype(np.float32)
    keypoints = _grid_keypoints(rng, 2)
    parts = [
        operators.normalize_rgb(torch.from_numpy(images)),
        operators.enlarge(operators.coarse_heatmaps(torch.from_numpy(heatmaps))),
        operators.stack_segments(torch.from_numpy(keypoints)),
    ]
    expected = ops.stack(images, heatmaps, ops.segments(keypoints))
    np.testing.assert_allclose(torch.cat(parts, dim=1).numpy(), expected, atol=5e-6)


def test_quality_is_the_mean_of_the_clipped_confidences() -> None:
    confidence = torch.tensor([-0.5, 0.25, 0.75, 1.5]).view(1, 4, 1)
    assert operators.quality(confidence).item() == 0.5


def test_the_flip_test_puts_back_sides_and_columns_as_the_original(rng: np.random.Generator) -> None:
    plain, mirrored = rng.normal(size=(2, 2, 36, 64, 64)).astype(np.float32)
    expected = np.empty_like(plain)
    for keypoint in range(36):
        partner = keypoint + 18 if keypoint < 18 else keypoint - 18
        for column in range(64):
            from_column = 63 if column == 0 else 63 - (column - 1)
            back = mirrored[:, partner, :, from_column]
            expected[:, keypoint, :, column] = (plain[:, keypoint, :, column] + back) * 0.5
    found = operators.flip_average(torch.from_numpy(plain), torch.from_numpy(mirrored))
    np.testing.assert_array_equal(found.numpy(), expected)


def test_window_keypoints_undo_the_padding_of_the_window() -> None:
    size = torch.tensor([[200.0, 100.0]])
    center = window_keypoints(torch.tensor([[[32.0, 32.0]]]), torch.ones(1, 1, 1), size)
    assert center[0, 0].tolist() == [0.5, 0.5, 1.0]
    # Cell 0 is the window's left edge: 1.25 * 200 / 2 pixels from the center, hence 25 outside the crop.
    corner = window_keypoints(torch.zeros(1, 1, 2), torch.ones(1, 1, 1), size)
    assert corner[0, 0].tolist() == [-25 / 200, -75 / 100, 1.0]


def test_original_segments_are_those_of_fillpoly(rng: np.random.Generator) -> None:
    width, height = 231, 180
    keypoints = rng.uniform(-0.1, 1.1, (10, 36, 3)).astype(np.float32)
    keypoints[..., 2] = rng.choice([0.3, 0.9], (10, 36), p=[0.05, 0.95])
    size = torch.tensor([[width, height]] * 10, dtype=torch.float32)
    found = coarse_segments(torch.from_numpy(keypoints), size).numpy()
    expected = np.stack([[_filled(one, s.corners, width, height) for s in SEGMENTS] for one in keypoints])
    assert expected.sum() > 1000, "too little is drawn for this to be a test"
    assert np.abs(found - expected).sum() < 0.001 * expected.sum()


def _filled(keypoints: Floats, corners: tuple[int, ...], width: int, height: int) -> Floats:
    """One segment as the original draws it: rounded corners, fillPoly, 64x64."""
    places = np.rint(keypoints[list(corners), :2] * np.float32([width, height])).astype(np.int32)
    edges = np.roll(places, -1, axis=0) - places
    turns = edges[:, 0] * np.roll(edges[:, 1], -1) - edges[:, 1] * np.roll(edges[:, 0], -1)
    picture = np.zeros((3 * height, 3 * width), np.float32)  # fillPoly's clipping depends on OpenCV's version
    if (keypoints[list(corners), 2] >= 0.5).all() and ((turns > 0).all() or (turns < 0).all()):
        cv2.fillPoly(picture, [places + np.array([width, height], np.int32)], 1.0)
    inside = picture[height : 2 * height, width : 2 * width]
    return cv2.resize(inside, (64, 64)).astype(np.float32)
