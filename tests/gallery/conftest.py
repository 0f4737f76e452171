# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A manifest without a network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from pamtri_edge.bundle import Manifest, TensorSpec
from small_bundle import manifest as small_manifest  # noqa: F401 - a fixture


@pytest.fixture
def manifest(small_manifest: Manifest) -> Callable[..., Manifest]:  # noqa: F811
    """Return a function that makes the manifest of a bundle of three-dimensional embeddings."""
    bare = replace(
        small_manifest,
        outputs=(TensorSpec("embedding", (None, 3)),),
        embedding_dim=3,
        colors=None,
        trained=True,
    )

    def make(**more: Any) -> Manifest:
        return replace(bare, **more)

    return make
