# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""An engine that Python put into the cache is one for C++, and the other way round."""

import dataclasses
import json
import os
import subprocess

import pytest

from pamtri_edge.files.regular import sha256_of
from pamtri_edge.runtime.tensorrt.build import Built
from pamtri_edge.runtime.tensorrt.engine_cache import cached_engine, engine_folders
from pamtri_edge.runtime.tensorrt.fingerprint import Fingerprint

MACHINE = {"tensorrt": "10.3.0.26", "cuda": "12.6", "compute": "sm_87", "gpu": "Orin", "l4t": "36.4.0"}


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


def facts(bundle, **changes):
    """The fingerprint that Python makes on the machine."""
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
    return dataclasses.replace(fingerprint, **changes)


def built(bundle, *, model="model.onnx", **changes):
    """Put an engine into the cache as Python does; return its path."""
    made = Built(b"a plan", 1, "fp16", b"", 0.0, 0.0)
    folders = engine_folders(bundle / "model.onnx")
    return cached_engine(facts(bundle, **changes), folders, lambda _: made, model=model).path


def ask(programs, mode, bundle, model="model.onnx", **changes):
    machine = {**MACHINE, **changes}
    onnx = sha256_of(bundle / "model.onnx")
    command = [programs / "pipeline_tests", "probe", mode, bundle, model, onnx, "fp16", *machine.values()]
    done = subprocess.run(command, capture_output=True, text=True)
    assert not done.stderr
    return done


def find(programs, bundle, model="model.onnx", **changes):
    done = ask(programs, "find", bundle, model, **changes)
    assert done.returncode == (0 if done.stdout.endswith(("fp16\n", "fp32\n")) else 1)
    return done.stdout


def test_an_engine_that_python_built_here_is_found(programs, bundle):
    path = built(bundle)
    assert find(programs, bundle) == f"{path}\nfp16\n"


def test_both_languages_give_an_engine_the_same_name(programs, bundle):
    name = facts(bundle).digest
    assert ask(programs, "name", bundle).stdout == f"{name}\n"
    assert ask(programs, "name", bundle, tensorrt="10.3.0", cuda="12.9").stdout == f"{name}\n"
    assert ask(programs, "name", bundle, tensorrt="10.4.0").stdout != f"{name}\n"
    assert ask(programs, "name", bundle, cuda="13.0").stdout != f"{name}\n"


def test_an_engine_of_elsewhere_is_refused_and_its_difference_told(programs, bundle):
    built(bundle, compute="sm_90")
    said = find(programs, bundle)
    assert said.startswith("the one that is there was built for something else: ")
    assert "the GPU's architecture was 'sm_90', is 'sm_87'" in said
    assert said.count("\n") == 1


def test_an_engine_of_an_earlier_name_is_taken_and_of_several_the_newest(programs, bundle):
    path = built(bundle)
    record = json.loads(path.with_suffix(".json").read_text())
    for year in (2031, 2033, 2032):
        other = path.with_name(f"named{year}.engine")
        other.write_bytes(path.read_bytes())
        when = {**record, "built_utc": f"{year}-01-01T00:00:00+00:00"}
        other.with_suffix(".json").write_text(json.dumps(when))
    path.unlink()
    assert find(programs, bundle).startswith(str(path.with_name("named2033.engine")))
    path.with_name("named2033.engine").write_bytes(b"half")
    assert find(programs, bundle).startswith(str(path.with_name("named2032.engine")))
    assert built(bundle, cuda="12.2") == path.with_name("named2032.engine"), "Python chooses the same"


def test_an_engine_of_another_network_of_the_bundle_is_left_alone(programs, bundle):
    built(bundle, model="staged.pose.onnx", onnx="1" * 64)
    assert find(programs, bundle) == "none has been built yet\n"


def test_one_that_fits_is_found_among_those_that_do_not(programs, bundle):
    for compute in ("sm_72", "sm_90", "sm_110"):
        built(bundle, compute=compute)
    path = built(bundle)
    (path.parent / "note.json").write_text("[]")
    (path.parent / "half.json").write_text('{"model": "model.onnx", "onnx"')
    assert find(programs, bundle).startswith(str(path))


def test_a_record_without_its_engine_is_told(programs, bundle):
    path = built(bundle)
    path.unlink()
    assert find(programs, bundle) == f"there is no {path} beside its record\n"


def test_a_fact_that_is_no_text_is_told_apart_from_the_text_that_it_looks_like(programs, bundle):
    path = built(bundle)
    record = json.loads(path.with_suffix(".json").read_text())
    path.with_suffix(".json").write_text(json.dumps({**record, "precision": 16}))
    assert "the precision was '16, which is no text', is 'fp16'" in find(programs, bundle)


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
        [programs / "pipeline_tests", "probe", "folders", bundle],
        capture_output=True,
        text=True,
        env=os.environ,
    ).stdout
    assert said.split() == [str(folder) for folder in engine_folders(bundle / "model.onnx")]
