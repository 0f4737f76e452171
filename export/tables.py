# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What `pamtri-export` shows a person: the plan, the comparison with PyTorch, and the files."""

from __future__ import annotations

from collections.abc import Mapping

from rich.table import Table

from pamtri_edge.export.judgement import Judgement
from pamtri_edge.export.plan import Plan
from pamtri_edge.export.report import Report
from pamtri_edge.manifest import TensorSpec


def plan_table(plan: Plan, *, precision: str) -> Table:
    """Return what an export will do, a line a fact."""
    table = Table(title="Plan", title_justify="left", show_header=False, box=None)
    used = [name for name, present in plan.variant.items() if present]
    table.add_row("bundle", f"{plan.final} ({precision})")
    table.add_row("networks", f"{plan.size}, {plan.parameters / 1e6:.2f} M parameters")
    table.add_row("weights", "given" if plan.trained else "drawn: they have learned nothing")
    table.add_row("variant", ", ".join(used) or "pictures alone")
    table.add_row("inputs", _tensors(plan.inputs))
    table.add_row("outputs", _tensors(plan.outputs))
    for name, labels in (("colors", plan.colors), ("types", plan.types)):
        if labels is not None:
            table.add_row(name, ", ".join(labels))
    table.add_row("compared on", plan.parity)
    if plan.calibration is not None:
        table.add_row("calibrated on", plan.calibration)
    listed = (f"{name} ({size / 1e6:.1f} MB)" if size else name for name, size in plan.files.items())
    table.add_row("files", ", ".join(listed))
    table.add_row("time", f"about {_duration(plan.seconds)} on two cores")
    for note in plan.notes:
        table.add_row("note", note)
    return table


def report_table(report: Report) -> Table:
    """Return the comparison with PyTorch, a column an engine."""
    table = Table(title=f"{report.precision} against PyTorch fp32, {report.source}", title_justify="left")
    table.add_column("")
    for judgement in report.judgements:
        table.add_column(f"{judgement.backend}\n({judgement.arithmetic})", justify="right")
    rows = [_column(judgement) for judgement in report.judgements]
    for name in rows[0] if rows else ():
        table.add_row(name, *(row[name] for row in rows))
    return table


def staged_lines(report: Report) -> list[str]:
    """Return a line for each engine on the two networks apart."""
    return [
        f"two networks, {stage.backend} ({stage.arithmetic}): "
        + ("; ".join(stage.failures) if stage.failures else "within the limits")
        for stage in report.staged
    ]


def sizes_line(sizes: Mapping[str, int]) -> str:
    """Return the files of a bundle with their sizes."""
    return ", ".join(f"{name} {size / 1e6:.2f} MB" for name, size in sizes.items() if size > 10_000)


def _column(judgement: Judgement) -> dict[str, str]:
    rows = {
        "crops": str(judgement.crops),
        "cosine, least": _figure(judgement.end_to_end.minimum),
        "cosine, mean": _figure(judgement.end_to_end.mean),
        "crops with a tie": f"{judgement.tied.crops} ({judgement.tied.crops / judgement.crops:.0%})",
        "  their least cosine": _figure(judgement.tied.minimum),
        "cosine from its own heatmaps, least": _figure(judgement.own_heatmaps.minimum),
    }
    for name, attribute in judgement.attributes.items():
        share = attribute.agreement
        rows[f"{name}, same class"] = "-" if share is None else f"{share:.1%}"
        rows[f"{name}, probability differs by"] = _figure(attribute.difference, "{:.2g}")
    if judgement.pose is not None:
        rows |= {
            "heatmap, largest error": f"{judgement.pose.error:.2g}",
            "keypoints decided otherwise": f"{judgement.pose.changed:.2%}",
            "keypoint distance, 99th percentile": f"{judgement.pose.distance_p99:.2g}",
            "keypoint distance, decided alike": f"{judgement.pose.unchanged_distance:.2g}",
        }
    return rows


def _figure(value: float | None, form: str = "{:.7f}") -> str:
    return "-" if value is None else form.format(value)


def _tensors(specs: tuple[TensorSpec, ...]) -> str:
    return ", ".join(f"{spec.name} ({', '.join(str(n or 'N') for n in spec.shape)})" for spec in specs)


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
