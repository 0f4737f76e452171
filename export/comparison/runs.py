# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The exported file against PyTorch in float32, on crops, under every engine of this machine.

OpenVINO computes a float16 file in float32, so it shows the rounding of the weights alone; the torch
backend rounds every layer's inputs and results to halves and adds up in float32, as GPUs do. Both are judged.
What is measured and when a file fails is told in `parity.judgement`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from pamtri_edge.export.comparison.reference import (
    BATCH,
    Reference,
    joined,
    pose_input,
    reid_inputs,
)
from pamtri_edge.export.comparison.workers import side_by_side
from pamtri_edge.export.onnx.graph import HEATMAPS
from pamtri_edge.geometry import HEATMAP_SIZE
from pamtri_edge.parity.agreement import Cosines
from pamtri_edge.parity.judgement import Expected, Found, Judgement, Staged, judge
from pamtri_edge.parity.limits import Limits
from pamtri_edge.parity.pictures import Inputs, parts
from pamtri_edge.runtime import Backend, create_backend
from pamtri_edge.vehicle import NUM_KEYPOINTS

Floats = NDArray[np.float32]
Advance = Callable[[], None]

BACKENDS: Final = ("openvino", "torch")

_TOGETHER: Final = 4  # batches that an engine with threads of its own gets at once


@dataclass(frozen=True)
class Run:
    """An exported file on crops.

    Attributes:
        backend: the engine.
        arithmetic: what its convolutions were computed in.
        found: what it made of them.
    """

    backend: str
    arithmetic: str
    found: Found

    def of_crops(self, place: slice) -> Run:
        """Return the run on some of its crops alone."""
        return replace(self, found=self.found.of_crops(place))


def run_file(
    model: Path,
    reference: Reference,
    *,
    backend: str,
    native_half: bool = False,
    advance: Advance = lambda: None,
) -> Run:
    """Run an exported file on the reference's crops.

    Args:
        model: the fused graph.
        reference: what it was made of.
        backend: "openvino" or "torch".
        native_half: compute float16 nodes as this processor does, with "torch".
        advance: called after each `BATCH` of crops, `passes` times in all.
    """
    inputs = reference.inputs
    if reference.heatmaps is None:
        outputs, arithmetic = _engine(model, inputs, backend, native_half, advance)
        return Run(backend, arithmetic, Found(outputs, forced=reference.outputs))
    with _tapped(model) as copy:
        both, arithmetic = _engine(copy, inputs, backend, native_half, advance)
    heatmaps = both.pop(HEATMAPS)
    outputs = both  # torch runs the file node by node, whatever it puts out; others may fuse it otherwise
    if backend != "torch":
        outputs, arithmetic = _engine(model, inputs, backend, native_half, advance)

    def forced(part: tuple[Inputs, slice]) -> dict[str, Floats]:
        return reference.from_heatmaps(*part, heatmaps[part[1]])

    expected = joined(side_by_side(forced, reference.parts(), advance=advance))
    return Run(backend, arithmetic, Found(outputs, heatmaps, both, expected))


def passes(backend: str, *, posed: bool) -> int:
    """Return how often `run_file` goes through the crops."""
    return (2 if backend == "torch" else 3) if posed else 1


def judged(reference: Reference, run: Run, *, limits: Limits, variant: Mapping[str, bool]) -> Judgement:
    """Judge a run of an exported file.

    Args:
        reference: what the file was made of, on the crops of the run.
        run: what an engine made of them.
        limits: of the file's precision.
        variant: what the manifest calls so.
    """
    return judge(
        Expected(reference.outputs, reference.heatmaps),
        run.found,
        limits=limits,
        variant=variant,
        engine=run.backend,
        arithmetic=run.arithmetic,
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
    maps, arithmetic = _engine(pose, {"images": pose_input(reference.inputs)}, backend, False, advance)
    error = float(np.abs(maps[HEATMAPS] - reference.heatmaps).max())
    with closing(create_backend(reid, backend=backend)) as engine:
        embeddings = []
        for part, place in reference.parts():  # one after another: a stack is 13 MB
            given = reid_inputs(reference.fused, part, reference.heatmaps[place])
            embeddings += side_by_side(engine.run, [given], advance=advance)
    cosines = Cosines.of(joined(embeddings)["embedding"], reference.outputs["embedding"])
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


def _engine(
    model: Path, inputs: Inputs, backend: str, native_half: bool, advance: Advance
) -> tuple[dict[str, Floats], str]:
    """Return an engine's outputs for all crops, and its arithmetic."""
    with closing(_opened(model, backend, native_half)) as engine:
        if backend == "torch":
            return joined(side_by_side(engine.run, parts(inputs, BATCH), advance=advance)), engine.arithmetic
        found = []
        for part in parts(inputs, _TOGETHER * BATCH):  # it works on several by itself
            found.append(engine.run(part))
            for _ in parts(part, BATCH):
                advance()
        return joined(found), engine.arithmetic


def _opened(model: Path, backend: str, native_half: bool) -> Backend:
    if not native_half:
        return create_backend(model, backend=backend)
    from pamtri_edge.runtime.torch.backend import TorchBackend

    return TorchBackend(model, native_half=True)
