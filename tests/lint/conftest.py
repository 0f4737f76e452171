# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Configurations that are right, to be broken by the tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pamtri_edge.bundle import SHIPPED_BUNDLE, open_bundle
from pamtri_edge.export import deepstream
from small_bundle import golden, manifest  # noqa: F401 - fixtures
from small_bundle import write as small_bundle  # noqa: F401


@pytest.fixture(scope="session")
def right() -> str:
    """Return a configuration of nvinfer for the bundle of the package, with absolute paths."""
    text = deepstream.files(open_bundle(SHIPPED_BUNDLE).manifest)[deepstream.CONFIG]
    labels = SHIPPED_BUNDLE / deepstream.FOLDER / deepstream.LABELS
    text = text.replace("labelfile-path=labels.txt", f"labelfile-path={labels}")
    return text.replace("=../", f"={SHIPPED_BUNDLE}/")


@pytest.fixture
def write(tmp_path: Path, right: str) -> Callable[[str, str], Path]:
    """Return what writes a configuration, with a right one of nvinfer beside it."""
    (tmp_path / "nvinfer.txt").write_text(right)

    def file(text: str, name: str = "config.txt") -> Path:
        path = tmp_path / name
        path.write_text(text)
        return path

    return file
