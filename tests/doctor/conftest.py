# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Machines that are not this one: a root folder, an import path and a driver made for the test."""

from __future__ import annotations

import os
import sysconfig
from pathlib import Path

import pytest

from pamtri_edge.doctor import Machine


class FakeMachine:
    """Builds a machine with nothing on it but what a test puts there."""

    def __init__(self, folder: Path, driver: Path) -> None:
        self.root = folder / "root"
        self.packages = folder / "packages"
        self.programs = folder / "programs"
        self.libcuda = folder / "libcuda.so.1"
        self.variables: dict[str, str] = {}
        self._driver = driver
        for place in (self.root, self.packages, self.programs):
            place.mkdir()

    def file(self, path: str, text: str) -> FakeMachine:
        """Put a file under the root."""
        place = self.root / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
        return self

    def module(self, name: str, code: str) -> FakeMachine:
        """Put a Python module on the import path; a dotted name makes packages."""
        *parents, last = name.split(".")
        folder = self.packages
        for parent in parents:
            folder /= parent
            folder.mkdir(exist_ok=True)
            (folder / "__init__.py").touch()
        (folder / f"{last}.py").write_text(code)
        return self

    def installed(self, package: str, version: str) -> FakeMachine:
        """Say that a distribution is installed."""
        info = self.packages / f"{package.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n")
        return self

    def program(self, name: str, script: str) -> FakeMachine:
        """Put an executable shell script on the PATH."""
        place = self.programs / name
        place.write_text(f"#!/bin/sh\n{script}\n")
        place.chmod(0o755)
        return self

    def driver(self, gives: int | str = 0) -> FakeMachine:
        """Put a driver there that lists one GPU, whose cuInit gives a number or does something else."""
        self.libcuda, self.variables = self._driver, {"FAKE_CUDA_INIT": str(gives)}
        return self

    def build(self, *, timeout: float = 30.0) -> Machine:
        """Return the machine."""
        standard = Path(sysconfig.get_path("stdlib"))
        return Machine(
            root=self.root,
            libcuda=str(self.libcuda),
            import_path=(str(self.packages), str(standard), str(standard / "lib-dynload")),
            environ={**os.environ, **self.variables, "PATH": f"{self.programs}:/bin:/usr/bin"},
            timeout=timeout,
        )


@pytest.fixture
def fake(tmp_path: Path, libcuda: Path) -> FakeMachine:
    return FakeMachine(tmp_path, libcuda)
