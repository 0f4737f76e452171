# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Machines that are not this one: a root folder, an import path and a driver made for the test."""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest

from pamtri_edge.doctor import Machine


class FakeMachine:
    """Builds a machine with nothing on it but what a test puts there."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "root"
        self.packages = folder / "packages"
        self.programs = folder / "programs"
        self.libcuda = folder / "libcuda.so.1"
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

    def driver(self, body: str) -> FakeMachine:
        """Compile a libcuda whose cuInit does `body`; it lists one GPU."""
        compiler = shutil.which("g++") or shutil.which("c++")
        if compiler is None:
            pytest.skip("needs a C++ compiler to make a driver")
        source = self.libcuda.with_suffix(".cpp")
        source.write_text(_DRIVER.replace("BODY", body))
        subprocess.run([compiler, "-shared", "-fPIC", "-o", self.libcuda, source], check=True)
        return self

    def build(self, *, timeout: float = 30.0) -> Machine:
        """Return the machine."""
        standard = Path(sysconfig.get_path("stdlib"))
        return Machine(
            root=self.root,
            libcuda=str(self.libcuda),
            import_path=(str(self.packages), str(standard), str(standard / "lib-dynload")),
            environ={**os.environ, "PATH": f"{self.programs}:/bin:/usr/bin"},
            timeout=timeout,
        )


_DRIVER = r"""
#include <csignal>
#include <cstddef>
#include <cstring>
#include <unistd.h>
extern "C" {
int cuInit(unsigned) { BODY }
int cuGetErrorName(int code, const char** name) {
    *name = code == 100 ? "CUDA_ERROR_NO_DEVICE" : "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH";
    return 0;
}
int cuDriverGetVersion(int* version) { *version = 13010; return 0; }
int cuDeviceGetCount(int* count) { *count = 1; return 0; }
int cuDeviceGetName(char* name, int size, int) { std::strncpy(name, "NVIDIA Test GPU", size); return 0; }
int cuDeviceTotalMem_v2(size_t* bytes, int) { *bytes = size_t{8} << 30; return 0; }
int cuDeviceGetAttribute(int* value, int attribute, int) { *value = attribute == 75 ? 8 : 7; return 0; }
}
"""


@pytest.fixture
def fake(tmp_path: Path) -> FakeMachine:
    return FakeMachine(tmp_path)
