# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A bundle of a few hundred bytes: its checks do not look inside the network."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pamtri_edge.bundle import Golden, Manifest, TensorSpec, bundle_writer
from pamtri_edge.files.regular import sha256_of
from pamtri_edge.geometry import Geometry


def edit(bundle: Path, **fields: Any) -> None:
    """Change fields of a bundle's manifest; a value of `...` removes the field."""
    file = bundle / "manifest.json"
    record = json.loads(file.read_text()) | fields
    file.write_text(json.dumps({key: value for key, value in record.items() if value is not ...}))


def sign(bundle: Path) -> None:
    """Put the checksums of the files into the manifest."""
    names = json.loads((bundle / "manifest.json").read_text())["files"]
    edit(bundle, files={name: sha256_of(bundle / name) for name in names})


def read_golden(path: Path) -> Golden:
    return Golden.read(path.read_bytes(), source=path)


@pytest.fixture
def manifest() -> Manifest:
    return Manifest(
        name="small",
        precision="fp32",
        geometry=Geometry.UNIFIED,
        size="custom",
        variant={"keypoints": False, "heatmaps": False, "segments": False, "multitask": True, "pose": False},
        inputs=(TensorSpec("images", (None, 3, 4, 4)),),
        outputs=(TensorSpec("embedding", (None, 8)), TensorSpec("color", (None, 2))),
        embedding_dim=8,
        embedding_norm="unit",
        embedding_space="sha256:1234",
        colors=("dark", "light"),
        types=None,
        keypoint_names=None,
        trained=False,
        tolerance={"embedding": {"cosine": 0.999}, "color": {"max_abs": 0.01}},
        versions={"pamtri-edge": "0.1.0"},
    )


@pytest.fixture
def golden() -> Golden:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (2, 3, 4, 4)).astype(np.float32)
    outputs = {
        "embedding": rng.normal(size=(2, 8)).astype(np.float32),
        "color": rng.random((2, 2)).astype(np.float32),
    }
    return Golden({"images": images}, outputs, outputs)


@pytest.fixture
def write(manifest: Manifest, golden: Golden) -> Callable[..., Path]:
    """Return a function that writes the small bundle: `write(path, **what differs)`."""

    def write(
        final: Path,
        *,
        model: bytes = b"a network",
        manifest: Manifest = manifest,
        before_commit: Callable[[Path], object] = lambda folder: None,
        **options: Any,
    ) -> Path:
        with bundle_writer(final, **options) as writer:
            writer.file("model.onnx").write_bytes(model)
            writer.file("deepstream/labels.txt").write_text("dark;light")
            golden.save(writer.file("golden.npz"))
            before_commit(writer.path)
            return writer.commit(manifest)

    return write


@pytest.fixture
def bundle_path(write: Callable[..., Path], tmp_path: Path) -> Path:
    return write(tmp_path / "small.pamtri")
