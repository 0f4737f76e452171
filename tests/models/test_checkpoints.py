# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Every form of checkpoint loads; what does not fit is named; nothing in a file is ever run."""

from __future__ import annotations

import os
import pickle
import re
import zipfile
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pamtri_edge.errors import CheckpointError, InputError
from pamtri_edge.models import (
    SIZES,
    TINY,
    PoseNet,
    ReidNet,
    checkpoint_metadata,
    load_pose,
    load_reid,
    save_checkpoint,
    weights_id,
)
from pamtri_edge.models.shapes import pose_spec, reid_spec

Tiny = Callable[[str], tuple[PoseNet, ReidNet]]


@pytest.fixture
def pose(tiny: Tiny) -> PoseNet:
    return tiny("K+H+MT")[0]


@pytest.fixture
def reid(tiny: Tiny) -> ReidNet:
    return tiny("K+H+MT")[1]


def _assert_same(found: PoseNet | ReidNet, expected: PoseNet | ReidNet) -> None:
    assert found.spec == expected.spec
    assert not found.training
    state, wanted = found.state_dict(), expected.state_dict()
    assert list(state) == list(wanted)
    assert all(
        torch.equal(state[name].float(), wanted[name].float()) for name in wanted if "num_b" not in name
    )


def _saved(content: Any, path: Path) -> Path:
    torch.save(content, path)
    return path


def _parallel(state: dict[str, Any]) -> dict[str, Any]:
    return {f"module.{name}": tensor for name, tensor in state.items()}


# What loads


def test_a_bare_state_dict_loads(pose: PoseNet, tmp_path: Path) -> None:
    _assert_same(load_pose(_saved(pose.state_dict(), tmp_path / "final_state.pth")), pose)


def test_the_pose_programs_checkpoint_loads(pose: PoseNet, tmp_path: Path) -> None:
    content = {
        "epoch": 210,
        "model": "pose_hrnet",
        "state_dict": _parallel(pose.state_dict()),
        "best_state_dict": pose.state_dict(),
        "perf": np.float64(82.15),
        "optimizer": {"state": {0: {"step": torch.tensor(1.0)}}, "param_groups": [{"lr": 1e-5}]},
    }
    _assert_same(load_pose(_saved(content, tmp_path / "checkpoint.pth")), pose)


@pytest.mark.parametrize("package", ["numpy.core.multiarray", "numpy._core.multiarray"])
def test_the_re_identification_programs_checkpoint_loads_whichever_numpy_wrote_it(
    package: str, reid: ReidNet, tmp_path: Path
) -> None:
    content = {"state_dict": reid.state_dict(), "rank1": np.float32(0.9286), "epoch": 60}
    written = _saved(content, tmp_path / "written.pth.tar")
    path = tmp_path / "model_best.pth.tar"
    with zipfile.ZipFile(written) as source, zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            entry = source.read(name)
            if name.endswith("data.pkl"):
                entry = re.sub(rb"numpy\._?core\.multiarray", package.encode(), entry)
                assert package.encode() in entry
            target.writestr(name, entry)
    _assert_same(load_reid(path), reid)


@pytest.mark.parametrize("suffix", [".safetensors", ".pth", ".pt", ".tar"])
def test_our_own_files_load_and_keep_their_metadata(
    suffix: str, pose: PoseNet, reid: ReidNet, tmp_path: Path
) -> None:
    notes = {"colors": '["red", "blue"]'}
    path = save_checkpoint(reid, tmp_path / f"reid{suffix}", metadata=notes)
    _assert_same(load_reid(path), reid)
    assert checkpoint_metadata(path) == notes
    _assert_same(load_pose(save_checkpoint(pose, tmp_path / f"pose{suffix}")), pose)
    assert checkpoint_metadata(tmp_path / f"pose{suffix}") == {}


def test_the_spelling_of_an_old_torchvision_loads(reid: ReidNet, tmp_path: Path) -> None:
    old = {
        re.sub(r"(denselayer\d+\.(?:norm|conv))([12]\.)", r"\1.\2", name): tensor
        for name, tensor in reid.state_dict().items()
    }
    assert "base.denseblock1.denselayer1.norm.1.weight" in old
    _assert_same(load_reid(_saved({"state_dict": old}, tmp_path / "old.pth.tar")), reid)


def test_counters_of_batches_may_be_missing(pose: PoseNet, tmp_path: Path) -> None:
    state = {n: t for n, t in pose.state_dict().items() if not n.endswith("num_batches_tracked")}
    _assert_same(load_pose(_saved(state, tmp_path / "old.pth")), pose)


def test_weights_in_half_precision_load_as_float32(reid: ReidNet, tmp_path: Path) -> None:
    half = deepcopy(reid).half()
    loaded = load_reid(_saved(half.state_dict(), tmp_path / "half.pth"))
    assert {parameter.dtype for parameter in loaded.parameters()} == {torch.float32}
    _assert_same(loaded, deepcopy(half).float())


# What is read from the shapes


@pytest.mark.parametrize("size", [TINY, *SIZES.values()], ids=["tiny", *SIZES])
def test_widths_and_depths_are_read_from_the_shapes(size: Any) -> None:
    with torch.device("meta"):
        assert pose_spec(PoseNet(size[0]).state_dict()) == size[0]
    assert reid_spec(ReidNet(size[1]).state_dict()) == size[1]  # the side is no shape, but a value


@pytest.mark.parametrize("bits", list(np.ndindex(2, 2, 2, 2)))
def test_the_variant_is_read_from_the_shapes(bits: tuple[int, ...], spec_of: Any) -> None:
    names = zip(("K", "H", "S", "MT"), bits, strict=True)
    spec = spec_of("+".join(name for name, there in names if there))
    with torch.device("meta"):
        found = reid_spec(ReidNet(spec).state_dict())
    if not spec.multitask:  # then these are written nowhere, and stay as in the paper
        assert found.attribute == 512
        found = replace(found, attribute=spec.attribute)
    if spec.embedding == spec.pooled:
        found = replace(found, feature=spec.feature)
    assert found == spec


@pytest.mark.parametrize("variant", ["S+P", "K+H+S+P", "S+L+P+M", "K+L+M", "L+M", "K+H+S+MT+L+P+M"])
def test_so_is_whether_parts_and_middle_stages_are_pooled(variant: str, spec_of: Any) -> None:
    spec = spec_of(variant)
    found = reid_spec(ReidNet(spec).state_dict())
    assert replace(found, attribute=spec.attribute) == spec


# What does not fit


def test_every_missing_unexpected_and_misshaped_entry_is_named(pose: PoseNet, tmp_path: Path) -> None:
    state = pose.state_dict()
    del state["bn2.running_mean"], state["stage2.0.branches.1.0.conv2.weight"]
    state["extra.weight"] = torch.zeros(3, 1)
    state["transition1.1.0.0.weight"] = torch.zeros(8, 16, 1, 1)
    with pytest.raises(CheckpointError) as error:
        load_pose(_saved(state, tmp_path / "spoilt.pth"))
    lines = [line.strip() for line in str(error.value).splitlines()]
    assert lines[1:] == [
        "2 missing:",
        "bn2.running_mean 8",
        "stage2.0.branches.1.0.conv2.weight 8x8x3x3",
        "1 unexpected:",
        "extra.weight 3x1",
        "1 mis-shaped:",
        "transition1.1.0.0.weight: found 8x16x1x1, expected 8x16x3x3",
    ]


def test_a_long_list_of_problems_is_cut_with_a_count(reid: ReidNet, tmp_path: Path) -> None:
    state = {name: tensor for name, tensor in reid.state_dict().items() if "running" not in name}
    with pytest.raises(CheckpointError, match=r"(?s)26 missing:\n.*\.\.\. and 6 more") as error:
        load_reid(_saved(state, tmp_path / "cut.pth"))
    assert str(error.value).count("running_") == 20


def test_a_network_passed_as_the_other_is_recognized(pose: PoseNet, reid: ReidNet, tmp_path: Path) -> None:
    pose_path = save_checkpoint(pose, tmp_path / "pose.safetensors")
    reid_path = save_checkpoint(reid, tmp_path / "reid.safetensors")
    with pytest.raises(CheckpointError, match=r"looks like a pose network; .*--pose"):
        load_reid(pose_path)
    with pytest.raises(CheckpointError, match=r"looks like a re-identification network; .*--reid"):
        load_pose(reid_path)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["features.conv0.weight"], "a DenseNet classifier"),
        (["base.0.weight", "layer4.0.conv1.weight"], "the ResNet50 variant"),
        (["conv1.weight", "deconv_layers.0.weight"], "a ResNet pose network"),
        (["stage2.0.branches.0.0.conv1.weight", "incre_modules.0.0.conv1.weight"], "an HRNet classifier"),
        (["encoder.weight"], "first entry is 'encoder.weight'"),
    ],
)
def test_other_networks_are_named(names: list[str], said: str, tmp_path: Path) -> None:
    path = _saved({name: torch.zeros(2) for name in names}, tmp_path / "other.pth")
    for load in (load_pose, load_reid):
        with pytest.raises(CheckpointError, match=said):
            load(path)


def test_a_pose_network_for_people_is_refused(pose: PoseNet, tmp_path: Path) -> None:
    state = pose.state_dict() | {
        "final_layer.weight": torch.zeros(17, 8, 1, 1),
        "final_layer.bias": torch.zeros(17),
    }
    with pytest.raises(CheckpointError, match=r"17 keypoints; a vehicle has 36"):
        load_pose(_saved(state, tmp_path / "coco.pth"))


def test_a_wrong_number_of_classes_is_refused(reid: ReidNet, tiny: Tiny, tmp_path: Path) -> None:
    path = save_checkpoint(reid, tmp_path / "reid.safetensors")
    assert load_reid(path, colors=10, types=9).spec.colors == 10
    with pytest.raises(CheckpointError, match=r"10 color classes, and 8 are expected"):
        load_reid(path, colors=8)
    with pytest.raises(CheckpointError, match=r"9 type classes, and 12 are expected"):
        load_reid(path, types=12)
    bare = save_checkpoint(tiny("H")[1], tmp_path / "bare.safetensors")
    with pytest.raises(CheckpointError, match=r"predicts no color"):
        load_reid(bare, colors=10)


def test_a_stack_of_unknown_channels_is_refused(reid: ReidNet, tmp_path: Path) -> None:
    state = reid.state_dict() | {"base.conv0.weight": torch.zeros(8, 20, 7, 7)}
    with pytest.raises(CheckpointError, match=r"takes 20 channels; accepted are 3 .*16 .*39 .*52"):
        load_reid(_saved(state, tmp_path / "odd.pth"))


# What cannot be read


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="there is no file of weights"):
        load_pose(tmp_path / "nowhere.pth")


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize("kept", [0.0, 0.001, 0.5, 0.999])
def test_a_truncated_file_is_refused(kept: float, suffix: str, pose: PoseNet, tmp_path: Path) -> None:
    path = save_checkpoint(pose, tmp_path / f"pose{suffix}")
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(CheckpointError, match=r"truncated|no whole safetensors"):
        load_pose(path)


@pytest.mark.parametrize(
    "content", [b"name,x,y\ncar,1,2\n" * 20, b"\x89PNG\r\n\x1a\n" + bytes(100), bytes(range(256))]
)
def test_a_file_of_another_kind_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="no file of weights"):
        load_pose(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([1, 2, 3], "holds a list instead of weights"),
        ({}, "holds nothing instead of weights"),
        ({"epoch": 3, "weights": torch.zeros(2)}, "'epoch' of its 2 entries are not tensors"),
        ({"state_dict": {"a": "b"}}, "'a' of its 1 entries are not tensors"),
    ],
)
def test_a_file_without_weights_says_what_it_holds(content: Any, said: str, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=said):
        load_pose(_saved(content, tmp_path / "file.pth"))


class _Hostile:
    """Runs a command when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.mark}",)


def test_a_pickle_that_would_run_code_is_refused_and_not_run(pose: PoseNet, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    inside = _saved({"state_dict": pose.state_dict(), "perf": _Hostile(mark)}, tmp_path / "inside.pth")
    with pytest.raises(CheckpointError, match=r"would call posix\.system.*Nothing of it was run"):
        load_pose(inside)
    alone = tmp_path / "alone.pth"
    alone.write_bytes(pickle.dumps(_Hostile(mark), protocol=2))
    with pytest.raises(CheckpointError, match=r"was refused|no file of weights"):
        load_pose(alone)
    assert not mark.exists()
    pickle.loads(alone.read_bytes())  # the attack is real: the plain unpickler runs it
    assert mark.exists()


def test_a_whole_module_is_refused(pose: PoseNet, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="save its state dict alone"):
        load_pose(_saved(pose, tmp_path / "module.pth"))


# What is written


def test_saving_is_whole_or_not_at_all(
    pose: PoseNet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(_content: Any, path: Path) -> None:
        Path(path).write_bytes(b"half of it")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full_disk)
    with pytest.raises(OSError, match="No space left"):
        save_checkpoint(pose, tmp_path / "pose.pth")
    assert list(tmp_path.iterdir()) == []


def test_saving_neither_overwrites_nor_guesses_a_format(pose: PoseNet, tmp_path: Path) -> None:
    path = save_checkpoint(pose, tmp_path / "pose.safetensors")
    with pytest.raises(InputError, match="exists already"):
        save_checkpoint(pose, path)
    assert save_checkpoint(pose, path, overwrite=True) == path
    with pytest.raises(InputError, match=r"ends in \.safetensors"):
        save_checkpoint(pose, tmp_path / "pose.onnx")


def test_the_identity_of_weights_is_theirs_and_not_their_files(
    pose: PoseNet, reid: ReidNet, tmp_path: Path
) -> None:
    known = weights_id(pose, reid)
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", known)
    again = load_pose(_saved(_parallel(pose.state_dict()), tmp_path / "pose.pth"))
    assert weights_id(again, load_reid(save_checkpoint(reid, tmp_path / "reid.safetensors"))) == known
    assert weights_id(None, reid) != known
    with torch.no_grad():
        again.bn1.running_mean[0] += 1e-3
    assert weights_id(again, reid) != known


def test_others_may_read_what_was_saved(tmp_path: Path) -> None:
    path = save_checkpoint(PoseNet(TINY[0]), tmp_path / "pose.safetensors")
    plain = tmp_path / "plain"
    plain.touch()
    assert path.stat().st_mode == plain.stat().st_mode
