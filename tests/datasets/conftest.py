# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Small data sets of drawn vehicles, as they lie on disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from drawn_sets import write_test_set


@pytest.fixture
def data_folder(tmp_path: Path) -> Path:
    """Return a folder of 3 vehicles seen by 3 cameras; camera 1's views are the queries."""
    return write_test_set(tmp_path / "set")
