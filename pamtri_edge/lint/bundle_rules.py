# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Rules for a configuration of nvinfer that runs a bundle's network: what the manifest says must hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from pamtri_edge.errors import InputError
from pamtri_edge.files.text import text_lines
from pamtri_edge.geometry import IMAGE_SIZE
from pamtri_edge.lint.file_rules import is_there
from pamtri_edge.lint.finding import Finding
from pamtri_edge.lint.nvinfer_keys import PROPERTY_KEYS
from pamtri_edge.lint.subject import Subject
from pamtri_edge.lint.target import engine_batch
from pamtri_edge.lint.vocabulary import number, parts, unfit
from pamtri_edge.manifest import Manifest
from pamtri_edge.nvinfer import BATCH, NETWORK_MODES, UNREACHED_THRESHOLD, unsupported
from pamtri_edge.printable import printable

_UNREACHED: Final = 1.0
_LONGEST_LABELS: Final = 1 << 16


_FIXED: Final = (
    (
        *("scale", "net-scale-factor", "1"),
        "the graph takes 0 to 255 and normalizes by itself: it sees pictures of another brightness, and the "
        "embeddings are far from those of PyTorch",
    ),
    (
        *("color-format", "model-color-format", "0"),
        "the graph takes RGB: red and blue are exchanged, colors are told wrongly and embeddings are off",
    ),
    (
        *("input-size", "infer-dims", f"3;{IMAGE_SIZE};{IMAGE_SIZE}"),
        f"the graph takes 3 x {IMAGE_SIZE} x {IMAGE_SIZE}, channels first: nvinfer builds no engine of it, "
        "or refuses the one that there is",
    ),
    (
        *("input-size", "network-input-order", "0"),
        "the graph takes channels first: nvinfer would read its dimensions as height, width and channels",
    ),
    (
        *("aspect-ratio", "maintain-aspect-ratio", "0"),
        "crops are padded with black instead of stretched, which the network has not learned: keypoints "
        "shift and embeddings are off",
    ),
    (
        *("scaling-filter", "scaling-filter", "1"),
        "the bundle was compared with bilinear scaling; with another filter the embeddings differ more",
    ),
    (
        *("process-mode", "process-mode", "2"),
        "the engine works on whole frames: it sees streets instead of vehicles, and the tensor meta hangs on "
        "the frame",
    ),
    (
        *("tensor-meta", "output-tensor-meta", "1"),
        "embedding, keypoints and classes are computed and thrown away",
    ),
    (
        *("input-from-meta", "input-tensor-from-meta", "0"),
        "crops then come from nvdspreprocess, re-inference and size limits are passed over, and the tensor "
        "meta hangs on no object",
    ),
)
"""What holds for every bundle that stock nvinfer can feed, because the graph is as it is.

Each: the rule, the key, the value that it must have, and what goes wrong otherwise.
"""

_DEFAULTS: Final = {"process-mode": "1", "output-tensor-meta": "0"}
"""What nvinfer takes where one of these keys is not given; of the others the right value."""


def check_bundle(subject: Subject) -> Iterator[Finding]:
    """Give findings about a configuration that runs the network of `subject.target`."""
    if subject.target.broken is not None:
        yield subject.finding("bundle", "onnx-file", subject.target.broken, "Mend or name another bundle.")
    if subject.target.bundle is None:
        return
    manifest = subject.target.bundle.manifest
    if (reason := unsupported(manifest.inputs)) is not None:
        yield subject.finding("geometry", "onnx-file", reason, "Name a bundle of geometry unified.")
        return
    for rule, key, value, problem in _FIXED:
        yield from _fixed(subject, rule, key, value, problem)
    for check in _RULES:
        yield from check(subject, manifest)


def _fixed(subject: Subject, rule: str, key: str, value: str, problem: str) -> Iterator[Finding]:
    if key == "process-mode" and subject.secondary and subject.group.get(key) is None:
        return
    entry, default = subject.get(key), _DEFAULTS.get(key, value)
    found = default if entry is None else entry.value
    if _is_refused(subject, key) or _same(found, value):
        return
    is_now = f"{key} is {printable(found)}" if entry else f"without {key} it is {default}"
    yield subject.finding(
        rule,
        key,
        f"{is_now}: {problem}.",
        f"Write {key}={value}.",
        severity="warning" if rule == "scaling-filter" else "error",
        value=value,
    )


def _is_refused(subject: Subject, key: str) -> bool:
    """Tell whether the key or its value is none that nvinfer takes, which another rule says."""
    entry = subject.get(key)
    if entry is None:
        return subject.is_misspelled(key)
    return unfit(PROPERTY_KEYS[key], entry.value) is not None


def _same(found: str, wanted: str) -> bool:
    words = {"true": "1", "false": "0", "yes": "1", "no": "0", "on": "1", "off": "0"}
    ours = [number(words.get(part.lower(), part)) for part in parts(found)]
    return ours == [number(part) for part in parts(wanted)]


def _offsets(subject: Subject, manifest: Manifest) -> Iterator[Finding]:
    entry = subject.get("offsets")
    if entry is not None and any(number(part) for part in parts(entry.value)):
        yield entry.finding(
            "offsets",
            "the graph subtracts its own mean: with offsets it is subtracted twice.",
            "Remove the key.",
            edits=entry.commented_out(),
        )
    entry = subject.get("mean-file")
    if entry is not None:
        yield entry.finding(
            "mean-file",
            "the graph subtracts its own mean: a mean picture is subtracted on top of it.",
            "Remove the key.",
            edits=entry.commented_out(),
        )


def _network_type(subject: Subject, manifest: Manifest) -> Iterator[Finding]:
    found = subject.text("network-type", "0")
    if found in ("1", "100") or _is_refused(subject, "network-type"):
        return
    is_now = "is not given, which means a detector" if subject.get("network-type") is None else f"is {found}"
    yield subject.finding(
        "network-type",
        "network-type",
        f"network-type {is_now}: nvinfer looks for boxes or masks in the outputs, finds none and does "
        "not start.",
        "Write network-type=1.",
        value="1",
    )


def _own_parser(subject: Subject, manifest: Manifest) -> Iterator[Finding]:
    if subject.text("network-type", "0") != "1" or subject.get("parse-classifier-func-name") is not None:
        return
    if subject.number("classifier-threshold", 0.0) > _UNREACHED:
        return
    yield subject.finding(
        "labels-of-tensors",
        "classifier-threshold",
        "nvinfer's own parser takes every output for class probabilities, the embedding and the keypoints "
        "too: vehicles get labels that mean nothing.",
        f"Write classifier-threshold={UNREACHED_THRESHOLD}, and take the classes from the tensor meta.",
        severity="warning",
        value=str(UNREACHED_THRESHOLD),
    )


def _host_copy(subject: Subject, manifest: Manifest) -> Iterator[Finding]:
    if subject.flag("disable-output-host-copy") and subject.flag("output-tensor-meta"):
        yield subject.finding(
            "host-copy",
            "disable-output-host-copy",
            "out_buf_ptrs_host of the tensor meta then holds nothing of the batch: probes that read it, as "
            "most do, get stale numbers.",
            "Remove it, unless all readers take out_buf_ptrs_dev.",
            severity="warning",
            value="0",
        )


def _batch(subject: Subject, manifest: Manifest) -> Iterator[Finding]:
    batch = subject.integer("batch-size", 1)
    engine = subject.get("model-engine-file")
    most = None if engine is None else engine_batch(engine.value)
    if most is not None and batch > most:
        yield subject.finding(
            "batch-size",
            "batch-size",
            f"the engine is for {most} at most, by its name, and batch-size is {batch}: nvinfer builds "
            "another one at every start, which takes minutes.",
            f"Write batch-size={most}, or name an engine for {batch}.",
            value=str(most),
        )
    elif engine is None and batch > BATCH:
        yield subject.finding(
            "batch-size",
            "batch-size",
            f"batch-size is {batch}; the bundle's own engine is built for {BATCH} at most.",
            f"Write batch-size={BATCH}, or build an engine for {batch} and name it.",
            severity="warning",
            value=str(BATCH),
        )


def _precision(subject: Subject, manifest: Manifest) -> Iterator[Finding]:
    wanted = NETWORK_MODES[manifest.precision]
    found = subject.integer("network-mode", 0)
    refused = _is_refused(subject, "network-mode")
    if found != wanted and not refused and not (found == 0 and subject.get("network-mode") is None):
        yield subject.finding(
            "precision",
            "network-mode",
            f"the bundle is {manifest.precision}, which is network-mode {wanted}; with {found} nvinfer "
            "builds an engine of another precision where there is none, and its numbers are not those of "
            "pamtri verify.",
            f"Write network-mode={wanted}.",
            severity="warning",
            value=str(wanted),
        )
    if subject.get("strongly-typed") is not None and not subject.flag("strongly-typed"):
        yield subject.finding(
            "weak-typing",
            "strongly-typed",
            "TensorRT then chooses types by itself, and the numbers are not those of pamtri verify.",
            "Write strongly-typed=1.",
            severity="warning",
            value="1",
        )


def _outputs(subject: Subject, manifest: Manifest) -> Iterator[Finding]:
    entry = subject.get("output-blob-names")
    names = [spec.name for spec in manifest.outputs]
    strange = [] if entry is None else [name for name in parts(entry.value) if name not in names]
    if entry is not None and strange:
        yield entry.finding(
            "output-names",
            f"the graph has no output {printable(', '.join(strange))}; it has {', '.join(names)}.",
            "Remove the key: nvinfer finds the outputs of an ONNX file by itself.",
            severity="warning",
            edits=entry.commented_out(),
        )


def _labels(subject: Subject, manifest: Manifest) -> Iterator[Finding]:
    entry = subject.get("labelfile-path")
    if entry is None or not subject.look or not is_there(entry.named_path):
        return
    wanted = [list(names) for names in (manifest.colors, manifest.types) if names]
    try:
        lines = text_lines(
            entry.named_path, expected="names of classes", longest=_LONGEST_LABELS, error=InputError
        )
        found = [[name.strip() for name in line.split(";")] for _, line in lines if line.strip()]
    except InputError as error:
        yield entry.finding("labels", f"the labels cannot be read: {error}", "Name the bundle's labels.txt.")
        return
    if found != wanted:
        yield entry.finding(
            "labels",
            f"{printable(entry.value)} has {_told(found)}; the bundle has {_told(wanted)}: vehicles get the "
            "names of other colors and types.",
            "Name the labels.txt of the bundle's folder deepstream/.",
        )


def _told(lines: list[list[str]]) -> str:
    counts = " and ".join(str(len(line)) for line in lines[:4]) or "no"
    shown = "; ".join(printable(", ".join(line[:3])[:60]) for line in lines[:2])
    return f"{counts} classes ({shown}, ...)" if lines else "no classes"


_RULES: Final[tuple[Callable[[Subject, Manifest], Iterator[Finding]], ...]] = (
    _offsets,
    _network_type,
    _own_parser,
    _batch,
    _host_copy,
    _precision,
    _outputs,
    _labels,
)
