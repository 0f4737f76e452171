# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What an engine was built of, with and for: it serves nowhere else, and this says in words why not."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pamtri_edge.manifest import MANIFEST_FILE
from pamtri_edge.runtime.network_file import network_bytes
from pamtri_edge.runtime.tensorrt.build import PROFILES, Profile
from pamtri_edge.runtime.tensorrt.device import Gpu
from pamtri_edge.runtime.tensorrt.library import Library

_WORDS: Final = {
    "onnx": "the network",
    "library": "TensorRT",
    "cuda": "CUDA",
    "compute": "the GPU's architecture",
    "gpu": "the GPU",
    "l4t": "the Jetson's L4T",
    "precision": "the precision",
    "profiles": "the batch profiles",
}


@dataclass(frozen=True)
class Fingerprint:
    """Everything on which an engine's validity depends. Field by field it is text, or None for "none".

    Attributes:
        onnx: SHA-256 of the ONNX file.
        library: "TensorRT" or "TensorRT-RTX" and its full version.
        cuda: version of the CUDA runtime.
        compute: the GPU's architecture, such as "sm_87".
        gpu: the GPU's name: kernels are chosen by their speed on it.
        l4t: release of a Jetson's system software.
        precision: what the bundle's manifest says; None for an ONNX file that lies alone.
        profiles: the batches that the engine is tuned for.
    """

    onnx: str
    library: str
    cuda: str
    compute: str
    gpu: str
    l4t: str | None
    precision: str | None
    profiles: str

    @property
    def digest(self) -> str:
        """Twenty hexadecimal digits: the name of the engine's files."""
        text = json.dumps(dataclasses.asdict(self), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:20]

    def differences(self, other: Mapping[str, Any]) -> list[str]:
        """Return what differs from another engine's record, as clauses such as "the GPU was 'A', is 'B'"."""
        clauses = []
        for field, mine in dataclasses.asdict(self).items():
            theirs = other.get(field)
            if theirs == mine:
                continue
            if field == "onnx":
                clauses.append(f"{_WORDS[field]} was {str(theirs)[:12]}..., is {mine[:12]}... (SHA-256)")
            else:
                clauses.append(f"{_WORDS[field]} was {_quoted(theirs)}, is {_quoted(mine)}")
        return clauses


def fingerprint(
    model: Path, library: Library, gpu: Gpu, *, profiles: Sequence[Profile] = PROFILES
) -> Fingerprint:
    """Return the fingerprint of the engine of an ONNX file on this machine.

    Raises:
        BundleError: the file cannot be read, or keeps weights in other files, which no checksum covers.
    """
    return Fingerprint(
        onnx=hashlib.sha256(network_bytes(model, None)).hexdigest(),
        library=library.title,
        cuda=gpu.cuda,
        compute=gpu.compute,
        gpu=gpu.name,
        l4t=gpu.l4t,
        precision=_precision(model),
        profiles=" ".join(map(str, profiles)),
    )


def _precision(model: Path) -> str | None:
    """Return the precision of the bundle that a file lies in."""
    try:
        manifest = json.loads((model.parent / MANIFEST_FILE).read_text(encoding="utf-8"))
        return str(manifest["precision"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _quoted(value: Any) -> str:
    return "none" if value is None else repr(value)
