# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""NVIDIA's Python packages. None of their runtimes is touched unless the driver answered."""

from __future__ import annotations

import re
from functools import partial
from typing import Final

from pamtri_edge.doctor.findings import Finding, joined
from pamtri_edge.doctor.isolated import ask, imported
from pamtri_edge.doctor.machine import Machine
from pamtri_edge.doctor.packages import extra

_OLDEST_TENSORRT: Final = (10, 3)
_OLDEST_TORCH_TENSORRT: Final = (2, 14)
_CUPY_WHEELS: Final = ("cupy", "cupy-cuda11x", "cupy-cuda12x", "cupy-cuda13x")


def tensorrt(machine: Machine, cuda: Finding) -> Finding:
    """Look for TensorRT."""
    return _tensorrt(machine, cuda.ok, "tensorrt", "TensorRT", "tensorrt")


def tensorrt_rtx(machine: Machine, cuda: Finding) -> Finding:
    """Look for TensorRT-RTX, whose builder works without a GPU."""
    return _tensorrt(machine, cuda.ok, "tensorrt-rtx", "TensorRT-RTX", "tensorrt_rtx")


def _tensorrt(machine: Machine, driver: bool, name: str, title: str, module: str) -> Finding:
    found = partial(Finding, name, title)
    install = extra(name) if driver or name == "tensorrt-rtx" else ""
    mend = "reinstall it with the libraries of the same version; a Jetson has its own in JetPack"
    asked = {"module": module, "driver": driver}
    facts = imported(machine, found, module, "tensorrt", install=install, mend=mend, **asked)
    if isinstance(facts, Finding):
        return facts
    if name == "tensorrt" and older(facts["version"], _OLDEST_TENSORRT):
        remedy = f"{extra(name)}; on a Jetson: JetPack 6.1 or later"
        return found("unusable", f"{facts['version']}; 10.3 or later is needed", remedy, facts)
    use = "its runtime starts" if driver else "its runtime was not started: no driver"
    return found("ok", joined([facts["version"], use]), facts=facts)


def cupy(machine: Machine, cuda: Finding) -> Finding:
    """Look for CuPy, once: two of its wheels in one environment break each other."""
    found = partial(Finding, "cupy", "CuPy")
    wheels = [wheel for wheel in _CUPY_WHEELS if machine.package(wheel) is not None]
    if len(wheels) > 1:
        summary = f"several of its wheels are installed: {', '.join(wheels)}"
        remedy = f"pip uninstall {' '.join(wheels)}, then {extra('cuda')}"
        return found("unusable", summary, remedy, {"wheels": wheels})
    if machine.module("cupy") is None:
        return found("missing", "not installed", extra("cuda") if cuda.ok else "")
    answer = ask(machine, "cupy", driver=cuda.ok)
    if answer.failure:
        remedy = "install the wheel of the driver's CUDA: cupy-cuda12x or cupy-cuda13x"
        return found("unusable", answer.failure, remedy, {"wheels": wheels})
    gpus = answer.value["gpus"]
    use = f"{gpus} GPU{'' if gpus == 1 else 's'}" if cuda.ok else "no driver to use it with"
    return found("ok", joined([answer.value["version"], use]), facts=answer.value)


def pycuda(machine: Machine, cuda: Finding) -> Finding:
    """Look for PyCUDA, whose driver module cannot be imported without a driver.

    Only a Jetson has use for it: there it maps the memory that host and GPU share.
    """
    if machine.module("pycuda") is None and cuda.ok and machine.at("/etc/nv_tegra_release").exists():
        summary = "not installed: batches are copied, though the memory is shared"
        return Finding("pycuda", "PyCUDA", "missing", summary, extra("pycuda"))
    return _only_with_driver(machine, cuda.ok, "pycuda", "PyCUDA", "pycuda", "pycuda.driver")


def torch_tensorrt(machine: Machine, cuda: Finding) -> Finding:
    """Look for Torch-TensorRT, which cannot be imported without CUDA's libraries."""
    name, title = "torch-tensorrt", "Torch-TensorRT"
    version = machine.package(name)
    if version is not None and older(version, _OLDEST_TORCH_TENSORRT):
        summary = f"{version}; --via torch-tensorrt needs 2.14 or later"
        return Finding(name, title, "unusable", summary, extra(name), {"version": version})
    return _only_with_driver(machine, cuda.ok, name, title, "torch_tensorrt", "torch_tensorrt")


def older(version: str, oldest: tuple[int, int]) -> bool:
    """Tell whether a version such as "10.3.0.26" comes before major and minor."""
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2]) < oldest


def _only_with_driver(
    machine: Machine, driver: bool, name: str, title: str, package: str, module: str
) -> Finding:
    found = partial(Finding, name, title)
    if machine.module(package) is None:
        return found("missing", "not installed")
    version = machine.package(name) or "of unknown version"
    if not driver:
        return found("skipped", f"{version}, not imported: no driver")
    answer = ask(machine, "imported", module=module)
    if answer.failure:
        return found("unusable", f"import {answer.failure}", f"reinstall {name}")
    return found("ok", version, facts={"version": version})
