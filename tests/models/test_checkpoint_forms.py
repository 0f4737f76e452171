# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Any key and prefix that training programs leave is found; what is hostile or damaged ends in a sentence."""

from __future__ import annotations

import io
import json
import os
import pickle
import struct
import zipfile
from argparse import Namespace
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from torch import Tensor

from pamtri_edge.errors import CheckpointError
from pamtri_edge.models import PoseNet, ReidNet, load_pose, load_reid
from properties import tries

Tiny = Callable[[str], tuple[PoseNet, ReidNet]]
State = dict[str, Tensor]


@pytest.fixture
def networks(tiny: Tiny) -> tuple[PoseNet, ReidNet]:
    return tiny("K+H+MT")


def prefixed(state: State, prefix: str) -> State:
    return {f"{prefix}{name}": tensor for name, tensor in state.items()}


@pytest.mark.parametrize("key", ["model", "net", "model_state_dict", "weights of 3 May", "a/b"])
def test_the_only_dictionary_of_tensors_is_taken_whatever_its_key(
    key: str, networks: tuple[PoseNet, ReidNet], tmp_path: Path
) -> None:
    for network, load in zip(networks, (load_pose, load_reid), strict=True):
        moments = {"state": {0: {"exp_avg": torch.zeros(3)}}, "param_groups": []}
        settings = Namespace(lr=0.1, folder=Path("runs/1"), day=datetime(2026, 5, 3), by=defaultdict(list))
        content = {key: network.state_dict(), "epoch": 3, "optimizer": moments, "args": settings}
        torch.save(content, tmp_path / "file.pth")
        assert load(tmp_path / "file.pth").spec == network.spec


@pytest.mark.parametrize(
    "prefix", ["_orig_mod.", "module.module.", "module._orig_mod.", "model.", "net.backbone.", "x.y.z.w."]
)
def test_a_prefix_that_all_names_share_is_taken_off(
    prefix: str, networks: tuple[PoseNet, ReidNet], tmp_path: Path
) -> None:
    for network, load in zip(networks, (load_pose, load_reid), strict=True):
        torch.save({"state_dict": prefixed(network.state_dict(), prefix)}, tmp_path / "file.ckpt")
        assert load(tmp_path / "file.ckpt").spec == network.spec


def test_what_stands_beside_the_network_is_left_out(
    networks: tuple[PoseNet, ReidNet], tmp_path: Path
) -> None:
    """As Lightning saves a module with a loss that has weights of its own."""
    state = prefixed(networks[1].state_dict(), "model.") | {"loss.centers": torch.zeros(4, 8)}
    torch.save({"state_dict": state}, tmp_path / "file.ckpt")
    assert load_reid(tmp_path / "file.ckpt").spec == networks[1].spec


def test_both_networks_in_one_file_are_told_apart(networks: tuple[PoseNet, ReidNet], tmp_path: Path) -> None:
    pose, reid = networks
    torch.save({"first": pose.state_dict(), "second": reid.state_dict()}, tmp_path / "file.pth")
    assert load_pose(tmp_path / "file.pth").spec == pose.spec
    assert load_reid(tmp_path / "file.pth").spec == reid.spec


def test_of_weights_and_their_average_the_weights_are_taken_and_it_is_said(
    networks: tuple[PoseNet, ReidNet], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    state = networks[1].state_dict()
    average = {name: tensor * 0 for name, tensor in state.items()}
    torch.save({"ema": average, "model": state}, tmp_path / "file.pth")
    assert torch.equal(load_reid(tmp_path / "file.pth").fc_vid.weight, state["fc_vid.weight"])
    assert "taken is 'model', not 'ema'" in caplog.text
    torch.save({"teacher": average, "student": state}, tmp_path / "file.pth")
    with pytest.raises(CheckpointError, match="several networks that fit: 'teacher', 'student'"):
        load_reid(tmp_path / "file.pth")


class _OfPython2:
    """Stands for a NumPy scalar until the bytes are put in that Python 2 wrote."""

    def __reduce__(self) -> tuple[Any, ...]:
        return np.float64(0).__reduce__()[0], (np.dtype("f8"), "ABCDEFGH")


def test_numpy_scalars_of_python_2_are_read(networks: tuple[PoseNet, ReidNet], tmp_path: Path) -> None:
    path = tmp_path / "file.pth.tar"
    content = {"state_dict": networks[1].state_dict(), "best": _OfPython2()}
    torch.save(content, path, _use_new_zipfile_serialization=False)
    new = path.read_bytes()
    old = new.replace(b"X\x08\x00\x00\x00ABCDEFGH", b"U\x08" + struct.pack("<d", -0.7))
    assert old != new
    path.write_bytes(old.replace(b"cnumpy._core.multiarray", b"cnumpy.core.multiarray"))
    assert load_reid(path).spec == networks[1].spec


HOSTILE: dict[str, tuple[Callable[[Tensor], Any], str]] = {
    "int8": (lambda w: w.to(torch.int8), "is of type int8; accepted are float32"),
    "bool": (lambda w: w.bool(), "is of type bool"),
    "fp8": (lambda w: w.to(torch.float8_e4m3fn), "is of type float8_e4m3fn"),
    "complex": (lambda w: w.to(torch.complex64), "is of type complex64"),
    "sparse": (lambda w: w.to_sparse(), "is a sparse tensor"),
    "compressed": (lambda w: w.flatten(1).to_sparse_csr(), "is a sparse tensor"),
    "quantized": (lambda w: torch.quantize_per_tensor(w, 0.1, 0, torch.qint8), "is a quantized tensor"),
    "meta": (lambda w: w.to("meta"), "has a shape but no values"),
    "empty": (lambda w: w[:0], "is empty"),
    "too large for float32": (lambda w: w.double() * 0 + 1e300, r"holds 1e\+300, more than float32 can"),
    "nan": (lambda w: w * float("nan"), "not finite"),
    "one value of 2^62": (lambda w: torch.zeros(1).expand(2**62), "declares .* of weights, more than"),
}


@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support is in beta")
@pytest.mark.filterwarnings("ignore:.*quantize_per_tensor")
@pytest.mark.parametrize("case", HOSTILE)
def test_a_tensor_that_is_no_weight_is_refused_by_name(
    case: str, networks: tuple[PoseNet, ReidNet], tmp_path: Path
) -> None:
    change, said = HOSTILE[case]
    state = networks[0].state_dict()
    torch.save(state | {"conv1.weight": change(state["conv1.weight"])}, tmp_path / "file.pth")
    with pytest.raises(CheckpointError, match=said):
        load_pose(tmp_path / "file.pth")


def test_a_negative_variance_and_an_impossible_shape_are_refused(
    networks: tuple[PoseNet, ReidNet], tmp_path: Path
) -> None:
    state = networks[0].state_dict()
    torch.save(state | {"bn1.running_var": -state["bn1.running_var"] - 1}, tmp_path / "file.pth")
    with pytest.raises(CheckpointError, match=r"bn1\.running_var holds a variance below 0"):
        load_pose(tmp_path / "file.pth")
    odd = {
        "base.conv0.weight": torch.zeros(8, 3, 7, 7),
        "base.denseblock9.denselayer0.conv2.weight": torch.zeros(1),
    }
    torch.save(odd, tmp_path / "file.pth")
    with pytest.raises(CheckpointError, match=r"does not fit|cannot be built"):
        load_reid(tmp_path / "file.pth")


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.pth")
    kinds = {tmp_path / "pipe.pth": "a pipe", Path(os.devnull): "a device", tmp_path: "a folder"}
    for path, kind in kinds.items():
        with pytest.raises(CheckpointError, match=f"is {kind}; expected a file of weights"):
            load_pose(path)


def test_arrays_of_numpy_are_weights_too(networks: tuple[PoseNet, ReidNet], tmp_path: Path) -> None:
    arrays = {name: tensor.numpy() for name, tensor in networks[0].state_dict().items()}
    np.savez(tmp_path / "file.npz", **arrays)
    torch.save({"weights": arrays}, tmp_path / "file.pth")
    for name in ("file.npz", "file.pth"):
        found = load_pose(tmp_path / name).state_dict()
        assert all(np.array_equal(found[each], array) for each, array in arrays.items())


def test_a_last_layer_in_a_head_and_counts_of_operations_are_found_and_left_out(
    networks: tuple[PoseNet, ReidNet], tmp_path: Path
) -> None:
    state = {
        f"{'keypoint_head' if name.startswith('final_layer.') else 'backbone'}.{name}": tensor
        for name, tensor in networks[0].state_dict().items()
    }
    torch.save({"state_dict": {**state, "backbone.conv1.total_ops": torch.zeros(1)}}, tmp_path / "mmpose.pth")
    assert load_pose(tmp_path / "mmpose.pth").spec == networks[0].spec


def test_archives_that_are_no_weights_are_named(networks: tuple[PoseNet, ReidNet], tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.pth"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(50_000_000))
    with pytest.raises(CheckpointError, match="unpacks to more than 4 times its size"):
        load_pose(bomb)
    program = tmp_path / "program.pt"
    with zipfile.ZipFile(program, "w") as archive:
        archive.writestr("program/constants.pkl", b"")
    with pytest.raises(CheckpointError, match="TorchScript"):
        load_pose(program)
    tar = tmp_path / "weights.pth.tar"
    tar.write_bytes(bytes(257) + b"ustar" + bytes(300))
    with pytest.raises(CheckpointError, match="tar archive"):
        load_pose(tar)


def safetensors_file(header: bytes, size: int | None = None, data: bytes = bytes(8)) -> bytes:
    return struct.pack("<Q", len(header) if size is None else size) + header + data


def entry(shape: list[int], begin: int, end: int) -> dict[str, Any]:
    return {"dtype": "F32", "shape": shape, "data_offsets": [begin, end]}


@pytest.mark.parametrize(
    "content",
    [
        safetensors_file(b"{}", 2**63),
        safetensors_file(b"{}", 2**40),
        safetensors_file(json.dumps({"a": entry([1], 0, 4), "b": entry([1], 0, 4)}).encode()),
        safetensors_file(json.dumps({"a": entry([2**62], 0, 8)}).encode()),
        safetensors_file(json.dumps({"a": entry([2**62, 4], 0, 8)}).encode()),
        safetensors_file(json.dumps({"a": entry([2], 4, 12)}).encode()),
        safetensors_file(b'{"a": ' + b"[" * 5000),
        safetensors_file(b'{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}, "a": 3}'),
        safetensors_file(b'{"a": {"dtype": "E9", "shape": [2], "data_offsets": [0, 8]}}'),
        safetensors_file(b"{\xff\xfe}"),
    ],
    ids=["length", "long", "overlap", "huge", "overflow", "gap", "deep", "twice", "type", "text"],
)
def test_a_hostile_safetensors_header_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "file.safetensors").write_bytes(content)
    with pytest.raises(CheckpointError):
        load_pose(tmp_path / "file.safetensors")


@pytest.fixture
def seeds(networks: tuple[PoseNet, ReidNet]) -> list[bytes]:
    """Return small files of every form, to be damaged."""
    state = dict(list(networks[0].state_dict().items())[:12])
    files = [safetensors.torch.save(state)]
    for modern in (True, False):
        file = io.BytesIO()
        content = {"state_dict": state, "best": np.float64(1)}
        torch.save(content, file, _use_new_zipfile_serialization=modern)
        files.append(file.getvalue())
    return [*files, pickle.dumps({"a": [1, {"b": 2.0}]}, protocol=2)]


@settings(max_examples=tries(120), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    which=st.integers(0, 3),
    places=st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=6)), max_size=4),
    kept=st.floats(0.3, 1.0),
)
def test_no_damage_ends_in_anything_but_a_sentence(
    which: int,
    places: list[tuple[float, bytes]],
    kept: float,
    seeds: list[bytes],
    tmp_path: Path,
) -> None:
    content = bytearray(seeds[which])
    for place, bytes_there in places:
        at = int(place**2 * len(content))  # the beginning says what the rest is
        content[at : at + len(bytes_there)] = bytes_there
    path = tmp_path / "file.pth"
    path.write_bytes(content[: int(kept * len(content))] if kept < 0.9 else content)
    for load in (load_pose, load_reid):
        with pytest.raises(CheckpointError):
            load(path)


NAMES = st.sampled_from(
    [
        *("stage2.0.branches.0.0.conv1.weight", "stage4.0.branches.3.0.conv1.weight", "conv1.weight"),
        *("layer1.0.conv1.weight", "final_layer.weight", "base.conv0.weight", "fc_vid.weight"),
        *(f"base.denseblock1.denselayer1.conv{number}.weight" for number in (1, 2)),
        *("base.denseblock99999.denselayer1.conv2.weight", "classifier_vid.weight", "whitening.mean"),
        *("model.base.conv0.weight", "\udcff\x1b[31m", "", "."),
    ]
)
DTYPES = st.sampled_from(
    [torch.float32, torch.float16, torch.float64, torch.int8, torch.complex64, torch.bool]
)


@settings(max_examples=tries(120), suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(
    shapes={
        "stage2.0.branches.0.0.conv1.weight": ([], torch.float32),
        "base.denseblock1.denselayer1.conv1.weight": ([1], torch.float32),
    },
    key="state_dict",
)
@given(
    shapes=st.dictionaries(NAMES, st.tuples(st.lists(st.integers(0, 5), max_size=4), DTYPES), max_size=8),
    key=st.sampled_from(["state_dict", "", "x"]),
)
def test_no_names_and_shapes_end_in_anything_but_a_sentence(
    shapes: dict[str, tuple[list[int], torch.dtype]], key: str, tmp_path: Path
) -> None:
    state = {name: torch.zeros(shape, dtype=dtype) for name, (shape, dtype) in shapes.items()}
    torch.save({key: state} if key else state, tmp_path / "file.pth")
    for load in (load_pose, load_reid):
        with pytest.raises(CheckpointError) as error:
            load(tmp_path / "file.pth")
        str(error.value).encode()
