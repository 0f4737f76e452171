# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Small ONNX files made by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from onnx_models import Array, model_of


def convolutions(dtype: type[np.generic]) -> onnx.ModelProto:
    """Return two convolutions and a mean, in float32 or float16, float32 at the borders."""
    rng = np.random.default_rng(1)
    half = dtype == np.float16
    constants: dict[str, Array] = {
        "w1": (rng.normal(size=(16, 3, 3, 3)) / 5).astype(dtype),
        "b1": rng.normal(size=16).astype(dtype),
        "w2": (rng.normal(size=(8, 16, 3, 3)) / 12).astype(dtype),
        "axes": np.array([2, 3]),
    }
    nodes = [
        helper.make_node("Conv", ["x", "w1", "b1"], ["c1"], pads=[1, 1, 1, 1], strides=[2, 2]),
        helper.make_node("Relu", ["c1"], ["r1"]),
        helper.make_node("Conv", ["r1", "w2"], ["c2"], pads=[1, 1, 1, 1]),
        helper.make_node("ReduceMean", ["c2f" if half else "c2", "axes"], ["embedding"], keepdims=0),
    ]
    if half:
        nodes.insert(0, helper.make_node("Cast", ["images"], ["x"], to=TensorProto.FLOAT16))
        nodes.insert(4, helper.make_node("Cast", ["c2"], ["c2f"], to=TensorProto.FLOAT))
    else:
        nodes.insert(0, helper.make_node("Identity", ["images"], ["x"]))
    return model_of(nodes, {"images": ["n", 3, 16, 16]}, {"embedding": ["n", 8]}, constants)


def quantized() -> onnx.ModelProto:
    """Return the float32 convolutions with int8 weights behind a DequantizeLinear and int8 activations."""
    plain = convolutions(np.float32)
    weights = {t.name: numpy_helper.to_array(t) for t in plain.graph.initializer}
    zero = np.int8(0)
    constants: dict[str, Array] = {
        "b1": weights["b1"],
        "axes": weights["axes"],
        "scale0": np.array(2 / 127, np.float32),
        "scale1": np.array(4 / 127, np.float32),
        "zero": np.array(zero),
    }
    nodes = []
    for name in ("w1", "w2"):
        scale = np.abs(weights[name]).max(axis=(1, 2, 3)) / 127
        constants[f"{name}q"] = np.round(weights[name] / scale[:, None, None, None]).astype(np.int8)
        constants[f"{name}s"] = scale.astype(np.float32)
        constants[f"{name}z"] = np.zeros(len(scale), np.int8)
        parts = [f"{name}q", f"{name}s", f"{name}z"]
        nodes.append(helper.make_node("DequantizeLinear", parts, [name], axis=0))
    for at, (tensor, scale_name) in enumerate((("images", "scale0"), ("r1", "scale1"))):
        nodes.append(helper.make_node("QuantizeLinear", [tensor, scale_name, "zero"], [f"q{at}"]))
        nodes.append(helper.make_node("DequantizeLinear", [f"q{at}", scale_name, "zero"], [f"d{at}"]))
        if at == 0:
            nodes.append(
                helper.make_node("Conv", ["d0", "w1", "b1"], ["c1"], pads=[1, 1, 1, 1], strides=[2, 2])
            )
            nodes.append(helper.make_node("Relu", ["c1"], ["r1"]))
    nodes.append(helper.make_node("Conv", ["d1", "w2"], ["c2"], pads=[1, 1, 1, 1]))
    nodes.append(helper.make_node("ReduceMean", ["c2", "axes"], ["embedding"], keepdims=0))
    return model_of(nodes, {"images": ["n", 3, 16, 16]}, {"embedding": ["n", 8]}, constants)


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the files of the small convolutional network, by precision."""
    folder = tmp_path_factory.mktemp("models")
    made = {
        "fp32": convolutions(np.float32),
        "fp16": convolutions(np.float16),
        "int8": quantized(),
    }
    for name, model in made.items():
        onnx.save(model, folder / f"{name}.onnx")
    return {name: folder / f"{name}.onnx" for name in made}


@pytest.fixture
def save(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a model made as `model_of` makes it, under a name that is its graph's."""

    def save(*arguments: object, name: str = "model", **options: object) -> Path:
        path = tmp_path / f"{name}.onnx"
        onnx.save(model_of(*arguments, name=name, **options), path)  # type: ignore[arg-type]
        return path

    return save


@pytest.fixture
def pictures(rng: np.random.Generator) -> NDArray[np.float32]:
    return rng.normal(size=(5, 3, 16, 16)).astype(np.float32)
