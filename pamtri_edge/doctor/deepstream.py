# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""JetPack, DeepStream and the two ways to its metadata from Python."""

from __future__ import annotations

import re
from functools import partial
from typing import Final

from pamtri_edge.compiled import decisions
from pamtri_edge.doctor.cuda import has_hardware
from pamtri_edge.doctor.findings import Finding
from pamtri_edge.doctor.isolated import ask, imported
from pamtri_edge.doctor.machine import Machine

_OLDEST: Final = (7, 1)
"""The oldest DeepStream that is supported."""

_JETPACK: Final = {32: "4", 34: "5", 35: "5", 36: "6", 38: "7", 39: "7"}
"""JetPack's major version for each of Jetson Linux's."""

_FOLDER: Final = "/opt/nvidia/deepstream/deepstream"


def jetpack(machine: Machine) -> Finding:
    """Read which Jetson Linux, and so which JetPack, this is."""
    found = partial(Finding, "jetpack", "JetPack")
    release = machine.read("/etc/nv_tegra_release")
    if release is None:
        return found("skipped", "not a Jetson")
    match = re.fullmatch(r"(\d+)\.([\d.]+)", decisions().jetson_release(release))
    if match is None:
        return found("unusable", "/etc/nv_tegra_release is not in the form that is known")
    major, revision = int(match[1]), match[2]
    family = _JETPACK.get(major)
    facts = {"jetson_linux": f"{major}.{revision}", "jetpack": family}
    if family is None:
        return found("ok", f"Jetson Linux {major}.{revision}, newer than this list", facts=facts)
    summary = f"JetPack {family} (Jetson Linux {major}.{revision})"
    if int(family) < 6:
        return found("unusable", f"{summary}; the oldest supported is 6", "update to JetPack 6", facts)
    return found("ok", summary, facts=facts)


def deepstream(machine: Machine) -> Finding:
    """Look for a DeepStream that is new enough."""
    found = partial(Finding, "deepstream", "DeepStream")
    wanted = has_hardware(machine)
    remedy = "install DeepStream 7.1 or later: NVIDIA's Debian package or container; PyPI does not have it"
    text = machine.read(f"{_FOLDER}/version")
    if text is None:
        return found("missing", "not installed", remedy if wanted else "")
    match = re.search(r"Version: *(\d+)\.(\d+)[\d.]*", text)
    if match is None:
        return found("unusable", f"{_FOLDER}/version does not say which version", remedy)
    version = match[0].partition(":")[2].strip()
    facts = {"version": version}
    if (int(match[1]), int(match[2])) < _OLDEST:
        return found("unusable", f"{version}; the oldest supported is 7.1", remedy, facts)
    return found("ok", version, facts=facts)


def pyds(machine: Machine, deepstream: Finding) -> Finding:
    """Look for DeepStream's Python bindings; PyPI's package of that name is about NASA's data labels."""
    found = partial(Finding, "pyds", "pyds (DeepStream)")
    remedy = "take the wheel of your DeepStream from NVIDIA's deepstream_python_apps releases"
    place = machine.module("pyds")
    if place is None:
        return found("missing", "not installed", remedy if deepstream.ok else "")
    unrelated = found(
        "unusable",
        "PyPI's pyds, an unrelated package about planetary data labels, not DeepStream's bindings",
        "pip uninstall pyds",
    )
    if place.suffix != ".so" and machine.package("pyds") is not None and not deepstream.ok:
        return unrelated
    answer = ask(machine, "pyds")
    if answer.failure:
        # The real one is a compiled module that needs DeepStream's libraries.
        return found("unusable", f"import {answer.failure}", remedy) if deepstream.ok else unrelated
    if not answer.value["deepstream"]:
        return unrelated
    return found("ok", answer.value["version"] or "found", facts=answer.value)


def pyservicemaker(machine: Machine, deepstream: Finding) -> Finding:
    """Look for DeepStream's newer Python interface, which comes with DeepStream 7.1 and later."""
    found = partial(Finding, "pyservicemaker", "pyservicemaker")
    wheel = "pip install the wheel in /opt/nvidia/deepstream/deepstream/service-maker/python, and pyyaml"
    facts = imported(
        *(machine, found, "pyservicemaker", "imported"),
        install=wheel if deepstream.ok else "",
        mend="pip install pyyaml, and use the wheel of the DeepStream that is installed",
        module="pyservicemaker",
    )
    return facts if isinstance(facts, Finding) else found("ok", facts["version"] or "found", facts=facts)
