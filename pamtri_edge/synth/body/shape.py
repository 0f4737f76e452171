# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""From a vehicle's specification to its mesh."""

from __future__ import annotations

import numpy as np

from pamtri_edge.synth.body.assembly import Assembly
from pamtri_edge.synth.body.cargo import add_cargo
from pamtri_edge.synth.body.draft import FRONT, LEFT, REAR, RIGHT, TOP, Draft, draft_of
from pamtri_edge.synth.body.fittings import add_parts
from pamtri_edge.synth.body.keypoints import band_parts, keypoints_of, side_parts
from pamtri_edge.synth.body.mesh import Mesh
from pamtri_edge.synth.body.outline import Floats
from pamtri_edge.synth.body.wheels import add_wheels
from pamtri_edge.synth.paint.decals import paint_decals
from pamtri_edge.synth.paint.flaws import paint_flaws
from pamtri_edge.synth.paint.front import paint_front
from pamtri_edge.synth.paint.rear import paint_rear
from pamtri_edge.synth.paint.side import cut_arches, paint_sides
from pamtri_edge.synth.paint.top import paint_top
from pamtri_edge.synth.paint.wheels import paint_wheels
from pamtri_edge.synth.specification.vehicle import VehicleSpec


def build(spec: VehicleSpec) -> Mesh:
    """Build a vehicle; the same specification gives the same mesh, byte for byte.

    Args:
        spec: what `specification.vehicle.sample_vehicle` drew, or a reader made.

    Returns:
        its surface with materials, segments and keypoints.
    """
    draft = draft_of(spec)
    keypoints = keypoints_of(draft)
    assembly = Assembly()
    _add_band(assembly, draft)
    _add_sides(assembly, draft, keypoints)
    add_parts(assembly, draft)
    add_wheels(assembly, draft)
    paint_sides(draft)
    paint_front(draft)
    paint_rear(draft)
    paint_top(draft)
    paint_wheels(draft)
    paint_decals(draft)
    paint_flaws(draft)
    cut_arches(draft)
    add_cargo(assembly, draft)
    return assembly.joined(draft.materials, draft.colors, keypoints, spec.shape.width)


def _add_band(assembly: Assembly, draft: Draft) -> None:
    """Add the band in three pieces, one for each of the sheets that cover it."""
    band, normals = draft.skin.band, draft.skin.band_normals
    quads = band_parts(draft)
    for sheet, first, last in (
        (FRONT, 0, draft.front_row),
        (TOP, draft.front_row, draft.rear_row),
        (REAR, draft.rear_row, len(band) - 1),
    ):
        piece = slice(first, last + 1)
        canvas = draft.sheets[sheet]
        if sheet == TOP:
            along = draft.outline.arc[piece] - draft.outline.arc[first]
            across = band[piece, :, 1] / draft.skin.half_width[piece, None]
            uv = canvas.uv(np.broadcast_to(along[:, None], across.shape), across)
        else:
            uv = canvas.uv(band[piece, :, 1], band[piece, :, 2])
        assembly.grid(band[piece], normals[piece], uv=uv, texture=sheet, part=quads[first:last])


def _add_sides(assembly: Assembly, draft: Draft, keypoints: Floats) -> None:
    for sign, sheet in ((1, LEFT), (-1, RIGHT)):
        mirror = np.array([1.0, float(sign), 1.0])
        points = draft.skin.side
        assembly.grid(
            points * mirror,
            draft.skin.side_normals * mirror,
            uv=draft.sheets[sheet].uv(points[..., 0], points[..., 2]),
            texture=sheet,
            part=side_parts(draft, sign, keypoints),
        )
