# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What the `original` geometry does differently from `unified`, as operators of the fused graph.

The original is two programs with files between them. Two steps of theirs are not repeated here. Heatmaps and
segments pass through 8-bit JPEG files (heatmaps floored to 1/255), which matters little. And they are
enlarged from 64x64 to the size of the crop before they are resized to 256x256, here once from 64 to 256: it
matters for crops of less than about 100 pixels (`benchmarks/original_parity.py` measures both).
"""

from __future__ import annotations

import torch
from torch import Tensor

from pamtri_edge.geometry import HEATMAP_SIZE, WINDOW_SCALE
from pamtri_edge.models import operators


def window_keypoints(cells: Tensor, confidence: Tensor, crop_size: Tensor) -> Tensor:
    """Return (N, K, 3) x, y in crop units, confidence, for heatmaps that cover the padded window.

    X = (x - 32) * 1.25 * max(W, H) / 64 + W / 2, divided by W; likewise y. Not clipped: a point of the
    window's border lies outside the crop, and a heatmap without a positive peak gives the window's corner.

    Args:
        cells: (N, K, 2) x, y in heatmap cells.
        confidence: (N, K, 1).
        crop_size: (N, 2) width and height of the crops in pixels.
    """
    size = crop_size.unsqueeze(1)
    longer = size.amax(dim=2, keepdim=True)
    units = (cells - HEATMAP_SIZE / 2) * (WINDOW_SCALE / HEATMAP_SIZE) * longer / size + 0.5
    return torch.cat([units, confidence], dim=2)


def coarse_segments(keypoints: Tensor, crop_size: Tensor) -> Tensor:
    """Return the segments as the original draws them, (N, 13, 64, 64) of 0..1.

    Corners are rounded to whole pixels of the crop, after the three decimals of the file in which the
    original keeps keypoints and confidences. The polygon is filled there with its outline, as `cv2.fillPoly`
    does (half a pixel beyond the edge, within the corners' bounding box), and then sampled bilinearly at
    64x64 points, without antialiasing.

    Args:
        keypoints: (N, 36, 3) x, y in crop units, confidence.
        crop_size: (N, 2) width and height of the crops in pixels.
    """
    pixels = torch.cat([keypoints[..., :2] * crop_size.unsqueeze(1), keypoints[..., 2:]], dim=2)
    corners, drawn = operators.segment_corners(torch.round(pixels * 1000.0) / 1000.0)
    corners = torch.round(corners)
    a, b, c = operators.half_planes(corners, drawn)
    c = c + 0.5 * torch.maximum(a.abs(), b.abs())
    lowest, highest = corners.amin(dim=2).unsqueeze(3), corners.amax(dim=2).unsqueeze(3)
    columns, across = _taps(crop_size[:, :1])
    rows, down = _taps(crop_size[:, 1:])
    total = None
    for row, row_weight in zip(rows, down, strict=True):
        start, end = operators.spans(a, b, c, row.unsqueeze(2))
        met = (row >= lowest[:, :, 1]) & (row <= highest[:, :, 1])
        start = torch.where(met, torch.maximum(start, lowest[:, :, 0]), operators.FAR).unsqueeze(3)
        end = torch.minimum(end, highest[:, :, 0]).unsqueeze(3)
        for column, column_weight in zip(columns, across, strict=True):
            place = column.unsqueeze(2)
            covered = ((place >= start) & (place <= end)).to(torch.float32)
            part = covered * (row_weight.unsqueeze(3) * column_weight.unsqueeze(2))
            total = part if total is None else total + part
    assert total is not None
    return total


def _taps(extent: Tensor) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Return the two source pixels and their weights of each of 64 bilinear samples, as `cv2.resize`.

    Args:
        extent: (N, 1) pixels along this axis.

    Returns:
        The positions, then the weights, each twice (N, 1, 64).
    """
    centers = torch.arange(HEATMAP_SIZE, dtype=torch.float32, device=extent.device) + 0.5
    place = (centers * (extent / HEATMAP_SIZE) - 0.5).unsqueeze(1)
    last = (extent - 1.0).unsqueeze(1)
    place = torch.minimum(place.clamp_min(0.0), last)
    first = torch.floor(place)
    fraction = place - first
    return (first, torch.minimum(first + 1.0, last)), (1.0 - fraction, fraction)
