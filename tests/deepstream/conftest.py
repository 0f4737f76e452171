# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The element of DeepStream on fakes of DeepStream, CUDA and TensorRT: built once, with sanitizers."""

from __future__ import annotations

from pathlib import Path

import pytest

import native_builds

PROGRAMS = ("deepstream_tests", "library_tests", "gstnvpamtri_fake", "gstpamtri_fake")


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the test programs; return the folder that they lie in."""
    lacking = native_builds.gstreamer_missing()
    if lacking is not None:
        pytest.skip(lacking)
    return native_builds.sanitized(tmp_path_factory, *PROGRAMS) / "tests" / "deepstream"
