# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What pamtri-edge does on a machine, and what each of these needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pamtri_edge.doctor.findings import Ability, Finding

_NEEDS: Final[tuple[tuple[str, str, tuple[str, ...]], ...]] = (
    ("embed", "Reidentifier on the CPU", ("openvino", "bundle")),
    ("embed-gpu", "Reidentifier on a GPU (PyTorch)", ("cuda", "torch-cuda", "onnx", "bundle")),
    (
        "embed-tensorrt",
        "Reidentifier on a GPU (TensorRT)",
        ("cuda", "cupy", "tensorrt or tensorrt-rtx", "bundle"),
    ),
    ("run", "pamtri run", ("openvino", "bundle", "av", "norfair")),
    ("export", "pamtri-export", ("openvino", "torch", "onnx", "export-tools")),
    (
        "export-engine",
        "pamtri-export --engine",
        ("openvino", "torch", "onnx", "export-tools", "cuda", "cupy", "tensorrt or tensorrt-rtx"),
    ),
    (
        "export-torch-tensorrt",
        "pamtri-export --engine --via torch-tensorrt",
        ("openvino", "onnx", "export-tools", "cupy", "tensorrt", "torch-cuda", "torch-tensorrt"),
    ),
    ("engine-check", "TensorRT-RTX build check", ("tensorrt-rtx",)),
    ("nvinfer", "nvinfer config in DeepStream", ("cuda", "deepstream")),
)


NAMES: Final = tuple(name for name, _, _ in _NEEDS)
"""The abilities' names."""


def abilities(findings: Sequence[Finding]) -> tuple[Ability, ...]:
    """Return what these findings allow, in the order of the table above."""
    working = {finding.name for finding in findings if finding.ok}
    return tuple(
        Ability(name, title, needs, tuple(need for need in needs if working.isdisjoint(need.split(" or "))))
        for name, title, needs in _NEEDS
    )
