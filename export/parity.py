# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The exported file against PyTorch in float32, on crops, under every engine of this machine.

OpenVINO computes a float16 file in float32, so it shows the rounding of the weights alone; the torch
backend computes in the types of the file. Both are judged. What is measured and when a file fails is told in
`judgement`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from pamtri_edge.export.graph import HEATMAPS
from pamtri_edge.export.judgement import Cosines, Found, Judgement, Staged, judge
from pamtri_edge.export.limits import Limits
from pamtri_edge.export.pictures import Inputs, parts
from pamtri_edge.export.reference import BATCH, Reference, from_heatmaps, joined, pose_input, reid_inputs
from pamtri_edge.geometry import HEATMAP_SIZE
from pamtri_edge.runtime import create_backend
from pamtri_edge.vehicle import NUM_KEYPOINTS

Floats = NDArray[np.float32]
Advance = Callable[[], None]

BACKENDS: Final = ("openvino", "torch")

PASSES: Final = 3
"""How often `compare` goes through the crops: the file, the file with its heatmaps, the reference."""


def compare(
    model: Path,
    reference: Reference,
    *,
    backend: str,
    limits: Limits,
    variant: Mapping[str, bool],
    advance: Advance = lambda: None,
) -> Judgement:
    """Run an exported file and judge it.

    Args:
        model: the fused graph.
        reference: what it was made of.
        backend: "openvino" or "torch".
        limits: of its precision.
        variant: what the manifest calls so.
        advance: called after each `BATCH` of crops, in each of `PASSES`.
    """
    outputs, arithmetic = _engine(model, reference.inputs, backend, advance)
    found = Found(outputs, None, outputs, reference.outputs)
    if reference.heatmaps is not None:
        with _tapped(model) as copy:
            both, _ = _engine(copy, reference.inputs, backend, advance)
        heatmaps = both.pop(HEATMAPS)
        forced = []
        for part, place in reference.parts():
            forced.append(from_heatmaps(reference.module, part, heatmaps[place]))
            advance()
        found = Found(outputs, heatmaps, both, joined(forced))
    return judge(
        reference.outputs,
        reference.heatmaps,
        found,
        limits=limits,
        variant=variant,
        backend=backend,
        arithmetic=arithmetic,
    )


def compare_staged(
    pose: Path,
    reid: Path,
    reference: Reference,
    *,
    backend: str,
    limits: Limits,
    advance: Advance = lambda: None,
) -> Staged:
    """Run the two files of the two-network form and judge each; see `Staged`.

    Args:
        pose: the file of the first network.
        reid: the file of the second.
        reference: what they were made of.
        backend: "openvino" or "torch".
        limits: of their precision.
        advance: called twice for each `BATCH` of crops.
    """
    assert reference.heatmaps is not None
    maps, arithmetic = _engine(pose, {"images": pose_input(reference.inputs)}, backend, advance)
    error = float(np.abs(maps[HEATMAPS] - reference.heatmaps).max())
    engine = create_backend(reid, backend=backend)
    try:
        embeddings = []
        for part, place in reference.parts():
            given = reid_inputs(reference.module, part, reference.heatmaps[place])
            embeddings.append(engine.run(given)["embedding"])
            advance()
    finally:
        engine.close()
    cosines = Cosines.of(np.concatenate(embeddings), reference.outputs["embedding"])
    allowed = limits.heatmap_error(float(np.abs(reference.heatmaps).max()))
    failures = []
    if not error <= allowed:
        failures.append(f"staged pose, a heatmap differs by {error:.4g} (limit {allowed:.4g})")
    if not (cosines.minimum is not None and cosines.minimum >= limits.cosine):
        failures.append(f"staged reid, the least cosine is {cosines.minimum} (limit {limits.cosine:g})")
    return Staged(backend, arithmetic, len(maps[HEATMAPS]), error, cosines, tuple(failures))


@contextmanager
def _tapped(model: Path) -> Iterator[Path]:
    """Give a temporary copy of a file that also puts out its heatmaps; it lies in the file's folder."""
    copied = onnx.load(model)
    shape: list[str | int | None] = ["batch", NUM_KEYPOINTS, HEATMAP_SIZE, HEATMAP_SIZE]
    copied.graph.output.append(helper.make_tensor_value_info(HEATMAPS, TensorProto.FLOAT, shape))
    with tempfile.TemporaryDirectory(dir=model.parent, prefix=".tapped-") as folder:
        path = Path(folder) / model.name
        onnx.save(copied, path)
        yield path


def _engine(model: Path, inputs: Inputs, backend: str, advance: Advance) -> tuple[dict[str, Floats], str]:
    """Return an engine's outputs for all crops, and its arithmetic."""
    engine = create_backend(model, backend=backend)
    try:
        found = []
        for part in parts(inputs, BATCH):
            found.append(engine.run(part))
            advance()
        return joined(found), engine.arithmetic
    finally:
        engine.close()
