# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A training survives what happens to it: a kill, a full disk, a state cut short, another configuration."""

from __future__ import annotations

import itertools
import json
import logging
import resource
import shutil
from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.nn import functional

from pamtri_edge.errors import CheckpointError, InputError
from pamtri_edge.models import TINY, TINY_LITE, checkpoint_metadata, load_pose, load_reid
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
from pamtri_edge.train.pose_inputs import FrozenPose
from pamtri_edge.train.record import write_curves
from pamtri_edge.train.validate import Validation
from pamtri_edge.words import PoseSource
from tiny_networks import SMALLEST


@pytest.fixture(scope="module")
def data(veri):
    return read_data(veri)


@pytest.fixture(scope="module")
def reid_job(data, quick_reid):
    def make(*, spec=TINY[1], recipe=quick_reid, **options):
        return ReidJob(spec, options.pop("data", data), recipe, **options)

    return make


class KilledError(Exception):
    """Ends a training as a kill does: what it has not written yet is lost."""


def train(job, folder, *, until=None, killed=None, steps=8, **options):
    """Train a job in a folder, to its end or until so many steps are done; return whether it is finished."""
    budget = options.pop("budget", Budget(steps=steps))
    training = Training(job, TrainSpec(output=folder, budget=budget, log_steps=2, **options))

    def stop(progress):
        if progress.step == killed:
            raise KilledError
        if progress.step == until:
            training.stop()

    return training.run(on_progress=stop)


@pytest.fixture(scope="module")
def whole(reid_job, tmp_path_factory):
    """Return the folder of a training of 8 steps; leave it as it is."""
    folder = tmp_path_factory.mktemp("whole")
    assert train(reid_job(), folder)
    return folder


@pytest.fixture(scope="module")
def _stopped(reid_job, tmp_path_factory):
    folder = tmp_path_factory.mktemp("stopped")
    assert not train(reid_job(), folder, until=5, checkpoint_steps=2)
    return folder


@pytest.fixture
def stopped(_stopped, tmp_path):
    """Return the folder of the same training, stopped at step 5, with the states of steps 5 and 4."""
    return shutil.copytree(_stopped, tmp_path / "run")


def weights(folder):
    return load_reid(folder / "last.safetensors").state_dict()


def assert_same(first, second):
    assert first.keys() == second.keys()
    for name, tensor in first.items():
        assert torch.equal(tensor, second[name]), name


def record(folder):
    return json.loads((folder / "record.json").read_text())


BARE = replace(TINY_LITE, heatmaps=False, keypoints=False)
FROZEN = {"frozen": 2, "frozen_norms": True, "head_rate": 10.0, "traffic": 0.5, "one_color": 0.3}


@pytest.mark.parametrize(
    ("spec", "changes"),
    [
        (TINY[1], {"loss": LossSpec(kind=ReidLoss.CENTER)}),
        (TINY[1], {"loss": LossSpec(kind=ReidLoss.BATCH_SAMPLE)}),
        (BARE, FROZEN),
    ],
    ids=["what learns beside it", "a loss that draws", "frozen in part"],
)
def test_an_interrupted_training_ends_with_the_same_weights(reid_job, quick_reid, tmp_path, spec, changes):
    recipe = replace(quick_reid, sizes=((0.0, 64), (0.5, 96)), **changes)
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert train(reid_job(spec=spec, recipe=recipe), whole, steps=6)
    for until in (2, 5, None):
        torch.manual_seed(until or 0)  # what another program did to the generator must not matter
        job = reid_job(spec=spec, recipe=recipe)
        assert train(job, broken, steps=6, until=until) is (until is None)
    assert_same(weights(whole), weights(broken))
    assert record(broken)["resumed_at"] == [2, 5]
    assert record(broken)["curve"] == record(whole)["curve"]
    assert [row["size"] for row in record(whole)["curve"]] == [64, 96, 96], "as the recipe says"


@pytest.mark.parametrize("step", [5, None], ids=["between two states", "between weights and state"])
def test_a_killed_training_goes_on_and_ends_with_the_same_weights(
    reid_job, whole, tmp_path, monkeypatch, step
):
    save = loop.states.save_state

    def killed_before_the_second(folder, state):
        if state.step == 6:
            raise KilledError
        save(folder, state)

    monkeypatch.setattr(loop.states, "save_state", killed_before_the_second)
    with pytest.raises(KilledError):
        train(reid_job(), tmp_path, checkpoint_steps=3, killed=step)
    monkeypatch.undo()
    assert not record(tmp_path)["finished"]
    assert train(reid_job(), tmp_path)
    assert record(tmp_path)["resumed_at"] == [3]
    assert_same(weights(whole), weights(tmp_path))
    assert record(tmp_path)["curve"] == record(whole)["curve"]


def test_the_number_of_workers_changes_nothing_and_another_seed_does(reid_job, whole, tmp_path):
    train(reid_job(), tmp_path / "three", workers=3)
    assert_same(weights(tmp_path / "three"), weights(whole))
    train(reid_job(), tmp_path / "other", seed=1, until=2)
    assert record(tmp_path / "other")["curve"] != record(whole)["curve"][:1], "other augmentations"


def test_another_configuration_is_refused_with_the_fields_that_differ(reid_job, quick_reid, stopped):
    changed = replace(quick_reid, rate=1e-3, loss=LossSpec(margin=0.5))
    with pytest.raises(InputError) as caught:
        train(reid_job(recipe=changed), stopped, seed=5)
    message = str(caught.value)
    assert "stopped at step 5" in message
    assert "recipe.rate: 0.0003 before, 0.001 now" in message
    assert "recipe.loss.margin: 0.3 before, 0.5 now" in message
    assert "seed: 0 before, 5 now" in message
    assert train(reid_job(recipe=changed), stopped, seed=5, steps=1, overwrite=True)
    assert record(stopped)["config"]["recipe"]["rate"] == 1e-3


def test_another_network_and_other_data_are_refused_and_moved_data_are_not(
    reid_job, data, quick_pose, stopped
):
    with pytest.raises(InputError, match="holds a training of another network, reid, and not pose; give"):
        train(PoseJob(SMALLEST[0], data, quick_pose), stopped)
    fewer = replace(data, samples=data.samples[:-1])
    with pytest.raises(InputError, match=r"data\.pictures: 30 before, 29 now"):
        train(reid_job(data=fewer), stopped)
    labeled_anew = replace(data, samples=(replace(data.samples[0], color=0), *data.samples[1:]))
    with pytest.raises(InputError, match=r"data\.labels: 'sha256:"):
        train(reid_job(data=labeled_anew), stopped)
    assert train(reid_job(data=replace(data, name="/moved/set")), stopped)


def test_a_finished_training_is_left_as_it_is(reid_job, whole, tmp_path):
    folder = shutil.copytree(whole, tmp_path / "run")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert train(reid_job(), folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    (folder / "last.safetensors").unlink()
    train(reid_job(), folder)
    assert_same(weights(folder), weights(whole))


def test_a_state_cut_short_gives_way_to_the_one_before_and_both_are_an_error(
    reid_job, whole, stopped, caplog
):
    state = stopped / "state.pt"
    state.write_bytes(state.read_bytes()[:1000])
    with caplog.at_level(logging.WARNING):
        assert train(reid_job(), stopped)
    assert "state.pt (1000 bytes) cannot be read; going on from step 4" in caplog.text
    assert_same(weights(whole), weights(stopped))
    for name in ("state.pt", "state.previous.pt"):
        (stopped / name).write_bytes(b"PK\x03\x04 no more")
    with pytest.raises(CheckpointError, match=r"state\.pt .* and .*state\.previous\.pt .* cannot be read"):
        train(reid_job(), stopped)


@pytest.mark.parametrize("room", [200_000, 50_000], ids=["no state fits", "no weights fit"])
def test_a_full_disk_ends_the_training_in_words_and_leaves_the_last_state(reid_job, stopped, room):
    before = (stopped / "state.pt").read_bytes()
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, old[1]))  # writing past it fails as on a full disk
    try:
        with pytest.raises(TrainingError, match=r"cannot be written.*Make room"):
            train(reid_job(), stopped, checkpoint_steps=2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
    assert (stopped / "state.pt").read_bytes() == before
    assert not list(stopped.glob(".*.tmp"))
    assert train(reid_job(), stopped)


def test_a_training_that_diverges_says_so(reid_job, quick_reid, tmp_path):
    with pytest.raises(TrainingError, match=r"no longer a finite number at step \d+: the training diverged"):
        train(reid_job(recipe=replace(quick_reid, rate=1e30)), tmp_path)


def test_a_picture_that_cannot_be_decoded_is_named(make_set, quick_reid, tmp_path):
    data = read_data(make_set())
    data.samples[4].path.write_bytes(b"\xff\xd8 no picture \xff\xd9")
    with pytest.raises(InputError, match=data.samples[4].path.name):
        train(ReidJob(TINY[1], data, quick_reid), tmp_path / "run", steps=12)


def test_time_can_be_the_budget_and_breaks_do_not_count(reid_job, tmp_path, monkeypatch):
    for begin, until in ((100.0, 3), (900.0, None)):
        clock = itertools.count(begin, 0.25)
        monkeypatch.setattr(loop, "time", SimpleNamespace(monotonic=partial(next, clock)))
        train(reid_job(), tmp_path, budget=Budget(seconds=3.0), until=until)
    found = record(tmp_path)
    assert 3.0 <= found["seconds"] < 4.0
    assert found["steps"] <= 7, "each of two looks at the clock"
    assert found["curve"][-1]["rate"] == pytest.approx(3e-6), "the whole schedule fits"


def test_the_record_says_where_everything_comes_from(reid_job, veri, monkeypatch, tmp_path):
    monkeypatch.setattr(loop, "write_curves", write_curves)
    validation = Validation.of(folder=veri, limit=20, clip=None, tracks=None)
    assert sum(map(len, validation.folder)) == 18, "as many of the four vehicles as there is room for"
    train(reid_job(validation=validation), tmp_path, steps=2, validations=2)
    found = record(tmp_path)
    assert found["from_scratch"] is True
    assert (found["config"]["pose"], found["config"]["pose_source"]) == (None, "truth")
    assert found["config"]["data"]["vehicles"] == 6
    assert {"torch", "numpy", "pamtri-edge"} <= set(found["versions"])
    assert [row["step"] for row in found["scores"]] == [1, 2]
    assert 0 < found["best"] <= 1
    assert {"mAP", "rank1", "color", "type"} <= set(found["scores"][0])
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert checkpoint_metadata(tmp_path / "best.safetensors")["recipe"] == "paper"
    assert load_reid(tmp_path / "best.safetensors").spec.vehicles == 6


@pytest.fixture(scope="module")
def frozen_pose(veri, data, quick_pose, tmp_path_factory):
    """Return a trained pose network as trainings of the other use it; to compile one takes seconds."""
    folder = tmp_path_factory.mktemp("pose")
    held_out = read_data(veri, part="test")
    train(PoseJob(SMALLEST[0], data, quick_pose, held_out=held_out), folder, steps=2, validations=1)
    assert set(record(folder)["scores"][0]) >= {"pck", "pck_strict", "visible"}
    return FrozenPose(load_pose(folder / "last.safetensors"))


def test_the_pose_of_a_trained_network_goes_into_re_identification(reid_job, frozen_pose, tmp_path):
    before = {name: tensor.clone() for name, tensor in frozen_pose.network.state_dict().items()}
    job = reid_job(spec=replace(TINY[1], segments=True), pose=frozen_pose.network, source=PoseSource.NET)
    job.pose = frozen_pose  # compiled once for all
    train(job, tmp_path, steps=2)
    assert record(tmp_path)["config"]["pose"].startswith("sha256:")
    assert_same(before, frozen_pose.network.state_dict())


def test_small_pictures_take_the_truth_and_full_ones_the_network(reid_job, quick_reid, frozen_pose):
    grown = replace(quick_reid, sizes=((0.0, 64), (0.5, 96)))
    job = reid_job(recipe=grown, pose=frozen_pose.network)
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
    heatmaps, _ = frozen_pose(large)
    torch.testing.assert_close(heatmaps, frozen_pose.network(large), rtol=1e-4, atol=1e-5)
    small = functional.interpolate(large, size=(128, 128), mode="area")
    smaller, found = frozen_pose(small)
    assert smaller.shape == (1, 36, 32, 32)
    enlarged = functional.interpolate(small, size=(256, 256), mode="bilinear")
    torch.testing.assert_close(found, frozen_pose(enlarged)[1])


def test_a_pose_network_learns_where_the_keypoints_are(data, quick_pose, tmp_path):
    plain = AugmentSpec(flip=0.0)
    recipe = replace(quick_pose, rate=1e-2, hidden=0.3, foreground=4.0, augment=plain)
    train(PoseJob(SMALLEST[0], data, recipe), tmp_path, steps=40)
    curve = record(tmp_path)["curve"]
    assert curve[-1]["heatmaps"] < 0.9 * curve[0]["heatmaps"]


def test_a_re_identification_network_learns_its_vehicles(data, tmp_path):
    recipe = replace(
        REID["paper"],
        rate=1e-2,
        batch=12,
        pictures=2,
        sizes=((0.0, 64),),
        drops=(),
        augment=REID["code"].augment,
    )
    train(ReidJob(TINY[1], data, recipe), tmp_path, steps=24)
    curve = record(tmp_path)["curve"]
    assert curve[-1]["identity"] < 0.5 * curve[0]["identity"]


def test_what_a_network_needs_and_the_data_lack_is_refused_before_it_is_trained(reid_job, data):
    with pytest.raises(InputError, match="to come from net, which needs a pose network"):
        reid_job(source=PoseSource.NET)
    blind, unknown = (
        replace(data, samples=tuple(replace(sample, **{lacking: None}) for sample in data.samples))
        for lacking in ("keypoints", "color")
    )
    with pytest.raises(InputError, match="30 of 30 pictures have no keypoints"):
        reid_job(data=blind)
    with pytest.raises(InputError, match="none of 30 pictures has keypoints"):
        blind.with_keypoints()
    with pytest.raises(InputError, match="no picture tells the color"):
        reid_job(data=unknown)
    assert reid_job(data=mixed([data, unknown])).spec.vehicles == 12
