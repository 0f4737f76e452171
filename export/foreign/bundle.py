# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""From a network in an ONNX file to a verified bundle, or an error and nothing."""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import json
import time
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, numpy_helper

from pamtri_edge.bundle import GOLDEN_FILE, MANIFEST_FILE, MODEL_FILE, TensorSpec, bundle_writer
from pamtri_edge.errors import BundleError, ExportError
from pamtri_edge.export import deepstream
from pamtri_edge.export.bundle_export import (
    ExportResult,
    GraphWriter,
    accepted,
    calibration_inputs,
    chosen_pictures,
    file_metadata,
    finished,
    manifest_of,
    refuse_violations,
    write_deepstream,
)
from pamtri_edge.export.comparison import golden
from pamtri_edge.export.comparison.reference import BATCH, Reference, pose_heatmaps
from pamtri_edge.export.comparison.runs import BACKENDS, Run
from pamtri_edge.export.comparison.whole import Comparison, refuse_useless
from pamtri_edge.export.comparison.workers import side_by_side
from pamtri_edge.export.engines.profile import Profile, profile_host
from pamtri_edge.export.foreign.adapt import adapted
from pamtri_edge.export.foreign.file import NetworkFile, default_opset, read_network, refuse_quantized
from pamtri_edge.export.foreign.form import Form, form_of
from pamtri_edge.export.foreign.fuse import fused
from pamtri_edge.export.foreign.posed import OpenedPose, beside, open_pose
from pamtri_edge.export.foreign.reference import AGAINST, GivenNetwork, check_batches
from pamtri_edge.export.foreign.specification import ForeignNetwork, shown
from pamtri_edge.export.onnx.doubts import calibration_doubts
from pamtri_edge.export.onnx.retrieval import RetrievalCheck, retrieval_set
from pamtri_edge.export.onnx.rules import check
from pamtri_edge.export.options import ExportOptions, Steps
from pamtri_edge.export.plan import BYTES, Plan, check_place, check_room, crop_texts
from pamtri_edge.geometry import IMAGE_SIZE
from pamtri_edge.manifest import Manifest
from pamtri_edge.manifest_fields import VARIANT_FLAGS
from pamtri_edge.models.stages import KeypointModule
from pamtri_edge.parity.pictures import Pictures, graph_inputs, parts
from pamtri_edge.printable import printable
from pamtri_edge.runtime.network_file import last_line
from pamtri_edge.vehicle import NUM_KEYPOINTS

Floats = NDArray[np.float32]

_INPUTS: Final = (TensorSpec("images", (None, 3, IMAGE_SIZE, IMAGE_SIZE)),)
_OTHER_BYTES: Final = 4_100_000  # golden crops, texts
_ENGINES: Final = 3.0  # of what the network takes a crop: itself, and two engines that it is compared under
_START: Final = 5.0  # seconds, for imports and files


@dataclass(frozen=True, eq=False)
class OpenedNetwork:
    """A network that a bundle can be made of, as far as is known before it is compared.

    Attributes:
        told: what the user says of it.
        file: as it was read.
        form: its input and output.
        given: the file under ONNX Runtime.
        graph: the bundle's graph in float32.
        dim: numbers of an embedding.
        seconds: what a crop takes here.
        pose: our pose network beside it; None without.
    """

    told: ForeignNetwork
    file: NetworkFile
    form: Form
    given: GivenNetwork
    graph: ModelProto
    dim: int
    seconds: float
    pose: OpenedPose | None = None

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        """Outputs of the bundle's graph."""
        embedding = TensorSpec("embedding", (None, self.dim))
        if self.pose is None:
            return (embedding,)
        return (
            embedding,
            TensorSpec("keypoints", (None, NUM_KEYPOINTS, 3)),
            TensorSpec("quality", (None, 1)),
        )

    @property
    def variant(self) -> dict[str, bool]:
        """What the manifest calls so: nothing of the pose enters the embedding."""
        return {**dict.fromkeys(VARIANT_FLAGS, False), "pose": self.pose is not None}

    @property
    def trained(self) -> bool:
        """False where the pose network's weights are random; the other network's are taken for trained."""
        return self.pose is None or self.pose.trained

    @property
    def all_seconds(self) -> float:
        """What a crop takes here, pose included."""
        return self.seconds + (0.0 if self.pose is None else self.pose.seconds)

    @property
    def preparation(self) -> dict[str, Any]:
        """How a picture becomes the network's input, and what its embedding is, as plain JSON data."""
        return {
            **self.told.as_record(),
            "input_size": [self.form.height, self.form.width],
            "layout": self.form.layout,
            "output": printable(self.form.output),
        }

    @property
    def provenance(self) -> dict[str, Any]:
        """Where the weights come from, for the manifest."""
        name = printable(self.file.path.name)
        record = {"network": {"file": name, "sha256": self.file.sha256, **self.preparation}}
        return record if self.pose is None else {**record, "pose": dict(self.pose.record)}

    @property
    def space(self) -> str:
        """Identity of the embeddings: the weights, and how pictures are prepared for them, without pose."""
        text = json.dumps([self.file.identity, self.preparation], sort_keys=True)
        return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"

    @property
    def parameters(self) -> int:
        """How many weights the graph has."""
        return sum(int(np.prod(tensor.dims)) for tensor in self.graph.graph.initializer)


def open_network(told: ForeignNetwork, pose: OpenedPose | None = None) -> OpenedNetwork:
    """Read a network and make a bundle's graph of it, with our pose network beside it where one is given.

    Raises:
        InputError: the file or what is told of it cannot be used; see `file`, `form` and `reference`.
        ExportError: no bundle can be made of it: its batch is fixed inside, its opset cannot be converted, or
            an operator of it is not among those that every engine has.
    """
    name = printable(told.path)
    file = read_network(told.path)
    form = form_of(file, told)
    if form.whole:
        told = told.for_whole_pixels(name)
    given = GivenNetwork(file, form, told)
    dim = given.dim()
    start = time.perf_counter()
    given.dim()
    seconds = time.perf_counter() - start
    graph = fused(adapted(file, form), form, told, dim=dim)
    if check(graph):
        refuse_quantized(told.path, file.model)
    refuse_violations(graph, name, "Export the network with plainer operators.")
    check_batches(graph, given, name, form.batch)
    if pose is not None:
        graph = beside(graph, pose)
        refuse_violations(graph, name)
    return OpenedNetwork(told, file, form, given, graph, dim, seconds, pose)


def plan_network(options: ExportOptions) -> Plan:
    """Say what `export_network` would do; nothing is written.

    Raises:
        PamtriError: as `export_network`, as far as that can be known beforehand.
    """
    check_place(options.final, overwrite=options.overwrite)
    return _plan(options, _opened(options))


def export_network(options: ExportOptions, *, steps: Steps | None = None) -> ExportResult:
    """Make a bundle of a network, and compare it with the file as it was given.

    Args:
        options: what and how; `options.network` is set.
        steps: is told of each step.

    Returns:
        The bundle, which is complete and checked.

    Raises:
        ParityError: the bundle's file does not give what the network gives; nothing was written.
        ExportError: as `open_network`; or the place cannot be written, or the disk is full.
        InputError: as `open_network`; or options or folders that cannot be used.
    """
    steps = steps or Steps()
    check_place(options.final, overwrite=options.overwrite)
    with steps.step("read the network"):
        opened = _opened(options)
    plan = _plan(options, opened)
    with bundle_writer(plan.final, overwrite=options.overwrite) as writer:
        compared, fitted = chosen_pictures(options)
        manifest = manifest_of(options, plan, "custom", opened.space, opened.provenance, fitted)
        write_deepstream(writer, manifest)
        calibration = calibration_inputs(fitted, ["images"])
        comparison = _comparison(opened, compared, steps)
        model = writer.file(MODEL_FILE)
        retrieval = RetrievalCheck.of(options, inputs=["images"], folder=model.parent, steps=steps)
        graph = _named(opened.graph, manifest)
        lost = GraphWriter(options, manifest, steps).write_model(graph, model, calibration, retrieval)
        runs = _runs(comparison, model, opened)
        report = comparison.report(model, runs, manifest)
        report = dataclasses.replace(report, retrieval=lost, doubts=calibration_doubts(fitted))
        report = accepted(report, plan.final, options)
        chosen = comparison.golden(runs, precision=options.precision, strict=not options.allow_drift)
        chosen.save(writer.file(GOLDEN_FILE))
        profiles: tuple[Profile, ...] = ()
        if options.profile:
            with steps.step("measure the network"):
                profiles = tuple(profile_host(writer.path, manifest, chosen.inputs))
        return finished(writer, manifest, report, steps, profiles)


def _opened(options: ExportOptions) -> OpenedNetwork:
    assert options.network is not None
    pose = None if options.pose is None else open_pose(options.pose, flip_test=options.flip_test)
    return open_network(options.network, pose)


def _comparison(opened: OpenedNetwork, pictures: Pictures, steps: Steps) -> Comparison:
    """Run the file as it was given on the crops at hand and on the sample crops."""
    inputs = graph_inputs([*pictures.crops, *golden.candidates().crops], ["images"])
    with steps.step(f"run {AGAINST} on the file as given", len(inputs["images"])) as advance:
        outputs = opened.given.outputs(inputs["images"], advance)
    everything = Reference(None, inputs, outputs, None)
    if opened.pose is not None:
        everything = _with_pose(everything, opened.pose.module, steps)
    refuse_useless(everything, AGAINST)
    # A file in half precision rounds as it computes; the bundle's float32 graph does not.
    judged_as = "fp16" if _is_half(opened.file.model) else ""
    return Comparison(pictures, everything, steps, against=AGAINST, judged_as=judged_as)


def _with_pose(reference: Reference, module: KeypointModule, steps: Steps) -> Reference:
    """Add what the pose network makes of the same crops."""
    pictures = list(parts(reference.inputs, BATCH))
    with steps.step("run PyTorch on the pose network", len(pictures)) as advance:
        maps = side_by_side(lambda part: pose_heatmaps(module.pose, part), pictures, advance=advance)
    whole = dataclasses.replace(reference, heatmaps=np.concatenate(maps), keypoints=module)
    assert whole.heatmaps is not None
    posed = whole.from_heatmaps(whole.inputs, slice(None), whole.heatmaps)
    return dataclasses.replace(whole, outputs=posed)


def _runs(comparison: Comparison, model: Any, opened: OpenedNetwork) -> tuple[Run, ...]:
    try:
        return comparison.runs(model, BACKENDS)
    except BundleError as error:
        raise ExportError(
            f"{printable(opened.file.path)}: one of the engines that a bundle must run on cannot compute it "
            f"({last_line(error)}). Export the network with plainer operators."
        ) from error


def _is_half(model: ModelProto) -> bool:
    return any(
        numpy_helper.to_array(tensor).dtype == np.float16
        for tensor in model.graph.initializer
        if len(tensor.dims) > 1
    )


def _named(graph: ModelProto, manifest: Manifest) -> ModelProto:
    named = copy.deepcopy(graph)
    named.graph.name = manifest.name
    for key, value in file_metadata(manifest).items():
        named.metadata_props.add(key=key, value=value)
    return named


def _plan(options: ExportOptions, opened: OpenedNetwork) -> Plan:
    form, told = opened.form, opened.told
    texts = crop_texts(options)
    size = int(opened.parameters * BYTES[options.precision]) + 100_000
    files = {
        MANIFEST_FILE: 0,
        MODEL_FILE: size,
        GOLDEN_FILE: _OTHER_BYTES,
        f"{deepstream.FOLDER}/{deepstream.CONFIG}": 0,
    }
    retrieval = None
    if options.retrieval is not None:
        data = retrieval_set(options.retrieval, options.retrieval_pictures)
        retrieval = f"{data.name}: {data.identities} vehicles, {len(data.query)} queries"
    crops = options.parity_crops + golden.CANDIDATES
    calibrated = options.calibration_crops if options.precision == "int8" else 0
    plan = Plan(
        final=options.final,
        size=f"{printable(told.path.name)} (opset {default_opset(opened.file.model)})",
        trained=opened.trained,
        variant=opened.variant,
        parameters=opened.parameters,
        inputs=_INPUTS,
        outputs=opened.outputs,
        colors=None,
        types=None,
        parity=texts[0],
        calibration=texts[1],
        retrieval=retrieval,
        files=files,
        seconds=_START + opened.all_seconds * (_ENGINES * crops + 2.0 * calibrated),
        engine=None,
        notes=(
            f"the network sees crops stretched to {IMAGE_SIZE}x{IMAGE_SIZE}, then to "
            f"{form.height}x{form.width}, {told.color_order.upper()}, {form.layout.upper()}, as (pixel x "
            f"{told.factor:.6g} - {shown(told.means)}) / {shown(told.deviations)}",
            "it tells neither color, type, keypoints nor quality: these are absent from results and events"
            if opened.pose is None
            else "keypoints and quality are those of the pose network, of which the embedding knows nothing; "
            "it tells neither color nor type",
        ),
    )
    check_room(options.final, plan.needed)
    return plan
