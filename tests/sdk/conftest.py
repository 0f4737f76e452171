# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Bundles with a network of a few nodes: mean colours of an 8x8 grid through one random matrix an output."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import NodeProto, helper

from onnx_models import model_of
from onnx_oracle import under_onnxruntime
from pamtri_edge.bundle import Golden, Manifest, TensorSpec, bundle_writer
from pamtri_edge.geometry import Geometry
from pamtri_edge.vehicle import KEYPOINT_NAMES

SIZES = {"embedding": 16, "color": 4, "type": 3, "keypoints": 108}
LIMITS = {"cosine": 0.9999, "max_abs": 1e-3}


def network(*, outputs: tuple[str, ...], original: bool) -> onnx.ModelProto:
    """Return a small network with a bundle's inputs and outputs.

    In `original` geometry the keypoints see the window, and the quality is the crop's area / 65536.
    """
    rng = np.random.default_rng(7)
    nodes: list[NodeProto] = []
    constants: dict[str, NDArray[Any]] = {"byte": np.array(1 / 255, np.float32), "one": np.array([1])}

    def add(operator: str, inputs: list[str], output: str, **attributes: Any) -> str:
        nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def features(source: str) -> str:
        add("AveragePool", [source], f"{source}_grid", kernel_shape=[32, 32], strides=[32, 32])
        add("Flatten", [f"{source}_grid"], f"{source}_flat")
        return add("Mul", [f"{source}_flat", "byte"], f"{source}_mean")

    pose = features("pose_images") if original else ""
    plain = features("images")
    for name, size in SIZES.items():
        if name not in outputs:
            continue
        source = pose if name == "keypoints" and original else plain
        constants[f"{name}_w"] = (rng.normal(size=(192, size)) / 4).astype(np.float32)
        add("Gemm", [source, f"{name}_w"], f"{name}_raw")
        if name == "embedding":
            add("ReduceL2", ["embedding_raw", "one"], "length", keepdims=1)
            add("Div", ["embedding_raw", "length"], "embedding")
        elif name == "keypoints":
            constants["points"] = np.array([0, 36, 3])
            add("Reshape", ["keypoints_raw", "points"], "keypoints_shaped")
            add("Sigmoid", ["keypoints_shaped"], "keypoints")
        else:
            add("Softmax", [f"{name}_raw"], name, axis=1)
    if "quality" in outputs:
        if original:
            constants["area"] = np.array(1 / 65536, np.float32)
            constants["first"], constants["second"] = np.array([0]), np.array([1])
            add("Gather", ["crop_size", "first"], "width", axis=1)
            add("Gather", ["crop_size", "second"], "height", axis=1)
            add("Mul", ["width", "height"], "pixels")
            add("Mul", ["pixels", "area"], "quality")
        else:
            constants["third"], constants["all"] = np.array([2]), np.array([1, 2])
            add("Gather", ["keypoints", "third"], "confidence", axis=2)
            add("ReduceMean", ["confidence", "all"], "mean_confidence", keepdims=0)
            add("Unsqueeze", ["mean_confidence", "one"], "quality")
    given, taken = (
        {spec.name: ["n", *spec.shape[1:]] for spec in specs}
        for specs in (specs_in(original), specs_out(outputs))
    )
    return model_of(nodes, given, taken, constants, name="micro")


def specs_in(original: bool) -> tuple[TensorSpec, ...]:
    images = TensorSpec("images", (None, 3, 256, 256))
    if not original:
        return (images,)
    return images, TensorSpec("pose_images", (None, 3, 256, 256)), TensorSpec("crop_size", (None, 2))


def specs_out(outputs: tuple[str, ...]) -> tuple[TensorSpec, ...]:
    shapes = {**{name: (None, size) for name, size in SIZES.items()}, "keypoints": (None, 36, 3)}
    return tuple(TensorSpec(name, shapes.get(name, (None, 1))) for name in outputs)


def write(
    final: Path,
    *,
    outputs: tuple[str, ...] = ("embedding", "color", "type", "keypoints", "quality"),
    original: bool = False,
    trained: bool = True,
    spoil: str | None = None,
) -> Path:
    """Write a micro bundle; `spoil` names an output whose golden values are made wrong."""
    model = network(outputs=outputs, original=original).SerializeToString()
    rng = np.random.default_rng(3)
    inputs = {
        spec.name: rng.integers(1, 256, (3, *(size or 0 for size in spec.shape[1:]))).astype(np.float32)
        for spec in specs_in(original)
    }
    expected = under_onnxruntime(model, inputs)
    golden = dict(expected)
    if spoil is not None:
        golden[spoil] = np.roll(expected[spoil], 1, axis=0)
    posed = "keypoints" in outputs
    manifest = Manifest(
        name="micro",
        precision="fp32",
        geometry=Geometry.ORIGINAL if original else Geometry.UNIFIED,
        size="custom",
        variant={
            "keypoints": posed,
            "heatmaps": posed,
            "segments": False,
            "multitask": "color" in outputs,
            "pose": posed,
        },
        inputs=specs_in(original),
        outputs=specs_out(outputs),
        embedding_dim=SIZES["embedding"],
        embedding_norm="unit",
        embedding_space="sha256:micro",
        colors=("black", "white", "red", "blue") if "color" in outputs else None,
        types=("sedan", "suv", "van") if "type" in outputs else None,
        keypoint_names=KEYPOINT_NAMES if posed else None,
        trained=trained,
        tolerance=dict.fromkeys(outputs, LIMITS),
    )
    with bundle_writer(final) as writer:
        writer.file("model.onnx").write_bytes(model)
        Golden(inputs, golden, expected).save(writer.file("golden.npz"))
        return writer.commit(manifest)


@pytest.fixture
def micro(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a micro bundle into a fresh folder, with the options of `write`."""
    return lambda name="micro.pamtri", **options: write(tmp_path / name, **options)


@pytest.fixture(scope="session")
def micro_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("sdk") / "micro.pamtri")


@pytest.fixture(scope="session")
def original_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("sdk") / "original.pamtri", original=True)


@pytest.fixture(scope="session")
def compute() -> Callable[[Path, dict[str, NDArray[np.float32]]], dict[str, NDArray[np.float32]]]:
    """Return a function that runs a bundle's network in another engine."""
    return lambda bundle, inputs: under_onnxruntime(bundle / "model.onnx", inputs)
