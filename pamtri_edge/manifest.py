# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What a bundle says of itself: `manifest.json`, its fields and their checks.

The manifest is data, read without torch or onnx. Unknown fields are ignored, so that a later release may
add one without raising `SCHEMA`; a field that changes its meaning raises it.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Final

from pamtri_edge.errors import BundleError, InputError
from pamtri_edge.geometry import Geometry
from pamtri_edge.retrieval.loss import FORM, RetrievalLoss

SCHEMA: Final = 1
"""The newest form of manifest that this release reads; it also writes this one."""

MANIFEST_FILE: Final = "manifest.json"
MODEL_FILE: Final = "model.onnx"
GOLDEN_FILE: Final = "golden.npz"
POSE_FILE: Final = "staged.pose.onnx"
REID_FILE: Final = "staged.reid.onnx"

PRECISIONS: Final = ("fp32", "fp16", "int8")
SIZES: Final = ("paper", "lite", "custom")
NORMS: Final = ("unit", "raw")
VARIANT_FLAGS: Final = ("keypoints", "heatmaps", "segments", "multitask", "pose")
INPUT_SETS: Final = (("images",), ("images", "pose_images", "crop_size"))
OUTPUTS: Final = ("embedding", "color", "type", "keypoints", "quality")
TOLERANCE_METRICS: Final = ("cosine", "max_abs", "share")

_MEND = "Export the bundle again, or copy it again from where it came."


@dataclass(frozen=True)
class TensorSpec:
    """An input or output of the graph.

    Attributes:
        name: its name in the ONNX file.
        shape: sizes; None stands for the batch.
        dtype: NumPy's name of the type, "float32" for every tensor of schema 1.
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: str = "float32"


@dataclass(frozen=True, kw_only=True)
class Matching:
    """From which cosine on two embeddings may be called one vehicle's, and how often that is wrong.

    Attributes:
        threshold: the cosine, -1 to 1.
        false_match_rate: the share of pairs of different vehicles that reach it, on the validation set.
        true_match_rate: the share of pairs of one vehicle that reach it.
        set: name of the validation set.
    """

    threshold: float
    false_match_rate: float
    true_match_rate: float
    set: str


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
        embedding_norm: "unit" (L2-normalised in the graph) or "raw".
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
            record = json.loads(text)
        except ValueError as error:
            raise BundleError(f"{source} is not readable JSON ({error}). {_MEND}") from error
        if not isinstance(record, dict):
            raise BundleError(f"{source} holds a JSON {type(record).__name__}, not an object. {_MEND}")
        reader = _Reader(record, source)
        schema = reader.take("schema", _integer)
        if schema > SCHEMA:
            raise BundleError(
                f"{source} has schema {schema}: made by a newer pamtri-edge; upgrade this one "
                f"(it reads schemas up to {SCHEMA}): pip install --upgrade pamtri-edge"
            )
        if schema < 1:
            raise BundleError(f"{source} has schema {schema}; expected 1 to {SCHEMA}. {_MEND}")
        manifest = Manifest(
            schema=schema,
            name=reader.take("name", _string),
            precision=reader.take("precision", _one_of(PRECISIONS)),
            geometry=Geometry(reader.take("geometry", _one_of([g.value for g in Geometry]))),
            size=reader.take("size", _one_of(SIZES)),
            variant=reader.take("variant", _variant),
            inputs=reader.take("inputs", _tensors),
            outputs=reader.take("outputs", _tensors),
            embedding_dim=reader.take("embedding_dim", _positive),
            embedding_norm=reader.take("embedding_norm", _one_of(NORMS)),
            embedding_space=reader.take("embedding_space", _string),
            colors=reader.take("colors", _optional_names),
            types=reader.take("types", _optional_names),
            keypoint_names=reader.take("keypoint_names", _optional_names),
            trained=reader.take("trained", _boolean),
            flip_test=reader.take("flip_test", _boolean),
            parity=reader.take("parity", _mapping),
            tolerance=reader.take("tolerance", _tolerance),
            versions=reader.take("versions", _mapping),
            provenance=reader.take("provenance", _mapping),
            matching=reader.take_optional("matching", _matching),
            retrieval=reader.take_optional("retrieval", _retrieval),
            files=reader.take("files", _files),
        )
        _check_agreement(manifest, source)
        return manifest


def _check_agreement(manifest: Manifest, source: str) -> None:
    """Refuse a manifest whose fields contradict each other: later code relies on them."""

    def refuse(what: str) -> BundleError:
        return BundleError(f"{source}: {what}. {_MEND}")

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


class _Reader:
    """Takes typed fields from a JSON object; errors name the file, the field and what was found."""

    def __init__(self, record: Mapping[str, Any], source: str) -> None:
        self._record = record
        self._source = source

    def take(self, key: str, convert: Callable[[Any], Any]) -> Any:
        if key not in self._record:
            raise BundleError(f"{self._source} lacks the field {key!r}. {_MEND}")
        value = self._record[key]
        try:
            return convert(value)
        except _WrongFieldError as error:
            shown = json.dumps(value)
            shown = shown if len(shown) <= 60 else shown[:57] + "..."
            raise BundleError(
                f"{self._source}: field {key!r} is {shown}; expected {error}. {_MEND}"
            ) from error

    def take_optional(self, key: str, convert: Callable[[Any], Any]) -> Any:
        return None if self._record.get(key) is None else self.take(key, convert)


class _WrongFieldError(Exception):
    """Carries what a field should have been."""


def _string(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise _WrongFieldError("a text")
    return value


def _integer(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise _WrongFieldError("a whole number")
    return value


def _positive(value: Any) -> int:
    if _integer(value) < 1:
        raise _WrongFieldError("a whole number of at least 1")
    return int(value)


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _WrongFieldError("true or false")
    return value


def _mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _WrongFieldError("an object")
    return value


def _one_of(choices: tuple[str, ...] | list[str]) -> Callable[[Any], str]:
    def convert(value: Any) -> str:
        if value not in choices:
            raise _WrongFieldError(f"one of {', '.join(map(repr, choices))}")
        return str(value)

    return convert


def _optional_names(value: Any) -> tuple[str, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list) or not value or not all(isinstance(name, str) for name in value):
        raise _WrongFieldError("a list of names, or null")
    return tuple(value)


def _variant(value: Any) -> dict[str, bool]:
    if not isinstance(value, dict) or not all(isinstance(value.get(flag), bool) for flag in VARIANT_FLAGS):
        raise _WrongFieldError(f"an object with true or false for each of {', '.join(VARIANT_FLAGS)}")
    return {str(key): bool(flag) for key, flag in value.items()}


def _tensors(value: Any) -> tuple[TensorSpec, ...]:
    form = 'a list of {"name", "shape", "dtype"}, shapes with null for the batch, dtype "float32"'
    if not isinstance(value, list) or not value:
        raise _WrongFieldError(form)
    specs = []
    for item in value:
        if not isinstance(item, dict) or not isinstance(item.get("name"), str):
            raise _WrongFieldError(form)
        shape, dtype = item.get("shape"), item.get("dtype")
        if not isinstance(shape, list) or not shape or shape[0] is not None or dtype != "float32":
            raise _WrongFieldError(form)
        if not all(isinstance(size, int) and not isinstance(size, bool) and size > 0 for size in shape[1:]):
            raise _WrongFieldError(form)
        specs.append(TensorSpec(item["name"], tuple(shape), dtype))
    return tuple(specs)


def _tolerance(value: Any) -> dict[str, dict[str, float]]:
    form = f"an object of limits for each output, of {', '.join(TOLERANCE_METRICS)}"
    if not isinstance(value, dict):
        raise _WrongFieldError(form)
    for limits in value.values():
        if not isinstance(limits, dict) or not {"cosine", "max_abs"} & set(limits):
            raise _WrongFieldError(form + " (cosine or max_abs at least)")
        for metric, limit in limits.items():
            number = isinstance(limit, (int, float)) and not isinstance(limit, bool)
            if metric not in TOLERANCE_METRICS or not number:
                raise _WrongFieldError(form)
    return value


def _matching(value: Any) -> Matching:
    form = 'an object with "threshold" (-1 to 1), "false_match_rate", "true_match_rate" (0 to 1) and "set"'
    if not isinstance(value, dict) or not isinstance(value.get("set"), str):
        raise _WrongFieldError(form)
    numbers = {}
    for name, low in (("threshold", -1.0), ("false_match_rate", 0.0), ("true_match_rate", 0.0)):
        number = value.get(name)
        if not isinstance(number, (int, float)) or isinstance(number, bool) or not low <= number <= 1.0:
            raise _WrongFieldError(form)
        numbers[name] = float(number)
    return Matching(**numbers, set=value["set"])


def _retrieval(value: Any) -> RetrievalLoss:
    try:
        return RetrievalLoss.from_record(value)
    except InputError as error:
        raise _WrongFieldError(FORM) from error


def _files(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise _WrongFieldError("an object: relative path to SHA-256")
    for name, digest in value.items():
        if not is_inside(name):
            raise _WrongFieldError(f"paths inside the bundle; {name!r} leads out of it")
        if not isinstance(digest, str) or not re.fullmatch(r"[0-9a-f]{64}", digest):
            raise _WrongFieldError(f"64 hexadecimal digits for {name!r}")
    return value


def is_inside(name: str) -> bool:
    """Tell whether a relative POSIX path, taken as it is written, stays inside its folder."""
    path = PurePosixPath(name)
    return bool(
        path.parts and not path.is_absolute() and ".." not in path.parts and "\\" not in name
        and "\0" not in name and ":" not in path.parts[0]
    )  # fmt: skip
