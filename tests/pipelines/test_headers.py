# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""NVIDIA's own headers, where there are some: our code compiles with them, and our fakes agree with them.

    PAMTRI_TENSORRT_INCLUDE=/usr/include/x86_64-linux-gnu PAMTRI_CUDA_INCLUDE=/usr/local/cuda/include \
        pytest tests/pipelines/test_headers.py

The first may name several folders, as PATH does.
"""

import os
import re
import sysconfig
from pathlib import Path

import pytest

import native_builds

HERE = Path(__file__).parent
PIPELINES = HERE.parents[1] / "pipelines"
ENGINES = PIPELINES / "engines"
BUILDING = ("tensorrt_build", "tensorrt_monitor")
FAKES = (HERE / "fake_tensorrt", HERE / "fake_cuda")


def real_cuda():
    """Return the folder of CUDA's headers: the one that is named, pip's, or the toolkit's; None for none."""
    named = os.environ.get("PAMTRI_CUDA_INCLUDE")
    packages = Path(sysconfig.get_path("purelib")) / "nvidia"
    places = [Path(named)] if named else [packages / "cu13" / "include", Path("/usr/local/cuda/include")]
    for place in places:
        if (place / "cuda_runtime_api.h").exists() and (place / "crt" / "host_defines.h").exists():
            return place
    return None


def real_tensorrt():
    named = os.environ.get("PAMTRI_TENSORRT_INCLUDE", "")
    return [Path(place) for place in named.split(os.pathsep) if place]


def compiles(tmp_path, *folders, engines=True):
    """Compile the list of signatures, and the engines' sources with it; warnings are errors."""
    system = [part for folder in folders for part in ("-isystem", str(folder))]
    flags = [
        "-std=c++17",
        "-Wall",
        "-Wextra",
        "-Werror",
        "-fsyntax-only",
        f"-I{ENGINES}",
        f"-I{PIPELINES / 'core'}",
    ]
    ours = sorted(ENGINES.glob("tensorrt_*.cpp"))
    assert len(ours) >= 7
    signatures = sorted(HERE.glob("*signatures.cpp"))
    if not any((folder / "NvOnnxParser.h").exists() for folder in folders):  # it is a package of its own
        ours = [path for path in ours if path.stem not in BUILDING]
        signatures = [path for path in signatures if path.stem != "builder_signatures"]
    else:
        flags.append("-DPAMTRI_BUILDS_ENGINES")
    together = tmp_path / "engines.cpp"  # what they have in common is read once
    together.write_text("".join(f'#include "{path}"\n' for path in (ours if engines else ())))
    sources = [*signatures, together]
    native_builds.run(native_builds.compiler(), *flags, *system, *sources, cwd=tmp_path)


def test_the_fake_of_cuda_agrees_with_the_real_header(tmp_path):
    cuda = real_cuda()
    if cuda is None:
        pytest.skip("no headers of CUDA's runtime here: pip install nvidia-cuda-runtime nvidia-cuda-crt")
    compiles(tmp_path, FAKES[0], cuda)


@pytest.mark.parametrize("tensorrt", real_tensorrt() or [None], ids=str)
def test_the_engine_compiles_with_the_real_headers_of_tensorrt(tmp_path, tensorrt):
    cuda = real_cuda()
    if tensorrt is None or cuda is None:
        pytest.skip("name the folders of headers with PAMTRI_TENSORRT_INCLUDE and PAMTRI_CUDA_INCLUDE")
    compiles(tmp_path, tensorrt, cuda)


def test_a_signature_that_drifts_is_found(tmp_path):
    fakes = []
    for fake in FAKES:
        copied = tmp_path / fake.name
        copied.mkdir()
        for header in fake.glob("*.h"):
            (copied / header.name).write_text(header.read_text())
        fakes.append(copied)
    compiles(tmp_path, *fakes, engines=False)
    header = fakes[0] / "NvInferRuntime.h"
    changed = re.sub(r"bool setInputShape\(", "int setInputShape(", header.read_text())
    assert changed != header.read_text()
    header.write_text(changed)
    with pytest.raises(AssertionError, match="setInputShape"):
        compiles(tmp_path, *fakes, engines=False)
