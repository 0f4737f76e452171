# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The Python packages that run on any machine: OpenVINO, torch, the exporter's tools, video."""

from __future__ import annotations

from typing import Final

from pamtri_edge.doctor.findings import Finding, joined
from pamtri_edge.doctor.isolated import ask
from pamtri_edge.doctor.machine import Machine

_EXPORT_TOOLS: Final = ("onnxscript", "onnxruntime", "safetensors")
_ARITHMETIC: Final = ("FP32", "FP16", "BF16", "INT8")


def extra(name: str) -> str:
    """Return the command that installs one of our optional sets of packages."""
    return f"pip install 'pamtri-edge[{name}]'"


def openvino(machine: Machine) -> Finding:
    """Look for OpenVINO and what arithmetic it has on this processor."""
    name, title, remedy = "openvino", "OpenVINO", "pip install --upgrade openvino"
    if machine.module("openvino") is None:
        return Finding(name, title, "missing", "not installed", remedy)
    answer = ask(machine, "openvino")
    if answer.failure:
        return Finding(name, title, "unusable", f"import {answer.failure}", remedy)
    facts = answer.value
    if "CPU" not in facts["devices"]:
        return Finding(name, title, "unusable", f"{facts['version']} has no CPU plugin", remedy, facts)
    arithmetic = [word for word in _ARITHMETIC if word in facts["arithmetic"]]
    summary = joined([facts["version"], " ".join(facts["devices"]), " ".join(arithmetic)])
    return Finding(name, title, "ok", summary, facts=facts)


def torch(machine: Machine, cuda: Finding) -> Finding:
    """Look for torch; where there is a GPU, tell whether this torch can use it."""
    name, title, remedy = "torch", "PyTorch", extra("export")
    if machine.module("torch") is None:
        return Finding(name, title, "missing", "not installed", remedy)
    answer = ask(machine, "torch", driver=cuda.ok)
    if answer.failure:
        return Finding(
            name, title, "unusable", f"import {answer.failure}", "pip install --force-reinstall torch"
        )
    facts = answer.value
    if facts["gpu"]:
        use = f"CUDA {facts['built_for_cuda']}, uses the GPU"
    elif not cuda.ok:
        use = "CPU"
    elif facts["built_for_cuda"] is None:
        use = "CPU only: this build has no CUDA"
    else:
        use = f"CPU only: built for CUDA {facts['built_for_cuda']}, which this driver does not serve"
    return Finding(name, title, "ok", joined([facts["version"], use]), facts=facts)


def torch_cuda(_: Machine, cuda: Finding, torch: Finding) -> Finding:
    """Say apart whether torch reaches the GPU, since a CPU build of torch is complete for everything else."""
    name, title = "torch-cuda", "PyTorch on a GPU"
    if not cuda.ok:
        return Finding(name, title, "skipped", "no NVIDIA driver")
    if not torch.ok:
        return Finding(name, title, "missing", "needs PyTorch", torch.remedy)
    if torch.facts["gpu"]:
        return Finding(name, title, "ok", f"CUDA {torch.facts['built_for_cuda']}")
    remedy = "install a torch built for this driver's CUDA: pytorch.org, or NVIDIA's wheel on a Jetson"
    return Finding(name, title, "missing", torch.summary, remedy)


def onnx(machine: Machine) -> Finding:
    """Look for onnx, which reads a bundle's graph for the exporter and the torch backend."""
    version = machine.package("onnx")
    if version is None:
        return Finding("onnx", "ONNX", "missing", "not installed", extra("export"))
    return Finding("onnx", "ONNX", "ok", version, facts={"version": version})


def export_tools(machine: Machine) -> Finding:
    """Look for what `pamtri-export` needs beside torch and onnx."""
    name, title = "export-tools", "Export tools"
    versions = {tool: machine.package(tool) for tool in _EXPORT_TOOLS}
    absent = [tool for tool, version in versions.items() if version is None]
    if absent:
        summary = f"not installed: {', '.join(absent)}"
        return Finding(name, title, "missing", summary, extra("export"), versions)
    summary = ", ".join(f"{tool} {version}" for tool, version in versions.items())
    return Finding(name, title, "ok", summary, facts=versions)


def av(machine: Machine) -> Finding:
    """Look for PyAV with an H.264 encoder."""
    name, title = "av", "PyAV"
    if machine.module("av") is None:
        return Finding(name, title, "missing", "not installed", extra("video"))
    answer = ask(machine, "av")
    if answer.failure:
        return Finding(
            name, title, "unusable", f"import {answer.failure}", "pip install --force-reinstall av"
        )
    facts = answer.value
    if not facts["h264_encoder"]:
        summary = f"{facts['version']} cannot write H.264"
        return Finding(
            name, title, "unusable", summary, "pip install --force-reinstall --only-binary av av", facts
        )
    rtsp = "reads RTSP" if facts["rtsp"] else "no RTSP"
    return Finding(name, title, "ok", joined([facts["version"], "writes H.264", rtsp]), facts=facts)


def norfair(machine: Machine) -> Finding:
    """Look for the tracker."""
    name, title = "norfair", "norfair (tracker)"
    if machine.module("norfair") is None:
        return Finding(name, title, "missing", "not installed", extra("video"))
    answer = ask(machine, "imported", module="norfair")
    if answer.failure:
        return Finding(name, title, "unusable", f"import {answer.failure}", extra("video"))
    version = machine.package("norfair-enough")
    if version is None:
        summary = f"norfair {machine.package('norfair') or 'of unknown version'}; expected norfair-enough"
        return Finding(name, title, "unusable", summary, f"pip uninstall norfair && {extra('video')}")
    return Finding(name, title, "ok", version, facts={"version": version})
