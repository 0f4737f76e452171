# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""From what is known of a track to its event, its label and its picture."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from pamtri_edge import _core
from pamtri_edge.events import Attribute, Event, FrameCounts, utc_text
from pamtri_edge.manifest import Manifest
from pamtri_edge.printable import counted
from pamtri_edge.video.draw import draw_crop
from pamtri_edge.video.fuse import Fused
from pamtri_edge.video.journal import ClosedTrack

_TIME, _PROBABILITY, _EMBEDDING, _PLACE, _CONFIDENCE, _QUALITY = (
    _core.EVENT_DIGITS[name]
    for name in ("time", "probability", "embedding", "place", "confidence", "quality")
)


def make_event(track: ClosedTrack, manifest: Manifest, *, camera: str, start: datetime | None) -> Event:
    """Return the event of a closed track.

    Args:
        track: the track.
        manifest: the bundle's manifest: class names, name, embedding space.
        camera: name of the camera.
        start: the moment of the video's first frame, if known.
    """
    best = track.fused.best
    x1, y1, x2, y2 = best.rectangle
    return Event(
        camera=camera,
        track_id=track.track_id,
        start_s=round(track.first_s, _TIME),
        end_s=round(track.last_s, _TIME),
        start_utc=utc_text(start, track.first_s),
        end_utc=utc_text(start, track.last_s),
        frames=FrameCounts(seen=track.seen, embedded=track.embedded),
        below_gate=track.below_gate,
        below_gate_reason=best.failings if track.below_gate else (),
        box=(float(x1), float(y1), float(x2), float(y2)),
        color=_attribute(track.fused.color_probs, manifest.colors),
        type=_attribute(track.fused.type_probs, manifest.types),
        embedding=tuple(round(float(x), _EMBEDDING) for x in track.fused.embedding),
        keypoints=None if best.keypoints is None else _keypoints(best.keypoints),
        quality=None if best.quality is None else round(best.quality, _QUALITY),
        embedding_space=manifest.embedding_space,
        bundle=manifest.name,
    )


def label(track_id: int, fused: Fused | None, manifest: Manifest) -> str:
    """Return a track's label: its number and, once known, color and type with their probabilities."""
    if fused is None:
        return _core.overlay_label(track_id, None, None)
    color, kind = _told(fused.color_probs, manifest.colors), _told(fused.type_probs, manifest.types)
    return _core.overlay_label(track_id, color, kind)


def box_keypoints(fused: Fused | None) -> NDArray[np.float32] | None:
    """Return the best view's keypoints, x and y as parts of its rectangle, (K, 3) float32; None for none."""
    if fused is None or fused.best.keypoints is None:
        return None
    x1, y1, x2, y2 = fused.best.rectangle
    keypoints: NDArray[np.float32] = fused.best.keypoints.copy()
    keypoints[:, :2] = (keypoints[:, :2] - (x1, y1)) / (x2 - x1, y2 - y1)
    return keypoints


def crop_picture(track: ClosedTrack, manifest: Manifest) -> NDArray[np.uint8]:
    """Return the picture for people of a track's best crop, with its pose and what is known of it."""
    best = track.fused.best
    keypoints = None
    if best.keypoints is not None:
        keypoints = best.keypoints.copy()
        keypoints[:, :2] -= best.rectangle[:2]
    parts = [label(track.track_id, track.fused, manifest)]
    if best.quality is not None:
        parts.append(f"quality {best.quality:.2f}")
    parts.append(counted(track.embedded, "view"))
    if track.below_gate:
        parts.append(f"below gate: {', '.join(best.failings)}")
    if not manifest.trained:
        parts.append("untrained weights")
    return draw_crop(track.crop, keypoints, ", ".join(parts))


def _attribute(probs: NDArray[np.float32] | None, names: Sequence[str] | None) -> Attribute | None:
    if probs is None or names is None:
        return None
    values = [round(float(p), _PROBABILITY) for p in probs]
    best = int(np.argmax(probs))
    return Attribute(names[best], values[best], dict(zip(names, values, strict=True)))


def _told(probs: NDArray[np.float32] | None, names: Sequence[str] | None) -> tuple[str, float] | None:
    """Return the most probable name and its probability."""
    if probs is None or names is None:
        return None
    best = int(np.argmax(probs))
    return names[best], float(probs[best])


def _keypoints(keypoints: NDArray[np.float32]) -> tuple[tuple[float, float, float], ...]:
    return tuple(
        (round(float(x), _PLACE), round(float(y), _PLACE), round(float(c), _CONFIDENCE))
        for x, y, c in keypoints
    )
