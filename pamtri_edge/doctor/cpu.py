# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The processor: which it is, how much of it is ours, and whether it is fast at 8-bit arithmetic."""

from __future__ import annotations

from typing import Final

from pamtri_edge.doctor.findings import Finding, joined
from pamtri_edge.doctor.machine import Machine
from pamtri_edge.processors import available_processors

# What OpenVINO's and our own loops gain from, and the words of /proc/cpuinfo that stand for it.
_X86: Final = {
    "AVX2": {"avx2"},
    "AVX-512": {"avx512f", "avx512bw", "avx512vl"},
    "AVX-512 VNNI": {"avx512_vnni"},
    "AVX VNNI": {"avx_vnni"},
    "AMX int8": {"amx_int8"},
    "AMX bf16": {"amx_bf16"},
}
_ARM: Final = {
    "ASIMD": {"asimd"},
    "fp16": {"asimdhp"},
    "dotprod": {"asimddp"},
    "i8mm": {"i8mm"},
    "SVE": {"sve"},
    "bf16": {"bf16"},
}
_FAST_INT8: Final = {"AVX-512 VNNI", "AVX VNNI", "AMX int8", "dotprod", "i8mm"}

_ARM_CORES: Final = {
    "0xd42": "Cortex-A78AE",
    "0xd4f": "Neoverse V2",
    "0xd40": "Neoverse V1",
    "0xd0c": "Neoverse N1",
    "0xd49": "Neoverse N2",
    "0xd83": "Neoverse V3AE",
    "0xd08": "Cortex-A72",
    "0xd0b": "Cortex-A76",
    "0xd07": "Cortex-A57",
    "0x004": "Carmel",
}
"""Part numbers of Arm's and NVIDIA's cores that traffic cameras and servers are built with."""


def probe(machine: Machine) -> Finding:
    """Read /proc/cpuinfo, the scheduler's mask and the container's quota."""
    entries = _entries(machine.read("/proc/cpuinfo") or "")
    arm = "Features" in entries
    known = _ARM if arm else _X86
    words = set(entries.get("Features" if arm else "flags", "").split())
    features = [name for name, needed in known.items() if needed <= words]
    model = _model(machine, entries, arm)
    cores = available_processors(machine.root)
    fast = not _FAST_INT8.isdisjoint(features)
    memory = _memory(machine)
    summary = joined(
        [
            model,
            f"{cores} core{'' if cores == 1 else 's'}",
            f"{memory / 2**30:.0f} GiB memory" if memory else "",
            " ".join(features) or "none of the vector extensions looked for",
            "int8 runs fast" if fast else "no 8-bit dot product: int8 bundles gain little here",
        ]
    )
    facts = {"model": model, "cores": cores, "memory": memory, "features": features, "fast_int8": fast}
    return Finding("cpu", "Processor", "ok", summary, facts=facts)


def _entries(cpuinfo: str) -> dict[str, str]:
    """Return the first value of every key."""
    entries: dict[str, str] = {}
    for line in cpuinfo.splitlines():
        key, colon, value = line.partition(":")
        if colon:
            entries.setdefault(key.strip(), value.strip())
    return entries


def _model(machine: Machine, entries: dict[str, str], arm: bool) -> str:
    if not arm:
        return entries.get("model name", "a processor that /proc/cpuinfo does not name")
    core = _ARM_CORES.get(entries.get("CPU part", ""), f"Arm part {entries.get('CPU part', 'unknown')}")
    board = (machine.read("/proc/device-tree/model") or "").strip("\0\n ")
    return f"{board} ({core})" if board else core


def _memory(machine: Machine) -> int:
    """Return the machine's memory in bytes, 0 where it is not said."""
    total = _entries(machine.read("/proc/meminfo") or "").get("MemTotal", "0").split()[0]
    return int(total) * 1024 if total.isdecimal() else 0
