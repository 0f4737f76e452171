# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A manifest without a network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from pamtri_edge.bundle import Manifest, TensorSpec
from small_bundle import SMALL


@pytest.fixture
def manifest() -> Callable[..., Manifest]:
    """Return a function that makes the manifest of a bundle of three-dimensional embeddings."""
    bare = replace(
        SMALL, outputs=(TensorSpec("embedding", (None, 3)),), embedding_dim=3, colors=None, trained=True
    )

    def make(**more: Any) -> Manifest:
        return replace(bare, **more)

    return make
