# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Rules for gst-nvinfer, whatever network it runs. What they rest on was read in its source (9.1)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from pamtri_edge.lint import nvinfer_keys as keys
from pamtri_edge.lint.document import Document, Group
from pamtri_edge.lint.file_rules import check_file, is_there, missing
from pamtri_edge.lint.finding import Finding, Replace
from pamtri_edge.lint.shape_rules import check_keys
from pamtri_edge.lint.subject import Subject
from pamtri_edge.lint.vocabulary import Key, integer, nearest

_READER: Final = "nvinfer"
_GROUPS: Final = (keys.PROPERTY, f"{keys.CLASS_ATTRS}all")
_OTHER: Final = "100"
_CLASSIFIER: Final = "1"


def check_groups(document: Document) -> Iterator[Finding]:
    """Give findings about the groups of a file for nvinfer, and about their keys."""
    for group in document.groups:
        if group.name == keys.PROPERTY:
            yield from check_keys(group, keys.PROPERTY_KEYS.get, keys.PROPERTY_KEYS, _READER)
        elif group.name.startswith(keys.CLASS_ATTRS):
            yield from check_keys(group, keys.CLASS_KEYS.get, keys.CLASS_KEYS, _READER)
        elif (
            finding := unknown_group(group, (keys.PROPERTY, f"{keys.CLASS_ATTRS}all"), _READER)
        ) is not None:
            yield finding
    if document.group(keys.PROPERTY) is None:
        yield Finding(
            path=document.path,
            line=1,
            severity="error",
            rule="missing-group",
            problem="there is no group [property], without which nvinfer does not start.",
            change="Put the keys under [property].",
        )


def unknown_group(group: Group, known: tuple[str, ...], reader: str) -> Finding | None:
    """Return the finding that a group has a name near to a known one; others are of no harm."""
    near = nearest(group.name, known)
    if near is None or near == group.name:
        return None
    return group.finding(
        "unknown-group",
        f"{reader} knows no group {group.name!r} and passes over it with all its keys.",
        f"Write {near}.",
        edits=group.renamed(near),
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
    built = engine is not None and is_there(subject.path(engine))
    if onnx is not None and onnx.value and not built and not is_there(subject.path(onnx)):
        yield missing(onnx, subject.path(onnx))
    others = [key for key in keys.NETWORK_KEYS if key not in ("onnx-file", "model-engine-file")]
    alone = onnx is None and not any(subject.get(key) for key in others)
    if alone and engine is not None and not built:
        yield missing(engine, subject.path(engine))


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


def _tensors(subject: Subject) -> Iterator[Finding]:
    said = {
        "dump-input-tensor": "the first crop of every batch is appended, as float32, to ip_tensor_dump.bin "
        "in the working folder, and the GPU is waited for each time: good for a comparison with pamtri "
        "verify, fatal for a disk.",
        "dump-output-tensor": "every output of every batch is appended to LAYER_op_tensor.bin in the working "
        "folder: good for a comparison with pamtri verify, fatal for a disk.",
    }
    for key, problem in said.items():
        if subject.flag(key):
            yield subject.finding(
                "dump-tensors",
                key,
                problem,
                f"Write {key}=0 when the comparison is done.",
                severity="warning",
                value="0",
            )
    yield from _overwriting(subject)


def _overwriting(subject: Subject) -> Iterator[Finding]:
    said = {
        "overwrite-input-tensor": (
            "ip-tensor-file",
            "the first crop of every batch is replaced by float32 values of",
        ),
        "overwrite-output-tensor": (
            "op-tensor-files",
            "the outputs of every batch are replaced by float32 values of",
        ),
    }
    for key, (files, what) in said.items():
        if not subject.flag(key):
            continue
        source = subject.get(files)
        problem = f"{what} {files}: what comes out is then not of the video."
        if source is None:
            problem = f"{what} {files}, which is not given: nvinfer reads from nowhere, or crashes."
        yield subject.finding(
            "overwrite-tensors",
            key,
            problem,
            f"Write {key}=0 when the comparison is done.",
            severity="warning" if source is not None else "error",
            value="0",
        )


def _raw(subject: Subject) -> Iterator[Finding]:
    if subject.flag("raw-output-file-write"):
        yield subject.finding(
            "raw-output",
            "raw-output-file-write",
            "every output of every batch is written to a file of its own in the working folder.",
            "Write raw-output-file-write=0 when you have seen them.",
            severity="warning",
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
    _tensors,
    _raw,
)
