# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The NVIDIA driver and its GPUs. Everything else of NVIDIA's is asked only after this."""

from __future__ import annotations

from functools import partial
from typing import Any

from pamtri_edge.doctor.findings import Finding
from pamtri_edge.doctor.isolated import ask
from pamtri_edge.doctor.machine import Machine

_found = partial(Finding, "cuda", "NVIDIA driver")
_NVIDIA_VENDOR = "0x10de"
_NO_DEVICE = 100  # CUDA_ERROR_NO_DEVICE of cuda.h
_STUB = 34  # CUDA_ERROR_STUB_LIBRARY
_PASS_GPU = "In a container: start it with --gpus all (Jetson: --runtime nvidia)"


def probe(machine: Machine) -> Finding:
    """Load libcuda and initialize it."""
    answer = ask(machine, "driver", libcuda=machine.libcuda)
    facts = answer.value
    if answer.failure:
        return _found("unusable", f"initializing it {answer.failure}", "reboot, or reinstall the driver")
    if not facts["loaded"]:
        return _without_driver(machine, facts)
    if facts["error"] == 0 and facts["devices"]:
        return _found("ok", _describe(facts), facts=facts)
    reason = facts.get("reason", "it reports no GPU")
    if facts["error"] in (0, _NO_DEVICE):
        summary = f"the driver is installed but sees no GPU ({reason})"
        return _found("missing", summary, _PASS_GPU, facts)
    remedy = "reboot after a driver update; nvidia-smi shows whether kernel and library versions differ"
    if facts["error"] == _STUB:
        remedy = "take CUDA's stubs folder off LD_LIBRARY_PATH and install the driver"
    return _found("unusable", f"cuInit fails: {reason}", remedy, facts)


def has_hardware(machine: Machine) -> bool:
    """Tell whether an NVIDIA GPU is built in, driver or not."""
    if machine.at("/etc/nv_tegra_release").exists() or machine.at("/proc/driver/nvidia").exists():
        return True
    devices = machine.at("/sys/bus/pci/devices")
    if not devices.is_dir():
        return False
    return any(
        (machine.read(f"/sys/bus/pci/devices/{device.name}/vendor") or "").strip() == _NVIDIA_VENDOR
        for device in devices.iterdir()
    )


def _without_driver(machine: Machine, facts: dict[str, Any]) -> Finding:
    if not has_hardware(machine):
        return _found("missing", "no NVIDIA GPU, and no libcuda.so.1", facts=facts)
    remedy = "install NVIDIA's driver (apt install nvidia-driver; part of JetPack on a Jetson). " + _PASS_GPU
    summary = f"an NVIDIA GPU is there, but its driver is not ({facts['reason']})"
    return _found("missing", summary, remedy, facts)


def _describe(facts: dict[str, Any]) -> str:
    devices = "; ".join(
        f"{device['name']} (sm_{device['compute'].replace('.', '')}, {device['memory'] / 2**30:.1f} GiB)"
        for device in facts["devices"]
    )
    return f"for CUDA {facts['cuda']}: {devices}"
