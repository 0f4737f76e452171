# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What kind of file this is, told from its groups and keys, not from its name."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, Literal

from pamtri_edge.lint import app_keys, nvinfer_keys, postprocess_keys
from pamtri_edge.lint.document import Document
from pamtri_edge.lint.vocabulary import nearest

Kind = Literal["nvinfer", "nvdspostprocess", "deepstream-app", "service-maker"]
"""Kinds that lint examines."""

_SAMPLE: Final = "a configuration of one of NVIDIA's sample programs"
_OF_OTHER_PROGRAMS: Final = re.compile(r"branch\d+|meta-mux|(receiver|sender)\d+|audio-classifier")
_INFERENCE_SERVER: Final = re.compile(r"\s*infer_config\s*\{")

OTHERS: Final = (
    ("nvdspreprocess", {"target-unique-ids", "network-input-shape", "processing-width", "tensor-name"}),
    ("nvdsanalytics", {"config-width", "config-height", "display-font-size"}),
    ("nvdewarper", {"output-width", "output-height", "num-batch-buffers"}),
    ("nvdewarper", {"aisle-calibration-file"}),
    ("nvdsmetamux", {"active-pad"}),
    ("nvstreammux", {"algorithm-type"}),
    ("nvdsvideotemplate", {"width", "height"}),
    ("nvdsvideotemplate or nvdsmetautils", {"customlib-name"}),
)
"""Other elements with a group [property], by keys of it."""

_OWN_APPS: Final = ("config-file-path", "plugin-type")


def is_inference_server(lines: Iterable[str]) -> bool:
    """Tell a configuration of nvinferserver, which is neither a key file nor YAML."""
    return any(_INFERENCE_SERVER.match(line) for line in lines)


def kind_of(document: Document) -> Kind | str | None:
    """Return the kind of a file of groups.

    Returns:
        One of `Kind`; the name of another element in a sentence's words where lint knows the file but does
        not examine it; None where it is neither.
    """
    names = {group.name for group in document.groups}
    if names == {"pamtri"}:
        return "a configuration of our library behind nvdspostprocess, which examines it itself"
    if any(_OF_OTHER_PROGRAMS.fullmatch(name) for name in names):
        return _SAMPLE
    if (found := document.group(nvinfer_keys.PROPERTY)) is None and not _looks_like_app(names):
        near = next((g for g in document.groups if nearest(g.name, [nvinfer_keys.PROPERTY])), None)
        found = near
    if found is not None:
        keys = {entry.key for entry in found.entries}
        for name, signs in OTHERS:
            if len(keys & signs) >= min(len(signs), 2):
                return f"a configuration of {name}"
        return _inference(document, keys)
    if _looks_like_app(names):
        return (
            "a configuration of one of NVIDIA's sample programs" if _is_sample(document) else "deepstream-app"
        )
    keys = {entry.key for entry in document.entries()}
    if len(keys & set(nvinfer_keys.PROPERTY_KEYS)) >= 3:
        return "nvinfer"
    if names and all(name.startswith(("sensor", "place", "analytics")) for name in names):
        return "a configuration of nvmsgconv"
    if "message-broker" in names:
        return "a configuration of a broker's adapter"
    if names & {"BaseConfig", "TargetManagement", "NvDCF", "DataAssociator", "TrajectoryManagement"}:
        return "a configuration of nvtracker"
    return None


def _inference(document: Document, keys: set[str]) -> Kind:
    if document.syntax == "keyfile":
        return "nvinfer"
    own = set(postprocess_keys.PROPERTY_KEYS) - set(nvinfer_keys.PROPERTY_KEYS)
    others = set(nvinfer_keys.PROPERTY_KEYS) - set(postprocess_keys.PROPERTY_KEYS)
    if keys & own:
        return "nvdspostprocess"
    return "nvinfer" if keys & others or not keys else "nvdspostprocess"


def _looks_like_app(names: set[str]) -> bool:
    known = [name for name in names if app_keys.sort_of(name) is not None]
    near = [name for name in names if nearest(name, app_keys.NAMES) is not None]
    return len(known) >= 2 or (len(known) >= 1 and len(names) == 1) or len(near) >= 3


def _is_sample(document: Document) -> bool:
    """Tell the files of deepstream-test1 and its like, whose groups name properties of elements."""
    if document.syntax != "yaml":
        return len(document.groups) == 1 and not any(entry.key == "enable" for entry in document.entries())
    engines = [group for group in document.groups if app_keys.sort_of(group.name) == "gie"]
    return not any(group.get("enable") for group in document.groups) or any(
        group.get("config-file-path") and not group.get("enable") for group in engines
    )
