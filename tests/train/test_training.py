# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A training survives what happens to it: a kill, a full disk, a state cut short, another configuration."""

from __future__ import annotations

import json
import logging
import os
import resource
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from pamtri_edge.errors import CheckpointError, InputError
from pamtri_edge.models import TINY, TINY_LITE, PoseNet, checkpoint_metadata, load_pose, load_reid
from pamtri_edge.train import (
    REID,
    Budget,
    LossSpec,
    PoseJob,
    ReidJob,
    ReidLoss,
    Training,
    TrainingError,
    TrainSpec,
    loop,
    mixed,
    read_data,
)
from pamtri_edge.train.augment import AugmentSpec
from pamtri_edge.train.frozen_pose import FrozenPose
from pamtri_edge.train.record import write_curves
from pamtri_edge.train.validate import Validation
from pamtri_edge.words import PoseSource
from tiny_networks import SMALLEST


@pytest.fixture
def reid_job(veri, quick_reid):
    def make(**options):
        spec = options.pop("spec", TINY[1])
        return ReidJob(spec, read_data(veri), options.pop("recipe", quick_reid), **options)

    return make


@pytest.fixture
def without_curves(monkeypatch):
    """Leave the curves undrawn: drawing takes longer than the few steps before it."""
    monkeypatch.setattr(loop, "write_curves", lambda *_: None)


@pytest.fixture(scope="module")
def frozen_pose():
    """Return a pose network as trainings use it; to compile one takes seconds."""
    return FrozenPose(PoseNet(SMALLEST[0]))


@pytest.fixture
def train(tmp_path, without_curves):
    """Return what trains a job in a folder, to its end or until so many steps are done."""

    def run(job, name="run", *, until=None, steps=8, **options):
        spec = TrainSpec(
            output=tmp_path / name,
            budget=options.pop("budget", Budget(steps=steps)),
            log_steps=2,
            **options,
        )
        training = Training(job, spec)

        def stop(progress):
            if progress.step == until:
                training.stop()

        return training.run(on_progress=stop), tmp_path / name

    return run


def weights(folder):
    return load_reid(folder / "last.safetensors").state_dict()


def assert_same(first, second):
    assert first.keys() == second.keys()
    for name, tensor in first.items():
        assert torch.equal(tensor, second[name]), name


def record(folder):
    return json.loads((folder / "record.json").read_text())


@pytest.mark.parametrize("kind", [ReidLoss.CENTER, ReidLoss.BATCH_SAMPLE], ids=["learns", "draws"])
def test_an_interrupted_training_ends_with_the_same_weights(reid_job, train, quick_reid, kind):
    recipe = replace(quick_reid, loss=LossSpec(kind=kind), sizes=((0.0, 64), (0.5, 96)))
    finished, whole = train(reid_job(recipe=recipe), "whole")
    assert finished
    for until in (3, 6, None):
        torch.manual_seed(until or 0)  # what another program did to the generator must not matter
        finished, broken = train(reid_job(recipe=recipe), "broken", until=until)
        assert finished is (until is None)
    assert_same(weights(whole), weights(broken))
    assert record(broken)["resumed_at"] == [3, 6]
    assert record(broken)["curve"] == record(whole)["curve"]
    assert [row["size"] for row in record(whole)["curve"]] == [64, 64, 96, 96], "as the recipe says"


def test_so_does_that_of_a_network_of_which_part_is_frozen(reid_job, train, quick_reid):
    recipe = replace(quick_reid, frozen=2, frozen_norms=True, head_rate=10.0, traffic=0.5, one_color=0.3)
    spec = replace(TINY_LITE, heatmaps=False, keypoints=False)
    _, whole = train(reid_job(spec=spec, recipe=recipe), "whole")
    for until in (3, None):
        _, broken = train(reid_job(spec=spec, recipe=recipe), "broken", until=until)
    assert_same(weights(whole), weights(broken))
    assert record(broken)["resumed_at"] == [3]


def test_the_number_of_workers_changes_nothing(reid_job, train):
    _, one = train(reid_job(), "one", steps=4, workers=1)
    _, three = train(reid_job(), "three", steps=4, workers=3)
    assert_same(weights(one), weights(three))


def test_another_seed_changes_the_result(reid_job, train):
    _, one = train(reid_job(seed=0), "one", steps=2, seed=0)
    _, other = train(reid_job(seed=1), "other", steps=2, seed=1)
    assert not torch.equal(weights(one)["base.conv0.weight"], weights(other)["base.conv0.weight"])


def test_another_configuration_is_refused_with_the_fields_that_differ(reid_job, train, quick_reid):
    _, folder = train(reid_job(), until=3)
    changed = replace(quick_reid, rate=1e-3, loss=LossSpec(margin=0.5))
    with pytest.raises(InputError) as caught:
        train(reid_job(recipe=changed), seed=5)
    message = str(caught.value)
    assert "stopped at step 3" in message
    assert "recipe.rate: 0.0003 before, 0.001 now" in message
    assert "recipe.loss.margin: 0.3 before, 0.5 now" in message
    assert "seed: 0 before, 5 now" in message
    finished, _ = train(reid_job(recipe=changed), seed=5, overwrite=True)
    assert finished
    assert record(folder)["config"]["recipe"]["rate"] == 1e-3


def test_other_data_are_another_configuration(reid_job, train, veri, quick_reid):
    train(reid_job(), until=3)
    data = read_data(veri)
    fewer = replace(data, samples=data.samples[:-1])
    with pytest.raises(InputError, match=r"data\.pictures: 30 before, 29 now"):
        train(ReidJob(TINY[1], fewer, quick_reid))
    finished, _ = train(ReidJob(TINY[1], replace(data, name="/moved/set"), quick_reid))
    assert finished


def test_a_training_of_the_other_network_is_refused_in_one_sentence(reid_job, train, veri, quick_pose):
    train(reid_job(), until=1)
    with pytest.raises(InputError, match="holds a training of another network, reid, and not pose; give"):
        train(PoseJob(TINY[0], read_data(veri), quick_pose))


def test_a_finished_training_is_left_as_it_is(reid_job, train):
    _, folder = train(reid_job(), steps=2)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    finished, _ = train(reid_job(), steps=2)
    assert finished
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    (folder / "last.safetensors").rename(folder / "moved.safetensors")
    train(reid_job(), steps=2)
    assert_same(weights(folder), load_reid(folder / "moved.safetensors").state_dict())


def test_a_state_cut_short_gives_way_to_the_one_before(reid_job, train, caplog):
    _, whole = train(reid_job(), "whole")
    _, folder = train(reid_job(), until=6, checkpoint_steps=2)
    state = folder / "state.pt"
    state.write_bytes(state.read_bytes()[:1000])
    with caplog.at_level(logging.WARNING):
        finished, _ = train(reid_job(), checkpoint_steps=2)
    assert finished
    assert "state.pt (1000 bytes) cannot be read; going on from step" in caplog.text
    assert_same(weights(whole), weights(folder))


def test_states_that_are_all_cut_short_are_an_error(reid_job, train):
    _, folder = train(reid_job(), until=6, checkpoint_steps=2)
    for name in ("state.pt", "state.previous.pt"):
        (folder / name).write_bytes(b"PK\x03\x04 no more")
    with pytest.raises(CheckpointError, match=r"state\.pt .* and .*state\.previous\.pt .* cannot be read"):
        train(reid_job())


STEPS = 12
_SCRIPT = """
import sys
from pathlib import Path
from dataclasses import replace
from pamtri_edge.models import TINY
from pamtri_edge.train import *
from pamtri_edge.train.augment import AugmentSpec
data, output, steps = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
recipe = replace(REID["paper"], batch=6, pictures=2, sizes=((0.0, 64),), augment=AugmentSpec(zoom_in=0.1))
job = ReidJob(TINY[1], read_data(data), recipe)
spec = TrainSpec(output=output, budget=Budget(steps=steps), checkpoint_steps=3, log_steps=2)
Training(job, spec).run(on_progress=lambda now: print(now.step, flush=True))
"""


@pytest.fixture
def train_here(veri, monkeypatch, capsys, without_curves):
    """Return what runs the same program in this process, in a folder, and returns the steps that it told."""

    def run(output: Path) -> list[int]:
        monkeypatch.setattr(sys, "argv", ["-c", str(veri), str(output), str(STEPS)])
        exec(_SCRIPT, {})
        return [int(line) for line in capsys.readouterr().out.split()]

    return run


def test_a_killed_training_goes_on_and_ends_with_the_same_weights(veri, tmp_path, train_here):
    command = [sys.executable, "-c", _SCRIPT, str(veri), str(tmp_path / "broken"), str(STEPS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as broken:
        for line in broken.stdout:
            if int(line) == 5:
                time.sleep(0.01)
                os.kill(broken.pid, signal.SIGKILL)
                break
    assert broken.returncode == -signal.SIGKILL
    assert not (tmp_path / "broken" / "record.json").exists() or not record(tmp_path / "broken")["finished"]
    steps = train_here(tmp_path / "broken")
    assert steps[0] > 1, "went on, did not start again"
    assert train_here(tmp_path / "whole") == list(range(1, STEPS + 1))
    assert_same(weights(tmp_path / "whole"), weights(tmp_path / "broken"))
    assert record(tmp_path / "whole")["curve"] == record(tmp_path / "broken")["curve"]


@pytest.mark.parametrize("room", [200_000, 50_000], ids=["no state fits", "no weights fit"])
def test_a_full_disk_ends_the_training_in_words_and_leaves_the_last_state(reid_job, train, room):
    _, folder = train(reid_job(), until=3)
    before = (folder / "state.pt").read_bytes()
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, old[1]))  # writing past it fails as on a full disk
    try:
        with pytest.raises(TrainingError, match=r"cannot be written.*Make room"):
            train(reid_job(), checkpoint_steps=2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
    assert (folder / "state.pt").read_bytes() == before
    assert not list(folder.glob(".*.tmp"))
    finished, _ = train(reid_job())
    assert finished


def test_a_training_that_diverges_says_so(reid_job, train, quick_reid):
    with pytest.raises(TrainingError, match=r"no longer a finite number at step \d+: the training diverged"):
        train(reid_job(recipe=replace(quick_reid, rate=1e30)))


def test_a_picture_that_cannot_be_decoded_is_named(make_set, quick_reid, train):
    data = read_data(make_set())
    data.samples[4].path.write_bytes(b"\xff\xd8 no picture \xff\xd9")
    with pytest.raises(InputError, match=data.samples[4].path.name):
        train(ReidJob(TINY[1], data, quick_reid), steps=12)


def test_time_can_be_the_budget(reid_job, train):
    begin = time.monotonic()
    finished, folder = train(reid_job(), budget=Budget(seconds=1.0))
    assert finished
    assert time.monotonic() - begin < 10
    assert record(folder)["seconds"] >= 1.0
    assert record(folder)["curve"][-1]["rate"] == pytest.approx(3e-6), "the whole schedule fits"


def test_the_record_says_where_everything_comes_from(reid_job, train, veri, monkeypatch):
    monkeypatch.setattr(loop, "write_curves", write_curves)
    validation = Validation.of(folder=veri, limit=100, clip=None, tracks=None)
    _, folder = train(reid_job(validation=validation), steps=4, validations=2)
    found = record(folder)
    assert found["from_scratch"] is True
    assert (found["config"]["pose"], found["config"]["pose_source"]) == (None, "truth")
    assert found["config"]["data"]["vehicles"] == 6
    assert {"torch", "numpy", "pamtri-edge"} <= set(found["versions"])
    assert [row["step"] for row in found["scores"]] == [2, 4]
    assert 0 < found["best"] <= 1
    assert {"mAP", "rank1", "color", "type"} <= set(found["scores"][0])
    assert (folder / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert checkpoint_metadata(folder / "best.safetensors")["recipe"] == "paper"
    assert load_reid(folder / "best.safetensors").spec.vehicles == 6


def test_the_pose_of_a_trained_network_goes_into_re_identification(veri, quick_pose, quick_reid, train):
    data = read_data(veri)
    held_out = read_data(veri, part="test")
    job = PoseJob(SMALLEST[0], data, quick_pose, held_out=held_out)
    _, folder = train(job, "pose", steps=4, validations=1)
    assert set(record(folder)["scores"][0]) >= {"pck", "pck_strict", "visible"}
    pose = load_pose(folder / "last.safetensors")
    before = {name: tensor.clone() for name, tensor in pose.state_dict().items()}
    spec = replace(TINY[1], segments=True)
    _, reid = train(ReidJob(spec, data, quick_reid, pose=pose, source=PoseSource.NET), "reid", steps=4)
    assert record(reid)["config"]["pose"].startswith("sha256:")
    assert_same(before, pose.state_dict())


def test_small_pictures_take_the_truth_and_full_ones_the_network(veri, quick_reid, frozen_pose):
    grown = replace(quick_reid, sizes=((0.0, 64), (0.5, 96)))
    job = ReidJob(TINY[1], read_data(veri), grown, pose=frozen_pose.network)
    job.pose = frozen_pose
    assert job.source is PoseSource.BOTH
    truth = torch.rand(2, 36, 3)

    def vector(size, source=PoseSource.BOTH):
        job.source = source
        images = torch.zeros(2, 3, size, size)
        return job.inputs(images, truth, np.random.default_rng(1))[1]

    assert torch.equal(vector(64), vector(64, PoseSource.TRUTH))
    assert torch.equal(vector(96), vector(96, PoseSource.NET))
    assert not torch.equal(vector(96), vector(96, PoseSource.TRUTH))


def test_a_pose_network_sees_small_pictures_at_the_size_it_is_used_at(frozen_pose):
    large = torch.randn(1, 3, 256, 256)
    heatmaps, keypoints = frozen_pose(large)
    torch.testing.assert_close(heatmaps, frozen_pose.network(large), rtol=1e-4, atol=1e-5)
    smaller, found = frozen_pose(functional.interpolate(large, size=(128, 128), mode="area"))
    assert smaller.shape == (1, 36, 32, 32)
    assert found.shape == keypoints.shape


def test_a_pose_network_is_asked_for_where_it_is_to_give_the_pose(veri, quick_reid):
    with pytest.raises(InputError, match="to come from net, which needs a pose network"):
        ReidJob(TINY[1], read_data(veri), quick_reid, source=PoseSource.NET)


def test_a_pose_network_learns_where_the_keypoints_are(veri, quick_pose, train):
    plain = AugmentSpec(flip=0.0)
    recipe = replace(quick_pose, rate=1e-2, hidden=0.3, foreground=4.0, augment=plain)
    _, folder = train(PoseJob(TINY[0], read_data(veri), recipe), steps=60)
    curve = record(folder)["curve"]
    assert curve[-1]["heatmaps"] < 0.8 * curve[0]["heatmaps"]


def test_a_re_identification_network_learns_its_vehicles(veri, train):
    recipe = replace(
        REID["paper"],
        rate=1e-2,
        batch=12,
        pictures=2,
        sizes=((0.0, 64),),
        drops=(),
        augment=REID["code"].augment,
    )
    _, folder = train(ReidJob(TINY[1], read_data(veri), recipe), steps=32)
    curve = record(folder)["curve"]
    assert curve[-1]["identity"] < 0.5 * curve[0]["identity"]


def test_a_network_that_needs_the_pose_is_not_trained_without_it(veri, quick_reid):
    data = read_data(veri)
    blind = replace(data, samples=tuple(replace(sample, keypoints=None) for sample in data.samples))
    with pytest.raises(InputError, match="30 of 30 pictures have no keypoints"):
        ReidJob(TINY[1], blind, quick_reid)
    with pytest.raises(InputError, match="none of 30 pictures has keypoints"):
        blind.with_keypoints()


def test_a_multi_task_network_needs_attributes(veri, quick_reid):
    data = read_data(veri)
    unknown = replace(data, samples=tuple(replace(sample, color=None) for sample in data.samples))
    with pytest.raises(InputError, match="no picture tells the color"):
        ReidJob(TINY[1], unknown, quick_reid)
    partly = mixed([data, unknown])
    assert ReidJob(TINY[1], partly, quick_reid).spec.vehicles == 12
