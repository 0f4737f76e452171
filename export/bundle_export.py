# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The export itself: weights in, a verified bundle out, or an error and nothing."""

from __future__ import annotations

import dataclasses
import gc
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import onnx
from onnx import ModelProto

from pamtri_edge.bundle import (
    GOLDEN_FILE,
    MODEL_FILE,
    POSE_FILE,
    REID_FILE,
    BundleWriter,
    Golden,
    bundle_writer,
)
from pamtri_edge.errors import ExportError
from pamtri_edge.export import deepstream
from pamtri_edge.export.comparison.golden import tolerance
from pamtri_edge.export.comparison.reference import pose_heatmaps, pose_input, reid_inputs
from pamtri_edge.export.comparison.runs import BACKENDS
from pamtri_edge.export.comparison.whole import STAGED_CROPS, Comparison
from pamtri_edge.export.engines.making import EngineMaker, engine_tools
from pamtri_edge.export.engines.profile import Profile, profile_host
from pamtri_edge.export.estimate import measure
from pamtri_edge.export.networks import networks, skeleton, weight_files
from pamtri_edge.export.onnx.doubts import calibration_doubts
from pamtri_edge.export.onnx.graph import Exportable, export_graph
from pamtri_edge.export.onnx.groups import in_float, int8_groups, names_in
from pamtri_edge.export.onnx.precision import half, quantize
from pamtri_edge.export.onnx.retrieval import RetrievalCheck
from pamtri_edge.export.onnx.rules import check
from pamtri_edge.export.onnx.variety import varied
from pamtri_edge.export.options import ExportOptions, Steps
from pamtri_edge.export.plan import Plan, crop_sources, make_plan
from pamtri_edge.export.report import ParityError, Report
from pamtri_edge.manifest import Manifest
from pamtri_edge.metrics.loss import RetrievalLoss
from pamtri_edge.models.pamtri import Pamtri
from pamtri_edge.parity.judgement import Staged
from pamtri_edge.parity.pictures import (
    Inputs,
    Pictures,
    drawn_pictures,
    graph_inputs,
    parts,
    read_pictures,
    spread,
)
from pamtri_edge.vehicle import KEYPOINT_NAMES
from pamtri_edge.version import VERSION

_PARITY_SEED: Final = 19
_CALIBRATION_SEED: Final = 8
_LISTED: Final = 10
_VERSIONS: Final = ("torch", "onnx", "onnxscript", "onnxruntime", "openvino", "numpy")


@dataclass(frozen=True)
class ExportResult:
    """What an export left.

    Attributes:
        path: the bundle.
        manifest: what it says of itself.
        report: the comparison with PyTorch.
        sizes: bytes of each file, by name.
        seconds: how long each step took.
        profiles: how long each stage of the network takes, where that was asked for.
    """

    path: Path
    manifest: Manifest
    report: Report
    sizes: dict[str, int]
    seconds: dict[str, float]
    profiles: tuple[Profile, ...] = ()


def plan_export(options: ExportOptions) -> Plan:
    """Say what `export_bundle` would do; nothing is written.

    Raises:
        PamtriError: as `export_bundle`, as far as that can be known beforehand.
    """
    given = skeleton(options)
    make_plan(options, given)  # what cannot succeed is refused before anything is measured
    return make_plan(options, given, measure(given))


def export_bundle(options: ExportOptions, *, steps: Steps | None = None) -> ExportResult:
    """Export weights into a bundle, and compare the file with PyTorch.

    Args:
        options: what and how.
        steps: is told of each step.

    Returns:
        The bundle, which is complete and checked.

    Raises:
        ParityError: the file is not the network that it was made of; nothing was written.
        ExportError: the place cannot be written, the disk is full, class names are lacking, or the graph
            breaks a rule of `rules`; nothing was written.
        CheckpointError: a file of weights cannot be read or does not fit.
        InputError: options or folders that cannot be used.
    """
    steps = steps or Steps()
    drawing = not weight_files(options)
    if drawing:
        make_plan(options, skeleton(options))  # drawing takes a while; what cannot succeed is refused before
    with steps.step("make random weights" if drawing else "read weights"):
        given = networks(options)
    plan = make_plan(options, given)
    with bundle_writer(plan.final, overwrite=options.overwrite) as writer:
        compared, fitted = chosen_pictures(options)
        manifest = manifest_of(options, plan, given.size, given.space, given.provenance, fitted)
        write_deepstream(writer, manifest)
        module = given.fused(options)
        calibration = calibration_inputs(fitted, module.input_names)
        comparison = Comparison.of(module, compared, steps)
        work = GraphWriter(options, manifest, steps)
        retrieval = RetrievalCheck.of(
            options, inputs=module.input_names, folder=writer.file(MODEL_FILE).parent, steps=steps
        )
        lost = work.write_fused(module, writer.file(MODEL_FILE), calibration, retrieval)
        staged = options.staged and given.pose is not None
        if staged:
            work.write_stages(module, writer, calibration, () if lost is None else lost.float_groups)
        model = writer.file(MODEL_FILE)
        runs = comparison.runs(model, BACKENDS)
        stages: tuple[Staged, ...] = ()
        if staged:
            stages = comparison.staged(writer.file(POSE_FILE), writer.file(REID_FILE), BACKENDS, manifest)
        report = comparison.report(model, runs, manifest, stages)
        report = dataclasses.replace(report, retrieval=lost, doubts=calibration_doubts(fitted))
        report = accepted(report, plan.final, options)
        engines = None
        if options.engine:
            engines = EngineMaker(options, engine_tools(options), manifest, writer.path, steps)
            engines.make(module, staged=staged)
            judged = engines.judge(comparison.reference, staged=staged)
            report = accepted(dataclasses.replace(report, engines=judged), plan.final, options)
        chosen = comparison.golden(runs, precision=options.precision, strict=not options.allow_drift)
        chosen.save(writer.file(GOLDEN_FILE))
        if engines is not None and not options.allow_drift:
            engines.check(chosen)
        profiles = _profiles(options, engines, writer, manifest, chosen, steps) if options.profile else ()
        return finished(writer, manifest, report, steps, profiles)


def write_deepstream(writer: BundleWriter, manifest: Manifest) -> None:
    """Write the folder `deepstream/` of a bundle."""
    for name, text in deepstream.files(manifest).items():
        writer.file(f"{deepstream.FOLDER}/{name}").write_text(text, encoding="utf-8")


def calibration_inputs(fitted: Pictures | None, names: Sequence[str]) -> list[Inputs]:
    """Return the inputs of these names that int8 is fitted to, a picture each."""
    return [] if fitted is None else list(parts(graph_inputs(fitted.crops, names), 1))


def finished(
    writer: BundleWriter, manifest: Manifest, report: Report, steps: Steps, profiles: tuple[Profile, ...]
) -> ExportResult:
    """Write the manifest with the figures of the comparison, and make the bundle one."""
    manifest = dataclasses.replace(manifest, parity=report.as_record(), retrieval=report.retrieval)
    with steps.step("write the bundle"):
        sizes = {
            path.relative_to(writer.path).as_posix(): path.stat().st_size
            for path in sorted(writer.path.rglob("*"))
            if path.is_file() and not path.name.startswith(".")
        }
        path = writer.commit(manifest)
    return ExportResult(path, manifest, report, sizes, dict(steps.seconds), profiles)


def chosen_pictures(options: ExportOptions) -> tuple[Pictures, Pictures | None]:
    """Return the crops that are compared, and those that int8 is calibrated with."""
    compared, fitted = crop_sources(options)
    if compared:
        chosen = spread(compared, options.parity_crops)
        parity = read_pictures(chosen, source=str(chosen[0].parent))
    else:
        parity = drawn_pictures(options.parity_crops, seed=_PARITY_SEED)
    if options.precision != "int8":
        return parity, None
    if fitted:
        chosen = varied(fitted, options.calibration_crops)
        return parity, read_pictures(chosen, source=str(chosen[0].parent))
    return parity, drawn_pictures(options.calibration_crops, seed=_CALIBRATION_SEED)


@dataclass(frozen=True)
class GraphWriter:
    """Exports graphs, types them and writes them, all of one bundle in the same way."""

    options: ExportOptions
    manifest: Manifest
    steps: Steps

    def write_fused(
        self, module: Pamtri, path: Path, calibration: list[Inputs], retrieval: RetrievalCheck | None
    ) -> RetrievalLoss | None:
        """Write the fused graph; measure it, where asked to, and keep layers in float32 that need it."""
        return self.write_model(self._exported(module, path), path, calibration, retrieval)

    def write_model(
        self, model: ModelProto, path: Path, calibration: list[Inputs], retrieval: RetrievalCheck | None
    ) -> RetrievalLoss | None:
        """Write a graph in float32 as `write_fused` does."""
        typed = self._typed(model, path, calibration)
        lost = None
        if retrieval is not None and self.manifest.precision == "int8":
            typed, lost = retrieval.int8(model, typed)
        elif retrieval is not None:
            lost = retrieval.half(model, typed)
        self._save(typed, path)
        return lost

    def write_stages(
        self, module: Pamtri, writer: BundleWriter, calibration: list[Inputs], floats: tuple[str, ...]
    ) -> None:
        """Write the two networks apart, the same groups in float32 as in the fused graph."""
        chosen = calibration[:STAGED_CROPS]  # a stack is 13 MB
        poses = [{"images": pose_input(part)} for part in chosen]
        self._write_stage(module.pose_stage(), "pose", writer.file(POSE_FILE), poses, floats)
        stacks = [reid_inputs(module, part, pose_heatmaps(module.pose_stage(), part)) for part in chosen]
        self._write_stage(module.reid_stage(), "reid", writer.file(REID_FILE), stacks, floats)

    def _write_stage(
        self, stage: Exportable, name: str, path: Path, calibration: list[Inputs], floats: tuple[str, ...]
    ) -> None:
        model = self._exported(stage, path)
        typed = self._typed(model, path, calibration)
        if floats:
            typed = in_float(typed, model, names_in(int8_groups(typed, stage=name), floats))
        self._save(typed, path)

    def _exported(self, module: Exportable, path: Path) -> ModelProto:
        with self.steps.step(f"export {path.name}"):
            return export_graph(module, name=self.manifest.name, metadata=file_metadata(self.manifest))

    def _typed(self, model: ModelProto, path: Path, calibration: list[Inputs]) -> ModelProto:
        if self.manifest.precision == "fp16":
            with self.steps.step(f"type {path.name} as fp16"):
                return half(model)
        if self.manifest.precision == "int8":
            with self.steps.step(f"calibrate {path.name} for int8", len(calibration)) as advance:
                return quantize(
                    model,
                    calibration,
                    weight_bits=self.options.int8_weight_bits,
                    folder=path.parent,
                    advance=advance,
                )
        return model

    def _save(self, model: ModelProto, path: Path) -> None:
        with self.steps.step(f"check {path.name} against the rules"):
            refuse_violations(model, path.name)
            onnx.save(model, path)
        gc.collect()  # the exporter's cycles hold all weights once more


def _broken(count: int) -> str:
    return "1 node breaks" if count == 1 else f"{count} nodes break"


def refuse_violations(model: ModelProto, name: str, remedy: str = "") -> None:
    """Refuse a graph that breaks the rules of `rules`; `name` and `remedy` begin and end the error.

    Raises:
        ExportError: it does.
    """
    violations = check(model)
    if violations:
        listed = "\n".join(f"  {violation}" for violation in violations[:_LISTED])
        more = f"\n  ... and {len(violations) - _LISTED} more" if len(violations) > _LISTED else ""
        raise ExportError(
            f"{name} would not run on TensorRT 10.3, the oldest engine that is supported; "
            f"{_broken(len(violations))} its rules:\n{listed}{more}" + (f"\n{remedy}" if remedy else "")
        )


def accepted(report: Report, final: Path, options: ExportOptions) -> Report:
    """Return the report, unless the export is to be refused because of it."""
    if report.failures and not options.allow_drift:
        raise ParityError(_refusal(final, report, options), report)
    return report


def _profiles(
    options: ExportOptions,
    engines: EngineMaker | None,
    writer: BundleWriter,
    manifest: Manifest,
    golden: Golden,
    steps: Steps,
) -> tuple[Profile, ...]:
    """Measure the stages: of the engines where there are some, else on this machine's processor."""
    with steps.step("measure the stages"):
        if engines is None:
            return tuple(profile_host(writer.path, manifest, golden.inputs))
        return engines.profiles()


def _refusal(final: Path, report: Report, options: ExportOptions) -> str:
    listed = "\n".join(f"  {failure}" for failure in report.failures)
    what = "engine of the " if report.engines else ""
    # Without VNNI a processor adds pairs of int8 products in 16 bits, which full weights overflow.
    wide = report.precision == "int8" and options.int8_weight_bits == 8
    first = "--weight-bits 7 (for processors without VNNI), or " if wide else ""
    return (
        f"the {what}{report.precision} file is not the network that it was made of; nothing was written to "
        f"{final}."
        f"\n{listed}\nTry {first}another --precision, or --allow-drift to write it all the same, marked so."
    )


def manifest_of(
    options: ExportOptions,
    plan: Plan,
    size: str,
    space: str,
    provenance: Mapping[str, Any],
    fitted: Pictures | None,
) -> Manifest:
    """Return what a bundle says of itself before its file is compared.

    Args:
        options: of the export.
        plan: of the export.
        size: "paper", "lite" or "custom".
        space: identity of the embeddings.
        provenance: where the weights come from.
        fitted: what int8 is fitted to; None for other precisions.
    """
    outputs = tuple(spec.name for spec in plan.outputs)
    width = plan.outputs[0].shape[1]
    assert width is not None
    calibration = None if fitted is None else {**fitted.as_record(), "weight_bits": options.int8_weight_bits}
    return Manifest(
        name=options.name,
        precision=options.precision,
        geometry=options.geometry,
        size=size,
        variant=plan.variant,
        inputs=plan.inputs,
        outputs=plan.outputs,
        embedding_dim=width,
        embedding_norm="raw" if options.raw_feature else "unit",
        embedding_space=space,
        colors=plan.colors,
        types=plan.types,
        keypoint_names=KEYPOINT_NAMES if "keypoints" in outputs else None,
        trained=plan.trained,
        flip_test=options.flip_test and plan.variant["pose"],
        tolerance=tolerance(options.precision, outputs),
        versions=_versions(),
        provenance={**provenance, **({} if calibration is None else {"calibration": calibration})},
    )


def file_metadata(manifest: Manifest) -> dict[str, str]:
    """Return what the ONNX file itself says, for tools that see only that."""
    return {
        "pamtri.name": manifest.name,
        "pamtri.precision": manifest.precision,
        "pamtri.geometry": manifest.geometry.value,
        "pamtri.embedding_space": manifest.embedding_space,
        "pamtri.trained": str(manifest.trained).lower(),
    }


def _versions() -> dict[str, str]:
    """Return what makes bundles here, for the manifest."""
    found = {"pamtri-edge": VERSION}
    for package in _VERSIONS:
        with suppress(metadata.PackageNotFoundError):
            found[package] = metadata.version(package)
    return found
