# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""An export that cannot be right is refused: exit code 1, a reason, and nothing under the final name."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import os
import shutil
import signal
import subprocess
import sys
from collections import namedtuple

import cv2
import numpy as np
import pytest
import torch
from onnx import helper, numpy_helper

from pamtri_edge import samples
from pamtri_edge.bundle import open_bundle
from pamtri_edge.errors import ExportError, InputError
from pamtri_edge.export import ParityError, bundle_export, cli, export_bundle, plan, plan_export
from pamtri_edge.models import TINY, PoseNet, ReidNet
from pamtri_edge.models.checkpoints import save_checkpoint
from remembered_exports import remembered_seeded
from tiny_networks import SMALLEST


def assert_nothing_left(folder):
    assert list(folder.iterdir()) == []


@pytest.fixture
def spoiled(monkeypatch):
    """Return what makes every export change its graph before it is written."""

    def spoil(change):
        genuine = bundle_export.export_graph

        def export_graph(module, **names):
            model = genuine(module, **names)
            change(model)
            return model

        monkeypatch.setattr(bundle_export, "export_graph", export_graph)

    return spoil


def scaled(model, name, factors):
    """Multiply a weight of a graph."""
    (tensor,) = (tensor for tensor in model.graph.initializer if tensor.name == name)
    values = numpy_helper.to_array(tensor) * np.asarray(factors, np.float32)
    tensor.CopyFrom(numpy_helper.from_array(values, name))


@pytest.fixture
def wrong_weights(spoiled):
    """Change one layer of re-identification between the export and the comparison."""
    signs = np.where(np.arange(TINY[1].feature) < TINY[1].feature // 2, -1, 1)[:, None]
    spoiled(lambda model: scaled(model, "reid.network.fc_vid.weight", signs))


@pytest.mark.usefixtures("wrong_weights", "every_engine")
def test_a_file_that_is_another_network_is_refused_with_its_figures(tiny_options, tmp_path):
    with pytest.raises(
        ParityError, match=r"not the network that it was made of; nothing was written"
    ) as refused:
        export_bundle(tiny_options())
    assert_nothing_left(tmp_path)
    failures = refused.value.report.failures
    assert any(text.startswith("openvino (fp32): end to end, the least cosine is") for text in failures)
    assert any(text.startswith("torch (fp32): from its own heatmaps") for text in failures)


def test_the_command_ends_with_1_shows_the_comparison_and_leaves_an_old_bundle_of_that_name(
    wrong_weights, tiny_options, tiny_bundle, tmp_path, monkeypatch, capsys
):
    shutil.copytree(tiny_bundle, tmp_path / "tiny.pamtri")
    before = open_bundle(tmp_path / "tiny.pamtri").manifest
    monkeypatch.setattr(cli, "ExportOptions", lambda **given: tiny_options(overwrite=given["overwrite"]))
    monkeypatch.setattr(sys, "argv", ["pamtri-export", "--model", "lite", "--overwrite"])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    said = capsys.readouterr()
    assert stop.value.code == 1
    assert "Traceback" not in said.err
    assert "error: the fp32 file is not the network that it was made of" in said.err
    assert "from the file's own heatmaps: crops" in said.out
    assert open_bundle(tmp_path / "tiny.pamtri").manifest == before
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.pamtri"]


def test_drift_is_written_only_when_allowed_and_recorded(wrong_weights, tiny_options):
    result = export_bundle(tiny_options(allow_drift=True))
    manifest = open_bundle(result.path).manifest
    assert manifest.parity["passed"] is False
    assert result.report.failures


def test_a_graph_that_breaks_the_rules_is_refused_with_its_nodes(tiny_options, tmp_path, spoiled):
    forbidden = helper.make_node("NonZero", ["images"], ["where"], name="glue/NonZero_9")
    spoiled(lambda model: model.graph.node.append(forbidden))
    with pytest.raises(ExportError, match=r"TensorRT 10\.3(.|\n)*glue/NonZero_9: operator NonZero"):
        export_bundle(tiny_options())
    assert_nothing_left(tmp_path)


@contextlib.contextmanager
def small_disk(folder, size):
    """Mount a small file system in memory."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting a file system in memory needs root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_really_fills_up_leaves_nothing(tiny_options, tmp_path, monkeypatch):
    folder = tmp_path / "disk"
    folder.mkdir()
    monkeypatch.setattr(plan, "check_room", lambda *_: None)  # it was free when the export began
    with small_disk(folder, "300k"):
        with pytest.raises(ExportError, match=r"disk full: .*nothing was left"):
            export_bundle(tiny_options(output=folder / "tiny.pamtri"))
        assert_nothing_left(folder)


def test_a_disk_that_is_too_full_is_refused_before_the_work(tiny_options, tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")(10**9, 10**9 - 10**6, 10**6)
    monkeypatch.setattr("pamtri_edge.export.plan.shutil.disk_usage", lambda _: usage)
    monkeypatch.setattr(bundle_export, "networks", lambda _: pytest.fail("began to work"))
    with pytest.raises(ExportError, match=r"1 MB free, and the export needs about \d+ MB"):
        export_bundle(tiny_options())
    assert_nothing_left(tmp_path)


def test_a_place_that_cannot_be_written_is_refused_before_the_work(tiny_options, tmp_path, monkeypatch):
    monkeypatch.setattr(bundle_export, "networks", lambda _: pytest.fail("began to work"))
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ExportError, match="is not a folder"):
        export_bundle(tiny_options(output=tmp_path / "file" / "tiny.pamtri"))
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(ExportError, match="no permission in"):
        export_bundle(tiny_options())
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_taken_name_is_refused_before_the_work(tiny_options, tiny_bundle, monkeypatch):
    monkeypatch.setattr(bundle_export, "networks", lambda _: pytest.fail("began to work"))
    with pytest.raises(ExportError, match=r"exists; give --overwrite"):
        export_bundle(tiny_options(output=tiny_bundle))


def test_something_that_is_no_bundle_is_never_overwritten(tiny_options, tmp_path):
    precious = tmp_path / "tiny.pamtri"
    precious.mkdir()
    (precious / "thesis.txt").write_text("all of it")
    with pytest.raises(ExportError, match="is not a bundle, so it is not overwritten"):
        export_bundle(tiny_options(overwrite=True))
    assert (precious / "thesis.txt").read_text() == "all of it"


def saved(folder, pose, reid):
    """Save both networks; return their files as options."""
    folder.mkdir()
    pose, reid = save_checkpoint(pose, folder / "pose.pth"), save_checkpoint(reid, folder / "reid.pth")
    return {"model": None, "pose": pose, "reid": reid}


@pytest.fixture
def three_colors(tmp_path):
    """Save weights with 3 color classes; return their files as options."""
    reid = ReidNet(dataclasses.replace(TINY[1], colors=3))
    return saved(tmp_path / "weights", PoseNet(SMALLEST[0]), reid)


@pytest.mark.parametrize(
    ("colors", "said"),
    [
        (None, r"has 3 color classes, but VeRi.*has 10.*--colors NAME,NAME"),
        (("red", "blue"), r"has 3 color classes, but 2 names were given"),
        (("red", "blue", "red"), r"not all different"),
    ],
)
def test_names_that_are_not_one_a_class_are_refused(tiny_options, three_colors, colors, said):
    with pytest.raises((ExportError, InputError), match=said):
        plan_export(tiny_options(**three_colors, colors=colors))


def test_as_many_names_as_classes_are_taken(tiny_options, three_colors):
    colors = ("red", "blue", "other")
    assert plan_export(tiny_options(**three_colors, colors=colors)).colors == colors


def test_a_missing_pose_network_is_named(tiny_options, three_colors):
    with pytest.raises(InputError, match="come from a pose network, and none is given"):
        plan_export(tiny_options(**{**three_colors, "pose": None}, colors=("a", "b", "c")))


def test_two_stages_need_two_networks(tiny_options, tmp_path):
    reid = ReidNet(dataclasses.replace(TINY[1], keypoints=False, heatmaps=False))
    alone = save_checkpoint(reid, tmp_path / "reid.pth")
    with pytest.raises(InputError, match="leave out --staged"):
        plan_export(tiny_options(model=None, reid=alone, staged=True))


def test_the_manifest_does_not_tell_where_folders_lie(tiny_options, tmp_path):
    (tmp_path / "street").mkdir()
    for index, crop in enumerate(samples.crops(4)):
        cv2.imwrite(str(tmp_path / "street" / f"{index}.png"), crop)
    result = export_bundle(tiny_options(precision="int8", calibration=tmp_path / "street"))
    text = (result.path / "manifest.json").read_text()
    assert str(tmp_path) not in text
    assert result.manifest.provenance["calibration"] == {"crops": 2, "source": "street", "weight_bits": 7}


def test_a_folder_without_pictures_is_refused_before_the_work(tiny_options, tmp_path):
    with pytest.raises(InputError, match="holds no picture"):
        export_bundle(tiny_options(crops=tmp_path))
    with pytest.raises(InputError, match="is not a folder"):
        export_bundle(tiny_options(crops=tmp_path / "nowhere"))


def test_a_terminated_export_leaves_nothing(tmp_path):
    script = """
import time
from pathlib import Path
import typer
from pamtri_edge.bundle import bundle_writer
from pamtri_edge.export import cli

def endless(place: Path):
    with bundle_writer(place) as writer:
        writer.file("model.onnx").write_text("half of it")
        print("writing", flush=True)
        time.sleep(60)

cli.app = typer.Typer()
cli.app.command()(endless)
cli.main()
"""
    words = [sys.executable, "-c", script, tmp_path / "x.pamtri"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert any("writing" in line for line in running.stdout)
        running.terminate()
        assert running.wait(timeout=60) == 128 + signal.SIGTERM
    assert_nothing_left(tmp_path)


def test_a_program_that_exports_answers_signals_as_before(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["pamtri-export", "--help"])
    with pytest.raises(SystemExit):
        cli.main()
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL  # what is forked next inherits it


def test_sums_that_overflow_in_float16_are_refused(tiny_options, spoiled):
    def stretch(model):  # the same network in float32
        for name, factor in (("conv1.weight", 2**20), ("conv1.weight_bias", 2**20), ("conv2.weight", 2**-20)):
            scaled(model, f"pose.network.{name}", factor)

    spoiled(stretch)
    with pytest.raises(ParityError, match=r"heatmaps holds? values that are not finite"):
        export_bundle(tiny_options(precision="fp16"))


def test_a_network_that_gives_no_embedding_is_refused_before_the_export(tiny_options, tmp_path, monkeypatch):
    monkeypatch.setattr(bundle_export, "export_graph", lambda *_, **__: pytest.fail("began to export"))
    pose, reid = remembered_seeded(SMALLEST, pictures=samples.crops(16))
    with torch.no_grad():
        for parameter in reid.parameters():
            parameter.zero_()
    with pytest.raises(ExportError, match=r"gives an embedding of length 0 on \d+ of \d+ pictures"):
        export_bundle(tiny_options(**saved(tmp_path / "dead", pose, reid)))
    pose, reid = remembered_seeded(SMALLEST, pictures=samples.crops(16))
    with torch.no_grad():
        reid.base.norm0.weight.fill_(1e38)
    with pytest.raises(ExportError, match=r"gives embedding values that are not finite|that are not finite"):
        export_bundle(tiny_options(**saved(tmp_path / "huge", pose, reid)))


def test_a_machine_without_a_folder_for_temporary_files_is_refused_before_the_work(tiny_options, monkeypatch):
    def none():
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']")

    monkeypatch.setattr("tempfile.gettempdir", none)
    with pytest.raises(InputError, match="Name one: TMPDIR="):
        plan_export(tiny_options())
