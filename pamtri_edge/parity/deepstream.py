# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A run of DeepStream against the bundle: were the inputs right, and did the engine compute the network?

The two are judged apart. Inputs against the pictures that they show, where these are at hand; outputs against
what the bundle's engine makes of the very inputs that were dumped, right or wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.bundle import Bundle
from pamtri_edge.errors import InputError
from pamtri_edge.ops.frames import rgb_of_sited_nv12
from pamtri_edge.parity.deepstream_dump import Dump, Surface
from pamtri_edge.parity.input_causes import EXPECTED_SCALER, Explanation, explain, grid_step, matched
from pamtri_edge.parity.judgement import Expected, Found, Outputs, judge
from pamtri_edge.parity.limits import LIMITS
from pamtri_edge.parity.pictures import Pictures, graph_inputs
from pamtri_edge.parity.verify import ELSEWHERE_COSINE, Check, compare_outputs, run_inputs
from pamtri_edge.printable import counted
from pamtri_edge.runtime import Backend
from pamtri_edge.runtime.selftest import row_cosines
from pamtri_edge.words import PRECISIONS

_PERCENTILE: Final = 5
_TOLERANCE: Final = 1e-3


def check_inputs(
    bundle: Bundle, engine: Backend, dump: Dump, pictures: Pictures | None, *, limit: float = ELSEWHERE_COSINE
) -> Check:
    """Compare the inputs of a dump with the pictures that they show, and name what was done otherwise.

    Args:
        bundle: what was run.
        engine: of this machine.
        dump: what DeepStream wrote.
        pictures: the crops as they were in the frames, in any order; the pixels in the dump itself go before.
        limit: what 95 % of the cosines must reach.

    Raises:
        InputError: no input shows one of the pictures.
    """
    title = f"{counted(len(dump.inputs), 'input')} of {dump.source}"
    remarks: tuple[str, ...] = ()
    if dump.surfaces:
        sources: list[NDArray[np.uint8]] = [_rgb(surface) for surface in dump.surfaces]
        inputs = dump.inputs
        title += " against the pixels that they were cut from"
    elif pictures is None:
        return _without_pictures(title, dump)
    else:
        inputs, sources, remarks = _matched(dump, pictures)
        title += f" against {counted(len(pictures), 'picture')} ({pictures.source})"
    found = explain(inputs, sources)
    name = bundle.manifest.inputs[0].name
    here = run_inputs(engine, graph_inputs(sources, [name]))["embedding"]
    there = run_inputs(engine, {name: inputs})["embedding"]
    cosines = row_cosines(here, there)
    low = float(np.percentile(cosines, _PERCENTILE))
    failures = _causes(found)
    if low < limit:
        failures.append(
            f"the {_PERCENTILE}th percentile of the cosines of embeddings from these inputs is {low:.5f} "
            f"(limit {limit:g}){'' if failures else '; no cause was found: are these the same crops?'}"
        )
    return Check(
        title,
        {
            "inputs compared": str(len(inputs)),
            "channels": found.order,
            "scale, offsets": f"{found.scale:.6g}, {_offsets(found)}",
            "scaler": found.scaler,
            "colors": str(found.misreading),
            "error, levels of 255": f"{found.expected_error:.2f}, {found.error:.2f} of it unexplained",
            f"cosine, {_PERCENTILE}th percentile": f"{low:.6f}",
        },
        tuple(failures),
        remarks,
    )


def check_outputs(bundle: Bundle, engine: Backend, dump: Dump) -> Check | None:
    """Compare the outputs of a dump with what the bundle's engine makes of the same inputs.

    Returns:
        None where the dump has no embeddings.
    """
    if "embedding" not in dump.outputs:
        return None
    manifest = bundle.manifest
    count = len(dump.outputs["embedding"])
    expected = run_inputs(engine, {manifest.inputs[0].name: dump.inputs[:count]})
    title = (
        f"outputs of {dump.source} against {engine.name} ({engine.arithmetic}) on the same "
        f"{counted(count, 'input')}"
    )
    check = compare_outputs(title, expected, dump.outputs, manifest, manifest.precision)
    if not check.failures:
        return check
    reason = _precision(expected, dump.outputs, manifest.precision, manifest.variant)
    return replace(check, failures=(reason, *check.failures))


def _precision(expected: Outputs, found: Outputs, precision: str, variant: Mapping[str, bool]) -> str:
    """Return which arithmetic would explain outputs that pass the limits of the bundle's own."""
    coarser = PRECISIONS[PRECISIONS.index(precision) + 1 :]
    for name in coarser:
        judged = judge(Expected(expected), Found(found), limits=LIMITS[name], variant=variant)
        if not judged.failures:
            return (
                f"precision: the engine computed as {name} does, and the bundle is {precision}. Build it "
                "with trtexec --stronglyTyped (fp32: and --noTF32); delete the one that nvinfer built itself"
            )
    return (
        "network: no precision explains these outputs: the engine is of another network, or of other "
        "weights. Delete it and build it from this bundle's model.onnx"
    )


def _matched(
    dump: Dump, pictures: Pictures
) -> tuple[NDArray[np.float32], list[NDArray[np.uint8]], tuple[str, ...]]:
    places = matched(dump.inputs, pictures.crops)
    rows = [row for row, place in enumerate(places) if place is not None]
    if not rows:
        raise InputError(
            f"no input in {dump.source} shows one of the {counted(len(pictures), 'picture')} of "
            f"{pictures.source}; give the crops that DeepStream looked at, whole and in their own size."
        )
    left = len(places) - len(rows)
    remarks = (f"{counted(left, 'input')} of {len(places)} without a picture left out",) if left else ()
    return (
        dump.inputs[rows],
        [pictures.crops[place] for place in places if place is not None],
        remarks,
    )


def _without_pictures(title: str, dump: Dump) -> Check:
    """Judge what the values alone tell: scale, and whether something was subtracted."""
    step = grid_step(dump.inputs)
    low, high = float(dump.inputs.min()), float(dump.inputs.max())
    failures = []
    if step is not None and abs(step - 1) > _TOLERANCE:
        failures.append(_scale_cause(step))
    if low < -0.5 * (step or 1.0):
        failures.append(
            f"offsets: the smallest value is {low:g}, and the bundle subtracts by itself; remove offsets"
        )
    return Check(
        f"{title}, without pictures",
        {"values": f"{low:g} to {high:g}", "step": "none" if step is None else f"{step:.6g}"},
        tuple(failures),
        ("scaler, colors and order of channels need the pictures: --crops DIR",),
    )


def _causes(found: Explanation) -> list[str]:
    """Return what was done otherwise, in words, each with the change to make."""
    causes = []
    if found.order != "RGB":
        causes.append("channel order: the channels come as BGR; set model-color-format=0")
    if abs(found.scale - 1) > _TOLERANCE:
        causes.append(_scale_cause(found.scale))
    if any(abs(offset) > 0.25 for offset in found.offsets):
        causes.append(f"offsets: {_offsets(found)} was subtracted from the channels; remove offsets")
    if found.scaler != EXPECTED_SCALER:
        aspect = found.scaler.startswith("aspect")
        key = "maintain-aspect-ratio=0" if aspect else "scaling-filter=1 (bilinear)"
        causes.append(f"scaler: the crops were scaled by another one ({found.scaler}); set {key}")
    if not found.misreading.right:
        causes.append(
            f"color conversion: {found.misreading}; let the source's caps (colorimetry) and the surface's "
            "color format say how it is coded"
        )
    return causes


def _scale_cause(scale: float) -> str:
    share = f" (1/{1 / scale:.4g})" if scale < 1 else ""
    return f"scale: pixels were multiplied with {scale:.6g}{share}; set net-scale-factor=1"


def _offsets(found: Explanation) -> str:
    return ";".join(f"{offset:.4g}" for offset in found.offsets)


def _rgb(surface: Surface) -> NDArray[np.uint8]:
    """Return the crop as it should have been read, (H, W, 3)."""
    if surface.conversion is None:
        frame = surface.planes[0]
    else:
        frame = rgb_of_sited_nv12(surface.planes[0], surface.planes[1], surface.conversion)
    left, top, right, bottom = surface.crop
    return np.ascontiguousarray(frame[top:bottom, left:right])


def check_dump(
    bundle: Bundle, engine: Backend, dump: Dump, pictures: Pictures | None, *, limit: float = ELSEWHERE_COSINE
) -> list[Check]:
    """Compare inputs and outputs of a dump; see `check_inputs` and `check_outputs`."""
    inputs = check_inputs(bundle, engine, dump, pictures, limit=limit)
    outputs = check_outputs(bundle, engine, dump)
    remarked = replace(inputs, remarks=(*inputs.remarks, *dump.remarks))
    return [remarked] if outputs is None else [remarked, outputs]
