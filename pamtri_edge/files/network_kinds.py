# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What a file is that was given for a network: told by its first bytes, whatever its name says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from pamtri_edge.files.kinds import PEEK, kind_of_other

ONNX: Final = "a network in ONNX form"
PYTORCH: Final = "a file of PyTorch"
PICKLE: Final = "a pickle, as PyTorch and others write it"
SAFETENSORS: Final = "weights as safetensors"
OPENVINO: Final = "a network of OpenVINO (XML)"
TFLITE: Final = "a network of TensorFlow Lite"
_TAR: Final = "a tar archive"

_NETWORKS: Final[tuple[tuple[re.Pattern[bytes], str], ...]] = tuple(
    (re.compile(start, re.DOTALL), kind)
    for start, kind in (
        (rb"PK\x03\x04.{26,300}?FB.\x00Z", PYTORCH),  # its way to align what it packs
        (rb"\x80[\x02-\x05]", PICKLE),
        (rb".{8}\{\"", SAFETENSORS),
        (rb"[fp]trt", "a TensorRT engine, bound to one GPU"),
        (rb".{4}TFL3", TFLITE),
        (rb"\x89HDF", "a file of Keras (HDF5)"),
        (rb"\s*<\?xml", OPENVINO),
        (rb".{257}ustar", _TAR),
        (rb"\x08[\x01-\x1f][\x12\x1a\x22\x2a\x32\x3a\x42]", ONNX),
    )
)
_UNPACK: Final = "Unpack it, and give the file in it."
_REMEDIES: Final = {
    _TAR: _UNPACK,
    **{kind_of_other(start): _UNPACK for start in (b"PK\3\4", b"\x1f\x8b", b"Rar!", b"7z\xbc\xaf\x27\x1c")},
    kind_of_other(b"<html"): "Download the file itself, not the page that offers it.",
    kind_of_other(b"version https://git-lfs"): "Fetch it: git lfs pull, or download the file itself.",
}


def network_kind(path: Path) -> tuple[str, str] | None:
    """Return what a file is, and what to do with it where that is the same for all; None where unknown.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        start = file.read(PEEK)
    kind = next((kind for pattern, kind in _NETWORKS if pattern.match(start)), None) or kind_of_other(start)
    return None if kind is None else (kind, _REMEDIES.get(kind, ""))
