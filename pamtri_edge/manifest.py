# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What a bundle says of itself: `manifest.json`, its fields and their checks.

The manifest is data, read without torch or onnx. Unknown fields are ignored, so that a later release may
add one without raising `SCHEMA`; a field that changes its meaning raises it.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pamtri_edge import manifest_fields as fields
from pamtri_edge.errors import BundleError
from pamtri_edge.files.strict_json import read_json
from pamtri_edge.geometry import Geometry
from pamtri_edge.manifest_fields import REMEDY, VARIANT_FLAGS, Matching, TensorSpec
from pamtri_edge.metrics.loss import RetrievalLoss
from pamtri_edge.words import PRECISIONS

__all__ = [
    "GOLDEN_FILE",
    "INPUT_SETS",
    "MANIFEST_FILE",
    "MODEL_FILE",
    "NORMS",
    "OUTPUTS",
    "POSE_FILE",
    "REID_FILE",
    "SCHEMA",
    "SIZES",
    "VARIANT_FLAGS",
    "Manifest",
    "Matching",
    "TensorSpec",
]

SCHEMA: Final = 1
"""The newest form of manifest that this release reads; it also writes this one."""

MANIFEST_FILE: Final = "manifest.json"
MODEL_FILE: Final = "model.onnx"
GOLDEN_FILE: Final = "golden.npz"
POSE_FILE: Final = "staged.pose.onnx"
REID_FILE: Final = "staged.reid.onnx"

SIZES: Final = ("paper", "lite", "custom")
NORMS: Final = ("unit", "raw")
INPUT_SETS: Final = (("images",), ("images", "pose_images", "crop_size"))
OUTPUTS: Final = ("embedding", "color", "type", "keypoints", "quality")


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The contents of `manifest.json`.

    Attributes:
        schema: form of the manifest.
        name: the bundle's name, without ".pamtri".
        precision: "fp32", "fp16" or "int8": how the networks are typed in the file.
        geometry: how a crop becomes the pictures that the graph takes.
        size: "paper", "lite" or "custom".
        variant: whether the graph has `keypoints`, `heatmaps`, `segments`, `multitask`, `pose`.
        inputs: the graph's inputs, in order.
        outputs: the graph's outputs, in order; a subset of `OUTPUTS` that starts with "embedding".
        embedding_dim: D of the embedding.
        embedding_norm: "unit" (L2-normalized in the graph) or "raw".
        embedding_space: id of the weights; embeddings compare only within one space.
        colors: class names of the output "color"; None without it.
        types: class names of the output "type"; None without it.
        keypoint_names: names of the output "keypoints"; None without it.
        trained: False for seeded weights, whose results mean nothing.
        flip_test: whether the graph averages the heatmaps of the mirrored picture.
        parity: figures measured at export; free form.
        tolerance: limits of the self-test for each output, against the golden outputs: any of `cosine`
            (the least cosine of a row), `max_abs` (the largest absolute difference) and `share` (the part
            of the values that must keep `max_abs`; 1 unless given). Every output has an entry.
        versions: what made the bundle; free form.
        provenance: where the weights come from; free form.
        matching: the suggested threshold for comparing embeddings; None where none was measured.
        retrieval: what the file loses in retrieval beside its float32 graph, and the layers that stayed in
            float32 because of it; None where it was not measured.
        files: SHA-256 (64 hexadecimal digits) of every file but the manifest, by relative POSIX path.
    """

    schema: int = SCHEMA
    name: str
    precision: str
    geometry: Geometry
    size: str
    variant: Mapping[str, bool]
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    embedding_dim: int
    embedding_norm: str
    embedding_space: str
    colors: tuple[str, ...] | None
    types: tuple[str, ...] | None
    keypoint_names: tuple[str, ...] | None
    trained: bool
    flip_test: bool = False
    parity: Mapping[str, Any] = field(default_factory=dict)
    tolerance: Mapping[str, Mapping[str, float]]
    versions: Mapping[str, str] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    matching: Matching | None = None
    retrieval: RetrievalLoss | None = None
    files: Mapping[str, str] = field(default_factory=dict)

    def output(self, name: str) -> TensorSpec | None:
        """Return the output of that name, or None where the graph lacks it."""
        return next((spec for spec in self.outputs if spec.name == name), None)

    def to_json(self) -> str:
        """Return the manifest as indented JSON text, checked as `from_json` checks it.

        Raises:
            BundleError: a field has a wrong type or two fields disagree.
        """
        record = dataclasses.asdict(self)
        record["geometry"] = Geometry(self.geometry).value
        try:
            text = json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise BundleError(
                f"the manifest of {self.name!r} cannot be written as JSON: {error}; "
                "use plain numbers, strings, lists and dicts."
            ) from error
        Manifest.from_json(text)
        return text + "\n"

    @staticmethod
    def from_json(text: str, *, source: str = MANIFEST_FILE) -> Manifest:
        """Read a manifest.

        Args:
            text: the JSON text.
            source: how errors call the file.

        Raises:
            BundleError: not JSON, a newer schema, a missing field, a wrong type, or fields that disagree.
        """
        try:
            record = read_json(text)
        except ValueError as error:
            raise BundleError(f"{source} is not readable JSON ({error}). {REMEDY}") from error
        if not isinstance(record, dict):
            raise BundleError(f"{source} holds a JSON {type(record).__name__}, not an object. {REMEDY}")
        reader = fields.FieldReader(record, source)
        schema = reader.take("schema", fields.integer)
        if schema > SCHEMA:
            raise BundleError(
                f"{source} has schema {schema}: made by a newer pamtri-edge; upgrade this one "
                f"(it reads schemas up to {SCHEMA}): pip install --upgrade pamtri-edge"
            )
        if schema < 1:
            raise BundleError(f"{source} has schema {schema}; expected 1 to {SCHEMA}. {REMEDY}")
        manifest = Manifest(
            schema=schema,
            name=reader.take("name", fields.string),
            precision=reader.take("precision", fields.one_of(PRECISIONS)),
            geometry=Geometry(reader.take("geometry", fields.one_of([g.value for g in Geometry]))),
            size=reader.take("size", fields.one_of(SIZES)),
            variant=reader.take("variant", fields.variant),
            inputs=reader.take("inputs", fields.tensors),
            outputs=reader.take("outputs", fields.tensors),
            embedding_dim=reader.take("embedding_dim", fields.size),
            embedding_norm=reader.take("embedding_norm", fields.one_of(NORMS)),
            embedding_space=reader.take("embedding_space", fields.string),
            colors=reader.take("colors", fields.optional_names),
            types=reader.take("types", fields.optional_names),
            keypoint_names=reader.take("keypoint_names", fields.optional_names),
            trained=reader.take("trained", fields.boolean),
            flip_test=reader.take("flip_test", fields.boolean),
            parity=reader.take("parity", fields.mapping),
            tolerance=reader.take("tolerance", fields.tolerance),
            versions=reader.take("versions", fields.mapping),
            provenance=reader.take("provenance", fields.mapping),
            matching=reader.take_optional("matching", fields.matching),
            retrieval=reader.take_optional("retrieval", fields.retrieval),
            files=reader.take("files", fields.files),
        )
        _check_agreement(manifest, source)
        return manifest


def _check_agreement(manifest: Manifest, source: str) -> None:
    """Refuse a manifest whose fields contradict each other: later code relies on them."""

    def refuse(what: str) -> BundleError:
        return BundleError(f"{source}: {what}. {REMEDY}")

    inputs = tuple(spec.name for spec in manifest.inputs)
    if inputs not in INPUT_SETS:
        raise refuse(f"the inputs are {inputs}; expected {' or '.join(map(str, INPUT_SETS))}")
    if (len(inputs) == 3) != (manifest.geometry is Geometry.ORIGINAL and manifest.variant["pose"]):
        raise refuse(f"the inputs {inputs} do not belong to geometry {manifest.geometry.value!r}")
    outputs = [spec.name for spec in manifest.outputs]
    if outputs[:1] != ["embedding"] or len(set(outputs)) != len(outputs) or not set(outputs) <= set(OUTPUTS):
        raise refuse(f"the outputs are {outputs}; expected a choice of {list(OUTPUTS)}, the embedding first")
    if manifest.outputs[0].shape != (None, manifest.embedding_dim):
        raise refuse(
            f"the embedding has shape {manifest.outputs[0].shape}, but embedding_dim is "
            f"{manifest.embedding_dim}"
        )
    named = {"color": manifest.colors, "type": manifest.types, "keypoints": manifest.keypoint_names}
    for name, labels in named.items():
        spec = manifest.output(name)
        size = spec.shape[1] if spec is not None and len(spec.shape) > 1 else None
        if size != (None if labels is None else len(labels)):
            count = "no" if labels is None else len(labels)
            raise refuse(f"output {name!r} has {'no' if size is None else size} classes, but {count} names")
    missing = set(outputs) - set(manifest.tolerance)
    if missing:
        raise refuse(f"tolerance lacks the outputs {sorted(missing)}, so the self-test could not check them")
