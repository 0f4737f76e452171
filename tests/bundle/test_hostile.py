# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Bundles that nobody made by accident: each is one sentence, soon, and in little memory."""

from __future__ import annotations

import json
import os
import struct
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pamtri_edge.bundle import Golden, Manifest, open_bundle
from pamtri_edge.errors import BundleError, PamtriError
from pamtri_edge.files.strict_json import read_json
from properties import tries
from raw_arrays import archive, npy
from small_bundle import edit, read_golden, sign

DEEP = "[" * 100_000 + "]" * 100_000


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": NaN}', "holds NaN"),
        ('{"a": [-Infinity]}', "holds -Infinity"),
        ('{"a": 1e999}', "1e999 is too large"),
        ('{"a": ' + "7" * 300 + "}", "has more than 18 digits"),
        ('{"a": -' + "7" * 5000 + "}", "has more than 18 digits"),
        ('{"a": 1, "b": 2, "a": 3}', "'a' occurs more than once"),
        ('{"a": {"b": [{"c": 1, "c": 1}]}}', "'c' occurs more than once"),
        (DEEP, "nested too deep"),
        ('{"a":' * 50_000, "nested too deep"),
        ('{"a": "\\ud800"}', "half of a surrogate pair"),
        ('{"\\udfff": 1}', "half of a surrogate pair"),
    ],
)
def test_json_that_is_none_is_one_sentence(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_json(text)


def test_json_that_is_some_is_read() -> None:
    assert read_json('{"a": [1, -2.5e3, null, true, "\\ud83d\\ude97"]}') == {
        "a": [1, -2500.0, None, True, "🚗"]
    }


@pytest.mark.parametrize(
    "limits",
    [
        {"cosine": 0.49},
        {"cosine": -1},
        {"cosine": 1.01},
        {"max_abs": -0.1},
        {"max_abs": 1e6},
        {"max_abs": 10**17},
        {"max_abs": 0.1, "share": 0.1},
        {"max_abs": True},
    ],
)
def test_a_tolerance_that_lets_anything_pass_is_refused(bundle_path: Path, limits: dict[str, Any]) -> None:
    edit(bundle_path, tolerance={"embedding": limits, "color": {"max_abs": 0.01}})
    with pytest.raises(BundleError, match=r"'tolerance'.*expected.*cosine \(0\.5 to 1\)"):
        open_bundle(bundle_path)


def test_a_manifest_of_a_gigabyte_is_not_read(bundle_path: Path) -> None:
    os.truncate(bundle_path / "manifest.json", 1 << 30)
    with pytest.raises(BundleError, match=r"manifest\.json has 1074 MB; in a bundle it has 4 MB at most"):
        open_bundle(bundle_path)


def test_a_network_of_a_terabyte_is_not_hashed(bundle_path: Path) -> None:
    os.truncate(bundle_path / "model.onnx", 1 << 40)
    with pytest.raises(BundleError, match=r"model\.onnx has 1099512 MB"):
        open_bundle(bundle_path)


@pytest.mark.parametrize("name", ["model.onnx", "manifest.json"])
@pytest.mark.parametrize(
    ("put", "said"),
    [
        (os.mkfifo, "is a pipe"),
        (lambda path: path.symlink_to("/dev/zero"), "is a device"),
        (lambda path: path.symlink_to(path), "cannot be read"),
        (lambda path: path.mkdir(), "is a folder"),
        (lambda path: path.symlink_to("/nowhere"), "is missing|has no manifest"),
    ],
)
def test_what_is_no_regular_file_is_named_at_once(
    bundle_path: Path, name: str, put: Callable[[Path], object], said: str
) -> None:
    (bundle_path / name).unlink()
    put(bundle_path / name)
    with pytest.raises(BundleError, match=said):
        open_bundle(bundle_path)


def test_a_link_to_the_very_file_is_let_be(bundle_path: Path, tmp_path: Path) -> None:
    (bundle_path / "model.onnx").rename(tmp_path / "blob")
    (bundle_path / "model.onnx").symlink_to(tmp_path / "blob")
    assert open_bundle(bundle_path).network() == b"a network"


def test_a_list_of_a_thousand_files_is_refused(bundle_path: Path) -> None:
    edit(bundle_path, files={f"./{'/' * at}model.onnx": "0" * 64 for at in range(1000)})
    with pytest.raises(BundleError, match="at most 256 files"):
        open_bundle(bundle_path)


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"input/x.npy": npy((10**15,))}, "more than 64 MiB"),
        ({"input/x.npy": npy((1 << 20, 1 << 20, 1 << 20, 1 << 20))}, "more than 64 MiB"),
        ({"input/x.npy": npy((9 << 20,), bytes(9 << 22)), "expected/x.npy": npy((9 << 20,))}, "more than 64"),
        ({"input/x.npy": npy((-1,))}, "has shape"),
        ({"input/x.npy": npy((1,), b"....", "|O")}, "holds object, not numbers"),
        ({"input/x.npy": npy((1,), bytes(8), "<c8")}, "holds complex64, not numbers"),
        ({"input/x.npy": npy((1,), bytes(8), "<M8[s]")}, "not numbers"),
        ({"input/x.npy": npy((1,), struct.pack("<f", float("nan")))}, "NaN or infinity"),
        ({"input/x.npy": npy((1,), struct.pack("<d", 1e300), "<f8")}, "NaN or infinity"),
        ({"input/x.npy": npy((9,))}, "holds no golden arrays"),
        ({"input/x.npy": b"\x93NUMPY\x01\x00\xff\xff" + b"(" * 65535}, "holds no golden arrays"),
        ({"secret/x.npy": npy((1,), bytes(4))}, "'secret/x' is no golden array"),
        ({f"input/{at}.npy": npy((1,), bytes(4)) for at in range(80)}, "more than 64 entries"),
    ],
)
def test_golden_arrays_are_weighed_before_they_are_unpacked(
    tmp_path: Path, members: dict[str, bytes], said: str
) -> None:
    (tmp_path / "golden.npz").write_bytes(archive(members))
    with pytest.raises(BundleError, match=said):
        read_golden(tmp_path / "golden.npz")


def test_golden_arrays_in_another_packing_are_refused(tmp_path: Path) -> None:
    (tmp_path / "golden.npz").write_bytes(archive({"input/x.npy": npy((1,), bytes(4))}, zipfile.ZIP_LZMA))
    with pytest.raises(BundleError, match="packed in another way"):
        read_golden(tmp_path / "golden.npz")


def test_golden_arrays_in_columns_are_read_as_they_are(tmp_path: Path) -> None:
    array = np.asfortranarray(np.arange(12, dtype=np.float32).reshape(3, 4))
    Golden({"x": array + 0.5}, {"y": array}, {}).save(tmp_path / "golden.npz")
    np.testing.assert_array_equal(read_golden(tmp_path / "golden.npz").expected["y"], array)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda g: g.expected.update({k: v[:1] for k, v in g.expected.items()}), "rows, not one count"),
        (lambda g: g.expected.update(more=g.expected["color"]), "expected/more, which the manifest does not"),
        (lambda g: g.reference.pop("color"), "lacks reference/color"),
        (lambda g: g.inputs.update(images=g.inputs["images"][:0]), "N at least 1"),
    ],
)
def test_golden_arrays_that_do_not_belong_together_are_refused(
    bundle_path: Path, golden: Golden, change: Callable[[Golden], object], said: str
) -> None:
    changed = Golden(dict(golden.inputs), dict(golden.expected), dict(golden.reference))
    change(changed)
    changed.save(bundle_path / "golden.npz")
    sign(bundle_path)
    with pytest.raises(BundleError, match=said):
        open_bundle(bundle_path).golden()


def test_the_bytes_that_were_checked_are_those_that_are_given_on(
    bundle_path: Path, write: Callable[..., Path]
) -> None:
    opened = open_bundle(bundle_path)
    write(bundle_path, model=b"another network", overwrite=True)
    assert opened.network() == b"a network"
    assert opened.replaced
    assert open_bundle(bundle_path).network() == b"another network"


def test_a_file_that_is_written_to_after_it_was_opened_is_refused(bundle_path: Path) -> None:
    opened = open_bundle(bundle_path)
    assert not opened.replaced
    (bundle_path / "model.onnx").write_bytes(b"A network")
    with pytest.raises(BundleError, match=r"model\.onnx was changed"):
        opened.network()


def test_opening_keeps_no_files_open(bundle_path: Path) -> None:
    for _ in range(5):
        open_bundle(bundle_path)
    (bundle_path / "golden.npz").unlink()
    with pytest.raises(BundleError):
        open_bundle(bundle_path)
    opened = [os.path.realpath(one) for one in Path("/proc/self/fd").iterdir()]
    assert not [one for one in opened if Path(one).is_relative_to(bundle_path)]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just(["images"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


def spoiled(record: Any, draw: Callable[[Any], Any]) -> Any:
    """Return a JSON value with one place in it exchanged."""
    if isinstance(record, (dict, list)) and record and draw(st.integers(0, 3)):
        copy = record.copy()
        at = draw(st.sampled_from(sorted(record) if isinstance(record, dict) else range(len(record))))
        if draw(st.integers(0, 5)) == 0:
            del copy[at]
        else:
            copy[at] = spoiled(record[at], draw)
        return copy
    return draw(JSON)


@settings(max_examples=tries(100), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_manifest_raises_anything_but_ours(manifest: Manifest, data: st.DataObject) -> None:
    text = json.dumps(spoiled(json.loads(manifest.to_json()), data.draw))
    if data.draw(st.booleans()):
        at = data.draw(st.integers(0, len(text)))
        text = text[:at] + data.draw(st.text(max_size=3)) + text[at + data.draw(st.integers(0, 9)) :]
    with suppress(PamtriError):
        Manifest.from_json(text).to_json()


@pytest.fixture
def golden_file(golden: Golden, tmp_path: Path) -> bytes:
    golden.save(tmp_path / "golden.npz")
    return (tmp_path / "golden.npz").read_bytes()


@settings(max_examples=tries(100), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_golden_file_raises_anything_but_ours(
    manifest: Manifest, golden_file: bytes, tmp_path: Path, data: st.DataObject
) -> None:
    content = bytearray(golden_file)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content)))
        content[at : at + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=6))
    with suppress(PamtriError):
        found = Golden.read(bytes(content), source=tmp_path)
        found.check(manifest.inputs, manifest.outputs, source=tmp_path)
