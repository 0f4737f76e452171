# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""GStreamer: the programs and libraries, and its Python bindings."""

from __future__ import annotations

import re
import subprocess
from functools import partial
from typing import Final

from pamtri_edge.doctor.findings import Finding, joined
from pamtri_edge.doctor.isolated import ask
from pamtri_edge.doctor.machine import Machine

_APT: Final = (
    "apt install gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good "
    "gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly gstreamer1.0-libav"
)


def probe(machine: Machine) -> Finding:
    """Look for gst-inspect-1.0, and for `gi` in this Python."""
    found = partial(Finding, "gstreamer", "GStreamer")
    program = machine.which("gst-inspect-1.0")
    if program is None:
        return found("missing", "gst-inspect-1.0 not found", _APT)
    try:
        said = subprocess.run(
            [program, "--version"],
            capture_output=True,
            text=True,
            check=True,
            timeout=machine.timeout,
            stdin=subprocess.DEVNULL,
            env=dict(machine.environ),
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        return found("unusable", f"gst-inspect-1.0 fails: {error}", _APT)
    match = re.search(r"GStreamer (\d+\.\d+[\d.]*)", said)
    version = match[1] if match else "of unknown version"
    python = machine.module("gi") is not None and not ask(machine, "gi").failure
    bindings = "with Python bindings" if python else "no Python bindings (gi) in this Python"
    return found("ok", joined([version, bindings]), facts={"version": version, "python": python})
