# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Contact sheets: what the synthetic vehicles look like, at one glance.

Three sheets: every family of bodies in every color; keypoints and segments drawn over vehicles from all
sides; and some vehicles, a row each, as many cameras see them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from pamtri_edge.errors import InputError
from pamtri_edge.pictures import SUFFIXES
from pamtri_edge.synth.dataset.fleet import Vehicle, built
from pamtri_edge.synth.dataset.write import whole_file
from pamtri_edge.synth.specification.vehicle import sample_vehicle
from pamtri_edge.synth.view.prior import camera_prior
from pamtri_edge.synth.view.scene import View, render_view
from pamtri_edge.vehicle import COLORS
from pamtri_edge.video.draw import draw_crop
from pamtri_edge.words import SHEETS, Sheet

Picture = NDArray[np.uint8]

_FONT: Final = cv2.FONT_HERSHEY_SIMPLEX
_INK: Final = (24, 24, 24)
_PAPER: Final = 255
_LABEL: Final = 92  # width of a row's name
_HEAD: Final = 22  # height of a column's name
_HIDDEN: Final = 0.3  # confidence under which a keypoint is drawn hollow

_SHOWN_SIZE: Final = 256
_POSES: Final = 16
_POSES_A_ROW: Final = 4
_VEHICLES: Final = 6
_VIEWS: Final = 12


@dataclass(frozen=True)
class Wanted:
    """One picture of a sheet.

    Attributes:
        identity: from which the vehicle is drawn.
        view: which view of it.
        camera: which camera sees it.
        family: body; None where the identity decides.
        color: paint; None likewise.
    """

    identity: int
    view: int
    camera: int
    family: str | None = None
    color: str | None = None


Draw = Callable[[Wanted], View]
"""Draws one picture."""


def write_sheets(
    folder: Path,
    draw: Draw,
    *,
    families: Sequence[str],
    sheets: Sequence[Sheet] = SHEETS,
    tile: int = 128,
    on_progress: Callable[[int, int], None] | None = None,
) -> list[Path]:
    """Draw sheets into PNG files; return their paths.

    Args:
        folder: made if it is not there; sheets of the same names are replaced.
        draw: draws the pictures.
        families: rows of the grid.
        sheets: which are drawn.
        tile: side of a picture in the grid and among the identities, in pixels.
        on_progress: called with how many pictures are drawn, and of how many.

    Raises:
        InputError: the folder has the name of a picture, or a sheet cannot be written.
    """
    if folder.suffix.lower() in SUFFIXES and not folder.is_dir():
        raise InputError(
            f"{folder} is to be a folder, in which each sheet gets its name; leave out the ending."
        )
    wanted = {sheet: _wanted(sheet, families) for sheet in sheets}
    total = sum(len(pictures) for pictures in wanted.values())
    done = 0
    paths = []
    for sheet, pictures in wanted.items():
        views = []
        for picture in pictures:
            views.append(draw(picture))
            done += 1
            if on_progress is not None:
                on_progress(done, total)
        paths.append(_write(folder / f"{sheet}.png", _compose(sheet, views, families, tile)))
    return paths


def painter(*, seed: int, prior: str = "veri") -> Draw:
    """Return what draws a sheet's pictures with the project's renderer.

    Args:
        seed: another seed, other vehicles.
        prior: where cameras stand.

    Raises:
        InputError: there is no such prior.
    """
    cameras = camera_prior(prior)
    last: dict[tuple[int, str | None, str | None], Vehicle] = {}

    def draw(wanted: Wanted) -> View:
        key = (wanted.identity, wanted.family, wanted.color)
        if key not in last:
            last.clear()  # views of a vehicle follow each other
            last[key] = built(sample_vehicle(seed, wanted.identity, family=wanted.family, color=wanted.color))
        vehicle = last[key]
        return render_view(
            vehicle.mesh,
            vehicle.spec,
            seed=seed,
            identity=wanted.identity,
            view=wanted.view,
            camera=wanted.camera,
            prior=cameras,
            size=_SHOWN_SIZE,
        )

    return draw


def _wanted(sheet: Sheet, families: Sequence[str]) -> list[Wanted]:
    """Return the pictures of a sheet, row by row."""
    if sheet == "grid":
        pairs = [(family, color) for family in families for color in COLORS]
        return [Wanted(k, 0, k, *pair) for k, pair in enumerate(pairs)]
    if sheet == "keypoints":
        return [
            Wanted(1000 + k, k, 1000 + k, families[k % len(families)], COLORS[3 * k % len(COLORS)])
            for k in range(_POSES)
        ]
    return [Wanted(2000 + row, k, 2000 + k) for row in range(_VEHICLES) for k in range(_VIEWS)]


def _compose(sheet: Sheet, views: Sequence[View], families: Sequence[str], tile: int) -> Picture:
    if sheet == "keypoints":
        panels = [draw_crop(view.image, _points(view), _caption(view)) for view in views]
        return _stack(panels, _POSES_A_ROW)
    tiles = [_fitted(view.image, tile) for view in views]
    if sheet == "grid":
        return _labeled(_stack(tiles, len(COLORS)), families, COLORS, tile)
    names = [f"{view.color_name} {view.type_name}" for view in views[::_VIEWS]]
    return _labeled(_stack(tiles, _VIEWS), names, [f"camera {k + 1}" for k in range(_VIEWS)], tile)


def _points(view: View) -> NDArray[np.float32]:
    """Return (36, 3) x, y in pixels, and a confidence under which what is hidden is drawn hollow."""
    high, wide = view.image.shape[:2]
    confidence = np.where(view.visible, 1.0, _HIDDEN)
    return np.column_stack([view.keypoints * np.array([wide, high]), confidence]).astype(np.float32)


def _caption(view: View) -> str:
    return (
        f"{view.color_name} {view.type_name}, azimuth {view.azimuth:.0f}, elevation {view.elevation:.0f}, "
        f"{view.distance:.0f} m, {int(np.sum(view.visible))}/36 visible"
    )


def _fitted(picture: Picture, side: int) -> Picture:
    return np.asarray(cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def _stack(pictures: Sequence[Picture], columns: int) -> Picture:
    """Return pictures of one size in rows; the last row is filled up with paper."""
    blank = np.full_like(pictures[0], _PAPER)
    filled = [*pictures, *[blank] * (-len(pictures) % columns)]
    rows = [np.concatenate(filled[k : k + columns], axis=1) for k in range(0, len(filled), columns)]
    return np.concatenate(rows, axis=0)


def _labeled(sheet: Picture, rows: Sequence[str], columns: Sequence[str], tile: int) -> Picture:
    """Return a sheet of square tiles with names at its left and above."""
    framed = np.full((sheet.shape[0] + _HEAD, sheet.shape[1] + _LABEL, 3), _PAPER, np.uint8)
    framed[_HEAD:, _LABEL:] = sheet
    for k, name in enumerate(rows):
        _print(framed, name, (4, _HEAD + k * tile + tile // 2), _LABEL - 8)
    for k, name in enumerate(columns):
        _print(framed, name, (_LABEL + k * tile + 6, _HEAD - 7), tile - 8)
    return framed


def _print(picture: Picture, text: str, at: tuple[int, int], width: int) -> None:
    (needed, _), _ = cv2.getTextSize(text, _FONT, 0.45, 1)
    scale = 0.45 * min(1.0, width / max(needed, 1))
    cv2.putText(picture, text, at, _FONT, scale, _INK, 1, cv2.LINE_AA)


def _write(path: Path, picture: Picture) -> Path:
    data = cv2.imencode(".png", picture[..., ::-1])[1].tobytes()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{path.parent} cannot be made: {error.strerror}.") from error
    with whole_file(path, "wb") as file:
        file.write(data)
    return path
