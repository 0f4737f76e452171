# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Our messages through the converters of DeepStream itself, built from sources where they are at hand.

    PAMTRI_DEEPSTREAM_SOURCES=DeepStream PAMTRI_CUDA_INCLUDE=/usr/local/cuda/include pytest tests/nvmsgconv

The folder is a checkout of NVIDIA/DeepStream, 9.1, with `includes/` and `src/utils/`. It needs protoc
and what pkg-config calls json-glib-1.0, uuid, yaml-cpp and protobuf.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from pamtri_edge.export.pack import application
from pamtri_edge.export.pack.sources import sources

HERE = Path(__file__).parent
DEEPSTREAM = HERE.parent / "deepstream"
PIPELINES = HERE.parents[1] / "pipelines"
PACKAGES = ("gstreamer-1.0", "json-glib-1.0", "uuid", "protobuf", "yaml-cpp")
VALUES = [0.125] * 4


def run(*command: object) -> str:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout


def built(converter: Path, deepstream: Path, cuda: Path, folder: Path) -> Path:
    """Build a converter and our program with it; return the program."""
    sources = folder / converter.name
    shutil.copytree(converter, sources)
    schema = sources / "deepstream_schema"
    for generated in schema.glob("*.pb.*"):  # by another protobuf than this machine's
        generated.unlink()
    run("protoc", f"-I{schema}", f"--cpp_out={schema}", *sorted(schema.glob("*.proto")))
    flags = run("pkg-config", "--cflags", *PACKAGES).split()
    theirs = ("-w", f"-I{sources}", f"-I{schema}", f"-I{deepstream / 'includes'}", f"-I{cuda}")
    ours = [f"-I{PIPELINES / room}" for room in ("core", "engines", "gstreamer", "deepstream")]
    real = [
        *(HERE / "convert.cpp", DEEPSTREAM / "batches.cpp", PIPELINES / "gstreamer" / "vehicle_view.cpp"),
        *(PIPELINES / "deepstream" / "attach.cpp", PIPELINES / "deepstream" / "message.cpp"),
        *(
            PIPELINES / "core" / "utc.cpp",
            *sources.glob("*.cpp"),
            *schema.glob("*.cpp"),
            *schema.glob("*.cc"),
        ),
    ]
    objects = []
    for source in real:
        objects.append(folder / f"{source.name}.o")
        place = f"-I{DEEPSTREAM}"
        run("c++", "-c", "-std=c++17", *theirs, *ours, place, *flags, source, "-o", objects[-1])
    for source in ("fake_nvds.cpp", "fake_gst_nvds.cpp"):  # laid out as the real ones
        objects.append(folder / f"{source}.o")
        fakes = DEEPSTREAM / "fake_nvds"
        run("c++", "-c", "-std=c++17", f"-I{fakes}", *flags, fakes / source, "-o", objects[-1])
    libraries = run("pkg-config", "--libs", *PACKAGES).split()
    run("c++", *objects, *libraries, "-ldl", "-o", folder / "convert")
    return folder / "convert"


@pytest.fixture(scope="module", params=["nvmsgconv", "nvmsgconv_mega2d"])
def converted(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of what a converter made of our message."""
    named = os.environ.get("PAMTRI_DEEPSTREAM_SOURCES")
    if not named:
        pytest.skip("name a checkout of DeepStream's sources with PAMTRI_DEEPSTREAM_SOURCES")
    for program in ("c++", "protoc", "pkg-config"):
        if shutil.which(program) is None:
            pytest.skip(f"there is no {program}")
    if subprocess.run(["pkg-config", "--exists", *PACKAGES]).returncode:
        pytest.skip(f"pkg-config does not find all of {', '.join(PACKAGES)}")
    converter = Path(named) / "src" / "utils" / request.param
    cuda = Path(os.environ.get("PAMTRI_CUDA_INCLUDE", "/usr/local/cuda/include"))
    folder = tmp_path_factory.mktemp(request.param)
    program = built(converter, Path(named), cuda, folder)
    (folder / "msgconv.txt").write_text(application.converter(sources(["rtsp://camera"] * 4)))
    run(program, folder)
    return folder


def schema_of(folder: Path) -> Path:
    return next(folder.glob("nvmsgconv*/deepstream_schema"))


def test_json_has_the_embedding_and_the_vehicle(converted: Path) -> None:
    said = json.loads((converted / "json").read_text())
    thing = said["object"]
    assert [float(value) for value in thing["embedding"]["embedding_vector"]] == VALUES
    assert (thing["vehicle"]["type"], thing["vehicle"]["color"]) == ("truck", "red")
    assert thing["id"] == "7"
    assert said["sensor"]["id"] == "camera-3"  # of msgconv.txt, by the source's number


def test_the_minimal_form_has_them_too(converted: Path) -> None:
    text = (converted / "minimal").read_text()
    assert re.search(r"\|#\|embedding\|(0\.125[0-9]*,){3}0\.125", text), text
    assert "|#|truck|||red|" in text
    assert json.loads(text)["sensorId"] == "north"


def test_protobuf_has_them_too(converted: Path) -> None:
    schema = schema_of(converted)
    with (converted / "protobuf").open("rb") as message:
        done = subprocess.run(
            ["protoc", f"-I{schema}", "--decode=nv.Frame", str(schema / "schema.proto")],
            stdin=message,
            capture_output=True,
            text=True,
            check=True,
        )
    text = done.stdout
    assert text.count("vector: 0.125") in (len(VALUES), 2 * len(VALUES))  # mega2d: of the box as well
    assert re.search(r'id: "7"', text)
    for key, value in (("type", "truck"), ("color", "red")):
        assert re.search(rf'key: "{key}"\s+value: "{value}"', text), text
    assert "pose" not in text


def test_the_embedding_is_where_deepstream_test5_reads_it(converted: Path) -> None:
    assert np.fromfile(converted / "reid", np.float32).tolist() == VALUES
