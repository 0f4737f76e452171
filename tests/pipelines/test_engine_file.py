# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The C++ choice of a bundle's engine, among files that Python's engine cache wrote."""

import dataclasses
import json
import os
import subprocess

import pytest

from pamtri_edge.files.regular import sha256_of
from pamtri_edge.runtime.tensorrt.build import Built
from pamtri_edge.runtime.tensorrt.engine_cache import cached_engine, engine_folders
from pamtri_edge.runtime.tensorrt.fingerprint import Fingerprint

MACHINE = {"tensorrt": "10.3.0.26", "cuda": "12", "compute": "sm_87", "gpu": "Orin", "l4t": "36.4.0"}


@pytest.fixture
def bundle(tmp_path, monkeypatch):
    """A bundle with a network and no engines."""
    monkeypatch.setenv("PAMTRI_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "street.pamtri"
    folder.mkdir()
    (folder / "model.onnx").write_bytes(b"a network")
    digest = sha256_of(folder / "model.onnx")
    (folder / "manifest.json").write_text(json.dumps({"files": {"model.onnx": digest}, "precision": "fp16"}))
    return folder


def built(bundle, *, plan=b"a plan", **changes):
    """Put an engine into the cache as Python does; return its path."""
    fingerprint = Fingerprint(
        onnx=sha256_of(bundle / "model.onnx"),
        library="TensorRT 10.3.0",
        cuda="12.6",
        compute="sm_87",
        gpu="Orin",
        l4t="36.4.0",
        precision="fp16",
        profiles="1/16/32 8 16 32",
    )
    made = Built(plan, (), (), 1, "fp16", b"", 0.0, 0.0)
    wanted = dataclasses.replace(fingerprint, **changes)
    folders = engine_folders(bundle / "model.onnx")
    return cached_engine(wanted, folders, lambda _: made, model="model.onnx").path


def find(programs, bundle, model="model.onnx", **changes):
    machine = {**MACHINE, **changes}
    done = subprocess.run(
        [programs / "core_probe", "find", bundle, model, *machine.values()], capture_output=True, text=True
    )
    assert not done.stderr
    assert done.returncode == (0 if done.stdout.endswith(("fp16\n", "fp32\n")) else 1)
    return done.stdout


def test_an_engine_that_python_built_here_is_found(programs, bundle):
    path = built(bundle)
    assert find(programs, bundle) == f"{path}\nfp16\n"


def test_the_version_may_be_recorded_with_or_without_its_build(programs, bundle):
    path = built(bundle, library="TensorRT 10.3.0.26")
    assert find(programs, bundle) == f"{path}\nfp16\n"
    assert find(programs, bundle, tensorrt="10.3.0") == f"{path}\nfp16\n"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"onnx": "0" * 64}, "the network was 000000000000..., is "),
        ({"library": "TensorRT 10.3.1"}, "TensorRT was 'TensorRT 10.3.1', is 'TensorRT 10.3.0.26'"),
        ({"library": "TensorRT-RTX 10.3.0"}, "TensorRT was 'TensorRT-RTX 10.3.0'"),
        ({"cuda": "13.0"}, "CUDA was '13.0', is '12'"),
        ({"compute": "sm_90"}, "the GPU's architecture was 'sm_90', is 'sm_87'"),
        ({"gpu": "Orin Nano"}, "the GPU was 'Orin Nano', is 'Orin'"),
        ({"l4t": None}, "the Jetson's L4T was none, is '36.4.0'"),
    ],
)
def test_an_engine_of_elsewhere_is_refused_and_its_difference_told(programs, bundle, changes, words):
    path = built(bundle, **changes)
    said = find(programs, bundle)
    assert f"{path.name}: " in said
    assert words in said
    assert "pamtri-export with --engine" in said
    assert said.count("\n") == 1


def test_another_minor_version_of_cuda_is_no_difference(programs, bundle):
    path = built(bundle, cuda="12.9")
    assert find(programs, bundle) == f"{path}\nfp16\n"


def test_of_several_that_fit_the_newest_is_taken(programs, bundle):
    older, newer = built(bundle), built(bundle, profiles="1/8/16")
    for path, year in ((older, 2031), (newer, 2032)):
        record = json.loads(path.with_suffix(".json").read_text())
        path.with_suffix(".json").write_text(json.dumps({**record, "built_utc": f"{year}-01-01T00:00:00"}))
    assert find(programs, bundle).startswith(str(newer))


def test_one_that_fits_is_found_among_those_that_do_not(programs, bundle):
    for compute in ("sm_72", "sm_90", "sm_110"):
        built(bundle, compute=compute)
    path = built(bundle)
    (path.parent / "note.json").write_text("[]")
    (path.parent / "half.json").write_text('{"model": "model.onnx", "onnx"')
    assert find(programs, bundle).startswith(str(path))


def test_an_engine_cut_short_or_gone_is_refused(programs, bundle):
    path = built(bundle, plan=b"x" * 100)
    path.write_bytes(b"x" * 60)
    assert "is cut short or another file: it has 60 bytes of 100" in find(programs, bundle)
    path.unlink()
    assert f"there is no {path.name} beside its record" in find(programs, bundle)


def test_an_engine_in_the_users_cache_is_found(programs, bundle):
    inside = built(bundle)
    outside = engine_folders(bundle / "model.onnx")[1]
    outside.mkdir(parents=True)
    for suffix in (".engine", ".json"):
        inside.with_suffix(suffix).rename(outside / inside.with_suffix(suffix).name)
    assert find(programs, bundle).startswith(str(outside / inside.name))


@pytest.mark.parametrize(
    "variables",
    [
        {"PAMTRI_CACHE": "/a"},
        {"XDG_CACHE_HOME": "/b/"},
        {"HOME": "/c"},
        {"XDG_CACHE_HOME": "", "HOME": "/c/"},
        {},
    ],
)
def test_both_languages_look_in_the_same_folders(programs, bundle, monkeypatch, variables):
    for name in ("PAMTRI_CACHE", "XDG_CACHE_HOME", "HOME"):  # without the last, the table of users has it
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    said = subprocess.run(
        [programs / "core_probe", "folders", bundle], capture_output=True, text=True, env=os.environ
    ).stdout
    assert said.split() == [str(folder) for folder in engine_folders(bundle / "model.onnx")]


def test_without_any_engine_it_is_said_how_to_get_one(programs, bundle):
    assert "none was built yet. Build one here: pamtri-export with --engine" in find(programs, bundle)


def test_a_folder_that_is_no_bundle_is_refused(programs, bundle, tmp_path):
    assert "is no bundle: it has no readable manifest.json" in find(programs, tmp_path / "nothing")
    (bundle / "manifest.json").write_text('{"files": ')
    assert "is not readable JSON (what is no JSON at byte" in find(programs, bundle)


def test_a_network_that_the_bundle_lacks_is_refused(programs, bundle):
    assert "lists no staged.pose.onnx; export the bundle with --staged" in find(
        programs, bundle, "staged.pose.onnx"
    )
