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

from pamtri_edge.geometry import EXTRA_MEAN, EXTRA_STD, HEATMAP_SIZE, IMAGE_SIZE, RGB_MEAN, RGB_STD
from pamtri_edge.vehicle import KEYPOINT_FLIP, SEGMENT_CONFIDENCE, SEGMENTS

QUARTER = 0.25
"""How far decode moves a peak towards its higher neighbour, in heatmap cells."""

_CELLS = HEATMAP_SIZE * HEATMAP_SIZE
_CORNERS = tuple(corner for segment in SEGMENTS for corner in segment.corners)
_BLANK = (0.0 - EXTRA_MEAN) / EXTRA_STD
_FULL = (1.0 - EXTRA_MEAN) / EXTRA_STD
_NOWHERE = -1e9  # a half-plane's constant that no pixel reaches


def normalise_rgb(images: Tensor) -> Tensor:
    """Normalise (N, 3, H, W) RGB of 0..255 by ImageNet's mean and deviation."""
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
    back = _pick(mirrored, KEYPOINT_FLIP).flip(3)
    shifted = torch.cat([back[..., :1], back[..., :-1]], dim=3)
    return (heatmaps + shifted) * 0.5


def peaks(heatmaps: Tensor) -> tuple[Tensor, Tensor]:
    """Find the peak of each heatmap, refined by a quarter cell.

    The first of equal maxima counts. A peak at or below 0 is put into cell (0, 0). A peak that is not
    within two cells of the upper or left edge, nor in the last row or column, moves by a quarter cell
    towards the higher of its two neighbours on each axis.

    Args:
        heatmaps: (N, K, 64, 64).

    Returns:
        cells (N, K, 2) x, y with the quarter offset, in heatmap cells; confidences (N, K, 1).
    """
    flat = heatmaps.flatten(2)
    confidence = flat.amax(dim=2, keepdim=True)
    index = flat.argmax(dim=2, keepdim=True).to(torch.float32)
    index = index * (confidence > 0).to(torch.float32)
    y = torch.floor(index * (1.0 / HEATMAP_SIZE))
    x = index - HEATMAP_SIZE * y
    steps = torch.tensor([1.0, float(HEATMAP_SIZE), -1.0, -float(HEATMAP_SIZE)], device=heatmaps.device)
    around = (index + steps).clamp(0.0, _CELLS - 1.0).to(torch.int64)
    neighbours = torch.gather(flat, 2, around)
    towards = torch.sign(neighbours[..., :2] - neighbours[..., 2:])
    cells = torch.cat([x, y], dim=2)
    inside = (cells.amin(dim=2, keepdim=True) > 1.0) & (cells.amax(dim=2, keepdim=True) < HEATMAP_SIZE - 1.0)
    return cells + QUARTER * towards * inside.to(torch.float32), confidence


def crop_keypoints(cells: Tensor, confidence: Tensor) -> Tensor:
    """Return (N, K, 3) x, y in crop units, confidence, for maps that cover the crop (`unified`).

    Cell k covers [k/64, (k+1)/64). A peak at or below 0 gives (0, 0, confidence).
    """
    units = (cells + 0.5) * (1.0 / HEATMAP_SIZE) * (confidence > 0).to(torch.float32)
    return torch.cat([units, confidence], dim=2)


def window_keypoints(cells: Tensor, confidence: Tensor, crop_size: Tensor, *, window: float) -> Tensor:
    """Return (N, K, 3) x, y in crop units, confidence, for maps that cover the original's window.

    X = (x - 32) * window * max(W, H) / 64 + W / 2, divided by W; likewise y. Not clipped: a point of the
    window's border lies outside the crop.

    Args:
        cells: (N, K, 2) x, y in heatmap cells.
        confidence: (N, K, 1).
        crop_size: (N, 2) width and height of the crops in pixels.
        window: side of the window over the crop's longer side.
    """
    size = crop_size.unsqueeze(1)
    longer = size.amax(dim=2, keepdim=True)
    units = (cells - HEATMAP_SIZE / 2) * (window / HEATMAP_SIZE) * longer / size + 0.5
    return torch.cat([units, confidence], dim=2)


def quality(confidence: Tensor) -> Tensor:
    """Return (N, 1): the mean over the keypoints of the confidence (N, K, 1) clipped to [0, 1]."""
    return confidence.clamp(0.0, 1.0).mean(dim=1)


def keypoint_vector(keypoints: Tensor) -> Tensor:
    """Return (N, 108): x, y, confidence of each keypoint (N, 36, 3) in crop units, less 0.5."""
    return keypoints.flatten(1) - 0.5


def stack_heatmaps(heatmaps: Tensor) -> Tensor:
    """Return heatmaps (N, K, 64, 64) as stack channels: clipped, enlarged 4 times, normalised.

    Normalising commutes with bilinear enlargement and costs 16 times less before it.
    """
    normalised = (heatmaps.clamp(0.0, 1.0) - EXTRA_MEAN) * (1.0 / EXTRA_STD)
    return functional.interpolate(
        normalised, size=(IMAGE_SIZE, IMAGE_SIZE), mode="bilinear", align_corners=False
    )


def half_planes(corners: Tensor, drawn: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return a, b, c of the four half-planes a*x + b*y + c >= 0 whose intersection is each segment.

    A segment is blank, so that no point fulfils its half-planes, unless `drawn` says otherwise and its
    corners are strictly convex: the cross products of consecutive edges have one sign and none is 0.

    Args:
        corners: (N, 13, 4, 2) x, y around each outline, in any unit.
        drawn: (N, 13, 1) bool, what the confidences allow.

    Returns:
        a, b, c, each (N, 13, 4).
    """
    x, y = corners[..., 0], corners[..., 1]
    dx = torch.cat([x[..., 1:], x[..., :1]], dim=2) - x
    dy = torch.cat([y[..., 1:], y[..., :1]], dim=2) - y
    cross = dx * torch.cat([dy[..., 1:], dy[..., :1]], dim=2) - dy * torch.cat(
        [dx[..., 1:], dx[..., :1]], dim=2
    )
    counterclockwise = cross.amin(dim=2, keepdim=True) > 0
    clockwise = cross.amax(dim=2, keepdim=True) < 0
    side = counterclockwise.to(torch.float32) - clockwise.to(torch.float32)
    a, b = -dy * side, dx * side
    c = -(a * x + b * y)
    shown = (counterclockwise | clockwise) & drawn
    return a, b, torch.where(shown, c, _NOWHERE)


def segment_corners(keypoints: Tensor) -> tuple[Tensor, Tensor]:
    """Return the corners (N, 13, 4, 2) of the segments and whether their confidences allow them (N, 13, 1)."""
    picked = _pick(keypoints, _CORNERS).unflatten(1, (len(SEGMENTS), 4))
    drawn = picked[..., 2].amin(dim=2, keepdim=True) >= SEGMENT_CONFIDENCE
    return picked[..., :2], drawn


def segment_depth(keypoints: Tensor) -> Tensor:
    """Return (N, 13, 256, 256): at least 0 where a pixel's centre lies in a segment or on its outline.

    Args:
        keypoints: (N, 36, 3) x, y in crop units, confidence.
    """
    corners, drawn = segment_corners(keypoints)
    a, b, c = half_planes(corners * IMAGE_SIZE, drawn)
    centres = torch.arange(IMAGE_SIZE, dtype=torch.float32, device=keypoints.device) + 0.5
    across = a.unsqueeze(3) * centres + c.unsqueeze(3)
    down = b.unsqueeze(3) * centres
    depth = across[:, :, 0].unsqueeze(2) + down[:, :, 0].unsqueeze(3)
    for edge in range(1, 4):
        depth = torch.minimum(depth, across[:, :, edge].unsqueeze(2) + down[:, :, edge].unsqueeze(3))
    return depth


def segments(keypoints: Tensor) -> Tensor:
    """Return (N, 13, 256, 256) of 0 and 1: the segments of keypoints (N, 36, 3) in crop units."""
    return (segment_depth(keypoints) >= 0).to(torch.float32)


def stack_segments(keypoints: Tensor) -> Tensor:
    """Return the segments of keypoints (N, 36, 3) as normalised stack channels, (N, 13, 256, 256)."""
    depth = segment_depth(keypoints)
    return torch.where(depth >= 0, _FULL, _BLANK)


def _pick(array: Tensor, indices: Sequence[int]) -> Tensor:
    """Return the entries of axis 1 at constant indices: one plain gather in the exported graph."""
    return array.index_select(1, torch.tensor(indices, device=array.device))
