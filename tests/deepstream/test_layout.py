# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""DeepStream's own headers, where there are some: our code compiles with them, and our fakes agree with them.

    PAMTRI_DEEPSTREAM=/opt/nvidia/deepstream/deepstream pytest tests/deepstream/test_layout.py

It may name several folders, as PATH does: installations, or folders of headers.
"""

from __future__ import annotations

import os
import re
import subprocess
import sysconfig
from pathlib import Path

import pytest

import native_builds

HERE = Path(__file__).parent
PIPELINES = HERE.parents[1] / "pipelines"
KERNELS = HERE.parents[1] / "kernels"
FAKES = HERE / "fake_nvds"


def real_headers() -> list[Path]:
    """Return the folders of headers in those that PAMTRI_DEEPSTREAM names."""
    found = []
    for named in filter(None, os.environ.get("PAMTRI_DEEPSTREAM", "").split(os.pathsep)):
        places = [Path(named) / part for part in ("sources/includes", "includes", ".")]
        inside = [place for place in places if (place / "nvdsmeta.h").is_file()]
        assert inside, f"{named} has no nvdsmeta.h"
        found.append(inside[0])
    return found


def cuda_headers() -> list[str]:
    """Return what CUDA's headers are found by: the real ones with EGL's, where both are, or the fakes."""
    named = os.environ.get("PAMTRI_CUDA_INCLUDE")
    packages = Path(sysconfig.get_path("purelib")) / "nvidia" / "cu13" / "include"
    for place in [Path(named)] if named else [packages, Path("/usr/local/cuda/include")]:
        if (place / "cuda_egl_interop.h").is_file() and Path("/usr/include/EGL/egl.h").is_file():
            return ["-isystem", str(place), "-DPAMTRI_HAS_EGL"]
    return [f"-I{HERE.parent / 'pipelines' / 'fake_cuda'}"]


def major(headers: Path) -> int:
    said = re.search(r"define NVDS_VERSION_MAJOR (\d+)", (headers / "nvds_version.h").read_text())
    assert said is not None
    return int(said[1])


def flags_of(*packages: str) -> list[str]:
    done = subprocess.run(["pkg-config", "--cflags", *packages], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"there is no {' or '.join(packages)} for pkg-config; .ci/gstreamer installs GStreamer")
    return done.stdout.split()


def compiled(*sources: Path, headers: Path, flags: list[str], packages: tuple[str, ...]) -> str:
    """Compile, warnings being errors; return what the compiler said, "" for success."""
    rooms = [PIPELINES / room for room in ("deepstream", "gstreamer", "core", "engines")]
    includes = [f"-I{room}" for room in (*rooms, KERNELS / "cuda", KERNELS / "cpu", KERNELS / "include")]
    command = [native_builds.compiler(), "-std=c++17", "-Wall", "-Wextra", "-Werror", *includes]
    command += ["-isystem", str(headers), *flags_of(*packages), *flags, *map(str, sources)]
    done = subprocess.run(command, capture_output=True, text=True)
    return "" if done.returncode == 0 else done.stderr[-6000:] or "it failed"


def layout(headers: Path, folder: Path, *flags: str) -> list[str]:
    program = folder / "layout"
    said = compiled(
        HERE / "layout.cpp",
        headers=headers,
        flags=[*flags, "-Wno-invalid-offsetof", "-o", str(program)],
        packages=("glib-2.0", "gmodule-2.0"),
    )
    assert not said, said
    return subprocess.run([program], capture_output=True, text=True, check=True).stdout.splitlines()


def signatures(headers: Path) -> str:
    return compiled(
        HERE / "signatures.cpp",
        headers=headers,
        flags=["-fsyntax-only"],
        packages=("gstreamer-1.0", "gstreamer-video-1.0", "gstreamer-base-1.0"),
    )


@pytest.mark.parametrize("headers", real_headers() or [None], ids=str)
def test_the_fakes_are_laid_out_as_the_real_headers(headers: Path | None, tmp_path: Path) -> None:
    if headers is None:
        pytest.skip("name the folder of DeepStream, or of its headers, with PAMTRI_DEEPSTREAM")
    expected = layout(FAKES, tmp_path, f"-DFAKE_NVDS_MAJOR={major(headers)}")
    assert layout(headers, tmp_path) == expected
    assert not (said := signatures(headers)), said


@pytest.mark.parametrize("headers", real_headers() or [None], ids=str)
def test_the_element_compiles_with_the_real_headers(headers: Path | None) -> None:
    if headers is None:
        pytest.skip("name the folder of DeepStream, or of its headers, with PAMTRI_DEEPSTREAM")
    sources = sorted((PIPELINES / "deepstream").glob("*.cpp"))
    assert len(sources) >= 10
    plugin = ['-DPAMTRI_VERSION="0"', f"-DPAMTRI_PLUGIN=nvpamtri_ds{major(headers)}"]
    for source in sources:
        said = compiled(
            source,
            headers=headers,
            flags=["-fsyntax-only", *cuda_headers(), *plugin],
            packages=("gstreamer-1.0", "gstreamer-video-1.0", "gstreamer-base-1.0"),
        )
        assert not said, said


def test_a_field_that_moves_and_a_function_that_changes_are_found(tmp_path: Path) -> None:
    drifted = tmp_path / "drifted"
    drifted.mkdir()
    for header in FAKES.glob("*.h"):
        (drifted / header.name).write_text(header.read_text())
    assert not (said := signatures(drifted)), said
    before = layout(drifted, tmp_path)
    meta = (drifted / "nvdsmeta.h").read_text()
    (drifted / "nvdsmeta.h").write_text(
        meta.replace("guint64 object_id;", "gint new_field; guint64 object_id;").replace(
            "void nvds_acquire_meta_lock(NvDsBatchMeta* batch)", "int nvds_acquire_meta_lock(NvDsBatchMeta*)"
        )
    )
    assert layout(drifted, tmp_path) != before
    assert "nvds_acquire_meta_lock" in signatures(drifted)
