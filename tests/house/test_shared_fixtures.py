# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The fixtures that every room relies on: when they skip, and when a skip is a failure."""

import os
import re
import runpy
import shutil
import subprocess
import sys

import pytest

INNER = """
import pytest

@pytest.mark.gpu
def test_on_a_gpu():
    pytest.skip("no kernel image for this GPU")

def test_with_real_data(shared_data):
    assert (shared_data / "crops").is_dir()

def test_with_chance(rng):
    assert rng.integers(1 << 30) == NUMBER
"""


@pytest.fixture
def shared_folder(root, tmp_path):
    """Return what looks for real footage, as if the checkout were in a folder of its own."""
    names = runpy.run_path(str(root / "tests" / "conftest.py"))
    find = names["_shared_folder"]
    find.__globals__["ROOT"] = tmp_path / "checkout"
    return find


def test_without_data_tests_skip_and_a_machine_that_must_have_a_gpu_fails_where_there_is_none(
    root, tmp_path, rng
):
    tests = tmp_path / "checkout" / "tests"
    tests.mkdir(parents=True)
    shutil.copy(root / "tests" / "conftest.py", tests)
    (tests / "test_inner.py").write_text(INNER.replace("NUMBER", str(rng.integers(1 << 30))))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PAMTRI")}
    command = [sys.executable, "-m", "pytest", "-rs", "-p", "no:cacheprovider", "-c", os.devnull]
    command += ["--rootdir", str(tests), "-o", "markers=gpu", str(tests)]
    environ = {**kept, "PAMTRI_REQUIRE_GPU": "1", "CUDA_VISIBLE_DEVICES": ""}
    result = subprocess.run(command, capture_output=True, text=True, cwd=tests, env=environ, check=False)
    assert result.returncode == 1
    assert re.search(r"1 (failed|error)", result.stdout)  # an error where the marker fails, before the test
    assert "1 passed, 1 skipped" in result.stdout
    assert "name its folder in PAMTRI_SHARED" in result.stdout
    assert "PAMTRI_REQUIRE_GPU=1, but there is no NVIDIA GPU" in result.stdout


@pytest.mark.parametrize("place", ["footage", "footage/data", "shared"])
def test_data_is_found_in_the_named_folder_in_its_data_folder_or_beside_the_checkout(
    shared_folder, tmp_path, monkeypatch, place
):
    for room in ("clips", "crops", "detector"):
        (tmp_path / place / room).mkdir(parents=True)
    if place == "shared":
        monkeypatch.delenv("PAMTRI_SHARED", raising=False)
    else:
        monkeypatch.setenv("PAMTRI_SHARED", str(tmp_path / "footage"))
    assert shared_folder() == tmp_path / place


def test_a_named_folder_without_the_data_is_an_error_not_a_skip(shared_folder, tmp_path, monkeypatch):
    monkeypatch.setenv("PAMTRI_SHARED", str(tmp_path))
    with pytest.raises(pytest.UsageError, match="no clips/, crops/ and detector/ in it"):
        shared_folder()
