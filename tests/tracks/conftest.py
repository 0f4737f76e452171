# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Track files for the tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Make = Callable[..., Path]


@pytest.fixture
def track_file(tmp_path: Path) -> Make:
    """Return a function that writes a file of tracks."""

    def make(text: str | bytes, name: str = "tracks.txt") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return make


@pytest.fixture
def track_folder(tmp_path: Path) -> Make:
    """Return a function that writes a folder of track files."""

    def make(files: dict[str, str]) -> Path:
        folder = tmp_path / "folder"
        folder.mkdir()
        for name, text in files.items():
            (folder / name).write_text(text)
        return folder

    return make


@pytest.fixture
def kitti_line() -> Callable[..., str]:
    """Return a function that gives a line as DeepStream writes it."""
    zeros = "0.0 0.0 0.0 0.0 0.0 0.0 0.0"

    def line(label: str, track: object, box: str, tail: str = "") -> str:
        return f"{label} {track} 0.0 0 0.0 {box} {zeros}{tail}\n"

    return line
