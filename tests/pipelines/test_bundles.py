# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Bundles in C++: opened, refused and run as in Python, with the same words and numbers."""

from __future__ import annotations

import hashlib
import io
import json
import os
import random
import re
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pamtri_edge.bundle import SHIPPED_BUNDLE, Golden, Manifest, open_bundle
from pamtri_edge.errors import BundleError
from raw_arrays import archive, npy

Opened = Callable[[object], str]
WHERE = re.compile(r"\([^()]*(\([^()]*\))?[^()]*\)")  # what a library says of bytes that it cannot read


def by_python(path: Path) -> str:
    try:
        bundle = open_bundle(path)
        bundle.golden()
    except BundleError as error:
        return f"refused {error}"
    return f"ok {bundle.manifest.name}"


def edit(bundle: Path, **fields: Any) -> None:
    """Change fields of the manifest; a value of `...` removes the field."""
    file = bundle / "manifest.json"
    record = {**json.loads(file.read_text()), **fields}
    file.write_text(json.dumps({key: value for key, value in record.items() if value is not ...}))


def sign(bundle: Path) -> None:
    record = json.loads((bundle / "manifest.json").read_text())
    edit(
        bundle,
        files={name: hashlib.sha256((bundle / name).read_bytes()).hexdigest() for name in record["files"]},
    )


def files(bundle: Path, **more: Any) -> None:
    edit(bundle, files={**json.loads((bundle / "manifest.json").read_text())["files"], **more})


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def instead(put: Callable[[Path], object]) -> Callable[[Path], object]:
    def tamper(path: Path) -> None:
        path.unlink()
        put(path)

    return tamper


FILES = ("model.onnx", "golden.npz", "deepstream/labels.txt")
TAMPERED: dict[str, Callable[[Path], object]] = {
    "nothing": lambda bundle: None,
    "no manifest": lambda bundle: (bundle / "manifest.json").unlink(),
    "an unknown field": lambda bundle: edit(bundle, license="CC-BY"),
    "a newer schema": lambda bundle: edit(bundle, schema=2, precision="fp4", inputs=...),
    "a manifest of a gigabyte": lambda bundle: os.truncate(bundle / "manifest.json", 1 << 30),
    "a network of a terabyte": lambda bundle: os.truncate(bundle / "model.onnx", 1 << 40),
    "no text": lambda bundle: (bundle / "manifest.json").write_bytes(b"\xff\xfe\xfa"),
    "a link to the file": lambda bundle: (
        (bundle / "model.onnx").rename(bundle.parent / "blob"),
        (bundle / "model.onnx").symlink_to(bundle.parent / "blob"),
    ),
    "a thousand files": lambda bundle: files(bundle, **{f"./{'/' * at}x": "0" for at in range(1000)}),
    "an unfit digest": lambda bundle: files(bundle, **{"model.onnx": "A" * 64}),
    "another digest": lambda bundle: files(bundle, **{"model.onnx": "0" * 64}),
    "weights in other files": lambda bundle: (
        (bundle / "model.onnx").write_bytes(bytes.fromhex("3a 10 2a 0e 6a 0c 0a 08") + b"location\x12\x00"),
        sign(bundle),
    ),
    "the word for it alone": lambda bundle: (
        (bundle / "model.onnx").write_bytes(b"\x12\x08location"),
        sign(bundle),
    ),
    "a network that cannot be followed": lambda bundle: (
        (bundle / "model.onnx").write_bytes(b"\x3a\xff location"),
        sign(bundle),
    ),
    **{f"no {name}": lambda bundle, name=name: (bundle / name).unlink() for name in FILES},
    **{f"a changed {name}": lambda bundle, name=name: flip(bundle / name) for name in FILES},
    **{f"{text!r} for a manifest": lambda bundle, text=text: (bundle / "manifest.json").write_text(text)
       for text in ("", "{", "\x00", '{"schema": 1,}', "[]", "1", '"x"', "null", "1.5", "true")},
    **{f"{kind} for {name}": lambda bundle, name=name, put=put: instead(put)(bundle / name)
       for name in (*FILES, "manifest.json")
       for kind, put in {
           "a pipe": os.mkfifo,
           "a device": lambda path: path.symlink_to("/dev/zero"),
           "a circle": lambda path: path.symlink_to(path),
           "a folder": lambda path: path.mkdir(),
           "a link to nothing": lambda path: path.symlink_to("/nowhere"),
       }.items()},
    **{f"without {field}": lambda bundle, field=field: edit(bundle, **{field: ...})
       for field in ("schema", "inputs", "embedding_space", "tolerance", "files", "trained", "matching")},
    **{f"a path {name!r}": lambda bundle, name=name: files(bundle, **{name: "0" * 64})
       for name in ("../outside", "/etc/passwd", "a/../../b", "..", "", "a\\b", "C:/file", ".", "a\nb", "./x",
                    "größe", "a\u202eb", "it's")},
}  # fmt: skip


@pytest.mark.parametrize("name", TAMPERED)
def test_a_tampered_bundle_is_refused_with_pythons_sentence(
    opened: Opened, bundle_path: Path, name: str
) -> None:
    TAMPERED[name](bundle_path)
    expected = by_python(bundle_path)
    found = opened(bundle_path)
    if "weights" in name or "word" in name or "followed" in name:  # Python looks when an engine is made of it
        from pamtri_edge.onnx_wire import refuse_outside_weights

        try:
            refuse_outside_weights((bundle_path / "model.onnx").read_bytes(), bundle_path / "model.onnx")
        except BundleError as error:
            expected = f"refused {error}"
    if "readable JSON" in expected or "cannot be read (" in expected:
        expected, found = WHERE.sub("()", expected), WHERE.sub("()", found)
    assert found == expected


GOLDEN: dict[str, dict[str, bytes]] = {
    "too long": {"input/x.npy": npy((10**15,))},
    "too deep": {"input/x.npy": npy((1 << 20, 1 << 20, 1 << 20, 1 << 20))},
    "too much together": {"input/x.npy": npy((9 << 20,), bytes(9 << 22)), "expected/x.npy": npy((9 << 20,))},
    "bytes count four times": {"input/x.npy": npy((17 << 20,), b"", "|u1")},
    "a size below zero": {"input/x.npy": npy((-1,))},
    "objects": {"input/x.npy": npy((1,), b"....", "|O")},
    "complex numbers": {"input/x.npy": npy((1,), bytes(8), "<c8")},
    "moments": {"input/x.npy": npy((1,), bytes(8), "<M8[s]")},
    "texts": {"input/x.npy": npy((1,), bytes(12), "<U3")},
    "not a number": {"input/x.npy": npy((1,), struct.pack("<f", float("nan")))},
    "too large a number": {"input/x.npy": npy((1,), struct.pack("<d", 1e300), "<f8")},
    "too few items": {"input/x.npy": npy((9,))},
    "a long header": {"input/x.npy": b"\x93NUMPY\x01\x00\xff\xff" + b"(" * 65535},
    "no array": {"input/x.npy": b"hello"},
    "a later form": {"input/x.npy": b"\x93NUMPY\x09\x00" + npy((1,), bytes(4))[8:]},
    "another group": {"secret/x.npy": npy((1,), bytes(4))},
    "no group": {"x.npy": npy((1,), bytes(4))},
    "many": {f"input/{at}.npy": npy((1,), bytes(4)) for at in range(80)},
    "no outputs": {"input/x.npy": npy((1,), bytes(4))},
    "nothing": {},
}


def refused_alike(opened: Opened, bundle: Path) -> str:
    expected = by_python(bundle)
    found = opened(bundle)
    if "holds no golden arrays (" in expected:  # and then what a library says of the bytes
        expected, found = (text.split(" holds no golden arrays (")[0] for text in (expected, found))
    assert found == expected
    return found


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_arrays_are_weighed_before_they_are_unpacked(
    opened: Opened, bundle_path: Path, name: str
) -> None:
    (bundle_path / "golden.npz").write_bytes(archive(GOLDEN[name]))
    sign(bundle_path)
    assert refused_alike(opened, bundle_path).startswith("refused ")


@pytest.mark.parametrize("way", ["lzma", "twice", "cut short", "no archive", "a wrong checksum"])
def test_archives_of_other_forms_are_refused(opened: Opened, bundle_path: Path, way: str) -> None:
    one = {"input/x.npy": npy((1,), bytes(4))}
    content = (bundle_path / "golden.npz").read_bytes()
    if way == "lzma":
        content = archive(one, zipfile.ZIP_LZMA)
    elif way == "twice":
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as file:
            file.writestr("input/x.npy", one["input/x.npy"])
            file.writestr("input/x", one["input/x.npy"])
        content = stream.getvalue()
    elif way == "cut short":
        content = content[:-40]
    elif way == "no archive":
        content = b"PK\x03\x04 not an archive"
    else:
        content = bytearray(archive({"input/x.npy": npy((9,), bytes(36))}, zipfile.ZIP_STORED))
        content[content.find(b"NUMPY") + 140] ^= 1
    (bundle_path / "golden.npz").write_bytes(content)
    sign(bundle_path)
    assert refused_alike(opened, bundle_path).startswith("refused ")


@pytest.mark.parametrize(
    "change",
    [
        lambda g: g.expected.update({k: v[:1] for k, v in g.expected.items()}),
        lambda g: g.expected.update(more=g.expected["color"]),
        lambda g: g.reference.pop("color"),
        lambda g: g.inputs.update(images=g.inputs["images"][:0]),
        lambda g: g.inputs.update(images=g.inputs["images"][0]),
        lambda g: g.expected.update(embedding=g.expected["embedding"][:, :4]),
        lambda g: g.expected.update(embedding=np.asfortranarray(g.expected["embedding"])),
        lambda g: g.expected.update(embedding=g.expected["embedding"].astype(">f8")),
        lambda g: g.expected.update(embedding=g.expected["embedding"].astype("<f2")),
        lambda g: g.expected.update(color=(g.expected["color"] * 9).astype("<i4")),
    ],
)
def test_golden_arrays_must_belong_together(
    opened: Opened, bundle_path: Path, golden: Golden, change: Callable[[Golden], object]
) -> None:
    changed = Golden(dict(golden.inputs), dict(golden.expected), dict(golden.reference))
    change(changed)
    changed.save(bundle_path / "golden.npz")
    sign(bundle_path)
    refused_alike(opened, bundle_path)


JUNK = [
    None,
    True,
    0,
    1,
    -1,
    2,
    1.5,
    "",
    "x",
    "fp16",
    [],
    {},
    [1],
    ["images"],
    {"a": 1},
    [None, 3],
    10**17,
    "\n",
]


def spoiled(value: Any, rng: random.Random) -> Any:
    """Return a JSON value with one place in it exchanged or gone."""
    if isinstance(value, (dict, list)) and value and rng.random() < 0.8:
        copy = value.copy()
        at = rng.choice(list(value)) if isinstance(value, dict) else rng.randrange(len(value))
        if rng.random() < 0.2:
            del copy[at]
        else:
            copy[at] = spoiled(value[at], rng)
        return copy
    return rng.choice(JUNK)


def test_spoiled_manifests_are_taken_and_refused_alike(
    probe: Callable[..., list[str]], manifest: Manifest
) -> None:
    rng = random.Random(5)
    shipped = json.loads((SHIPPED_BUNDLE / "manifest.json").read_text())
    records = [json.loads(manifest.to_json()), shipped]
    lines, expected = [], []
    for seed in range(700):
        lines.append(json.dumps(spoiled(records[seed % 2], rng), ensure_ascii=bool(seed % 3)))
        try:
            expected.append(f"ok {Manifest.from_json(lines[-1]).name}")
        except BundleError as error:
            expected.append(f"refused {error}")
    found = probe("manifests", lines="\n".join(lines))
    assert [pair for pair in zip(found, expected, strict=True) if pair[0] != pair[1]] == []
    assert 50 < sum(line.startswith("ok") for line in found) < 650


@pytest.mark.parametrize(
    "place", ["nothing.pamtri", "nothing", "it's", "file", "half.pamtri", "half.pamtri/", "./x//./nothing/"]
)
def test_a_place_without_a_bundle_is_refused_alike(opened: Opened, tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / ".half.pamtri.previous").mkdir()
    path = f"{tmp_path}/{place}"
    assert opened(path) == by_python(Path(path))
