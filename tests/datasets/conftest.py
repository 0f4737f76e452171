# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Small data sets of drawn vehicles, as they lie on disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from drawn_sets import write_set, write_test_set


@pytest.fixture
def data_folder(tmp_path: Path) -> Path:
    """Return a folder of 3 vehicles seen by 3 cameras; camera 1's views are the queries."""
    return write_test_set(tmp_path / "set")


@pytest.fixture(scope="session")
def veri(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of 6 vehicles with 5 pictures each; leave it as it is."""
    folder = write_set(tmp_path_factory.mktemp("veri"))
    write_set(folder, vehicles=range(11, 15), views=3, part="query")
    return write_set(folder, vehicles=range(11, 15), views=6, part="test")


@pytest.fixture
def make_set(tmp_path: Path) -> Callable[..., Path]:
    """Return what writes a set of one's own; see `write_set`."""
    return lambda **options: write_set(tmp_path / "set", **options)
