# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The examination: which probes there are, what each must know first, and all of them at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from pamtri_edge.doctor import cpu, cuda, deepstream, gstreamer, nvidia, ours, packages
from pamtri_edge.doctor.abilities import NAMES as ABILITY_NAMES
from pamtri_edge.doctor.abilities import abilities
from pamtri_edge.doctor.findings import Finding, Report
from pamtri_edge.doctor.machine import Machine
from pamtri_edge.processors import available_processors
from pamtri_edge.version import VERSION


@dataclass(frozen=True)
class Probe:
    """Something to look for.

    Attributes:
        name: the name of its finding.
        look: the probe; takes the machine and the findings named in `after`.
        after: what it must know first. These stand before it in the table.
    """

    name: str
    look: Callable[..., Finding]
    after: tuple[str, ...] = ()


PROBES: Final = (
    Probe("cpu", cpu.probe),
    Probe("cuda", cuda.probe),
    Probe("openvino", packages.openvino),
    Probe("native", ours.native),
    Probe("bundle", ours.bundle),
    Probe("torch", packages.torch, after=("cuda",)),
    Probe("torch-cuda", packages.torch_cuda, after=("cuda", "torch")),
    Probe("onnx", packages.onnx),
    Probe("export-tools", packages.export_tools),
    Probe("av", packages.av),
    Probe("norfair", packages.norfair),
    Probe("tensorrt", nvidia.tensorrt, after=("cuda",)),
    Probe("tensorrt-rtx", nvidia.tensorrt_rtx, after=("cuda",)),
    Probe("torch-tensorrt", nvidia.torch_tensorrt, after=("cuda",)),
    Probe("cupy", nvidia.cupy, after=("cuda",)),
    Probe("pycuda", nvidia.pycuda, after=("cuda",)),
    Probe("gstreamer", gstreamer.probe),
    Probe("jetpack", deepstream.jetpack),
    Probe("deepstream", deepstream.deepstream),
    Probe("pyds", deepstream.pyds, after=("deepstream",)),
    Probe("pyservicemaker", deepstream.pyservicemaker, after=("deepstream",)),
)
"""In the order in which they are shown."""

NAMES: Final = (*(probe.name for probe in PROBES), *ABILITY_NAMES)
"""Everything that `pamtri doctor --require` accepts."""


def examine(machine: Machine | None = None, *, probes: Sequence[Probe] = PROBES) -> Report:
    """Look at everything that pamtri-edge can use on a machine.

    Args:
        machine: where to look; this machine by default.
        probes: what to look for.

    Returns:
        The report. Never raises for what it finds; a probe that fails is a finding that says so.
    """
    here = machine or Machine()
    found: dict[str, Future[Finding]] = {}
    with ThreadPoolExecutor(max_workers=max(4, available_processors())) as pool:
        for probe in probes:
            # The pool starts tasks in this order, so one that waits never waits for one not yet started.
            earlier = [found[name] for name in probe.after]
            found[probe.name] = pool.submit(_look, here, probe, earlier)
    findings = tuple(future.result() for future in found.values())
    return Report(VERSION, findings, abilities(findings))


def _look(machine: Machine, probe: Probe, earlier: Sequence[Future[Finding]]) -> Finding:
    try:
        return probe.look(machine, *(future.result() for future in earlier))
    except Exception as error:
        summary = f"could not be examined: {type(error).__name__}: {error}"
        return Finding(probe.name, probe.name, "unusable", summary)
