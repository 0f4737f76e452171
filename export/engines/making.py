# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The engines of a bundle for this machine's GPU: made at export, and held against PyTorch like the file.

What is measured is the engine itself, not the file it was made of: another arithmetic, another fusion of
layers, another version of TensorRT show here or nowhere.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pamtri_edge.bundle import MANIFEST_FILE, MODEL_FILE, POSE_FILE, REID_FILE, Golden
from pamtri_edge.errors import ExportError
from pamtri_edge.export.comparison.reference import Floats, Reference, from_keypoints, joined
from pamtri_edge.export.engines.profile import Profile, profile_engine
from pamtri_edge.export.onnx.graph import Exportable
from pamtri_edge.export.options import ExportOptions, Steps
from pamtri_edge.export.report import EngineVerdict
from pamtri_edge.manifest import Manifest
from pamtri_edge.models.pamtri import Pamtri
from pamtri_edge.parity.judgement import Expected, Found, judge
from pamtri_edge.parity.limits import LIMITS
from pamtri_edge.parity.pictures import parts
from pamtri_edge.progress import PhaseProgress
from pamtri_edge.runtime.selftest import differences
from pamtri_edge.runtime.tensorrt.backend import TensorRtBackend
from pamtri_edge.runtime.tensorrt.build import Built, build_plan
from pamtri_edge.runtime.tensorrt.choice import MODES
from pamtri_edge.runtime.tensorrt.device import Gpu, find_gpu, load_cupy
from pamtri_edge.runtime.tensorrt.engine_cache import ENGINES, cached_engine, engine_folders, read_record
from pamtri_edge.runtime.tensorrt.fingerprint import fingerprint
from pamtri_edge.runtime.tensorrt.library import Library, load_library

_BATCH: Final = 32
_PERCENT: Final = 100


@dataclass(frozen=True)
class EngineTools:
    """What makes engines on this machine.

    Attributes:
        library: the TensorRT that builds and runs them.
        gpu: for which.
        torch_tensorrt: the module, where it is the way; else None.
    """

    library: Library
    gpu: Gpu
    torch_tensorrt: Any = None

    @property
    def title(self) -> str:
        """All of it, for people."""
        way = f", via torch-tensorrt {self.torch_tensorrt.__version__}" if self.torch_tensorrt else ""
        return f"{self.library.title} on {self.gpu.name} ({self.gpu.compute}){way}"


def engine_tools(options: ExportOptions) -> EngineTools:
    """Return what will make the engines, or refuse before any work is done.

    Raises:
        MissingDependencyError: no driver or GPU; or CuPy, TensorRT or torch-tensorrt is not installed, too
            old, or does not fit the others.
    """
    cupy = load_cupy()
    gpu = find_gpu(cupy, "cuda")
    library = load_library(compute=gpu.compute)
    if options.via != "torch-tensorrt":
        return EngineTools(library, gpu)
    from pamtri_edge.export.engines.torch_engine import load_torch_tensorrt

    return EngineTools(library, gpu, load_torch_tensorrt(library))


@dataclass(frozen=True)
class EngineMaker:
    """Makes and judges the engines of one bundle.

    Attributes:
        options: of the export.
        tools: of this machine.
        manifest: of the bundle.
        folder: where the bundle is being written.
        steps: is told of each step.
    """

    options: ExportOptions
    tools: EngineTools
    manifest: Manifest
    folder: Path
    steps: Steps

    def make(self, module: Pamtri, *, staged: bool) -> None:
        """Put an engine of each network into the bundle, built or taken from where one lies already.

        Args:
            module: the fused network in float32.
            staged: also of the two networks apart.

        Raises:
            NoEngineError: building is not allowed, and there is no engine.
            EngineError: an engine cannot be built.
        """
        # An engine is known by the precision in the manifest beside it, too; the final one replaces this.
        (self.folder / MANIFEST_FILE).write_text(self.manifest.to_json(), encoding="utf-8")
        networks: dict[str, Callable[[], Exportable]] = {MODEL_FILE: lambda: module}
        if staged:
            networks |= {POSE_FILE: module.pose_stage, REID_FILE: module.reid_stage}
        for name, network in networks.items():
            self._make(name, network())

    def judge(self, reference: Reference, *, staged: bool) -> tuple[EngineVerdict, ...]:
        """Run the crops through the engines, and say whether they are the network.

        Args:
            reference: what the network gives for the crops in PyTorch.
            staged: also judge the two-engine path, and note which of the two is quicker here.
        """
        judgements = [self._judge("fused", reference)]
        if staged:
            judgements.append(self._judge("staged", reference))
            with self.steps.step("measure which of fused and staged is quicker"):
                self.backend("auto").close()
        return tuple(judgements)

    def check(self, golden: Golden) -> None:
        """Refuse engines that would fail the self-test of their own bundle.

        Raises:
            ExportError: an output of a golden crop is beyond its tolerance.
        """
        with closing(self.backend("fused")) as engine:
            found = engine.run(golden.inputs)
        wrong = [
            f"{name} {what}"
            for name, limits in self.manifest.tolerance.items()
            for what in differences(found[name], golden.expected[name], limits)
        ]
        if wrong:
            raise ExportError(
                f"the engine ({self.tools.title}) would fail the bundle's self-test: {'; '.join(wrong)}. "
                "Nothing was written. Try another --precision or another version of TensorRT."
            )

    def profiles(self) -> tuple[Profile, ...]:
        """Measure the stages of the fused engine, and of the two engines where there are two."""
        found = []
        for mode in MODES if (self.folder / POSE_FILE).is_file() else MODES[:1]:
            with closing(self.backend(mode)) as engine:
                found.append(profile_engine(engine, f"{mode}, {self.tools.title} ({engine.arithmetic})"))
        return tuple(found)

    def backend(self, mode: str) -> TensorRtBackend:
        """Return the bundle's engines, loaded."""
        staged = self.folder / POSE_FILE, self.folder / REID_FILE
        there = all(path.is_file() for path in staged)
        return TensorRtBackend(
            self.folder / MODEL_FILE,
            staged=staged if there else None,
            device=self.tools.gpu.device,
            build=False,
            mode=mode,
        )

    def _make(self, name: str, network: Exportable) -> None:
        model = self.folder / name
        wanted = fingerprint(model, self.tools.library, self.tools.gpu)
        folder = self.folder / ENGINES
        self._carry_over(wanted.onnx, model, folder)
        with self.steps.step(f"engine of {name}", _PERCENT) as advance:
            builder = self._builder(model, network, _shown(advance)) if self.options.build else None
            cached_engine(wanted, (folder,), builder, model=name)
        for lock in folder.glob(".*.lock"):  # nobody else can know of this folder yet
            lock.unlink(missing_ok=True)

    def _builder(self, model: Path, network: Exportable, progress: PhaseProgress) -> Callable[[bytes], Built]:
        if self.tools.torch_tensorrt is None:
            return lambda timing: build_plan(
                self.tools.library, model, timing_cache=timing, progress=progress
            )
        from pamtri_edge.export.engines.torch_engine import compile_plan

        return lambda timing: compile_plan(
            self.tools.torch_tensorrt, network, precision=self.manifest.precision
        )

    def _carry_over(self, onnx: str, model: Path, folder: Path) -> None:
        """Copy engines of this very network, from the bundle that is replaced and from the user's cache.

        And what earlier builds measured, which makes the next one quicker.
        """
        folder.mkdir(exist_ok=True)
        for place in (self.options.final / ENGINES, engine_folders(model)[1]):
            for source in place.glob("*.timing"):
                shutil.copyfile(source, folder / source.name)
            for source in place.glob("*.json"):
                record = read_record(source) or {}
                way = str(record.get("via", "tensorrt")).partition(" ")[0]
                if record.get("onnx") == onnx and way == self.options.via:
                    for part in (source, source.with_suffix(".engine")):
                        if part.is_file():
                            shutil.copyfile(part, folder / part.name)

    def _judge(self, mode: str, reference: Reference) -> EngineVerdict:
        count = len(reference.inputs["images"])
        with self.steps.step(f"compare with the engine ({mode})", -(-count // _BATCH)) as advance:
            results = []
            with closing(self.backend(mode)) as engine:
                for part in parts(reference.inputs, _BATCH):
                    results.append(engine.run(part))
                    advance()
            found = joined(results)
            forced: Mapping[str, Floats] = reference.outputs
            if reference.heatmaps is not None:
                forced = joined(
                    [
                        from_keypoints(
                            reference.fused, part, reference.heatmaps[place], found["keypoints"][place]
                        )
                        for part, place in reference.parts()
                    ]
                )
        judgement = judge(
            Expected(reference.outputs, reference.heatmaps),
            Found(found, forced=forced),
            limits=LIMITS[self.manifest.precision],
            variant=self.manifest.variant,
            engine=self.tools.library.title + ("" if mode == "fused" else ", two engines"),
            arithmetic=engine.arithmetic,
        )
        device = f"{self.tools.gpu.name} ({self.tools.gpu.compute})"
        return EngineVerdict(device, self._via(), judgement)

    def _via(self) -> str:
        if self.tools.torch_tensorrt is None:
            return "tensorrt"
        return f"torch-tensorrt {self.tools.torch_tensorrt.__version__}"


def _shown(advance: Callable[[], None]) -> PhaseProgress:
    """Return a function that takes how far a build is, from any thread, and advances in percent."""
    lock = threading.Lock()
    told = 0

    def progress(phase: str, share: float) -> None:
        nonlocal told
        with lock:
            while told < int(share * _PERCENT):
                told += 1
                advance()

    return progress
