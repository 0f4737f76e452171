# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Decode, segments and stack in torch, written so that they export to stock ONNX operators.

The same operations as `pamtri_edge.ops`, and they agree with it; here they live inside the fused graph.
What they keep to, so that TensorRT 10.3 and OpenVINO both take them: height and width are constants, only the
batch is dynamic; no loop, condition or `NonZero`; integers appear only as gather indices.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from pamtri_edge import geometry
from pamtri_edge.geometry import EXTRA_MEAN, EXTRA_STD, HEATMAP_SIZE, IMAGE_SIZE, RGB_MEAN, RGB_STD
from pamtri_edge.vehicle import KEYPOINT_FLIP, SEGMENT_CONFIDENCE, SEGMENTS

QUARTER = 0.25
"""How far decode moves a peak towards its higher neighbor, in heatmap cells."""

_CELLS = HEATMAP_SIZE * HEATMAP_SIZE
_CORNERS = tuple(corner for segment in SEGMENTS for corner in segment.corners)
FAR = 1e9
"""A coordinate beyond any pixel."""
_TOLERANCE = 1.0 / 1024.0
"""How far, in pixels, a center may lie outside a span, so that rounding cannot lose one on the outline.

Decoded keypoints are whole pixels, hence a center that is off an outline is off by 1/512 or more.
"""


def normalize_rgb(images: Tensor) -> Tensor:
    """Normalize (N, 3, H, W) RGB of 0..255 by ImageNet's mean and deviation."""
    scale = torch.tensor([1.0 / (255.0 * std) for std in RGB_STD]).view(1, 3, 1, 1)
    shift = torch.tensor([mean / std for mean, std in zip(RGB_MEAN, RGB_STD, strict=True)]).view(1, 3, 1, 1)
    return images * scale.to(images.device) - shift.to(images.device)


def flip_average(heatmaps: Tensor, mirrored: Tensor) -> Tensor:
    """Average the heatmaps of a picture with those of its mirror image, as the original's flip test.

    The mirrored maps are mirrored back, their left and right keypoints change places, and all but their
    first column move right by one, which compensates the half-cell shift of a stride-4 network.

    Args:
        heatmaps: (N, 36, 64, 64) of the picture.
        mirrored: (N, 36, 64, 64) of the picture flipped in x.

    Returns:
        (N, 36, 64, 64) the mean of both.
    """
    back = pick(mirrored, KEYPOINT_FLIP).flip(3)
    shifted = torch.cat([back[..., :1], back[..., :-1]], dim=3)
    return (heatmaps + shifted) * 0.5


def peaks(heatmaps: Tensor) -> tuple[Tensor, Tensor]:
    """Find the peak of each heatmap, refined by a quarter cell.

    The first of equal maxima counts. A peak at or below 0 is put into cell (0, 0). A peak that is not
    within two cells of the upper or left edge, nor in the last row or column, moves by a quarter cell
    towards the higher of its two neighbors on each axis.

    Args:
        heatmaps: (N, K, 64, 64).

    Returns:
        cells (N, K, 2) x, y with the quarter offset, in heatmap cells; confidences (N, K, 1).
    """
    flat = heatmaps.flatten(2)
    confidence = flat.amax(dim=2, keepdim=True)
    # The smallest index among the maxima, not ArgMax: which of equals that returns is the engine's choice.
    order = torch.arange(float(_CELLS), device=heatmaps.device)
    index = torch.where(flat >= confidence, order, _CELLS - 1.0).amin(dim=2, keepdim=True)
    index = index * (confidence > 0).to(torch.float32)
    y = torch.floor(index * (1.0 / HEATMAP_SIZE))
    x = index - HEATMAP_SIZE * y
    steps = torch.tensor([1.0, float(HEATMAP_SIZE), -1.0, -float(HEATMAP_SIZE)], device=heatmaps.device)
    around = (index + steps).clamp(0.0, _CELLS - 1.0).to(torch.int64)
    neighbors = torch.gather(flat, 2, around)
    towards = torch.sign(neighbors[..., :2] - neighbors[..., 2:])
    cells = torch.cat([x, y], dim=2)
    inside = (cells.amin(dim=2, keepdim=True) > 1.0) & (cells.amax(dim=2, keepdim=True) < HEATMAP_SIZE - 1.0)
    return cells + QUARTER * towards * inside.to(torch.float32), confidence


def crop_keypoints(cells: Tensor, confidence: Tensor) -> Tensor:
    """Return (N, K, 3) x, y in crop units, confidence, for maps that cover the crop (`unified`).

    Cell k covers [k/64, (k+1)/64). A peak at or below 0 gives (0, 0, confidence).
    """
    units = (cells + 0.5) * (1.0 / HEATMAP_SIZE) * (confidence > 0).to(torch.float32)
    return torch.cat([units, confidence], dim=2)


def quality(confidence: Tensor) -> Tensor:
    """Return (N, 1): the mean over the keypoints of the confidence (N, K, 1) clipped to [0, 1]."""
    return confidence.clamp(0.0, 1.0).mean(dim=1)


def keypoint_vector(keypoints: Tensor) -> Tensor:
    """Return (N, 108): x, y, confidence of each keypoint (N, 36, 3) in crop units, less 0.5."""
    return geometry.keypoint_vector(keypoints.flatten(1))


def normalize_extra(channels: Tensor) -> Tensor:
    """Normalize heatmap or segment channels of 0..1."""
    return (channels - EXTRA_MEAN) * (1.0 / EXTRA_STD)


def clipped_heatmaps(heatmaps: Tensor) -> Tensor:
    """Return heatmaps (N, K, 64, 64) clipped to [0, 1]."""
    return heatmaps.clamp(0.0, 1.0)


def coarse_heatmaps(heatmaps: Tensor) -> Tensor:
    """Return heatmaps (N, K, 64, 64) clipped to [0, 1] and normalized: stack channels but for their size."""
    return normalize_extra(clipped_heatmaps(heatmaps))


def enlarge(channels: Tensor) -> Tensor:
    """Enlarge (N, K, 64, 64) to (N, K, 256, 256): bilinear, half-pixel centers."""
    return functional.interpolate(
        channels, size=(IMAGE_SIZE, IMAGE_SIZE), mode="bilinear", align_corners=False
    )


def resized(channels: Tensor, side: int) -> Tensor:
    """Resize (N, K, 256, 256) to (N, K, side, side): bilinear, half-pixel centers; at 128 a mean of 4.

    Enlarging by 4 and then halving is enlarging by 2, which `models.stem` builds on.
    """
    if side == IMAGE_SIZE:
        return channels
    return functional.interpolate(channels, size=(side, side), mode="bilinear", align_corners=False)


def segment_corners(keypoints: Tensor) -> tuple[Tensor, Tensor]:
    """Return the segments' corners (N, 13, 4, 2), and whether their confidences allow them (N, 13, 1)."""
    picked = pick(keypoints, _CORNERS).view(-1, len(SEGMENTS), 4, 3)
    drawn = picked[..., 2].amin(dim=2, keepdim=True) >= SEGMENT_CONFIDENCE
    return picked[..., :2], drawn


def half_planes(corners: Tensor, drawn: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return a, b, c of the four half-planes a*x + b*y + c >= 0 whose intersection is each segment.

    A segment is blank, a = b = 0 and c < 0, unless `drawn` says otherwise and its corners are strictly
    convex: the cross products of consecutive edges have one sign and none is 0.

    Args:
        corners: (N, 13, 4, 2) x, y around each outline, in any unit.
        drawn: (N, 13, 1) bool, what the confidences allow.

    Returns:
        a, b, c, each (N, 13, 4).
    """
    x, y = corners[..., 0], corners[..., 1]
    dx, dy = _next(x) - x, _next(y) - y
    cross = dx * _next(dy) - dy * _next(dx)
    left, right = (cross.amin(dim=2, keepdim=True) > 0) & drawn, (cross.amax(dim=2, keepdim=True) < 0) & drawn
    side = left.to(torch.float32) - right.to(torch.float32)
    a, b = -dy * side, dx * side
    return a, b, torch.where(left | right, -(a * x + b * y), -1.0)


def spans(a: Tensor, b: Tensor, c: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
    """Return where along x each row lies in a segment: from the first (N, 13, R) to the second, inclusive.

    A convex segment meets a row in one span, so that a pixel needs two comparisons, not four half-planes.

    Args:
        a: (N, 13, 4), of `half_planes`.
        b: (N, 13, 4), likewise.
        c: (N, 13, 4), likewise.
        rows: y of the rows, (R,) or (N, 1, 1, R).

    Returns:
        The ends of the spans; the first is beyond the second where the row does not meet the segment.
    """
    slope = a.unsqueeze(3)
    rest = b.unsqueeze(3) * rows + c.unsqueeze(3)
    crossing = -rest / torch.where(slope == 0, 1.0, slope)
    missed = torch.where((slope == 0) & (rest < 0), FAR, -FAR)
    start = torch.where(slope > 0, crossing, missed).amax(dim=2)
    end = torch.where(slope < 0, crossing, FAR).amin(dim=2)
    return start, end


def segment_mask(keypoints: Tensor) -> Tensor:
    """Return (N, 13, 256, 256) bool: which pixels' centers lie in a segment or on its outline.

    Args:
        keypoints: (N, 36, 3) x, y in crop units, confidence.
    """
    corners, drawn = segment_corners(keypoints)
    centers = torch.arange(IMAGE_SIZE, dtype=torch.float32, device=keypoints.device) + 0.5
    start, end = spans(*half_planes(corners * IMAGE_SIZE, drawn), centers)
    return (centers >= (start - _TOLERANCE).unsqueeze(3)) & (centers <= (end + _TOLERANCE).unsqueeze(3))


def segments(keypoints: Tensor) -> Tensor:
    """Return (N, 13, 256, 256) of 0 and 1: the segments of keypoints (N, 36, 3) in crop units."""
    return segment_mask(keypoints).to(torch.float32)


def stack_segments(keypoints: Tensor) -> Tensor:
    """Return the segments of keypoints (N, 36, 3) as normalized stack channels, (N, 13, 256, 256)."""
    full, blank = (1.0 - EXTRA_MEAN) / EXTRA_STD, (0.0 - EXTRA_MEAN) / EXTRA_STD
    return torch.where(segment_mask(keypoints), full, blank)


def pick(array: Tensor, indices: Sequence[int]) -> Tensor:
    """Return the entries of axis 1 at constant indices: one plain gather in the exported graph."""
    return array.index_select(1, torch.tensor(indices, device=array.device))


def _next(around: Tensor) -> Tensor:
    """Return, for each corner of (N, 13, 4), the value of the following corner."""
    return torch.cat([around[..., 1:], around[..., :1]], dim=2)
