# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Rules for gst-nvinfer, whatever network it runs. What they rest on was read in its source (9.1)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from pamtri_edge.lint import nvinfer_keys as keys
from pamtri_edge.lint.document import Document
from pamtri_edge.lint.file_rules import check_file, is_there, missing
from pamtri_edge.lint.finding import Finding, Replace
from pamtri_edge.lint.shape_rules import check_keys
from pamtri_edge.lint.subject import Subject
from pamtri_edge.lint.vocabulary import Key, integer, nearest

_READER: Final = "nvinfer"
_GROUPS: Final = (keys.PROPERTY, f"{keys.CLASS_ATTRS}all")
_OTHER: Final = "100"
_CLASSIFIER: Final = "1"


def check_groups(
    document: Document,
    property_keys: Mapping[str, Key] = keys.PROPERTY_KEYS,
    class_keys: Mapping[str, Key] = keys.CLASS_KEYS,
    reader: str = _READER,
) -> Iterator[Finding]:
    """Give findings about the groups of a file, and about their keys; other groups are of no harm.

    Args:
        document: the file.
        property_keys: of `[property]`.
        class_keys: of the sections for classes.
        reader: who reads it.
    """
    for group in document.groups:
        if group.name == keys.PROPERTY:
            yield from check_keys(group, property_keys.get, property_keys, reader)
        elif group.name.startswith(keys.CLASS_ATTRS):
            yield from check_keys(group, class_keys.get, class_keys, reader)
        elif (near := nearest(group.name, _GROUPS)) is not None:
            yield group.finding(
                "unknown-group",
                f"{reader} knows no group {group.name!r} and passes over it with all its keys.",
                f"Write {near}.",
                edits=group.renamed(near),
            )
    if reader == _READER and document.group(keys.PROPERTY) is None:
        yield Finding(
            path=document.path,
            line=1,
            severity="error",
            rule="missing-group",
            problem="there is no group [property], without which nvinfer does not start.",
            change="Put the keys under [property].",
        )


def _files(subject: Subject) -> Iterator[Finding]:
    if not subject.look:
        return
    for entry in subject.group.entries:
        kind = keys.PROPERTY_KEYS.get(entry.key, Key("text")).kind
        counts = subject.get(entry.key) is entry
        if counts and entry.value and kind in ("file", "files") and entry.key != "onnx-file":
            yield from check_file(entry, several=kind == "files")
    yield from _network(subject)


def _network(subject: Subject) -> Iterator[Finding]:
    onnx, engine = subject.get("onnx-file"), subject.get("model-engine-file")
    built = engine is not None and is_there(engine.named_path)
    if onnx is not None and onnx.value and not built and not is_there(onnx.named_path):
        yield missing(onnx, onnx.named_path)
    others = [key for key in keys.NETWORK_KEYS if key not in ("onnx-file", "model-engine-file")]
    alone = onnx is None and not any(subject.get(key) for key in others)
    if alone and engine is not None and not built:
        yield missing(engine, engine.named_path)


def _named_network(subject: Subject) -> Iterator[Finding]:
    if not any(subject.get(key) or subject.is_misspelled(key) for key in keys.NETWORK_KEYS):
        yield subject.finding(
            "no-network",
            "onnx-file",
            "no key names a network, so that nvinfer does not start.",
            "Add onnx-file=FILE, the bundle's model.onnx.",
        )


def _classes(subject: Subject) -> Iterator[Finding]:
    if subject.text("network-type", "0") not in ("0", "3"):
        return
    count = subject.integer("num-detected-classes", 0)
    for group in subject.document.groups:
        number = integer(group.name.removeprefix(keys.CLASS_ATTRS))
        if group.name.startswith(keys.CLASS_ATTRS) and number is not None and number >= count:
            yield group.finding(
                "class-out-of-range",
                f"there are {count} classes (num-detected-classes), numbered from 0: nvinfer does not start "
                f"over attributes of class {number}.",
                "Correct the number, or num-detected-classes.",
            )


def _reinfer(subject: Subject) -> Iterator[Finding]:
    entry = subject.get("secondary-reinfer-interval")
    if entry is not None and subject.text("network-type", "0") == _OTHER:
        yield entry.finding(
            "reinfer-ignored",
            "with network-type 100 nvinfer does not look at the interval: every object is inferred in every "
            "frame, at many times the cost.",
            "Write network-type=1, a classifier, which keeps to the interval; or remove the interval.",
            edits=_classifier(subject),
        )


def _classifier(subject: Subject) -> tuple[Replace, ...]:
    entry = subject.get("network-type")
    return () if entry is None or subject.target.bundle is None else entry.with_value(_CLASSIFIER)


def _interval(subject: Subject) -> Iterator[Finding]:
    entry = subject.get("interval")
    secondary = subject.secondary or subject.text("process-mode") == "2"
    if entry is not None and secondary and (integer(entry.value) or 0) > 0:
        yield entry.finding(
            "interval-ignored",
            "interval skips batches of whole frames; an engine on objects does not look at it.",
            "Write secondary-reinfer-interval, in frames, in the file of nvinfer.",
            severity="warning",
        )


def _async(subject: Subject) -> Iterator[Finding]:
    if subject.flag("classifier-async-mode") and subject.flag("output-tensor-meta"):
        yield subject.finding(
            "async-tensors",
            "classifier-async-mode",
            "in asynchronous mode nvinfer attaches no tensor meta, so that no embedding comes out; objects "
            "without a track are passed over.",
            "Write classifier-async-mode=0.",
            value="0",
        )


def _pool(subject: Subject) -> Iterator[Finding]:
    if subject.flag("output-tensor-meta") and not subject.flag("auto-inc-mem", default=True):
        yield subject.finding(
            "fixed-pool",
            "auto-inc-mem",
            "tensor meta holds buffers of a pool until the frame is freed; a pool that cannot grow is empty "
            "when queues are long, and the pipeline stands still.",
            "Write auto-inc-mem=1, or make tensor-meta-pool-size large enough.",
            severity="warning",
            value="1",
        )


def _parsers(subject: Subject) -> Iterator[Finding]:
    for key in ("parse-classifier-func-name", "engine-create-func-name"):
        entry = subject.get(key)
        if entry is not None and subject.get("custom-lib-path") is None:
            yield entry.finding(
                "parser-without-library",
                f"no custom-lib-path says which library has {entry.value}: nvinfer passes over the name and "
                "does it in its own way.",
                "Add custom-lib-path=LIBRARY.so, or remove the name.",
            )


def _written(subject: Subject) -> Iterator[Finding]:
    for key, (rule, problem, when) in _WRITTEN.items():
        if subject.flag(key):
            change = f"Write {key}=0 when {when}."
            yield subject.finding(rule, key, problem, change, severity="warning", value="0")


_WRITTEN: Final = {
    "dump-input-tensor": (
        "dump-tensors",
        "the first crop of every batch is appended, as float32, to ip_tensor_dump.bin in the working folder, "
        "and the GPU is waited for each time: good for a comparison with pamtri verify, fatal for a disk.",
        "the comparison is done",
    ),
    "dump-output-tensor": (
        "dump-tensors",
        "every output of every batch is appended to LAYER_op_tensor.bin in the working folder: good for a "
        "comparison with pamtri verify, fatal for a disk.",
        "the comparison is done",
    ),
    "raw-output-file-write": (
        "raw-output",
        "every output of every batch is written to a file of its own in the working folder.",
        "you have seen them",
    ),
}
"""Flags that write to the disk in every batch: the rule, the problem, and until when one may want it."""


def _overwriting(subject: Subject) -> Iterator[Finding]:
    for key, files, what in (
        ("overwrite-input-tensor", "ip-tensor-file", "the first crop of every batch is"),
        ("overwrite-output-tensor", "op-tensor-files", "the outputs of every batch are"),
    ):
        if not subject.flag(key):
            continue
        given = subject.get(files) is not None
        effect = (
            ": what comes out is then not of the video."
            if given
            else ", which is not given: nvinfer reads from nowhere, or crashes."
        )
        yield subject.finding(
            "overwrite-tensors",
            key,
            f"{what} replaced by float32 values of {files}{effect}",
            f"Write {key}=0 when the comparison is done.",
            severity="warning" if given else "error",
            value="0",
        )


def check_nvinfer(subject: Subject) -> Iterator[Finding]:
    """Give findings about a configuration of nvinfer that hold for every network."""
    for rule in _RULES:
        yield from rule(subject)


_RULES: Final[tuple[Callable[[Subject], Iterator[Finding]], ...]] = (
    _named_network,
    _files,
    _classes,
    _reinfer,
    _interval,
    _async,
    _pool,
    _parsers,
    _written,
    _overwriting,
)
