# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""`pamtri train pose` and `pamtri train reid`, from a folder of pictures to weights."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from drawn_sets import write_set
from pamtri_edge import samples, train
from pamtri_edge.cli.train import app
from pamtri_edge.cli.training import held_out
from pamtri_edge.errors import InputError, PamtriError
from pamtri_edge.models import TINY, ReidNet, ReidSpec, load_pose, load_reid, save_checkpoint, seeded
from pamtri_edge.models.checkpoints import checkpoint_metadata
from pamtri_edge.vehicle import TYPES
from tiny_networks import SMALLEST

SMALL = ("--model", "lite", "--steps", "2", "--sizes", "64", "--threads", "1", "--workers", "1")


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """Return drawn vehicles in the layout of VeRi, with made-up keypoints."""
    folder = write_set(tmp_path_factory.mktemp("data"), vehicles=range(1, 5), views=3)
    write_set(folder, vehicles=(7, 8), views=3, part="query")
    return write_set(folder, vehicles=(7, 8), views=3, part="test")


def invoke(*arguments: object):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def pose_line(data: Path, output: Path) -> tuple[object, ...]:
    more = ("--batch", 4, "--recipe", "compact", "--validate", data)
    return ("pose", "--data", data, "--output", output, *SMALL, *more)


@pytest.fixture(scope="module")
def pose(data, tmp_path_factory) -> Path:
    """Return the folder of a finished training of a pose network."""
    folder = tmp_path_factory.mktemp("trained") / "pose"
    result = invoke(*pose_line(data, folder))
    assert result.exit_code == 0
    assert "2 steps; weights and record are in" in result.stdout
    assert "12 pictures of 4 vehicles" in result.stderr
    assert "images/s at 64 px" in result.stderr
    return folder


def as_it_is(network, _):
    """Run a pose network in PyTorch, which starts sooner; tests/train compiles one."""
    return lambda pictures: [network(torch.from_numpy(pictures)).numpy()]


@pytest.mark.slow
def test_pose_then_re_identification_from_a_folder(data, pose, tmp_path, monkeypatch):
    monkeypatch.setattr("pamtri_edge.train.pose_inputs._compiled", as_it_is)
    assert load_pose(pose / "last.safetensors").spec.stem == 32
    assert {path.name for path in pose.iterdir()} >= {"last.safetensors", "best.safetensors", "record.json"}
    reid, small = tmp_path / "reid", tmp_path / "pose.safetensors"
    save_checkpoint(seeded(SMALLEST, pictures=samples.crops(2))[0], small)
    asked = ["--embed", "segments", "--keypoints", "--loss", "center", "--alike", "0.5", "--augment", "code"]
    asked += ["--batch", "8", "--pictures-per-vehicle", "2"]
    files = ("--pose", small, "--validate", data)
    result = invoke("reid", "--data", data, "--output", reid, *SMALL, *asked, *files)
    assert result.exit_code == 0
    spec = load_reid(reid / "last.safetensors").spec
    assert (spec.segments, spec.heatmaps, spec.keypoints, spec.multitask) == (True, False, True, True)
    record = json.loads((reid / "record.json").read_text())
    assert record["config"]["recipe"]["name"] == "paper"
    assert record["config"]["recipe"]["loss"]["kind"] == "center"
    assert record["config"]["recipe"]["alike"] == 0.5
    assert record["config"]["recipe"]["augment"]["erase"] == 0.0  # the paper's recipe would erase
    assert record["config"]["pose"].startswith("sha256:")
    assert record["finished"]


@pytest.mark.slow
def test_a_finished_training_is_told_and_started_again_only_if_asked(data, pose, tmp_path):
    line = pose_line(data, shutil.copytree(pose, tmp_path / "pose"))
    again = invoke(*line)
    assert again.exit_code == 0
    assert "it was finished before" in again.stderr
    assert "2 steps; weights and record are in" in again.stdout
    with pytest.raises(InputError, match=r"recipe\.rate: [\d.e-]+ before, 0\.1 now"):
        invoke(*line, "--rate", 0.1)
    assert invoke(*line, "--rate", 0.1, "--overwrite").exit_code == 0


def test_the_feature_baseline_keeps_weights_as_they_are(tmp_path):
    weights = tmp_path / "first.safetensors"
    source = ReidNet(ReidSpec(keypoints=False, heatmaps=False, multitask=False, vehicles=3))
    save_checkpoint(source, weights)
    frozen = tmp_path / "frozen.safetensors"
    result = invoke("frozen", "--init", weights, "--output", frozen)
    assert result.exit_code == 0
    loaded = load_reid(frozen)
    assert loaded.spec.embedding == loaded.spec.pooled
    assert loaded.stem[0].weight.equal(source.stem[0].weight)


@pytest.mark.slow
def test_whitening_writes_weights_that_say_how_they_were_made(data, tmp_path, monkeypatch):
    weights, output = tmp_path / "first.safetensors", tmp_path / "white.safetensors"
    bare = replace(TINY[1], keypoints=False, heatmaps=False)
    source = seeded((TINY[0], bare), pictures=samples.crops(2))[1]
    save_checkpoint(source, weights)
    line = ("whiten", "--reid", weights, "--data", data, "--output", output, "--vehicles", 4, "--views", 2)
    result = invoke(*line)
    assert result.exit_code == 0
    loaded = load_reid(output)
    width = source.spec.feature + source.spec.pooled
    assert f"embeddings of {width} numbers" in result.output.replace("\n", " ")
    assert loaded.spec.whitened
    assert json.loads(checkpoint_metadata(output)["whitening"])["views"] == 2
    monkeypatch.setattr("pamtri_edge.train.refit.whiten", None)  # is told before anything is computed
    with pytest.raises(InputError, match="exists already"):
        invoke(*line)
    with pytest.raises(InputError, match="no is not a folder; make it first"):
        invoke(*line, "--output", tmp_path / "no" / "white.safetensors")


@pytest.mark.slow
def test_a_type_is_learned_anew_and_the_weights_say_of_what(data, tmp_path):
    weights, output = tmp_path / "first.safetensors", tmp_path / "bus.safetensors"
    bare = replace(TINY[1], keypoints=False, heatmaps=False)
    save_checkpoint(seeded((TINY[0], bare), pictures=samples.crops(2))[1], weights)
    line = ("type", "--reid", weights, "--data", data, "--output", output, "--views", 2)
    with pytest.raises(InputError, match="unknown types: tram"):
        invoke(*line, "--type", "tram")
    name = next(name for name in TYPES if TYPES.index(name) in train.read_data(data).types)
    result = invoke(*line, "--type", name)
    assert result.exit_code == 0
    assert f"tells {name} as these pictures show it" in result.output.replace("\n", " ")
    assert json.loads(checkpoint_metadata(output)[f"type {name}"])["views"] == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--minutes", 1), "--minutes and --steps: give one of them"),
        (("--checkpoint-every", "soon"), "expected a time such as 60s or 5m, or a number of steps"),
        (("--sizes", "big"), r"expected sides such as 128,256@0\.75"),
        (("--sizes", "100"), "a multiple of 32"),
        (("--device", "cuda:7"), "torch finds no CUDA device"),
        (("--device", "gpu"), "--device gpu: expected auto, cpu, cuda or cuda:N"),
        (("--pose-source", "net"), "which needs a pose network"),
        (("--backbone", "densenet201"), "is a network of the paper's widths"),
        (("--batch", 64), "4 vehicles, but a batch takes 16 of 4 pictures"),
        (("--footage", "a.mp4"), r"1 --footage and 0 --tracks"),
        (("--validate-clip", "a.mp4", "--keypoints"), "--validate-clip needs a pose network"),
        (("--validate-clip", "a.mp4", "--embed", "none", "--no-keypoints"), "belong together"),
        (("--validate-clip", "a.mp4", "--validate-tracks", "none", "--embed", "none"), "no track file"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_trained(
    data, tmp_path, arguments, message, monkeypatch
):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(PamtriError, match=message):
        invoke("reid", "--data", data, "--output", tmp_path / "run", *SMALL, "--batch", 8, *arguments)
    assert not (tmp_path / "run" / "last.safetensors").exists()


def test_a_folder_that_cannot_be_answered_is_refused_before_anything_is_trained(data, tmp_path):
    for part in ("query", "test"):
        for vehicle in (1, 2):
            target = tmp_path / "set" / f"image_{part}" / f"{vehicle:04d}_c00{vehicle}_0.jpg"
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(next((data / "image_test").iterdir()), target)
    line = ("reid", "--data", data, "--output", tmp_path / "run", *SMALL, "--batch", 8)
    with pytest.raises(InputError, match=r"set: none of the 2 queries has a true match .* another camera"):
        invoke(*line, "--validate", tmp_path / "set")
    assert not (tmp_path / "run").exists()


def test_pictures_held_out_are_spread_over_the_whole_part(data):
    found = held_out(data, 4).samples
    assert [(one.vehicle, one.camera) for one in found] == [(7, 1), (7, 2), (8, 1), (8, 2)]


def test_nothing_to_learn_from_is_refused(tmp_path):
    with pytest.raises(InputError, match="no data was given"):
        invoke("pose", "--output", tmp_path, *SMALL)
    with pytest.raises(InputError, match="is not there; expected image_train"):
        invoke("pose", "--data", tmp_path / "absent", "--output", tmp_path, *SMALL)


def test_packed_weights_are_half_as_large_with_the_odds_of_types_that_were_asked_for(tmp_path):
    networks = seeded((SMALLEST[0], TINY[1]), pictures=samples.crops(4))
    pose, reid = (
        save_checkpoint(network, tmp_path / f"{kind}.safetensors")
        for kind, network in zip(("pose", "reid"), networks, strict=True)
    )
    for factor in (2, 3):
        line = ("pack", "--pose", pose, "--reid", reid, "--type-odds", f"bus={factor}", "--output", tmp_path)
        assert invoke(*line).exit_code == 0
        reid = tmp_path / "lite-reid.safetensors"
    more = load_reid(reid).classifier_vtype.bias - networks[1].classifier_vtype.bias
    assert more.tolist() == pytest.approx([np.log(6) if name == "bus" else 0.0 for name in TYPES], abs=1e-5)
    assert checkpoint_metadata(reid)["type_odds"] == '{"bus": 2.0}, then {"bus": 3.0}'
    assert (tmp_path / "lite-pose.safetensors").stat().st_size < 0.7 * pose.stat().st_size
    result = invoke(*line, "--name", "a/b")
    assert result.exit_code == 2
    assert "'a/b' is no beginning of a file's name" in result.output
    with pytest.raises(InputError, match="cannot be a folder: File exists"):
        invoke(*line, "--output", reid)
