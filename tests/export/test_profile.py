# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The time of each stage on this machine's processor."""

from __future__ import annotations

import sys

import pytest

from pamtri_edge.errors import InputError
from pamtri_edge.export import cli
from pamtri_edge.export.engines import profile
from pamtri_edge.export.engines.profile import Profile
from pamtri_edge.export.show import profile_table
from pamtri_edge.runtime.tensorrt import timing


def test_the_command_shows_the_stages_of_both_forms(tiny_options, monkeypatch, capsys):
    monkeypatch.setattr(profile, "CPU_SIZES", (1, 2))
    monkeypatch.setattr(profile, "CPU_ROUNDS", 1)
    kept = ("staged", "profile")
    monkeypatch.setattr(cli, "ExportOptions", lambda **given: tiny_options(**{k: given[k] for k in kept}))
    monkeypatch.setattr(sys, "argv", ["pamtri-export", "--model", "lite", "--staged", "--profile"])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    said = capsys.readouterr().out
    assert stop.value.code == 0
    fused, _, staged = said.partition("two networks, OpenVINO (fp32)")
    assert "Milliseconds a batch: fused, OpenVINO (fp32)" in fused
    for stage in ("pose network", "decode", "stack", "re-identification network", "whole"):
        assert stage in staged
    assert "batch 2" in staged


def test_the_table_has_the_part_of_the_whole():
    table = profile_table(Profile("x", {"decode": {1: 1.0, 8: 2.0}, "whole": {1: 4.0, 8: 16.0}}))
    cells = [list(column.cells) for column in table.columns]
    assert cells[0] == ["decode", "whole", "whole, a crop"]
    assert cells[2] == ["2.000", "16.000", "2.000"]
    assert cells[3] == ["12.5%", "100.0%", ""]


def test_only_sizes_that_an_engine_is_prepared_for_can_be_measured():
    with pytest.raises(InputError, match="the batch size is 3; accepted: 1, 2, 4, 8, 16, 32"):
        timing.stage_times(None, None, 3, rounds=1)
