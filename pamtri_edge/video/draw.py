# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Drawing into pictures: boxes, labels, and the pose as keypoints and segments.

What is drawn, where and in which color the core decides, for the element pamtridraw as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from pamtri_edge import _core
from pamtri_edge.vehicle import SEGMENT_CONFIDENCE, SEGMENTS

Color = tuple[int, int, int]
Picture = NDArray[np.uint8]

_FONT: Final = cv2.FONT_HERSHEY_SIMPLEX
_CAPITAL: Final = 21  # height of its capital letters at scale 1
_PANEL: Final = 384  # longer side of each half of a crop's picture: keypoints of a 30-pixel crop come apart
_CAPTION: Final = 26
_FAR: Final = 1e6  # pixels off any picture
_DARK: Final[Color] = _core.OVERLAY_DARK
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


def draw_overlays(picture: Picture, overlays: Sequence[Overlay], *, note: str = "") -> Picture:
    """Return a copy of a frame with the tracks drawn in.

    Args:
        picture: (H, W, 3) uint8 RGB.
        overlays: what to draw; the last lie on top.
        note: a line in the lower left corner.
    """
    drawn: Picture = picture.copy()
    frame = _size(drawn)
    scale = _core.overlay_text_height(frame) / _CAPITAL
    width = _core.overlay_line_width(frame)
    for overlay in overlays:
        color = _core.track_color(overlay.track_id)
        if overlay.keypoints is not None:
            _draw_skeleton(drawn, overlay.keypoints, overlay.box, width)
        box = _core.overlay_box(overlay.box, frame)
        if box is not None:
            cv2.rectangle(drawn, box[:2], box[2:], color, width)
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
    text_scale = 0.5 * min(1.0, (strip.shape[1] - 10) / max(_extent(caption, 0.5)[0], 1))
    cv2.putText(strip, caption, (5, _CAPTION - 8), _FONT, text_scale, _WHITE, 1, cv2.LINE_AA)
    return np.concatenate([np.concatenate(panels, axis=1), strip], axis=0)


def _draw_pose(picture: Picture, points: NDArray[np.float32], confidence: NDArray[np.float32]) -> Picture:
    shown, segments = _drawable(points, confidence, picture)
    filled = picture.copy()
    for index, corners in segments:
        cv2.fillPoly(filled, [_whole(points[corners])], _core.segment_color(index), cv2.LINE_AA)
    picture = np.asarray(cv2.addWeighted(filled, 0.4, picture, 0.6, 0), np.uint8)
    for index, corners in segments:
        cv2.polylines(picture, [_whole(points[corners])], True, _core.segment_color(index), 1, cv2.LINE_AA)
    order = np.argsort(confidence)  # the surest on top
    for k in order.tolist():
        if not shown[k]:
            continue
        center = (round(float(points[k, 0])), round(float(points[k, 1])))
        side = _core.keypoint_color(k, len(points))
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
    shown, segments = _drawable(points, keypoints[:, 2], picture)
    for index, corners in segments:
        cv2.polylines(picture, [_whole(points[corners])], True, _core.segment_color(index), 1, cv2.LINE_AA)
    radius = _core.overlay_keypoint_radius(width)
    for k in np.flatnonzero(shown & (keypoints[:, 2] >= SEGMENT_CONFIDENCE)).tolist():
        side = _core.keypoint_color(k, len(points))
        center = (round(float(points[k, 0])), round(float(points[k, 1])))
        cv2.circle(picture, center, radius, side, -1, cv2.LINE_AA)


def _drawable(
    points: NDArray[np.float32], confidence: NDArray[np.float32], picture: Picture
) -> tuple[NDArray[np.bool_], list[tuple[int, list[int]]]]:
    """Return which points can be drawn, and the segments that are, with their corners."""
    rows = np.ascontiguousarray(np.column_stack([points, confidence]), np.float32)
    shown, segments = _core.overlay_pose(rows, _size(picture))
    return np.array(shown, np.bool_), [(index, list(SEGMENTS[index].corners)) for index in segments]


def _size(picture: Picture) -> tuple[int, int]:
    return picture.shape[1], picture.shape[0]


def _whole(points: NDArray[np.float32]) -> NDArray[np.int32]:
    return np.round(points).astype(np.int32)


def _draw_label(picture: Picture, overlay: Overlay, scale: float) -> None:
    box = _core.overlay_box(overlay.box, _size(picture))
    if box is None or not overlay.text:
        return
    at = _core.overlay_label_place(box, _extent(overlay.text, scale), _size(picture))
    _draw_text(picture, overlay.text, at, scale, _DARK, _core.track_color(overlay.track_id))


def _extent(text: str, scale: float) -> tuple[int, int, int]:
    """Return a text's width, and its height above and below the baseline."""
    (width, height), base = cv2.getTextSize(text, _FONT, scale, 1)
    return width, height, base


def _draw_text(
    picture: Picture, text: str, at: tuple[int, int], scale: float, color: Color, ground: Color
) -> None:
    """Draw a line of text on a filled ground, moved inside the picture; `at` is its lower left corner."""
    extent = width, height, base = _extent(text, scale)
    x, y = _core.overlay_text_place(at, extent, _size(picture))
    cv2.rectangle(picture, (x, y - height - 1), (x + width + 2, y + base), ground, -1)
    cv2.putText(picture, text, (x + 1, y), _FONT, scale, color, 1, cv2.LINE_AA)
