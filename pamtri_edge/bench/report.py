# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A whole measurement: of one bundle, on one device, for some numbers of threads and batch sizes."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pamtri_edge import samples
from pamtri_edge.bench.measure import BatchSpeed, measure_batch, pad_waste, peak_bytes, resident_bytes
from pamtri_edge.bench.sustained import Sustained, sustain
from pamtri_edge.bundle import default_bundle
from pamtri_edge.doctor import Machine, cpu
from pamtri_edge.errors import InputError
from pamtri_edge.reidentifier import Reidentifier
from pamtri_edge.version import VERSION

SCHEMA: Final = 1

Crops = list[NDArray[np.uint8]]


@dataclass(frozen=True)
class Device:
    """What ran the bundle.

    Attributes:
        processor: its name.
        processors: how many this process may use.
        features: vector extensions that networks gain from.
        backend: "openvino", "tensorrt" or "torch".
        device: "cpu", "cuda" or "cuda:N".
        arithmetic: what the convolutions were computed in.
    """

    processor: str
    processors: int
    features: tuple[str, ...]
    backend: str
    device: str
    arithmetic: str

    @property
    def on_gpu(self) -> bool:
        """The network runs on a GPU."""
        return self.device.startswith("cuda")


@dataclass(frozen=True)
class BenchReport:
    """What was measured.

    Attributes:
        bundle: the bundle's path.
        precision: how its file is typed.
        device: what ran it.
        date: when, ISO 8601 in UTC.
        memory_bytes: what loading the bundle added to the process, None if unknown.
        speeds: by threads, then by batch, in the order that was asked for.
        sustained: the same for minutes, where that was asked for.
        version: of this package.
    """

    bundle: str
    precision: str
    device: Device
    date: str
    memory_bytes: int | None
    speeds: tuple[BatchSpeed, ...]
    sustained: Sustained | None = None
    version: str = VERSION

    @property
    def best(self) -> BatchSpeed:
        """The row of the most vehicles a second."""
        return max(self.speeds, key=lambda row: row.vehicles_per_s)

    def to_json(self) -> dict[str, Any]:
        """Return all of it as what JSON can hold."""
        record: dict[str, Any] = {"schema": SCHEMA, **asdict(self)}
        if self.sustained is not None:
            one = self.sustained
            record["sustained"] |= {
                "pace": one.pace,
                "first_vehicles_per_s": one.first,
                "last_vehicles_per_s": one.last,
            }
        return record


def bench(
    bundle: str | os.PathLike[str] | None = None,
    *,
    batches: Sequence[int] = (1, 2, 4, 8, 16, 32),
    threads: Sequence[int | None] = (None,),
    seconds: float = 2.0,
    minutes: float = 0.0,
    device: str = "auto",
    backend: str = "auto",
    build: bool = True,
    on_step: Callable[[str], None] = lambda _: None,
) -> BenchReport:
    """Measure how fast a bundle describes vehicles, from crops in memory to results.

    Args:
        bundle: see `Reidentifier.load`.
        batches: how many vehicles a call, each 1 or more.
        threads: numbers of CPU threads; None for all that the process may use.
        seconds: how long each row is measured, about.
        minutes: how long the quickest batch size is then run without a pause; 0 for not at all.
        device: see `Reidentifier.load`.
        backend: see `Reidentifier.load`.
        build: see `Reidentifier.load`.
        on_step: told what comes next.

    Raises:
        PamtriError: as `Reidentifier.load` and `embed` do.
    """
    place = default_bundle() if bundle is None else bundle
    crops = samples.crops(max(batches), seed=1)
    speeds: list[BatchSpeed] = []
    added: list[int] = []
    sustained: Sustained | None = None
    about: Device | None = None
    for number, count in enumerate(threads, 1):
        on_step("loading the bundle")
        before = resident_bytes()
        with Reidentifier.load(place, device=device, backend=backend, threads=count, build=build) as reid:
            after = resident_bytes()
            if before is not None and after is not None:
                added.append(after - before)
            about, precision = _device(reid), reid.manifest.precision
            used = None if about.on_gpu else count or about.processors
            rows = [
                _speed(reid, crops[:batch], threads=used, seconds=seconds, on_step=on_step)
                for batch in batches
            ]
            speeds += rows
            if minutes > 0 and number == len(threads):
                quickest = max(rows, key=lambda row: row.vehicles_per_s).batch
                sustained = _sustained(reid, crops[:quickest], minutes, on_step)
    if about is None:
        raise InputError("no number of threads was given; give one or more, or None for all.")
    date = datetime.now(timezone.utc).isoformat(timespec="seconds")
    memory = added[0] if added else None
    return BenchReport(os.fspath(place), precision, about, date, memory, tuple(speeds), sustained)


def _device(reid: Reidentifier) -> Device:
    facts, engine = cpu.probe(Machine()).facts, reid.backend
    return Device(
        facts["model"],
        int(facts["cores"]),
        tuple(facts["features"]),
        engine.name,
        engine.device,
        engine.arithmetic,
    )


def _speed(
    reid: Reidentifier, crops: Crops, *, threads: int | None, seconds: float, on_step: Callable[[str], None]
) -> BatchSpeed:
    on_step(f"batch {len(crops)}" + (f", threads {threads}" if threads else ""))
    return measure_batch(
        lambda: reid.embed(crops),
        batch=len(crops),
        threads=threads,
        seconds=seconds,
        waste=pad_waste(len(crops), getattr(reid.backend, "batch_sizes", ())),
        memory=peak_bytes,
    )


def _sustained(reid: Reidentifier, crops: Crops, minutes: float, on_step: Callable[[str], None]) -> Sustained:
    return sustain(
        lambda: reid.embed(crops),
        batch=len(crops),
        minutes=minutes,
        on_cpu=not reid.backend.device.startswith("cuda"),
        on_window=lambda passed: on_step(f"{passed:.0f} of {60 * minutes:.0f} s at batch {len(crops)}"),
    )
