# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What an export will do, found out before it does anything: `pamtri-export --dry-run`."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pamtri_edge.bundle import GOLDEN_FILE, MANIFEST_FILE, MODEL_FILE, POSE_FILE, REID_FILE, TensorSpec
from pamtri_edge.datasets.parts import picture_files
from pamtri_edge.datasets.views import EvaluationSet
from pamtri_edge.errors import ExportError, InputError
from pamtri_edge.export import deepstream
from pamtri_edge.export.comparison.golden import CANDIDATES
from pamtri_edge.export.engines.making import engine_tools
from pamtri_edge.export.estimate import Speed, embedding_seconds, export_seconds
from pamtri_edge.export.networks import Networks, class_names
from pamtri_edge.export.onnx.retrieval import PART, retrieval_set
from pamtri_edge.export.options import ExportOptions
from pamtri_edge.files.disk import require_temporary_folder
from pamtri_edge.geometry import IMAGE_SIZE, Geometry
from pamtri_edge.models.checkpoints import parameter_count
from pamtri_edge.vehicle import NUM_KEYPOINTS

BYTES: Final = {"fp32": 4.0, "fp16": 2.0, "int8": 1.05}
"""Of the file a parameter; int8 has scales beside the weights."""

_GRAPH_BYTES: Final = 400_000
_OTHER_BYTES: Final = 1_500_000  # golden crops, texts
_HEADROOM: Final = 3.0  # the graph is on the disk up to three times while it is made and checked

_OTHER_GEOMETRY: Final = (
    "these weights were trained by pamtri-edge, with geometry 'unified': with 'original' the networks see "
    "other pictures than they learned from, and embeddings are worse; leave out --geometry"
)

_GROUPS: Final = 12  # of layers, that may be tried


@dataclass(frozen=True)
class Plan:
    """What will be exported, from what, into which files.

    Attributes:
        final: the bundle.
        size: "paper", "lite" or "custom".
        trained: False for drawn weights.
        variant: what enters the re-identification network and what comes out.
        parameters: of both networks.
        inputs: of the graph.
        outputs: of the graph.
        colors: class names, or None.
        types: class names, or None.
        parity: where the crops of the comparison come from.
        calibration: where those of int8 come from; None for other precisions.
        retrieval: on which set the loss of retrieval is measured; None where none is given.
        files: expected size of each file in bytes, by name; 0 for small ones.
        seconds: how long it takes here, roughly; 0 where that was not measured.
        engine: what makes an engine and for which GPU; None where none was asked for.
        notes: what else one should know.
    """

    final: Path
    size: str
    trained: bool
    variant: dict[str, bool]
    parameters: int
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    colors: tuple[str, ...] | None
    types: tuple[str, ...] | None
    parity: str
    calibration: str | None
    retrieval: str | None
    files: dict[str, int]
    seconds: float
    engine: str | None
    notes: tuple[str, ...]

    @property
    def needed(self) -> int:
        """Bytes of disk that the export needs while it works."""
        return int(_HEADROOM * sum(self.files.values()))


def make_plan(options: ExportOptions, given: Networks, speed: Speed | None = None) -> Plan:
    """Work out what an export does, and refuse what cannot succeed.

    Args:
        options: what is asked for.
        given: the networks; their weights are not looked at.
        speed: of this machine; None where nobody asks for the time.

    Raises:
        ExportError: the place is taken or cannot be written, the disk has too little room, or class names
            are lacking.
        InputError: a folder of crops is missing or empty, or a pose network is needed and none was given.
        MissingDependencyError: an engine was asked for, and this machine lacks what makes one.
    """
    if given.pose is None:
        given.fused(options)  # refuses a re-identification network that needs one
        if options.staged:
            raise InputError("there is one network, no pose network: leave out --staged.")
    colors, types = class_names(options, given.reid.spec)
    check_place(options.final, overwrite=options.overwrite)
    require_temporary_folder()  # PyTorch's exporter would fail without, after the networks have run
    crops, calibration = crop_sources(options)
    parity, fitted = crop_texts(options)
    parameters = parameter_count(given.reid) + (0 if given.pose is None else parameter_count(given.pose))
    graph = int(parameters * BYTES[options.precision]) + _GRAPH_BYTES
    files = {MANIFEST_FILE: 0, MODEL_FILE: graph, GOLDEN_FILE: _OTHER_BYTES}
    if options.staged and given.pose is not None:
        files |= {POSE_FILE: graph * 3 // 4, REID_FILE: graph // 3}
    data = None
    if options.retrieval is not None:
        data = retrieval_set(options.retrieval, options.retrieval_pictures)
    notes: tuple[str, ...] = ()
    if options.geometry is Geometry.ORIGINAL and given.pose is not None:
        notes = ("stock nvinfer cannot feed geometry 'original': no nvinfer configuration is written",)
        files[f"{deepstream.FOLDER}/{deepstream.NOTE}"] = 0
    else:
        files[f"{deepstream.FOLDER}/{deepstream.CONFIG}"] = 0
    if options.geometry is Geometry.ORIGINAL and given.ours:
        notes = (*notes, _OTHER_GEOMETRY)
    plan = Plan(
        final=options.final,
        size=given.size,
        trained=given.trained,
        variant=given.variant,
        parameters=parameters,
        inputs=input_specs(given, options.geometry),
        outputs=output_specs(given),
        colors=colors,
        types=types,
        parity=parity,
        calibration=fitted,
        retrieval=None if data is None else _retrieval_text(options, speed, data),
        files=files,
        seconds=0.0 if speed is None else _seconds(options, given, speed, crops, calibration, data),
        engine=engine_tools(options).title if options.engine else None,
        notes=notes,
    )
    check_room(options.final, plan.needed)
    return plan


def crop_sources(options: ExportOptions) -> tuple[list[Path], list[Path]]:
    """Return the picture files for the comparison and for the calibration of int8; empty means drawn crops.

    A folder that serves both is divided: every other file calibrates, the rest is compared, so that no
    figure is measured on a crop that int8 was fitted to.
    """
    calibrating = options.precision == "int8"
    compared = [] if options.crops is None else picture_files(options.crops)
    fitted = [] if options.calibration is None else picture_files(options.calibration)
    if not calibrating:
        return compared or fitted, []
    if compared and fitted and options.crops != options.calibration:
        return compared, fitted
    both = compared or fitted
    if len(both) < 2:
        return both, both
    return both[1::2], both[::2]


def crop_texts(options: ExportOptions) -> tuple[str, str | None]:
    """Say which crops are compared, and which int8 is calibrated with; None for other precisions."""
    crops, calibration = crop_sources(options)
    parity = _some(crops, options.parity_crops) if crops else f"{options.parity_crops} rendered crops"
    return parity, _calibration_text(options, calibration)


def input_specs(given: Networks, geometry: Geometry) -> tuple[TensorSpec, ...]:
    """Return the inputs of the fused graph."""
    images = TensorSpec("images", (None, 3, IMAGE_SIZE, IMAGE_SIZE))
    if geometry is Geometry.ORIGINAL and given.pose is not None:
        return images, TensorSpec("pose_images", images.shape), TensorSpec("crop_size", (None, 2))
    return (images,)


def output_specs(given: Networks) -> tuple[TensorSpec, ...]:
    """Return the outputs of the fused graph."""
    spec = given.reid.spec
    outputs = [TensorSpec("embedding", (None, spec.embedding))]
    if spec.multitask:
        outputs += [TensorSpec("color", (None, spec.colors)), TensorSpec("type", (None, spec.types))]
    if given.pose is not None:
        outputs += [TensorSpec("keypoints", (None, NUM_KEYPOINTS, 3)), TensorSpec("quality", (None, 1))]
    return tuple(outputs)


def check_place(final: Path, *, overwrite: bool) -> None:
    """Refuse a place that is taken or cannot be written, before any work is done."""
    if os.path.lexists(final) and not overwrite:
        raise ExportError(f"{final} exists; give --overwrite to replace it, or another --output.")
    if os.path.lexists(final) and not (final / MANIFEST_FILE).is_file():
        raise ExportError(
            f"{final} exists and is not a bundle, so it is not overwritten; give another --output."
        )
    parent = _existing_parent(final)
    if not parent.is_dir():
        raise ExportError(f"{final} cannot be written: {parent} is not a folder. Give another --output.")
    if not os.access(parent, os.W_OK | os.X_OK):
        raise ExportError(f"{final} cannot be written: no permission in {parent}. Give another --output.")


def check_room(final: Path, needed: int) -> None:
    """Refuse a disk that is too full, before any work is done."""
    parent = _existing_parent(final)
    free = shutil.disk_usage(parent).free
    if free < needed:
        raise ExportError(
            f"{parent} has {free / 1e6:.0f} MB free, and the export needs about {needed / 1e6:.0f} MB while "
            "it works; free some space or give another --output."
        )


def _existing_parent(final: Path) -> Path:
    parent = Path(os.path.realpath(final)).parent
    while not parent.exists():
        parent = parent.parent
    return parent


def _some(files: list[Path], most: int) -> str:
    """Say how many of the files are used and where they lie."""
    used = f"{most} of {len(files)}" if len(files) > most else str(len(files))
    return f"{used} crops of {files[0].parent}"


def _calibration_text(options: ExportOptions, files: list[Path]) -> str | None:
    if options.precision != "int8":
        return None
    if not files:
        return (
            f"{options.calibration_crops} rendered crops: give --calibration DIR with crops of your cameras"
        )
    return _some(files, options.calibration_crops)


def _retrieval_text(options: ExportOptions, speed: Speed | None, data: EvaluationSet) -> str:
    text = (
        f"{data.name}: {data.identities} vehicles, {len(data.query)} queries among {len(data.gallery)} "
        f"pictures; mAP may fall by {options.loss_limit:g} points"
    )
    if options.precision != "int8":
        return text
    if speed is None:
        return f"{text}, else layers go back to fp32"
    tries = _GROUPS * min(PART, _pictures(data)) * embedding_seconds(speed, flipped=options.flip_test)
    return f"{text}, else layers go back to fp32 (about {tries / 60:.0f} min more for each group of them)"


def _pictures(data: EvaluationSet) -> int:
    return len(data.query) + len(data.gallery)


def _seconds(
    options: ExportOptions,
    given: Networks,
    speed: Speed,
    crops: list[Path],
    fitted: list[Path],
    data: EvaluationSet | None,
) -> float:
    """Return about how long an export takes at this speed."""
    compared = min(len(crops), options.parity_crops) or options.parity_crops
    calibrated = min(len(fitted), options.calibration_crops) or options.calibration_crops
    return export_seconds(
        speed,
        given,
        crops=compared + CANDIDATES,
        calibrating=calibrated if options.precision == "int8" else 0,
        pictures=0 if data is None else _pictures(data),
        graphs=2 if options.staged else 1,
        flipped=options.flip_test,
    )
