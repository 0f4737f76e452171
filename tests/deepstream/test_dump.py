# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What nvpamtri dumps, read by `pamtri verify --against-deepstream`."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

import native_builds
from pamtri_edge.bundle import Bundle, open_bundle
from pamtri_edge.parity.deepstream import check_dump
from pamtri_edge.parity.deepstream_dump import read_dump
from pamtri_edge.runtime import create_backend
from pamtri_edge.runtime.backend import Backend


@pytest.fixture(scope="module")
def bundle(tiny_bundle: Path) -> Bundle:
    return open_bundle(tiny_bundle)


@pytest.fixture(scope="module")
def backend(bundle: Bundle) -> Backend:
    return create_backend(bundle.model, backend="openvino")


DUMPS: dict[str, tuple[str, ...]] = {
    "nv12-709-none": (),
    "nv12-2020-none": (),
    "bgra-none": (),
    "nv12-709-matrix": ("color conversion: BT.709 read as BT.601",),
    "nv12-601-matrix": ("color conversion: BT.601 read as BT.709",),
    "nv12-2020-matrix": ("color conversion: BT.2020 read as BT.601",),
    "nv12-709-range": ("color conversion: limited range read as full",),
    "rgba-channels": ("channel order: the channels come as BGR",),
}
"""What is wrong with each dump, by the frames' format and the fault of what cuts views."""


@pytest.fixture(scope="module")
def dumps(programs: Path, bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the dumps, which one process has written."""
    folder = tmp_path_factory.mktemp("dumps")
    done = subprocess.run(
        [programs / "deepstream_tests", "dump", bundle.path, folder, *DUMPS],
        # Leaks are other tests' matter; to look for them here takes ten times as long, for OpenVINO's sake.
        env={**os.environ, **native_builds.sanitizing("detect_leaks=0", "fast_unwind_on_malloc=1")},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.mark.parametrize(("name", "causes"), DUMPS.items())
def test_verify_finds_parity_or_names_the_fault(
    dumps: Path, bundle: Bundle, backend: Backend, name: str, causes: tuple[str, ...]
) -> None:
    dump = read_dump(dumps / name, bundle.manifest.inputs, bundle.manifest.outputs)
    assert len(dump.inputs) >= 6
    inputs, outputs = check_dump(bundle, backend, dump, None)
    named = [failure for failure in inputs.failures if "cosines" not in failure]
    assert tuple(failure.partition(";")[0] for failure in named) == causes
    # The engine is not blamed for what it was given.
    assert outputs.failures == ()
    if not causes:
        assert inputs.figures["error, levels of 255"] == "0.00, 0.00 of it unexplained"
