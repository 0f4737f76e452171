# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pamtri_edge.errors import InputError
from pamtri_edge.video.write import OutputFolder


@pytest.mark.parametrize("name", [".", "new/folder"])
def test_an_empty_folder_is_taken_and_a_new_one_made_with_its_parents(tmp_path: Path, name: str) -> None:
    OutputFolder(tmp_path / name).clear()
    assert (tmp_path / name / "crops").is_dir()


def test_a_folder_with_something_in_it_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_text("{}\n")
    with pytest.raises(InputError, match=r"is not empty; .* --overwrite \(in Python overwrite=True\)"):
        OutputFolder(tmp_path)
    assert (tmp_path / "events.jsonl").read_text() == "{}\n"


def test_overwriting_replaces_an_earlier_run_and_nothing_else(tmp_path: Path) -> None:
    earlier = ["events.jsonl", "annotated.mp4", "summary.json", "crops/7.jpg", "annotated/7.jpg"]
    others = ["notes.txt", "crops/mine.jpg", "crops/7.png", "annotated/mine.jpg"]
    for name in ("crops", "annotated"):
        (tmp_path / name).mkdir()
    for name in earlier + others:
        (tmp_path / name).write_text("x")
    folder = OutputFolder(tmp_path, overwrite=True)
    assert all((tmp_path / name).exists() for name in earlier)  # until the new run really begins
    folder.clear()
    assert not any((tmp_path / name).exists() for name in earlier)
    assert all((tmp_path / name).exists() for name in others)


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(InputError, match="out is a file; expected a folder"):
        OutputFolder(tmp_path / "out", overwrite=True)
    with pytest.raises(InputError, match=r"out/inner cannot be written: Not a directory"):
        OutputFolder(tmp_path / "out" / "inner")


def test_a_folder_on_a_read_only_disk_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: Any) -> Any:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    with pytest.raises(InputError, match="cannot be written: Read-only file system"):
        OutputFolder(tmp_path)


def test_a_file_that_cannot_be_written_leaves_no_part_of_it(tmp_path: Path) -> None:
    folder = OutputFolder(tmp_path)
    folder.clear()
    (tmp_path / "crops" / "7.jpg").mkdir()  # a folder cannot be replaced by a file
    picture = np.zeros((8, 8, 3), np.uint8)
    with pytest.raises(InputError, match=r"crops/7\.jpg cannot be written"):
        folder.write_crop(7, picture)
    assert [path.name for path in folder.crops.iterdir()] == ["7.jpg"]
