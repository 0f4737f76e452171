# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Graphs under ONNX Runtime, on the processor: to see what they give, or what they are once simplified."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from onnx import ModelProto


def session(model: ModelProto | Path, *, level: str = "ENABLE_ALL", simplified: Path | None = None) -> Any:
    """Return what runs a graph; it prints nothing of its own.

    Args:
        model: the graph, or its file.
        level: how far it is optimized: "DISABLE_ALL", "ENABLE_BASIC" or "ENABLE_ALL".
        simplified: where the optimized graph is written to; None for nowhere.

    Raises:
        Exception: ONNX Runtime refuses the graph; it raises whatever its C++ does.
    """
    import onnxruntime  # type: ignore[import-untyped]

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what is wrong comes as an error
    options.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, f"ORT_{level}")
    if simplified is not None:
        options.optimized_model_filepath = str(simplified)
    given = str(model) if isinstance(model, Path) else model.SerializeToString()
    return onnxruntime.InferenceSession(given, options, providers=["CPUExecutionProvider"])
