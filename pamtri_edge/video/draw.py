# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Drawing into pictures: boxes, labels, and the pose as keypoints and segments."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from pamtri_edge.vehicle import SEGMENT_CONFIDENCE, SEGMENTS

Color = tuple[int, int, int]
Picture = NDArray[np.uint8]

_FONT: Final = cv2.FONT_HERSHEY_SIMPLEX
_PANEL: Final = 384  # longer side of each half of a crop's picture: keypoints of a 30-pixel crop come apart
_CAPTION: Final = 26
_FAR: Final = 1e6  # pixels off any picture
_LEFT: Final[Color] = (80, 200, 255)
_RIGHT: Final[Color] = (255, 150, 60)
_DARK: Final[Color] = (24, 24, 24)
_WHITE: Final[Color] = (255, 255, 255)


@dataclass(frozen=True)
class Overlay:
    """What is drawn of one track into a frame.

    Attributes:
        track_id: chooses the color.
        box: x1, y1, x2, y2 in frame pixels.
        text: the label.
        keypoints: (K, 3) float32 x, y, confidence, x and y as parts of the box (0 to 1); None for none.
    """

    track_id: int
    box: tuple[float, float, float, float]
    text: str
    keypoints: NDArray[np.float32] | None = None


def track_color(track_id: int) -> Color:
    """Return a bright RGB color for a track; neighboring numbers get colors far apart."""
    hue = (track_id * 0.61803398875) % 1.0
    r, g, b = colorsys.hsv_to_rgb(hue, 0.75, 1.0)
    return int(255 * r), int(255 * g), int(255 * b)


def draw_overlays(picture: Picture, overlays: Sequence[Overlay], *, note: str = "") -> Picture:
    """Return a copy of a frame with the tracks drawn in.

    Args:
        picture: (H, W, 3) uint8 RGB.
        overlays: what to draw; the last lie on top.
        note: a line in the lower left corner.
    """
    drawn: Picture = picture.copy()
    scale = max(0.38, min(drawn.shape[:2]) / 1000)
    width = max(1, round(min(drawn.shape[:2]) / 400))
    for overlay in overlays:
        color = track_color(overlay.track_id)
        if overlay.keypoints is not None:
            _draw_skeleton(drawn, overlay.keypoints, overlay.box, width)
        x1, y1, x2, y2 = _near(overlay.box, drawn.shape)
        cv2.rectangle(drawn, (x1, y1), (x2, y2), color, width)
    for overlay in overlays:  # after all boxes, so that no label is crossed out
        _draw_label(drawn, overlay, scale)
    if note:
        _draw_text(drawn, note, (4, drawn.shape[0] - 6), scale, _WHITE, _DARK)
    return drawn


def draw_crop(crop: Picture, keypoints: NDArray[np.float32] | None, caption: str) -> Picture:
    """Return a picture of a crop: as it is at the left, with its pose at the right, a caption below.

    Segments are filled where the network's input has them: all four keypoints of confidence 0.5 or more,
    the outline convex. Keypoints of less confidence are drawn hollow; those of the vehicle's left side are
    blue, of its right side orange.

    Args:
        crop: (h, w, 3) uint8 RGB.
        keypoints: (36, 3) float32 x, y in crop pixels, confidence; None leaves the right half out.
        caption: a short line.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    scale = _PANEL / max(crop.shape[:2])
    size = (max(round(crop.shape[1] * scale), 1), max(round(crop.shape[0] * scale), 1))
    large = np.asarray(cv2.resize(crop, size, interpolation=cv2.INTER_CUBIC), np.uint8)
    panels = [large]
    if keypoints is not None:
        panels.append(_draw_pose(large.copy(), keypoints[:, :2] * scale, keypoints[:, 2]))
    strip = np.full((_CAPTION, large.shape[1] * len(panels), 3), _DARK, np.uint8)
    text_scale = _fitting_scale(caption, strip.shape[1] - 10, 0.5)
    cv2.putText(strip, caption, (5, _CAPTION - 8), _FONT, text_scale, _WHITE, 1, cv2.LINE_AA)
    return np.concatenate([np.concatenate(panels, axis=1), strip], axis=0)


def segment_color(index: int) -> Color:
    """Return the RGB color of a segment, one of 13 around the color circle."""
    r, g, b = colorsys.hsv_to_rgb(index / len(SEGMENTS), 0.65, 1.0)
    return int(255 * r), int(255 * g), int(255 * b)


def _draw_pose(picture: Picture, points: NDArray[np.float32], confidence: NDArray[np.float32]) -> Picture:
    shown = _drawable(points, confidence, picture.shape)
    filled = picture.copy()
    for index, corners in _segments(points, confidence, shown):
        cv2.fillPoly(filled, [_whole(points[corners])], segment_color(index), cv2.LINE_AA)
    picture = np.asarray(cv2.addWeighted(filled, 0.4, picture, 0.6, 0), np.uint8)
    for index, corners in _segments(points, confidence, shown):
        cv2.polylines(picture, [_whole(points[corners])], True, segment_color(index), 1, cv2.LINE_AA)
    order = np.argsort(confidence)  # the surest on top
    for k in order.tolist():
        if not shown[k]:
            continue
        center = (round(float(points[k, 0])), round(float(points[k, 1])))
        side = _LEFT if k < len(points) // 2 else _RIGHT
        if confidence[k] < SEGMENT_CONFIDENCE:
            cv2.circle(picture, center, 3, _DARK, 2, cv2.LINE_AA)
            cv2.circle(picture, center, 3, side, 1, cv2.LINE_AA)
            continue
        cv2.circle(picture, center, 4, _DARK, -1, cv2.LINE_AA)
        cv2.circle(picture, center, 3, side, -1, cv2.LINE_AA)
        at = (center[0] + 5, center[1] - 4)
        cv2.putText(picture, str(k), at, _FONT, 0.34, _DARK, 2, cv2.LINE_AA)
        cv2.putText(picture, str(k), at, _FONT, 0.34, _WHITE, 1, cv2.LINE_AA)
    return picture


def _draw_skeleton(
    picture: Picture, keypoints: NDArray[np.float32], box: tuple[float, float, float, float], width: int
) -> None:
    low, high = np.array(box[:2], np.float64), np.array(box[2:], np.float64)
    points = np.clip(low + keypoints[:, :2] * (high - low), -_FAR, _FAR).astype(np.float32)
    shown = _drawable(points, keypoints[:, 2], picture.shape)
    for index, corners in _segments(points, keypoints[:, 2], shown):
        cv2.polylines(picture, [_whole(points[corners])], True, segment_color(index), 1, cv2.LINE_AA)
    radius = max(1, round(width * 0.75))
    for k in np.flatnonzero(shown & (keypoints[:, 2] >= SEGMENT_CONFIDENCE)).tolist():
        side = _LEFT if k < len(points) // 2 else _RIGHT
        center = (round(float(points[k, 0])), round(float(points[k, 1])))
        cv2.circle(picture, center, radius, side, -1, cv2.LINE_AA)


def _segments(
    points: NDArray[np.float32], confidence: NDArray[np.float32], shown: NDArray[np.bool_]
) -> list[tuple[int, list[int]]]:
    """Return the segments that are drawn, with their corners; none for another set of keypoints."""
    if len(confidence) <= max(max(segment.corners) for segment in SEGMENTS):
        return []
    sure = shown & (confidence >= SEGMENT_CONFIDENCE)
    found = [(index, list(segment.corners)) for index, segment in enumerate(SEGMENTS)]
    return [(i, corners) for i, corners in found if sure[corners].all() and _is_convex(points[corners])]


def _is_convex(corners: NDArray[np.float32]) -> bool:
    """Tell whether a quadrilateral (4, 2) turns the same way at each corner."""
    sides = np.roll(corners, -1, axis=0) - corners
    following = np.roll(sides, -1, axis=0)
    turns = sides[:, 0] * following[:, 1] - sides[:, 1] * following[:, 0]
    return bool((turns > 0).all() or (turns < 0).all())


def _drawable(
    points: NDArray[np.float32], confidence: NDArray[np.float32], shape: tuple[int, ...]
) -> NDArray[np.bool_]:
    """Tell which points can be drawn: with a peak at all, and not far off the picture."""
    return np.asarray((confidence > 0) & (np.abs(points) < 4 * max(shape[:2])).all(axis=1))


def _near(box: tuple[float, float, float, float], shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return a box in whole pixels, its far sides moved near the picture: OpenCV draws within 32 bits."""
    limit = 4 * max(shape[:2])
    return tuple(round(min(max(side, -limit), limit)) for side in box)


def _whole(points: NDArray[np.float32]) -> NDArray[np.int32]:
    return np.round(points).astype(np.int32)


def _draw_label(picture: Picture, overlay: Overlay, scale: float) -> None:
    (_, height), base = cv2.getTextSize(overlay.text, _FONT, scale, 1)
    x1, y1, _, y2 = _near(overlay.box, picture.shape)
    top = y1 - base - 2 if y1 - height - base - 4 >= 0 else y2 + height + 3
    color = track_color(overlay.track_id)
    _draw_text(picture, overlay.text, (x1, top), scale, _DARK, color)


def _draw_text(
    picture: Picture, text: str, at: tuple[int, int], scale: float, color: Color, ground: Color
) -> None:
    """Draw a line of text on a filled ground, moved inside the picture; `at` is its lower left corner."""
    (width, height), base = cv2.getTextSize(text, _FONT, scale, 1)
    x = int(np.clip(at[0], 0, max(picture.shape[1] - width - 2, 0)))
    y = int(np.clip(at[1], height + 1, max(picture.shape[0] - base - 1, height + 1)))
    cv2.rectangle(picture, (x, y - height - 1), (x + width + 2, y + base), ground, -1)
    cv2.putText(picture, text, (x + 1, y), _FONT, scale, color, 1, cv2.LINE_AA)


def _fitting_scale(text: str, width: int, largest: float) -> float:
    (needed, _), _ = cv2.getTextSize(text, _FONT, largest, 1)
    return largest * min(1.0, width / max(needed, 1))
