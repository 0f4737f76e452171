# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The comparison of an exported file with the network that it was made of, as a whole."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pamtri_edge.errors import ExportError
from pamtri_edge.metrics.loss import RetrievalLoss
from pamtri_edge.parity.judgement import Judgement, Staged
from pamtri_edge.parity.limits import LIMITS, Limits


@dataclass(frozen=True)
class EngineVerdict:
    """An engine, and how it was judged.

    Attributes:
        device: where it runs, in words.
        via: "tensorrt" or "torch-tensorrt" with its version.
        judgement: the figures, and what fails.
    """

    device: str
    via: str
    judgement: Judgement


@dataclass(frozen=True)
class HalfArithmetic:
    """A float16 file in the processor's own half arithmetic, beside the comparison that adds up in float32.

    Attributes:
        processor: what multiplies halves on this machine, such as "AVX-512 fp16"; None where nothing does.
        judgement: the figures of it, for information: processors that add up halves in halves lose more than
            GPUs, which the limits are made for. None where nothing does.
    """

    processor: str | None
    judgement: Judgement | None


@dataclass(frozen=True)
class Report:
    """The comparison of an exported file with the network that it was made of.

    Attributes:
        precision: of the file.
        source: where the crops come from.
        drawn: whether they were drawn for want of real ones.
        judgements: one an engine.
        staged: of the two-network form, one an engine; empty without it.
        engines: of the engines for this machine's GPU; empty where none were asked for.
        retrieval: what the file loses on a labeled set; None where none was given.
        samples: on the sample crops that come with the package, one an engine; empty where `judgements` are
            on drawn crops anyway.
        doubts: about the pictures that int8 was fitted to, a sentence each.
        half: of a float16 file, what true half arithmetic gives; None for other precisions.
        against: what computed the network that the file is held against.
        judged_as: the precision whose limits apply; "" for that of the file.
    """

    precision: str
    source: str
    drawn: bool
    judgements: tuple[Judgement, ...]
    staged: tuple[Staged, ...] = ()
    engines: tuple[EngineVerdict, ...] = ()
    retrieval: RetrievalLoss | None = None
    samples: tuple[Judgement, ...] = ()
    half: HalfArithmetic | None = None
    doubts: tuple[str, ...] = ()
    against: str = "PyTorch"
    judged_as: str = ""

    @property
    def limits(self) -> Limits:
        """How far the file may be from the network."""
        return LIMITS[self.judged_as or self.precision]

    @property
    def failures(self) -> tuple[str, ...]:
        """What passes a limit, in words; empty if the file is what it should be."""
        engines = [one.judgement for one in self.engines]
        runs: tuple[tuple[Sequence[Judgement | Staged], str], ...] = (
            (self.judgements, ""), (self.staged, ""), (self.samples, ", on the sample crops"), (engines, "")
        )  # fmt: skip
        failures = [
            f"{run.engine} ({run.arithmetic}){where}: {text}"
            for judged, where in runs
            for run in judged
            for text in run.failures
        ]
        if self.retrieval is not None and self.retrieval.failure is not None:
            failures.append(self.retrieval.failure)
        return tuple(failures)

    def as_record(self) -> dict[str, Any]:
        """Return the report as plain JSON data, for the manifest."""
        record = dataclasses.asdict(self)
        del record["retrieval"]  # the manifest has a field for it
        for name in ("judgements", "staged", "samples"):
            record[name] = [_recorded(run, engine="backend", own="own_heatmaps") for run in record[name]]
        record["engines"] = [
            {"device": one["device"], "via": one["via"]}
            | _recorded(one["judgement"], engine="name", own="own_keypoints")
            for one in record["engines"]
        ]
        if record["half"] is not None and record["half"]["judgement"] is not None:
            half = record["half"]["judgement"]
            record["half"]["judgement"] = _recorded(half, engine="backend", own="own_heatmaps")
        record["source"] = Path(self.source).name  # where the folder lies is nobody's business
        record["limits"] = dataclasses.asdict(self.limits)
        record["passed"] = not self.failures
        rounded: dict[str, Any] = _rounded(record)
        return rounded


class ParityError(ExportError):
    """The exported file is not the network that it was made of.

    Attributes:
        report: the figures.
    """

    def __init__(self, message: str, report: Report) -> None:
        super().__init__(message)
        self.report = report


def _recorded(judged: Mapping[str, Any], *, engine: str, own: str) -> dict[str, Any]:
    """Return a judgement under the names that a manifest has for it, without what was not compared."""
    record = {{"engine": engine, "own": own}.get(name, name): value for name, value in judged.items()}
    if record.get("pose") is not None:
        record["pose"] = {name: value for name, value in record["pose"].items() if value is not None}
    return record


def _rounded(value: Any) -> Any:
    """Round the figures of a record: more digits than they mean only make it long."""
    if isinstance(value, float):
        return round(value, 9)
    if isinstance(value, dict):
        return {key: _rounded(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(entry) for entry in value]
    return value
