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
from typing import Any

from pamtri_edge import _core
from pamtri_edge.manifest import MANIFEST_FILE
from pamtri_edge.runtime.network_file import network_bytes
from pamtri_edge.runtime.tensorrt.build import PROFILES, Profile
from pamtri_edge.runtime.tensorrt.device import Gpu
from pamtri_edge.runtime.tensorrt.library import Library


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
        """Twenty hexadecimal digits: the name of the engine's files, the same for what serves alike."""
        return _core.fingerprint_digest(dataclasses.asdict(self))

    def differences(self, other: Mapping[str, Any]) -> list[str]:
        """Return what differs from another engine's record, as clauses such as "the GPU was 'A', is 'B'".

        CUDA's minor version makes no difference, and a version of TensorRT may lack its last part.
        """
        record = {name: _fact(value) for name, value in other.items()}
        return _core.fingerprint_differences(dataclasses.asdict(self), record)


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
        profiles=_core.profiles_text([(one.smallest, one.best, one.largest) for one in profiles]),
    )


def _precision(model: Path) -> str | None:
    """Return the precision of the bundle that a file lies in."""
    try:
        manifest = json.loads((model.parent / MANIFEST_FILE).read_text(encoding="utf-8"))
        return str(manifest["precision"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _fact(value: Any) -> str | None:
    """Return a value of a record as text; what is no text is told apart from the text that it looks like."""
    return value if value is None or isinstance(value, str) else f"{value!r}, which is no text"
