# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""From what is known of a track to its event, its label and its picture."""

from __future__ import annotations

from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from pamtri_edge import _core
from pamtri_edge.events import Attribute, Event, FrameCounts, utc_text
from pamtri_edge.manifest import Manifest
from pamtri_edge.printable import counted
from pamtri_edge.video.draw import draw_crop
from pamtri_edge.video.journal import ClosedTrack, Fused


def make_event(track: ClosedTrack, manifest: Manifest, *, camera: str, start: datetime | None) -> Event:
    """Return the event of a closed track.

    Args:
        track: the track.
        manifest: the bundle's manifest: class names, name, embedding space.
        camera: name of the camera.
        start: the moment of the video's first frame, if known.
    """
    best = track.fused.best
    fields = _core.event_fields(
        first_s=track.first_s,
        last_s=track.last_s,
        rectangle=best.rectangle,
        embedding=track.fused.embedding,
        color_probs=track.fused.color_probs,
        type_probs=track.fused.type_probs,
        keypoints=best.keypoints,
        quality=best.quality,
        colors=manifest.colors,
        types=manifest.types,
    )
    color, kind = fields.pop("color"), fields.pop("type")
    return Event(
        camera=camera,
        track_id=track.track_id,
        start_utc=utc_text(start, track.first_s),
        end_utc=utc_text(start, track.last_s),
        frames=FrameCounts(seen=track.seen, embedded=track.embedded),
        below_gate=track.below_gate,
        below_gate_reason=best.failings if track.below_gate else (),
        color=None if color is None else Attribute(*color),
        type=None if kind is None else Attribute(*kind),
        embedding_space=manifest.embedding_space,
        bundle=manifest.name,
        **fields,
    )


def label(track_id: int, fused: Fused | None, manifest: Manifest) -> str:
    """Return a track's label: its number and, once known, color and type with their probabilities."""
    if fused is None:
        return _core.overlay_label(track_id, None, None)
    color = _core.most_probable(fused.color_probs, manifest.colors)
    kind = _core.most_probable(fused.type_probs, manifest.types)
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
