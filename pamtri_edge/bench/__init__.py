# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""How fast a bundle runs on a device: by batch and threads, at once and for minutes.

All is measured through `Reidentifier.embed`, from crops in memory to results, as a program would call it.
"""

from __future__ import annotations

from pamtri_edge.bench.measure import BatchSpeed, measure_batch, pad_waste, peak_bytes, resident_bytes
from pamtri_edge.bench.report import BenchReport, Device, bench
from pamtri_edge.bench.sustained import Sustained, Window, sustain

__all__ = [
    "BatchSpeed",
    "BenchReport",
    "Device",
    "Sustained",
    "Window",
    "bench",
    "measure_batch",
    "pad_waste",
    "peak_bytes",
    "resident_bytes",
    "sustain",
]
