# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Half-precision nodes on a CPU: halves in, sums in float32, halves out, layer by layer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from onnx import TensorProto, helper

from pamtri_edge.runtime.half_arithmetic import half_arithmetic
from pamtri_edge.runtime.torch.backend import EMULATED_HALF, TorchBackend
from pamtri_edge.runtime.torch.graph import read_graph

Save = Callable[..., Path]

Array = np.ndarray[Any, Any]
SHAPE = (2, 4, 6, 6)


def halves(values: Array) -> Array:
    return values.astype(np.float16).astype(np.float32)


LAYERS: dict[str, tuple[dict[str, Any], dict[str, tuple[int, ...]]]] = {
    "Conv": ({}, {"weight": (3, 4, 3, 3), "bias": (3,)}),
    "BatchNormalization": ({}, {"scale": (4,), "shift": (4,), "mean": (4,), "variance": (4,)}),
    "Add": ({}, {"other": SHAPE[1:]}),
    "Mul": ({}, {"other": (4, 1, 1)}),
    "MatMul": ({}, {"other": (6, 5)}),
    "AveragePool": ({"kernel_shape": [2, 2], "strides": [2, 2]}, {}),
    "GlobalAveragePool": ({}, {}),
    "Resize": ({"mode": "linear"}, {}),
    "Relu": ({}, {}),
}
"""By operator the attributes, and the shapes of the weights."""


def layer(kind: str, save: Save, dtype: Any = np.float16) -> Path:
    """Save a file of one layer between casts; its weights are halves, whatever it is typed in."""
    attributes, shapes = LAYERS[kind]
    rng = np.random.default_rng(8)
    drawn = {name: np.abs(rng.normal(size=shape)).astype(np.float16) for name, shape in shapes.items()}
    constants: dict[str, Array] = {name: values.astype(dtype) for name, values in drawn.items()}
    names = ["typed", *constants]
    if kind == "Resize":
        constants["scales"] = np.array([1, 1, 2, 2], np.float32)
        names = ["typed", "", "scales"]
    nodes = [
        helper.make_node("Cast", ["images"], ["typed"], to=helper.np_dtype_to_tensor_dtype(np.dtype(dtype))),
        helper.make_node(kind, names, ["result"], **attributes),
        helper.make_node("Cast", ["result"], ["embedding"], to=TensorProto.FLOAT),
    ]
    return save(nodes, {"images": ["n", *SHAPE[1:]]}, {"embedding": ["n", "c", "h", "w"]}, constants)


@pytest.mark.parametrize("kind", LAYERS)
def test_a_layer_rounds_what_it_takes_and_what_it_gives_and_nothing_between(
    kind: str, save: Save, rng: np.random.Generator
) -> None:
    images = (rng.normal(size=SHAPE) * 3).astype(np.float32)
    found = run(layer(kind, save), images)
    exact = run(layer(kind, save, np.float32), halves(images))
    np.testing.assert_array_equal(found, halves(exact))
    assert kind in ("Relu", "Resize") or not np.array_equal(found, exact)


def test_sums_beyond_the_largest_half_become_infinite(save: Save) -> None:
    found = run(layer("Conv", save), np.full(SHAPE, 30_000.0, np.float32))
    assert np.isinf(found).all()


def test_values_below_the_smallest_normal_half_lose_bits(save: Save) -> None:
    images = np.full(SHAPE, 1e-7, np.float32)
    images[0] = 1e-8
    found = run(layer("Relu", save), images)
    assert found[1].max() == np.float32(np.float16(1e-7)) == 2.0**-23
    assert found[0].max() == 0


def test_the_processors_own_half_arithmetic_is_near(models: dict[str, Path]) -> None:
    images = np.random.default_rng(3).normal(size=(2, 3, 16, 16)).astype(np.float32)
    emulated, native = (TorchBackend(models["fp16"], native_half=native) for native in (False, True))
    assert (emulated.arithmetic, native.arithmetic) == (EMULATED_HALF, "fp16")
    results = [backend.run({"images": images})["embedding"] for backend in (emulated, native)]
    np.testing.assert_allclose(*results, atol=0.01)


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("flags : fpu avx512_fp16 amx_fp16", "AMX fp16"),
        ("flags : fpu avx512f avx512_fp16", "AVX-512 fp16"),
        ("Features : fp asimd fphp asimdhp", "Arm fp16"),
        ("flags : fpu avx2 f16c avx512_bf16", None),
    ],
)
def test_a_processor_with_half_arithmetic_is_known_by_its_words(
    words: str, name: str | None, tmp_path: Path
) -> None:
    (tmp_path / "cpuinfo").write_text(words)
    assert half_arithmetic(tmp_path / "cpuinfo") == name
    assert half_arithmetic(tmp_path / "nothing") is None


def run(model: Path, images: Array) -> Array:
    graph = read_graph(model, device=torch.device("cpu"), native_half=False)
    with torch.inference_mode():
        return graph.run({"images": torch.from_numpy(images)})["embedding"].numpy()
