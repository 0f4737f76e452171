# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What this machine can run, what is missing for what, and how to get it.

No probe can take the examination down: each runs apart from the others, and whatever imports a library
that may crash does so in a process of its own.
"""

from __future__ import annotations

from pamtri_edge.doctor.examine import NAMES, examine
from pamtri_edge.doctor.findings import Ability, Finding, Report
from pamtri_edge.doctor.machine import Machine

__all__ = ["NAMES", "Ability", "Finding", "Machine", "Report", "examine"]
