# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The driver is asked through libcuda alone, and whatever it does is told in words."""

import pytest

from pamtri_edge.doctor import cuda


def test_without_driver_and_gpu_nothing_needs_mending(fake):
    finding = cuda.probe(fake.build())
    assert finding.status == "missing"
    assert finding.summary == "no NVIDIA GPU, and no libcuda.so.1"
    assert finding.remedy == ""


@pytest.mark.parametrize(
    "path",
    ["/etc/nv_tegra_release", "/proc/driver/nvidia/version", "/sys/bus/pci/devices/0000:01:00.0/vendor"],
)
def test_a_gpu_without_driver_is_told_to_install_it(fake, path):
    finding = cuda.probe(fake.file(path, "0x10de\n").build())
    assert finding.status == "missing"
    assert "its driver is not" in finding.summary
    assert "install NVIDIA's driver" in finding.remedy


def test_another_makers_device_is_no_nvidia_gpu(fake):
    machine = fake.file("/sys/bus/pci/devices/0000:00:02.0/vendor", "0x8086\n").build()
    assert not cuda.has_hardware(machine)


def test_a_working_driver_names_its_gpus(fake):
    finding = cuda.probe(fake.driver().build())
    assert finding.ok
    assert finding.summary == "for CUDA 13.1: NVIDIA Test GPU (sm_87, 8.0 GiB)"
    assert finding.facts["devices"] == [{"name": "NVIDIA Test GPU", "compute": "8.7", "memory": 8 << 30}]


@pytest.mark.parametrize(
    ("gives", "status", "summary", "remedy"),
    [
        (100, "missing", "CUDA_ERROR_NO_DEVICE, error 100", "--gpus all"),
        (803, "unusable", "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH, error 803", "reboot"),
        (34, "unusable", "error 34", "stubs folder"),
        ("crash", "unusable", "crashed (SIGSEGV)", ""),
    ],
    ids=["no GPU in a container", "another kernel module", "the toolkit's stub", "a crash"],
)
def test_what_a_driver_refuses_is_told_with_what_helps(fake, gives, status, summary, remedy):
    finding = cuda.probe(fake.driver(gives).build())
    assert finding.status == status
    assert summary in finding.summary
    assert remedy in finding.remedy


def test_a_driver_that_hangs_is_given_up(fake):
    finding = cuda.probe(fake.driver("hang").build(timeout=2.0))
    assert finding.status == "unusable"
    assert "gave no answer within 2 s" in finding.summary
