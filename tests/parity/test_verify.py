# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""`pamtri verify`: a bundle against its golden crops, another engine or bundle, or a file of embeddings."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from pamtri_edge import Reidentifier, cli, samples
from pamtri_edge.bundle import open_bundle
from pamtri_edge.datasets.parts import picture_files
from pamtri_edge.errors import BundleError, InputError
from pamtri_edge.parity.embedding_sets import EmbeddingSet, read_embeddings
from pamtri_edge.parity.pictures import read_pictures
from pamtri_edge.parity.verify import check_bundles, check_embeddings, check_golden
from pamtri_edge.runtime import create_backend

COUNT = 5


@pytest.fixture(scope="module")
def crops(tmp_path_factory):
    """Return a folder of pictures of vehicles."""
    folder = tmp_path_factory.mktemp("crops")
    for index, crop in enumerate(samples.crops(COUNT, seed=2)):
        cv2.imwrite(str(folder / f"car_{index}.png"), crop[..., ::-1])
    return folder


@pytest.fixture(scope="module")
def pictures(crops):
    return read_pictures(picture_files(crops), source=str(crops))


@pytest.fixture(scope="module")
def embeddings(tiny_bundle, pictures):
    with Reidentifier.load(tiny_bundle) as reid:
        return reid.embed(pictures.crops).embeddings


@pytest.fixture(scope="module")
def bundle(tiny_bundle):
    return open_bundle(tiny_bundle)


@pytest.fixture(scope="module")
def engine(bundle):
    return create_backend(bundle.model, backend="openvino")


def broken(engine, change):
    """Return an engine that changes what another one gives."""

    def run(inputs):
        outputs = engine.run(inputs)
        change(outputs)
        return outputs

    return SimpleNamespace(name="broken", device="cpu", arithmetic="fp32", run=run)


def run(*arguments):
    result = CliRunner().invoke(cli.app, ["verify", *map(str, arguments)], env={"COLUMNS": "200"})
    return result.exit_code, result.output, result.exception


def test_a_sound_bundle_verifies(tiny_bundle):
    code, said, _ = run(tiny_bundle)
    assert code == 0
    assert "files present and unchanged" in said
    assert "within the limits" in said


def test_a_changed_byte_is_told(tiny_bundle, tmp_path):
    copy = tmp_path / "copy.pamtri"
    shutil.copytree(tiny_bundle, copy)
    with (copy / "model.onnx").open("r+b") as file:
        file.seek(100)
        file.write(b"\0\1\2\3")
    _, _, error = run(copy)
    assert isinstance(error, BundleError)
    assert "model.onnx was changed or damaged" in str(error)


def test_both_engines_agree_on_pictures(tiny_bundle, crops):
    code, said, _ = run(tiny_bundle, "--crops", crops)
    assert code == 0
    assert f"{COUNT} crops ({crops}): openvino (fp32) against torch (fp32)" in said


def test_the_torch_engine_can_be_asked_for(tiny_bundle):
    code, said, _ = run(tiny_bundle, "--backend", "torch")
    assert code == 0
    assert "torch (fp32) against PyTorch (fp32)" in said


def test_a_bundle_agrees_with_itself(bundle, engine, pictures):
    check = check_bundles(bundle, engine, bundle, pictures)
    assert check.failures == ()
    assert check.remarks == ()
    assert check.figures["cosine, least"] == "1.0000000"


def test_bundles_of_different_weights_are_told(bundle, engine, pictures, tmp_path):
    other = tmp_path / "other.pamtri"
    shutil.copytree(bundle.path, other)
    text = (other / "manifest.json").read_text()
    (other / "manifest.json").write_text(text.replace(bundle.manifest.embedding_space, "sha256:other"))
    check = check_bundles(bundle, engine, open_bundle(other), pictures)
    assert "different weights" in check.remarks[0]


def turned(outputs):
    outputs["embedding"] = np.roll(outputs["embedding"], 1, axis=1)


def displaced(outputs):
    outputs["keypoints"][..., :2] += 0.1
    turned(outputs)


def dimmed(outputs):
    outputs["keypoints"][..., 2] *= 0.5


def lost(outputs):
    outputs["quality"][:] = np.nan


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (turned, "end to end, the least cosine is"),
        (displaced, "the mean cosine of the crops with a tie is"),
        (dimmed, "a confidence differs by"),
        (lost, "quality holds values that are not finite"),
    ],
)
def test_an_engine_that_computes_something_else_fails(bundle, engine, change, reason):
    failures = check_golden(bundle, broken(engine, change)).failures
    assert any(text.startswith(reason) for text in failures), failures


def write(path, embeddings, names):
    """Write embeddings in the form that the ending says."""
    if path.suffix == ".npy":
        np.save(path, embeddings)
    elif path.suffix == ".npz":
        np.savez(path, embeddings=embeddings, names=np.array(names))
    else:
        rows = zip(names, embeddings, strict=True)
        lines = [json.dumps({"track_id": name, "embedding": row.tolist()}) for name, row in rows]
        path.write_text("\n".join(lines))
    return path


@pytest.mark.parametrize("ending", [".npy", ".npz", ".jsonl"])
def test_embeddings_are_read_with_the_names_that_their_file_has(crops, embeddings, tmp_path, ending):
    names = tuple(path.stem for path in picture_files(crops))
    found = read_embeddings(write(tmp_path / f"elsewhere{ending}", embeddings, names))
    np.testing.assert_allclose(found.embeddings, embeddings, atol=1e-7)
    assert found.names == (None if ending == ".npy" else names)


def test_embeddings_taken_elsewhere_are_compared(tiny_bundle, crops, embeddings, tmp_path):
    file = write(tmp_path / "elsewhere.npz", embeddings, [path.stem for path in picture_files(crops)])
    code, said, _ = run(tiny_bundle, "--crops", crops, "--against", file)
    assert code == 0
    assert "within the limits" in said
    assert f"against {file}" in said


def test_names_put_rows_to_their_crops(bundle, engine, pictures, embeddings):
    order = [3, 0, 4, 1, 2]
    shuffled = EmbeddingSet("x", embeddings[order], tuple(f"far/away/{pictures.names[i]}" for i in order))
    check = check_embeddings(bundle, engine, shuffled, pictures)
    assert check.failures == ()
    unnamed = EmbeddingSet("x", embeddings[order], None)
    assert check_embeddings(bundle, engine, unnamed, pictures).failures


def test_crops_without_an_embedding_are_counted(bundle, engine, pictures, embeddings):
    some = EmbeddingSet("x", embeddings[:3], pictures.names[:3])
    check = check_embeddings(bundle, engine, some, pictures)
    assert check.figures["crops"] == "3"
    assert check.remarks == ("2 crops have no embedding there",)


def test_another_scaler_is_within_the_limit_and_another_picture_is_not(
    bundle, engine, pictures, embeddings, rng
):
    noise = rng.normal(size=embeddings.shape).astype(np.float32)
    noise /= np.linalg.norm(noise, axis=1, keepdims=True)
    near = EmbeddingSet("near", embeddings + 0.1 * noise, None)
    assert check_embeddings(bundle, engine, near, pictures).failures == ()
    far = EmbeddingSet("far", embeddings + 0.5 * noise, None)
    assert "5th percentile" in check_embeddings(bundle, engine, far, pictures).failures[0]


def test_embeddings_of_other_weights_fail_even_if_they_agree(bundle, engine, pictures, embeddings):
    other = EmbeddingSet("x", embeddings, None, space="sha256:other")
    assert "made with other weights" in check_embeddings(bundle, engine, other, pictures).failures[0]


@pytest.mark.parametrize(
    ("shape", "names", "said"),
    [
        ((COUNT - 1, 8), None, "4 embeddings without names, and there are 5 crops"),
        ((COUNT, 7), None, "embeddings of 7 numbers"),
        ((COUNT, 8), tuple("abcde"), r"no name in x \(such as 'a'\) is that of a crop"),
    ],
)
def test_embeddings_that_do_not_fit_the_crops_are_refused(bundle, engine, pictures, shape, names, said):
    size = bundle.manifest.embedding_dim if shape[1] == 8 else shape[1]
    other = EmbeddingSet("x", np.ones((shape[0], size), np.float32), names)
    with pytest.raises(InputError, match=said):
        check_embeddings(bundle, engine, other, pictures)


def test_base64_embeddings_of_events_are_read(tmp_path, embeddings):
    halves = embeddings.astype(np.float16)
    events = [
        {"track_id": i, "embedding": base64.b64encode(row.tobytes()).decode(), "embedding_space": "sha256:x"}
        for i, row in enumerate(halves)
    ]
    (tmp_path / "events.jsonl").write_text("\n".join(map(json.dumps, events)) + "\n\n")
    found = read_embeddings(tmp_path / "events.jsonl")
    np.testing.assert_array_equal(found.embeddings, halves.astype(np.float32))
    assert found.names == ("0", "1", "2", "3", "4")
    assert found.space == "sha256:x"


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.csv", b"1,2", "is no file of embeddings"),
        ("a.npy", b"no array", "holds no embeddings"),
        ("a.npz", b"PK\3\4 no archive", "holds no embeddings"),
        ("a.jsonl", b'{"embedding": [1, 2]}\nnonsense', r"a\.jsonl:2: no embedding"),
        ("a.jsonl", b'{"track_id": 3}', "no embedding"),
        ("a.jsonl", b'{"embedding": [1, 2]}\n{"embedding": [1]}', "different lengths"),
        ("a.jsonl", b"", "expected numbers"),
        ("a.jsonl", b'{"embedding": [1, NaN]}', "not finite"),
        (
            "a.jsonl",
            b'{"name": "x.jpg", "embedding": [1]}\n{"name": "x", "embedding": [1]}',
            "names a crop twice",
        ),
    ],
)
def test_a_file_of_another_form_is_refused(tmp_path, name, content, reason):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=reason):
        read_embeddings(tmp_path / name)


def test_a_file_of_embeddings_needs_the_pictures(tiny_bundle, tmp_path, embeddings):
    file = write(tmp_path / "x.npy", embeddings, [])
    _, _, error = run(tiny_bundle, "--against", file)
    assert isinstance(error, InputError)
    assert "--crops DIR" in str(error)


def test_failing_is_exit_code_1(tiny_bundle, crops, tmp_path, embeddings):
    file = write(tmp_path / "x.npy", embeddings[::-1], [])
    code, said, _ = run(tiny_bundle, "--crops", crops, "--against", file)
    assert code == 1
    assert "failed:" in said


def test_it_works_without_torch_and_onnx(tiny_bundle, crops):
    script = f"""
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "onnx", "onnxscript", "onnxruntime"):
            raise ModuleNotFoundError(name, name=name)
sys.meta_path.insert(0, Absent())
from pamtri_edge.cli import main
sys.argv = ["pamtri", "verify", *{[str(tiny_bundle), "--against", str(tiny_bundle), "--crops", str(crops)]}]
main()
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("within the limits") == 2
