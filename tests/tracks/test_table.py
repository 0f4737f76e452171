# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Tracks as one plain table: nothing of a box or an id is lost, and pamtri reads it back."""

from __future__ import annotations

import numpy as np
import pytest
from typer.testing import CliRunner

from pamtri_edge.cli import app
from pamtri_edge.tracks import TrackSet, read_tracks
from pamtri_edge.tracks.sets import write_table


@pytest.mark.parametrize("relative", [False, True])
def test_ids_and_boxes_come_back_exactly(tmp_path, rng, relative):
    corners = np.sort(rng.random((20, 2, 2)), axis=1).reshape(20, 4) * (1 if relative else 640)
    ids = rng.integers(2**53, 2**63, 20).astype(np.uint64)
    given = TrackSet(tmp_path, np.arange(20) // 2, ids, corners, first_frame=1, relative=relative)
    write_table(given, tmp_path / "table.csv")
    header, *rows = (tmp_path / "table.csv").read_text().splitlines()
    assert header == ("frame,id,x1_part,y1_part,x2_part,y2_part" if relative else "frame,id,x1,y1,x2,y2")
    cells = [row.split(",") for row in rows]
    assert [int(row[1]) for row in cells] == ids.tolist()
    np.testing.assert_array_equal([[float(cell) for cell in row[2:]] for row in cells], corners)


def test_the_command_writes_what_pamtri_reads_back(tmp_path):
    source, output = tmp_path / "gt.txt", tmp_path / "table.csv"
    source.write_text("1,7,10.25,20,30,40\n3,7,11,20,30,40\n3,8,11,20,30,40\n")
    done = CliRunner().invoke(app, ["tracks", str(source), "--output", str(output)])
    assert done.exit_code == 0, done.output
    assert "3 boxes of 2 tracks in 2 frames" in done.output
    again = read_tracks(output)
    for index in range(3):
        assert again.at(index) == read_tracks(source).at(index)


def test_the_command_replaces_nothing_unasked(tmp_path):
    source, output = tmp_path / "gt.txt", tmp_path / "table.csv"
    source.write_text("1,7,10,20,30,40\n")
    output.write_text("mine")
    for arguments in ([str(output)], [str(source), "--overwrite"]):
        done = CliRunner().invoke(app, ["tracks", str(source), "--output", *arguments])
        assert done.exit_code != 0
    assert output.read_text() == "mine"
    assert source.read_text() == "1,7,10,20,30,40\n"
