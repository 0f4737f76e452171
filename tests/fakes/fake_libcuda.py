# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A driver's library of one GPU that says what the environment tells it to.

FAKE_CUDA_INIT: what cuInit gives, 0 where it is not set; or `crash`, or `hang`.
FAKE_CUDA_VERSION: the version of CUDA that the driver runs, 13010 where it is not set.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

_SOURCE = r"""
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <unistd.h>
static const char* setting(const char* name, const char* otherwise) {
    const char* text = std::getenv(name);
    return text ? text : otherwise;
}
extern "C" {
int cuInit(unsigned) {
    const char* given = setting("FAKE_CUDA_INIT", "0");
    if (std::strcmp(given, "crash") == 0) std::raise(SIGSEGV);
    if (std::strcmp(given, "hang") == 0) sleep(60);
    return std::atoi(given);
}
int cuGetErrorName(int code, const char** name) {
    *name = code == 100 ? "CUDA_ERROR_NO_DEVICE" : "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH";
    return 0;
}
int cuDriverGetVersion(int* version) {
    *version = std::atoi(setting("FAKE_CUDA_VERSION", "13010"));
    return 0;
}
int cuDeviceGetCount(int* count) { *count = 1; return 0; }
int cuDeviceGetName(char* name, int size, int) { std::strncpy(name, "NVIDIA Test GPU", size); return 0; }
int cuDeviceTotalMem_v2(size_t* bytes, int) { *bytes = size_t{8} << 30; return 0; }
int cuDeviceGetAttribute(int* value, int attribute, int) { *value = attribute == 75 ? 8 : 7; return 0; }
}
"""


def build(folder: Path) -> Path:
    """Compile the library into a folder; skip where there is no compiler."""
    compiler = shutil.which("g++") or shutil.which("c++")
    if compiler is None:
        pytest.skip("needs a C++ compiler to make a driver")
    library = folder / "libcuda.so.1"
    source = library.with_suffix(".cpp")
    source.write_text(_SOURCE)
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source], check=True)
    return library
