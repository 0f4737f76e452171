# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A detector's description: how its network is fed and read, for pipelines that have no Python."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from pamtri_edge import _core
from pamtri_edge.errors import InputError
from pamtri_edge.files.atomic import write_atomically
from pamtri_edge.files.regular import sha256_of
from pamtri_edge.video.detect.network import Opened, open_network

SUFFIX: Final = ".detector.json"
_SCHEMA: Final = 1
_LARGEST_NUMBER: Final = 2**20  # of a class
_NUMPY_WORDS: Final = {"float32": "f32", "float16": "f16", "uint8": "u8", "int64": "i64", "int32": "i32"}


def description_path(model: Path) -> Path:
    """Return where pipelines look for the description of a network: NAME.detector.json beside it."""
    return model.with_suffix(SUFFIX)


def describe(model: Path) -> tuple[dict[str, Any], str]:
    """Return the description of a network, as JSON has it, and a sentence on what was found.

    Raises:
        InputError: the file is missing, cannot be loaded, or has a layout that is not known.
        MissingDependencyError: OpenVINO is not installed.
    """
    digest = sha256_of(model) if model.is_file() else ""
    opened = open_network(model)
    classes, notice = _classes(opened)
    description = {
        "format": "pamtri-detector",
        "schema": _SCHEMA,
        "model": {"file": model.name, "sha256": digest},
        "layout": opened.layout.name,
        "picture": _picture(opened),
        "sizes": _sizes(opened),
        "decoder": opened.layout.decoder.description(),
        "classes": classes,
    }
    return description, f"layout {opened.layout.name}" + (f"; {notice}" if notice else "")


def write_description(description: dict[str, Any], path: Path) -> None:
    """Write a description, whole or not at all.

    Raises:
        InputError: it cannot be written, or pipelines would not take it.
    """
    text = json.dumps(description, indent=2, ensure_ascii=False) + "\n"
    _core.check_detector_plan(text)
    try:
        write_atomically(path, text.encode())
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}.") from error


def _picture(opened: Opened) -> dict[str, Any]:
    picture, feeding = opened.picture, opened.picture.feeding
    return {
        "input": opened.input,
        "shape": list(picture.shape),
        "type": _NUMPY_WORDS[picture.dtype.name],
        "size": list(picture.size),
        "channels_last": picture.channels_last,
        "bgr": feeding.bgr,
        "divisor": feeding.divisor,
        "mean": list(feeding.mean),
        "deviation": list(feeding.deviation),
        "fit": feeding.fit.name.lower(),
    }


def _sizes(opened: Opened) -> dict[str, Any] | None:
    for number, tensor in opened.sizes.items():
        return {"input": number, "shape": list(tensor.shape), "type": _NUMPY_WORDS[tensor.dtype.name]}
    return None


def _classes(opened: Opened) -> tuple[dict[str, Any], str]:
    """Return the classes and what a user should know of them; which are wanted is for the pipeline to say."""
    misfit = ""
    try:
        classes = opened.classes(None)
    except InputError as error:  # names that are not those of its classes
        classes, misfit = opened.classes(("all",)), str(error)
    vehicles = None if misfit or classes.vehicles is None else list(classes.vehicles)
    names = {} if misfit else classes.names
    refusal = (misfit or classes.refusal) if vehicles is None else None
    described = {
        "all": classes.all,
        "limit": classes.limit,
        "names": {str(n): name for n, name in names.items() if 0 <= n < _LARGEST_NUMBER and name},
        "vehicles": vehicles,
        "refusal": refusal,
    }
    return described, refusal or classes.notice
