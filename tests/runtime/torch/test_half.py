# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Half-precision nodes on a CPU: halves in, sums in float32, halves out, against NumPy, layer by layer."""

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


def convolved(x: Array, weight: Array, bias: Array) -> Array:
    """A 3x3 convolution without padding, its sums exact."""
    windows = np.lib.stride_tricks.sliding_window_view(x.astype(np.float64), (3, 3), axis=(2, 3))
    return np.einsum("nchwij,ocij->nohw", windows, weight) + bias[:, None, None]


def enlarged(x: Array) -> Array:
    """Twice the size, bilinear, half-pixel centers."""
    for axis in (2, 3):
        x = np.moveaxis(x.astype(np.float64), axis, -1)
        before = np.concatenate([x[..., :1], x[..., :-1]], axis=-1)
        after = np.concatenate([x[..., 1:], x[..., -1:]], axis=-1)
        x = np.stack([0.25 * before + 0.75 * x, 0.75 * x + 0.25 * after], axis=-1)
        x = np.moveaxis(x.reshape(*x.shape[:-2], -1), -1, axis)
    return x


def normalized(x: Array, scale: Array, shift: Array, mean: Array, variance: Array) -> Array:
    scale, shift, mean, variance = (values[:, None, None] for values in (scale, shift, mean, variance))
    return (x - mean) / np.sqrt(variance + 1e-5) * scale + shift


LAYERS: dict[str, Any] = {
    "Conv": (("Conv", {}), {"weight": (3, 4, 3, 3), "bias": (3,)}, convolved),
    "BatchNormalization": (
        ("BatchNormalization", {}),
        {"scale": (4,), "shift": (4,), "mean": (4,), "variance": (4,)},
        normalized,
    ),
    "Add": (("Add", {}), {"other": SHAPE[1:]}, np.add),
    "Mul": (("Mul", {}), {"other": (4, 1, 1)}, np.multiply),
    "MatMul": (("MatMul", {}), {"other": (6, 5)}, lambda x, w: x.astype(np.float64) @ w),
    "AveragePool": (
        ("AveragePool", {"kernel_shape": [2, 2], "strides": [2, 2]}),
        {},
        lambda x: x.astype(np.float64).reshape(2, 4, 3, 2, 3, 2).mean(axis=(3, 5)),
    ),
    "GlobalAveragePool": (
        ("GlobalAveragePool", {}),
        {},
        lambda x: x.astype(np.float64).mean(axis=(2, 3), keepdims=True),
    ),
    "Resize": (
        ("Resize", {"mode": "linear"}),
        {},
        enlarged,
    ),
    "Relu": (("Relu", {}), {}, lambda x: np.maximum(x, 0)),
}


def half_layer(kind: str, save: Save, rng: np.random.Generator) -> tuple[Path, list[Array]]:
    """Save a file of one half layer between casts; return it and its weights, which are halves."""
    (operator, attributes), shapes, _ = LAYERS[kind]
    weights = {name: np.abs(rng.normal(size=shape)).astype(np.float16) for name, shape in shapes.items()}
    constants: dict[str, Array] = dict(weights)
    names = ["half", *weights]
    if operator == "Resize":
        constants["scales"] = np.array([1, 1, 2, 2], np.float32)
        names = ["half", "", "scales"]
    nodes = [
        helper.make_node("Cast", ["images"], ["half"], to=TensorProto.FLOAT16),
        helper.make_node(operator, names, ["result"], **attributes),
        helper.make_node("Cast", ["result"], ["embedding"], to=TensorProto.FLOAT),
    ]
    model = save(nodes, {"images": ["n", *SHAPE[1:]]}, {"embedding": ["n", "c", "h", "w"]}, constants)
    return model, [values.astype(np.float32) for values in weights.values()]


@pytest.mark.parametrize("kind", LAYERS)
def test_a_layer_rounds_what_it_takes_and_what_it_gives_and_nothing_between(
    kind: str, save: Save, rng: np.random.Generator
) -> None:
    model, weights = half_layer(kind, save, rng)
    images = (rng.normal(size=SHAPE) * 3).astype(np.float32)
    found = run(model, images)
    exact = LAYERS[kind][2](halves(images), *weights)
    expected = exact.astype(np.float16)
    np.testing.assert_array_equal(found, halves(found))  # it is a half
    # The sums in float32 may fall the other way at the border between two halves, and nowhere else.
    apart = np.abs(found - expected.astype(np.float32))
    assert (apart <= np.spacing(np.abs(expected)).astype(np.float32)).all()
    assert (apart > 0).mean() < 0.01


def test_sums_beyond_the_largest_half_become_infinite(save: Save, rng: np.random.Generator) -> None:
    model, _ = half_layer("Conv", save, rng)
    found = run(model, np.full(SHAPE, 30_000.0, np.float32))
    assert np.isinf(found).all()


def test_values_below_the_smallest_normal_half_lose_bits(save: Save, rng: np.random.Generator) -> None:
    model, _ = half_layer("Relu", save, rng)
    images = np.full(SHAPE, 1e-7, np.float32)
    images[0] = 1e-8
    found = run(model, images)
    assert found[1].max() == np.float32(np.float16(1e-7)) == 2.0**-23
    assert found[0].max() == 0


def test_it_says_that_it_adds_up_in_float32(models: dict[str, Path]) -> None:
    assert TorchBackend(models["fp16"]).arithmetic == EMULATED_HALF
    assert TorchBackend(models["fp16"], native_half=True).arithmetic == "fp16"
    assert TorchBackend(models["fp32"]).arithmetic == "fp32"


def test_the_processors_own_half_arithmetic_is_near(models: dict[str, Path]) -> None:
    images = np.random.default_rng(3).normal(size=(2, 3, 16, 16)).astype(np.float32)
    emulated, native = (
        TorchBackend(models["fp16"], native_half=native).run({"images": images})["embedding"]
        for native in (False, True)
    )
    np.testing.assert_allclose(emulated, native, atol=0.01)


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
