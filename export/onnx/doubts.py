# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What is doubtful about the pictures that int8 is fitted to, in words: few, blank, alike, or annotated.

A range that no picture reached is cut off on the street; the comparison cannot show that where it uses
pictures of the same kind.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from pamtri_edge.parity.pictures import Pictures

FEW: Final = 32
"""Fewer pictures than this do not show what a camera sees in a day."""

_SIDE: Final = 16  # of the thumbnails that pictures are told apart by
_BLANK: Final = 4.0  # standard deviation of gray levels, 0 to 255
_ALIKE: Final = 4.0  # mean difference of gray levels
_SHARE: Final = 0.5
_REPEATED: Final = 0.75  # correlation of both halves of a picture

_BETTER: Final = "better are 64 or more pictures of different vehicles, as your cameras show them over a day"


def calibration_doubts(pictures: Pictures | None) -> tuple[str, ...]:
    """Return what is doubtful about calibration pictures, a sentence each; empty for good, drawn or none."""
    if pictures is None or pictures.drawn:
        return ()
    doubts = []
    count = len(pictures)
    thumbnails = [_thumbnail(crop) for crop in pictures.crops]
    blank = sum(bool(thumbnail.std() < _BLANK) for thumbnail in thumbnails)
    different = _different(thumbnails)
    if count < FEW:
        doubts.append(f"int8 is fitted to {_pictures(count)} only; {_BETTER}")
    if blank:
        doubts.append(
            f"{blank} of the {_pictures(count)} that int8 is fitted to {'is' if blank == 1 else 'are'} black "
            f"or of one color and {'shows' if blank == 1 else 'show'} no vehicle; {_BETTER}"
        )
    elif count > 1 and different <= _SHARE * count:
        differ = "differs" if different == 1 else "differ"
        doubts.append(
            f"only {different} of the {_pictures(count)} that int8 is fitted to {differ} from each other; "
            f"{_BETTER}"
        )
    sheets = sum(map(_twice_beside, pictures.crops))
    if sheets > _SHARE * count:
        doubts.append(
            f"{sheets} of the {_pictures(count)} that int8 is fitted to show the same vehicle twice, side by "
            "side, as the annotated pictures of `pamtri run` do; give it the crops of the run, not annotated"
        )
    return tuple(doubts)


def _pictures(count: int) -> str:
    return f"{count} picture{'' if count == 1 else 's'}"


def _thumbnail(crop: NDArray[np.uint8]) -> NDArray[np.float32]:
    gray = np.ascontiguousarray(crop).mean(axis=2, dtype=np.float32)
    return np.asarray(cv2.resize(gray, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA), np.float32)


def _twice_beside(crop: NDArray[np.uint8]) -> bool:
    """Tell a picture whose right half repeats its left one, but for what is drawn onto it."""
    width = crop.shape[1] // 2
    if width < _SIDE or crop.shape[0] < _SIDE:
        return False
    halves = [_thumbnail(crop[:, start : start + width]).ravel() for start in (0, crop.shape[1] - width)]
    if min(float(half.std()) for half in halves) < _BLANK:
        return False
    return float(np.asarray(np.corrcoef(np.stack(halves)))[0, 1]) > _REPEATED


def _different(thumbnails: Sequence[NDArray[np.float32]]) -> int:
    """Count the pictures of which none that came before is the like."""
    kept: list[NDArray[np.float32]] = []
    for thumbnail in thumbnails:
        if all(float(np.abs(thumbnail - other).mean()) > _ALIKE for other in kept):
            kept.append(thumbnail)
    return len(kept)
