# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Packages for any machine: absent, torn and complete ones, and what each is told to do."""

import pytest

from pamtri_edge.doctor import gstreamer, packages
from pamtri_edge.doctor.findings import Finding

DRIVER = Finding("cuda", "NVIDIA driver", "ok", "")
NO_DRIVER = Finding("cuda", "NVIDIA driver", "missing", "")

OPENVINO = """
__version__ = "2026.4.1-1234-releases"
class Core:
    available_devices = DEVICES
    def get_property(self, device, name): return ["BF16", "FP32", "INT8", "EXPORT_IMPORT"]
"""
TORCH = """
__version__ = "2.13.0"
class version: cuda = CUDA
class cuda:
    def is_available(): return AVAILABLE
"""
AV = """
__version__ = "18.0"
formats_available = {"mp4", "rtsp"}
class codec:
    def Codec(name, mode):
        if name not in WRITES: raise ValueError(name)
"""


@pytest.mark.parametrize(
    ("probe", "remedy"),
    [
        (packages.openvino, "pip install --upgrade openvino"),
        (packages.onnx, "pip install 'pamtri-edge[export]'"),
        (packages.export_tools, "pip install 'pamtri-edge[export]'"),
        (packages.av, "pip install 'pamtri-edge[video]'"),
        (packages.norfair, "pip install 'pamtri-edge[video]'"),
    ],
)
def test_what_is_not_installed_is_missing_and_comes_with_the_command(fake, probe, remedy):
    finding = probe(fake.build())
    assert (finding.status, finding.remedy) == ("missing", remedy)


def test_openvino_says_its_version_devices_and_arithmetic(fake):
    finding = packages.openvino(fake.module("openvino", OPENVINO.replace("DEVICES", "['CPU']")).build())
    assert finding.ok
    assert finding.summary == "2026.4.1, CPU, FP32 BF16 INT8"


def test_an_openvino_without_cpu_plugin_is_unusable(fake):
    finding = packages.openvino(fake.module("openvino", OPENVINO.replace("DEVICES", "['GPU']")).build())
    assert finding.status == "unusable"
    assert "no CPU plugin" in finding.summary


@pytest.mark.parametrize("probe", [packages.openvino, packages.av, packages.norfair])
def test_a_package_that_cannot_be_imported_is_unusable_with_the_reason(fake, probe):
    for name in ("openvino", "av", "norfair"):
        fake.module(name, "raise ImportError('libtbb.so.12: cannot open')")
    finding = probe(fake.build())
    assert finding.status == "unusable"
    assert "libtbb.so.12" in finding.summary
    assert finding.remedy


@pytest.mark.parametrize(
    ("cuda", "available", "driver", "status", "words"),
    [
        ("None", False, NO_DRIVER, "skipped", "no NVIDIA driver"),
        ("None", False, DRIVER, "missing", "this build has no CUDA"),
        ("'13.0'", False, DRIVER, "missing", "this driver does not serve"),
        ("'13.0'", True, DRIVER, "ok", "CUDA 13.0"),
    ],
)
def test_torch_is_complete_without_a_gpu_and_its_gpu_is_told_apart(
    fake, cuda, available, driver, status, words
):
    fake.module("torch", TORCH.replace("CUDA", cuda).replace("AVAILABLE", str(available)))
    machine = fake.build()
    torch = packages.torch(machine, driver)
    assert torch.ok
    finding = packages.torch_cuda(machine, driver, torch)
    assert finding.status == status
    assert words in finding.summary


def test_without_driver_torch_is_not_asked_for_gpus(fake):
    fake.module("torch", TORCH.replace("CUDA", "'13.0'").replace("return AVAILABLE", "raise SystemExit"))
    assert packages.torch(fake.build(), NO_DRIVER).ok


def test_export_tools_name_the_one_that_is_absent(fake):
    fake.installed("onnxscript", "0.7").installed("safetensors", "0.8")
    assert packages.export_tools(fake.build()).summary == "not installed: onnxruntime"
    assert packages.export_tools(fake.installed("onnxruntime", "1.31").build()).ok


def test_pyav_must_write_h264(fake):
    assert packages.av(fake.module("av", AV.replace("WRITES", "{'libx264'}")).build()).summary == (
        "18.0, writes H.264, reads RTSP"
    )
    finding = packages.av(fake.module("av", AV.replace("WRITES", "set()")).build())
    assert (finding.status, finding.summary) == ("unusable", "18.0 cannot write H.264")


def test_gstreamer_is_asked_through_its_program(fake):
    fake.program("gst-inspect-1.0", "echo 'gst-inspect-1.0 version 1.22.0'; echo 'GStreamer 1.22.0'")
    finding = gstreamer.probe(fake.build())
    assert finding.ok
    assert finding.summary == "1.22.0, no Python bindings (gi) in this Python"


def test_a_gstreamer_program_that_fails_is_unusable(fake):
    finding = gstreamer.probe(fake.program("gst-inspect-1.0", "exit 5").build())
    assert finding.status == "unusable"
    assert "exit status 5" in finding.summary
