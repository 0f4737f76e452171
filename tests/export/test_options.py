# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What an export may be asked for, what it is called, and the plan of `--dry-run`."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import pytest

from pamtri_edge import samples
from pamtri_edge.errors import InputError
from pamtri_edge.export import ExportOptions, cli, plan_export
from pamtri_edge.export.plan import crop_sources
from pamtri_edge.geometry import Geometry


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"model": "lite"}, "pamtri-lite.pamtri"),
        ({"reid": Path("w/model_best.pth.tar")}, "model_best.pamtri"),
        ({"reid": Path("night.safetensors")}, "night.pamtri"),
        ({"reid": Path("night"), "output": Path("a/day.pamtri")}, "a/day.pamtri"),
    ],
)
def test_a_bundle_is_named_after_its_weights_unless_told(given, name):
    assert ExportOptions(**given).final == Path(name)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({}, "say what to export"),
        ({"model": "lite", "reid": Path("x.pth")}, "not both"),
        ({"pose": Path("x.pth")}, "pose alone gives no embedding; give .*--reid"),
        ({"model": "huge"}, "model is 'huge'; accepted: 'lite', 'paper'"),
        ({"model": "lite", "precision": "fp8"}, "precision is 'fp8'; accepted: 'fp32', 'fp16', 'int8'"),
        ({"model": "lite", "parity_crops": 0}, "at least 1"),
    ],
)
def test_options_that_contradict_each_other_are_refused(given, reason):
    with pytest.raises(InputError, match=reason):
        ExportOptions(**given)


def test_a_bundle_has_its_suffix():
    with pytest.raises(InputError, match=r"out; a bundle's name ends in \.pamtri"):
        _ = ExportOptions(model="lite", output=Path("out")).final


@pytest.fixture
def folders(tmp_path):
    """Return two folders, with 5 and 3 pictures."""
    for folder, count in (("many", 5), ("few", 3)):
        (tmp_path / folder).mkdir()
        for index, crop in enumerate(samples.crops(count)):
            cv2.imwrite(str(tmp_path / folder / f"{index}.png"), crop[..., ::-1])
    return tmp_path / "many", tmp_path / "few"


def names(files):
    return [path.name for path in files]


def test_int8_is_never_compared_on_pictures_that_it_was_fitted_to(folders):
    many, few = folders
    compared, fitted = crop_sources(ExportOptions(model="lite", precision="int8", calibration=many))
    assert (names(compared), names(fitted)) == (["1.png", "3.png"], ["0.png", "2.png", "4.png"])
    both = crop_sources(ExportOptions(model="lite", precision="int8", calibration=many, crops=many))
    assert both == (compared, fitted)
    apart = crop_sources(ExportOptions(model="lite", precision="int8", calibration=many, crops=few))
    assert [len(files) for files in apart] == [3, 5]


def test_other_precisions_are_compared_on_whatever_there_is(folders):
    many, few = folders
    assert len(crop_sources(ExportOptions(model="lite", crops=many))[0]) == 5
    assert len(crop_sources(ExportOptions(model="lite", calibration=few))[0]) == 3
    assert crop_sources(ExportOptions(model="lite")) == ([], [])


def test_a_plan_knows_the_graph_without_making_it(tmp_path, folders):
    many, _ = folders
    plan = plan_export(
        ExportOptions(
            model="paper",
            precision="int8",
            calibration=many,
            geometry=Geometry.ORIGINAL,
            output=tmp_path / "p.pamtri",
        )
    )
    assert plan.size == "paper"
    assert 38e6 < plan.parameters < 39e6
    assert [spec.name for spec in plan.inputs] == ["images", "pose_images", "crop_size"]
    assert plan.outputs[0].shape == (None, 1024)
    assert plan.calibration == f"3 crops of {many}"
    assert plan.files["model.onnx"] == pytest.approx(40e6, rel=0.1)
    assert "nvinfer" in plan.notes[0]
    assert plan.parity == f"2 crops of {many}"
    assert plan.seconds > 30


def test_a_plan_says_how_many_pictures_are_used(folders):
    many, _ = folders
    options = ExportOptions(model="lite", crops=many, parity_crops=2, output=many.parent / "x.pamtri")
    assert plan_export(options).parity == f"2 of 5 crops of {many}"


def test_a_dry_run_shows_the_plan_and_writes_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "150")
    monkeypatch.setattr(sys, "argv", ["pamtri-export", "--model", "paper", "--dry-run"])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    said = " ".join(capsys.readouterr().out.split())
    assert stop.value.code == 0
    assert "pamtri-paper.pamtri" in said
    assert "38.52 M parameters" in said
    assert "embedding (N, 1024)" in said
    assert "model.onnx (" in said
    assert "Nothing was written" in said
    assert list(tmp_path.iterdir()) == []


def test_no_option_at_all_is_one_sentence(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["pamtri-export"])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 1
    assert "--model lite for a first try" in capsys.readouterr().err


def test_class_names_come_from_a_list_or_a_file(tmp_path):
    assert cli.class_names(None, "colors") is None
    assert cli.class_names("red, dark blue,other", "colors") == ("red", "dark blue", "other")
    listed = tmp_path / "colors.txt"
    listed.write_text("red\ndark blue\n\nother\n")
    assert cli.class_names(str(listed), "colors") == ("red", "dark blue", "other")


@pytest.mark.parametrize("given", ["", "red,,blue", " , "])
def test_an_empty_class_name_is_refused(given):
    with pytest.raises(InputError, match="has an empty name"):
        cli.class_names(given, "colors")


def test_a_file_of_names_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "names").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="is not a text file"):
        cli.class_names(str(tmp_path / "names"), "types")
