# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What `make` builds its environment from: on a Jetson the system's packages, elsewhere its own."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Answers every question that the script asks with yes, and makes an environment that tells how it was made.
PYTHON = """#!/bin/sh
[ "$1 $2" = "-m venv" ] || exit 0
shift 2
for last; do :; done
mkdir -p "$last/bin"
printf '%s\\n' "$*" > "$last/made"
printf '#!/bin/sh\\necho Python 3.12\\n' > "$last/bin/python"
chmod +x "$last/bin/python"
"""


@pytest.fixture
def python(tmp_path: Path) -> Path:
    program = tmp_path / "python3"
    program.write_text(PYTHON)
    program.chmod(0o755)
    return program


def dry_run(*goals: str) -> str:
    make = shutil.which("make")
    if make is None:
        pytest.skip("needs make")
    command = [make, "--no-print-directory", "--dry-run", "--always-make", *goals]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.mark.parametrize("jetson", [True, False])
def test_only_on_a_jetson_the_environment_sees_the_systems_packages(
    tmp_path: Path, python: Path, jetson: bool
) -> None:
    release, venv = tmp_path / "nv_tegra_release", tmp_path / "venv"
    if jetson:
        release.write_text("# R36 (release), REVISION: 4.0\n")
    environment = {**os.environ, "PYTHON": str(python), "VENV": str(venv), "TEGRA_RELEASE": str(release)}
    subprocess.run([ROOT / ".ci" / "environment"], cwd=ROOT, env=environment, check=True)
    made = (venv / "made").read_text().split()
    assert made == ([*["--system-site-packages"] * jetson, str(venv)])


@pytest.mark.parametrize("named", ["", "torch.whl"])
def test_on_a_jetson_no_torch_of_pypis_is_installed(tmp_path: Path, named: str) -> None:
    release, venv = tmp_path / "nv_tegra_release", tmp_path / "venv"
    release.write_text("")
    given = [f"TORCH={named}"] if named else []
    steps = dry_run(f"{venv}/installed", f"VENV={venv}", f"TEGRA_RELEASE={release}", *given)
    assert "torch==2" not in steps
    assert ("--quiet torch.whl" in steps) == bool(named)
    # Whatever else is installed leaves that torch as it is.
    assert f"--constraint {venv}/torch.txt" in steps
    assert "torch==" in dry_run(f"{venv}/installed", f"VENV={venv}", "TEGRA_RELEASE=/nowhere")
