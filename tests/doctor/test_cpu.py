# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The processor is read from /proc, on x86 and on Arm."""

from pamtri_edge.doctor import cpu

XEON = """processor : 0
model name : Intel(R) Xeon(R) Gold
flags : fpu avx2 avx512f avx512bw avx512vl avx512_vnni amx_int8

processor : 1
model name : Intel(R) Xeon(R) Gold
flags : fpu avx2
"""
OLD_X86 = "model name : Some CPU\nflags : fpu sse4_2 avx2 avx512f\n"
ORIN = "processor : 0\nFeatures : fp asimd asimdhp asimddp\nCPU implementer : 0x41\nCPU part : 0xd42\n"


def test_the_features_that_matter_on_x86_are_named(fake):
    finding = cpu.probe(fake.file("/proc/cpuinfo", XEON).build())
    assert finding.ok
    assert finding.facts["model"] == "Intel(R) Xeon(R) Gold"
    assert finding.facts["features"] == ["AVX2", "AVX-512", "AVX-512 VNNI", "AMX int8"]
    assert finding.facts["fast_int8"] is True


def test_a_processor_without_dot_products_is_told_what_int8_gains_there(fake):
    finding = cpu.probe(fake.file("/proc/cpuinfo", OLD_X86).build())
    assert finding.facts["features"] == ["AVX2"]
    assert "int8 bundles gain little here" in finding.summary


def test_arm_is_named_by_its_board_and_core(fake):
    fake.file("/proc/cpuinfo", ORIN).file("/proc/device-tree/model", "NVIDIA Jetson Orin Nano\0")
    finding = cpu.probe(fake.build())
    assert finding.facts["model"] == "NVIDIA Jetson Orin Nano (Cortex-A78AE)"
    assert finding.facts["features"] == ["ASIMD", "fp16", "dotprod"]
    assert finding.facts["fast_int8"] is True


def test_memory_is_read(fake):
    finding = cpu.probe(fake.file("/proc/meminfo", "MemTotal:        8388608 kB\n").build())
    assert finding.facts["memory"] == 8 << 30
    assert "8 GiB memory" in finding.summary


def test_a_containers_quota_cuts_the_cores(fake):
    finding = cpu.probe(fake.file("/sys/fs/cgroup/cpu.max", "100000 100000\n").build())
    assert finding.facts["cores"] == 1
    assert "1 core," in finding.summary


def test_a_machine_that_says_nothing_is_still_a_finding(fake):
    assert cpu.probe(fake.build()).ok
