# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pamtri_edge.bundle import (
    SHIPPED_BUNDLE,
    Golden,
    Manifest,
    cache_folder,
    default_bundle,
    open_bundle,
)
from pamtri_edge.errors import BundleError
from small_bundle import edit, read_golden, sign


def test_a_written_bundle_opens_and_says_what_it_holds(bundle_path: Path, manifest: Manifest) -> None:
    bundle = open_bundle(bundle_path)
    assert bundle.model.read_bytes() == b"a network"
    assert bundle.manifest.embedding_dim == 8
    assert bundle.manifest.colors == ("dark", "light")
    assert bundle.manifest.output("color") == manifest.outputs[1]
    assert bundle.manifest.output("type") is None
    assert bundle.staged is None
    assert set(bundle.manifest.files) == {"model.onnx", "golden.npz", "deepstream/labels.txt"}


def test_the_golden_arrays_come_back_as_they_were(bundle_path: Path, golden: Golden) -> None:
    found = open_bundle(bundle_path).golden()
    for group in ("inputs", "expected", "reference"):
        for name, array in getattr(golden, group).items():
            np.testing.assert_array_equal(getattr(found, group)[name], array)
            assert getattr(found, group)[name].dtype == np.float32


def test_golden_inputs_with_fractions_are_not_rounded(tmp_path: Path, golden: Golden) -> None:
    inputs = {"images": golden.inputs["images"] + 0.25}
    Golden(inputs, golden.expected, {}).save(tmp_path / "golden.npz")
    np.testing.assert_array_equal(read_golden(tmp_path / "golden.npz").inputs["images"], inputs["images"])


def test_a_staged_bundle_names_its_two_networks(bundle_path: Path, tmp_path: Path) -> None:
    digest = open_bundle(bundle_path).manifest.files["model.onnx"]
    for name in ("staged.pose.onnx", "staged.reid.onnx"):
        shutil.copy(bundle_path / "model.onnx", bundle_path / name)
    files = json.loads((bundle_path / "manifest.json").read_text())["files"]
    edit(bundle_path, files={**files, "staged.pose.onnx": digest, "staged.reid.onnx": digest})
    assert open_bundle(bundle_path).staged == (
        bundle_path / "staged.pose.onnx",
        bundle_path / "staged.reid.onnx",
    )


def test_files_that_the_manifest_does_not_list_are_let_be(bundle_path: Path) -> None:
    (bundle_path / "engines").mkdir()
    (bundle_path / "engines" / "abc.engine").write_bytes(b"cache")
    assert open_bundle(bundle_path).engines == bundle_path / "engines"


def test_a_bundle_that_is_not_there_is_refused_with_the_command_that_makes_one(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"nothing\.pamtri does not exist.*--model lite --output"):
        open_bundle(tmp_path / "nothing.pamtri")


def test_a_file_in_the_place_of_a_bundle_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.pamtri").write_bytes(b"")
    with pytest.raises(BundleError, match=r"a bundle is a folder .*One that came packed .*is unpacked first"):
        open_bundle(tmp_path / "model.pamtri")


def test_a_folder_without_a_manifest_is_no_bundle(bundle_path: Path) -> None:
    (bundle_path / "manifest.json").unlink()
    with pytest.raises(BundleError, match=r"is not a bundle: it has no manifest\.json"):
        open_bundle(bundle_path)


@pytest.mark.parametrize("name", ["model.onnx", "golden.npz", "deepstream/labels.txt"])
def test_a_missing_file_is_named(bundle_path: Path, name: str) -> None:
    (bundle_path / name).unlink()
    with pytest.raises(BundleError, match=rf"{name} is missing.*[Cc]opy the bundle"):
        open_bundle(bundle_path)


@pytest.mark.parametrize("name", ["model.onnx", "golden.npz", "deepstream/labels.txt"])
def test_a_changed_byte_is_named(bundle_path: Path, name: str) -> None:
    content = bytearray((bundle_path / name).read_bytes())
    content[len(content) // 2] ^= 1
    (bundle_path / name).write_bytes(content)
    with pytest.raises(BundleError, match=rf"{name} was changed or damaged.*[Cc]opy the bundle"):
        open_bundle(bundle_path)


def test_a_newer_schema_asks_for_an_upgrade_whatever_else_it_holds(bundle_path: Path) -> None:
    edit(bundle_path, schema=2, precision="fp4", inputs=...)
    with pytest.raises(BundleError, match="made by a newer pamtri-edge; upgrade"):
        open_bundle(bundle_path)


def test_a_field_of_a_later_release_is_let_be(bundle_path: Path) -> None:
    edit(bundle_path, license="CC-BY")
    open_bundle(bundle_path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        *((text, "is not readable JSON") for text in (b"", b"{", b"\x00", b'{"schema": 1,}')),
        (b"\xff\xfe\xfa", "cannot be read"),
        (b"[]", "holds a JSON list"),
    ],
)
def test_an_unreadable_manifest_is_named(bundle_path: Path, content: bytes, said: str) -> None:
    (bundle_path / "manifest.json").write_bytes(content)
    with pytest.raises(BundleError, match=rf"manifest\.json {said}"):
        open_bundle(bundle_path)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("schema", "1"),
        ("schema", True),
        ("schema", 0),
        ("name", 3),
        ("precision", "fp4"),
        ("geometry", "square"),
        ("size", None),
        ("variant", {"keypoints": True}),
        ("inputs", []),
        ("inputs", [{"name": "images", "shape": [1, 3, 4, 4], "dtype": "float32"}]),
        ("outputs", [{"name": "embedding", "shape": [None, 8], "dtype": "float16"}]),
        ("embedding_dim", 8.0),
        ("embedding_dim", 0),
        ("embedding_norm", "l1"),
        ("embedding_space", ""),
        ("colors", "red"),
        ("colors", [1, 2]),
        ("trained", "no"),
        ("flip_test", 0),
        ("parity", []),
        ("tolerance", {"embedding": {}}),
        ("tolerance", {"embedding": {"cosine": "high"}}),
        ("tolerance", {"embedding": {"cosine": 1, "median": 2}}),
        ("files", ["model.onnx"]),
        ("files", {"model.onnx": "abc"}),
        ("files", {"model.onnx": 5}),
    ],
)
def test_a_field_of_a_wrong_type_is_named_with_what_was_found(
    bundle_path: Path, field: str, value: Any
) -> None:
    edit(bundle_path, **{field: value})
    with pytest.raises(BundleError, match=rf"manifest\.json.*{field}"):
        open_bundle(bundle_path)


@pytest.mark.parametrize("field", ["schema", "inputs", "embedding_space", "tolerance", "files", "trained"])
def test_a_missing_field_is_named(bundle_path: Path, field: str) -> None:
    edit(bundle_path, **{field: ...})
    with pytest.raises(BundleError, match=f"lacks the field '{field}'"):
        open_bundle(bundle_path)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"embedding_dim": 9}, "embedding_dim is 9"),
        ({"colors": ["one"]}, "2 classes, but 1 names"),
        ({"colors": None}, "2 classes, but no names"),
        ({"types": ["sedan"]}, "no classes, but 1 names"),
        ({"tolerance": {"embedding": {"cosine": 0.9}}}, r"tolerance lacks the outputs \['color'\]"),
        ({"inputs": [{"name": "pixels", "shape": [None, 3], "dtype": "float32"}]}, "the inputs are"),
        ({"outputs": [{"name": "color", "shape": [None, 2], "dtype": "float32"}]}, "the embedding first"),
    ],
)
def test_fields_that_contradict_each_other_are_refused(
    bundle_path: Path, fields: dict[str, Any], said: str
) -> None:
    edit(bundle_path, **fields)
    with pytest.raises(BundleError, match=said):
        open_bundle(bundle_path)


@pytest.mark.parametrize(
    "name", ["../outside", "/etc/passwd", "a/../../b", "..", "", "a\\..\\..\\b", "C:/file", "."]
)
def test_a_path_that_leads_out_of_the_bundle_is_refused(bundle_path: Path, name: str) -> None:
    files = json.loads((bundle_path / "manifest.json").read_text())["files"]
    edit(bundle_path, files={**files, name: "0" * 64})
    with pytest.raises(BundleError, match="leads out of it"):
        open_bundle(bundle_path)


@pytest.mark.parametrize("name", ["model.onnx", "golden.npz"])
def test_a_manifest_that_lists_no_network_or_golden_file_is_refused(bundle_path: Path, name: str) -> None:
    files = json.loads((bundle_path / "manifest.json").read_text())["files"]
    del files[name]
    edit(bundle_path, files=files)
    with pytest.raises(BundleError, match=f"lists no {name}"):
        open_bundle(bundle_path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not an archive", b"\x93NUMPY"])
def test_golden_arrays_that_cannot_be_read_are_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "golden.npz").write_bytes(content)
    with pytest.raises(BundleError, match=r"golden\.npz"):
        read_golden(tmp_path / "golden.npz")


def test_golden_arrays_that_disagree_with_the_manifest_are_refused(bundle_path: Path, golden: Golden) -> None:
    narrow = {**golden.expected, "embedding": golden.expected["embedding"][:, :4]}
    alone = {"embedding": golden.expected["embedding"]}
    for expected, said in (
        (narrow, r"expected/embedding has shape \(2, 4\)"),
        (alone, "lacks expected/color"),
    ):
        Golden(golden.inputs, expected, {}).save(bundle_path / "golden.npz")
        sign(bundle_path)
        with pytest.raises(BundleError, match=said):
            open_bundle(bundle_path).golden()


def test_the_cache_is_the_users_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    monkeypatch.delenv("PAMTRI_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert cache_folder() == Path("/home/someone/.cache/pamtri-edge")
    monkeypatch.setenv("XDG_CACHE_HOME", "/xdg")
    assert cache_folder() == Path("/xdg/pamtri-edge")
    monkeypatch.setenv("PAMTRI_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path


def test_a_user_without_a_home_has_no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "PAMTRI_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000_000)
    assert cache_folder() is None


def test_the_shipped_bundle_is_the_default_whatever_lies_in_the_cache(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("PAMTRI_BUNDLE", raising=False)
    monkeypatch.setenv("PAMTRI_CACHE", str(tmp_path))
    (tmp_path / "pamtri-lite.pamtri").mkdir()
    assert default_bundle() == SHIPPED_BUNDLE


def test_the_environment_names_another_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAMTRI_BUNDLE", "/somewhere/mine.pamtri")
    assert default_bundle() == Path("/somewhere/mine.pamtri")
    monkeypatch.setenv("PAMTRI_BUNDLE", "")
    assert default_bundle() == SHIPPED_BUNDLE
