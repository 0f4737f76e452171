# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The Python packages that run on any machine: OpenVINO, torch, the exporter's tools, video."""

from __future__ import annotations

from functools import partial
from typing import Final

from pamtri_edge.doctor.findings import Finding, joined
from pamtri_edge.doctor.isolated import imported
from pamtri_edge.doctor.machine import Machine

_EXPORT_TOOLS: Final = ("onnxscript", "onnxruntime", "safetensors")
_ARITHMETIC: Final = ("FP32", "FP16", "BF16", "INT8")


def extra(name: str) -> str:
    """Return the command that installs one of our optional sets of packages."""
    return f"pip install 'pamtri-edge[{name}]'"


def openvino(machine: Machine) -> Finding:
    """Look for OpenVINO and what arithmetic it has on this processor."""
    found, remedy = partial(Finding, "openvino", "OpenVINO"), "pip install --upgrade openvino"
    facts = imported(machine, found, "openvino", "openvino", install=remedy, mend=remedy)
    if isinstance(facts, Finding):
        return facts
    if "CPU" not in facts["devices"]:
        return found("unusable", f"{facts['version']} has no CPU plugin", remedy, facts)
    arithmetic = [word for word in _ARITHMETIC if word in facts["arithmetic"]]
    summary = joined([facts["version"], " ".join(facts["devices"]), " ".join(arithmetic)])
    return found("ok", summary, facts=facts)


def torch(machine: Machine, cuda: Finding) -> Finding:
    """Look for torch; where there is a GPU, tell whether this torch can use it."""
    found, again = partial(Finding, "torch", "PyTorch"), "pip install --force-reinstall torch"
    facts = imported(machine, found, "torch", "torch", install=extra("export"), mend=again, driver=cuda.ok)
    if isinstance(facts, Finding):
        return facts
    if facts["gpu"]:
        use = f"CUDA {facts['built_for_cuda']}, uses the GPU"
    elif not cuda.ok:
        use = "CPU"
    elif facts["built_for_cuda"] is None:
        use = "CPU only: this build has no CUDA"
    else:
        use = f"CPU only: built for CUDA {facts['built_for_cuda']}, which this driver does not serve"
    return found("ok", joined([facts["version"], use]), facts=facts)


def torch_cuda(_: Machine, cuda: Finding, torch: Finding) -> Finding:
    """Say apart whether torch reaches the GPU, since a CPU build of torch is complete for everything else."""
    found = partial(Finding, "torch-cuda", "PyTorch on a GPU")
    if not cuda.ok:
        return found("skipped", "no NVIDIA driver")
    if not torch.ok:
        return found("missing", "needs PyTorch", torch.remedy)
    if torch.facts["gpu"]:
        return found("ok", f"CUDA {torch.facts['built_for_cuda']}")
    remedy = "install a torch built for this driver's CUDA: pytorch.org, or NVIDIA's wheel on a Jetson"
    return found("missing", torch.summary, remedy)


def onnx(machine: Machine) -> Finding:
    """Look for onnx, which reads a bundle's graph for the exporter and the torch backend."""
    found, version = partial(Finding, "onnx", "ONNX"), machine.package("onnx")
    if version is None:
        return found("missing", "not installed", extra("export"))
    return found("ok", version, facts={"version": version})


def export_tools(machine: Machine) -> Finding:
    """Look for what `pamtri-export` needs beside torch and onnx."""
    found = partial(Finding, "export-tools", "Export tools")
    versions = {tool: machine.package(tool) for tool in _EXPORT_TOOLS}
    absent = [tool for tool, version in versions.items() if version is None]
    if absent:
        return found("missing", f"not installed: {', '.join(absent)}", extra("export"), versions)
    return found("ok", ", ".join(f"{tool} {version}" for tool, version in versions.items()), facts=versions)


def av(machine: Machine) -> Finding:
    """Look for PyAV with an H.264 encoder."""
    found, again = partial(Finding, "av", "PyAV"), "pip install --force-reinstall"
    facts = imported(machine, found, "av", "av", install=extra("video"), mend=f"{again} av")
    if isinstance(facts, Finding):
        return facts
    if not facts["h264_encoder"]:
        remedy = f"{again} --only-binary av av"
        return found("unusable", f"{facts['version']} cannot write H.264", remedy, facts)
    rtsp = "reads RTSP" if facts["rtsp"] else "no RTSP"
    return found("ok", joined([facts["version"], "writes H.264", rtsp]), facts=facts)


def norfair(machine: Machine) -> Finding:
    """Look for the tracker."""
    found, remedy = partial(Finding, "norfair", "norfair (tracker)"), extra("video")
    facts = imported(machine, found, "norfair", "imported", install=remedy, mend=remedy, module="norfair")
    if isinstance(facts, Finding):
        return facts
    version = machine.package("norfair-enough")
    if version is None:
        summary = f"norfair {machine.package('norfair') or 'of unknown version'}; expected norfair-enough"
        return found("unusable", summary, f"pip uninstall norfair && {remedy}")
    return found("ok", version, facts={"version": version})
