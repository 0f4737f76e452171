# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Everything that an export's verdict and its golden crops rest on, computed once.

The crops are those at hand and, after them, the drawn ones that come with the package: whatever pictures a
user gives, black ones or few, some are always vehicles that int8 was not fitted to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.bundle import Golden
from pamtri_edge.errors import ExportError
from pamtri_edge.export.comparison import golden
from pamtri_edge.export.comparison.reference import BATCH, Reference
from pamtri_edge.export.comparison.runs import Run, compare_staged, judged, passes, run_file
from pamtri_edge.export.options import Steps
from pamtri_edge.export.report import HalfArithmetic, Report
from pamtri_edge.manifest import Manifest
from pamtri_edge.models.pamtri import Pamtri
from pamtri_edge.parity.judgement import Judgement, Staged
from pamtri_edge.parity.limits import LIMITS
from pamtri_edge.parity.pictures import Pictures, graph_inputs
from pamtri_edge.runtime.half_arithmetic import half_arithmetic

Floats = NDArray[np.float32]

STAGED_CROPS: Final = 16  # a stack is 13 MB

_SHORTEST: Final = 1e-6  # of an embedding, whether of unit length or raw
_LEAST_SPREAD: Final = 1e-6  # between numbers of the embeddings of different pictures


@dataclass(frozen=True, eq=False)
class Comparison:
    """The network in float32 on crops, to compare files with.

    Attributes:
        pictures: the crops at hand.
        everything: the network on these and on the sample crops.
        steps: is told of each step.
        against: what computed the network.
        judged_as: the precision whose limits apply; "" for that of the file.
    """

    pictures: Pictures
    everything: Reference
    steps: Steps
    against: str = "PyTorch"
    judged_as: str = ""

    @classmethod
    def of(cls, module: Pamtri, pictures: Pictures, steps: Steps) -> Comparison:
        """Run the network in float32.

        Raises:
            ExportError: it gives NaN, infinity, or embeddings without a direction.
        """
        inputs = graph_inputs([*pictures.crops, *golden.candidates().crops], module.input_names)
        with steps.step("run PyTorch", _batches(inputs["images"])) as advance:
            everything = Reference.of(module, inputs, advance=advance)
        refuse_useless(everything, "PyTorch")
        return cls(pictures, everything, steps)

    @property
    def reference(self) -> Reference:
        """The network on the crops at hand."""
        return self.everything.of_crops(self._given)

    def runs(self, model: Path, backends: Sequence[str]) -> tuple[Run, ...]:
        """Run a file on all crops, with each engine."""
        return tuple(self._run(model, backend) for backend in backends)

    def report(
        self, model: Path, runs: Sequence[Run], manifest: Manifest, staged: tuple[Staged, ...] = ()
    ) -> Report:
        """Judge a file on the crops at hand and on the sample crops."""
        return Report(
            manifest.precision,
            self.pictures.source,
            self.pictures.drawn,
            self._judged(runs, manifest, self._given),
            staged,
            samples=() if self.pictures.drawn else self._judged(runs, manifest, self._samples),
            half=self._half(model, manifest) if manifest.precision == "fp16" else None,
            against=self.against,
            judged_as=self._limits(manifest),
        )

    def golden(self, runs: Sequence[Run], *, precision: str, strict: bool) -> Golden:
        """Choose the golden crops among the sample crops."""
        samples = [run.of_crops(self._samples) for run in runs]
        return golden.golden(
            self.everything.of_crops(self._samples), samples, precision=precision, strict=strict
        )

    def staged(
        self, pose: Path, reid: Path, backends: Sequence[str], manifest: Manifest
    ) -> tuple[Staged, ...]:
        """Judge the two-network form."""
        few, limits = self.reference.of_crops(slice(STAGED_CROPS)), LIMITS[self._limits(manifest)]
        total = 2 * _batches(few.inputs["images"])
        stages = []
        for backend in backends:
            with self.steps.step(f"compare stages with {backend}", total) as advance:
                stages.append(
                    compare_staged(pose, reid, few, backend=backend, limits=limits, advance=advance)
                )
        return tuple(stages)

    def _half(self, model: Path, manifest: Manifest) -> HalfArithmetic:
        """Run the file in this processor's own half arithmetic, where it has any."""
        name = half_arithmetic()
        if name is None:
            return HalfArithmetic(None, None)
        run = self._run(model, "torch", native_half=True)
        return HalfArithmetic(name, self._judged([run], manifest, self._given)[0])

    def _run(self, model: Path, backend: str, *, native_half: bool = False) -> Run:
        posed = self.everything.heatmaps is not None
        total = passes(backend, posed=posed) * _batches(self.everything.inputs["images"])
        name = f"compare with {backend}" + (", true half arithmetic" if native_half else "")
        with self.steps.step(name, total) as advance:
            return run_file(model, self.everything, backend=backend, native_half=native_half, advance=advance)

    def _judged(self, runs: Sequence[Run], manifest: Manifest, place: slice) -> tuple[Judgement, ...]:
        reference, limits = self.everything.of_crops(place), LIMITS[self._limits(manifest)]
        variant: Mapping[str, bool] = manifest.variant
        return tuple(judged(reference, run.of_crops(place), limits=limits, variant=variant) for run in runs)

    def _limits(self, manifest: Manifest) -> str:
        return self.judged_as or manifest.precision

    @property
    def _given(self) -> slice:
        return slice(len(self.pictures))

    @property
    def _samples(self) -> slice:
        return slice(len(self.pictures), None)


def refuse_useless(reference: Reference, against: str) -> None:
    """Refuse a network whose embeddings compare with nothing, whatever the file makes of it.

    Args:
        reference: the network on crops.
        against: what computed it.

    Raises:
        ExportError: it gives NaN, infinity, or embeddings without a direction, or one for all.
    """
    results = dict(reference.outputs)
    if reference.heatmaps is not None:
        results["heatmaps"] = reference.heatmaps
    crops = len(reference.outputs["embedding"])
    for name, values in results.items():
        wrong = int((~np.isfinite(values.reshape(crops, -1))).any(axis=1).sum())
        if wrong:
            raise ExportError(
                f"the network itself gives {name} that are not finite on {wrong} of {crops} pictures, in "
                f"{against}, before any export: its weights are damaged, or its training diverged. Export "
                "another checkpoint."
            )
    lengths = np.linalg.norm(reference.outputs["embedding"], axis=1)
    if (lengths < _SHORTEST).any():
        raise ExportError(
            f"the network itself gives an embedding of length 0 on {int((lengths < _SHORTEST).sum())} of "
            f"{crops} pictures, in {against}, before any export, so that nothing can be compared by it: the "
            "last layers of its weights are zero or dead. Export another checkpoint."
        )
    embeddings = reference.outputs["embedding"]
    if crops > 1 and np.abs(embeddings - embeddings[0]).max() < _LEAST_SPREAD:
        raise ExportError(
            f"the network itself gives the same embedding for all {crops} pictures, in {against}, before any "
            "export: the picture does not reach this output. Export another checkpoint, or another output."
        )


def _batches(array: Floats) -> int:
    return -(-len(array) // BATCH)
