# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What `pamtri-export` shows a person: the plan, the steps, the comparison with PyTorch, the files."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.table import Table

from pamtri_edge import console
from pamtri_edge.export.engines.profile import Profile
from pamtri_edge.export.options import ExportOptions, Steps
from pamtri_edge.export.plan import Plan
from pamtri_edge.export.report import HalfArithmetic, Report
from pamtri_edge.geometry import Geometry
from pamtri_edge.manifest import TensorSpec
from pamtri_edge.metrics.loss import RetrievalLoss
from pamtri_edge.parity.agreement import Attribute, Cosines
from pamtri_edge.parity.judgement import Judgement, Staged
from pamtri_edge.parity.limits import Limits
from pamtri_edge.runtime.tensorrt.timing import WHOLE

if TYPE_CHECKING:
    from pamtri_edge.export.bundle_export import ExportResult

_ABSENT = "-"


class ShownSteps(Steps):
    """Steps of an export, each a line on the terminal: a bar where the parts are known, then the time."""

    @contextmanager
    def shown(self, name: str, total: int | None) -> Iterator[Callable[[], None]]:
        """Show a step while it runs."""
        start = time.perf_counter()
        if total is not None:
            with console.progress() as bar:
                task = bar.add_task(f"  {name}", total=total, note="")
                yield lambda: bar.advance(task)
            return
        with console.err.status(f"{name} ..."):
            yield lambda: None
        console.err.print(f"  {name}: {time.perf_counter() - start:.1f} s")


def show_report(report: Report) -> None:
    """Show the comparison of a file with the network that it was made of."""
    console.out.print(_report_table(report))
    if report.engines:
        console.out.print(_engine_table(report))
    for judgement in report.judgements:
        for remark in judgement.remarks:
            console.out.print(f"{judgement.engine}: {remark}.")
    for line in _sample_lines(report):
        console.out.print(line)
    for doubt in report.doubts:
        console.err.print(console.styled("WARNING:", "bold red"), f"{doubt}.")
    if report.half is not None:
        console.out.print(_half_line(report.half))
    if report.retrieval is not None:
        console.out.print(_retrieval_line(report.retrieval))
    if report.drawn:
        console.out.print(
            "The crops were rendered, because no real ones were given: use --crops DIR with pictures of your "
            "cameras.",
        )


def show_result(options: ExportOptions, result: ExportResult) -> None:
    """Show what an export left: the comparison, the files, and what one should know of them."""
    show_report(result.report)
    for measured in result.profiles:
        console.out.print(profile_table(measured))
    console.out.print(_sizes_line(result.sizes))
    if options.geometry is Geometry.ORIGINAL:
        console.out.print(
            "Stock DeepStream nvinfer cannot feed geometry 'original': deepstream/README.txt says why.",
        )
    if not result.manifest.trained:
        console.out.print("The weights are random: speed and formats are real, the results mean nothing.")
    if result.report.failures:
        console.err.print(
            console.styled(f"WARNING: the comparison with {result.report.against} FAILED;", "bold red"),
            "the bundle was written because of --allow-drift, and its manifest says so:",
        )
        for failure in result.report.failures:
            console.err.print(f"  {failure}")
    console.out.print(f"Wrote {result.path} in {sum(result.seconds.values()):.0f} s.")


def plan_table(plan: Plan, *, precision: str) -> Table:
    """Return what an export will do, a line a fact."""
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    enters = [name for name in ("keypoints", "heatmaps", "segments") if plan.variant[name]]
    table.add_row("bundle", f"{plan.final!s} ({precision})")
    table.add_row("networks", f"{plan.size}, {plan.parameters / 1e6:.2f} M parameters")
    table.add_row("weights", "given" if plan.trained else "random: they have learned nothing")
    table.add_row("pose enters as", ", ".join(enters) or "nothing")
    table.add_row("takes", _tensors(plan.inputs))
    table.add_row("gives", _tensors(plan.outputs))
    for name, labels in (("colors", plan.colors), ("types", plan.types)):
        if labels is not None:
            table.add_row(name, ", ".join(labels))
    table.add_row("compared on", plan.parity)
    if plan.calibration is not None:
        table.add_row("calibrated on", plan.calibration)
    if plan.retrieval is not None:
        table.add_row("retrieval on", plan.retrieval)
    listed = (f"{name} ({size / 1e6:.1f} MB)" if size else name for name, size in plan.files.items())
    table.add_row("files", ", ".join(listed))
    table.add_row("disk while it works", f"about {plan.needed / 1e6:.0f} MB")
    table.add_row("time", f"about {_duration(plan.seconds)}, as measured on this machine")
    if plan.engine is not None:
        table.add_row("engine", f"{plan.engine}; building it takes minutes more")
    for note in plan.notes:
        table.add_row("note", note)
    return table


def _report_table(report: Report) -> Table:
    """Return the comparison with PyTorch: a line a figure, a column an engine, and the limits."""
    crops = f"{report.judgements[0].crops} crops: {report.source}"
    title = f"{report.precision} file against {report.against} fp32 on {crops}"
    table = Table(title=title, title_justify="left")
    table.add_column("")
    for judgement in report.judgements:
        table.add_column(f"{judgement.engine}\n({judgement.arithmetic})", justify="right")
    table.add_column("limit", justify="right")
    columns = [_column(judgement) for judgement in report.judgements]
    largest = max((run.pose.largest for run in report.judgements if run.pose is not None), default=0.0)
    limits = _limits(report.limits, largest=largest)
    _add_rows(table, columns, limits)
    _add_rows(table, [_staged_column(stage) for stage in report.staged], limits)
    return table


def _sample_lines(report: Report) -> list[str]:
    """Return what the comparison gave on the sample crops, a line an engine."""
    limit = report.limits.cosine
    return [
        f"{run.engine} ({run.arithmetic}), on the {run.crops} sample crops that come with the package: "
        f"least cosine {_figure(run.own.minimum)}, mean {_figure(run.own.mean)} "
        f"(limit {limit:g})."
        for run in report.samples
    ]


def _half_line(half: HalfArithmetic) -> str:
    """Return how half precision was computed, and what the processor's own half arithmetic gives."""
    how = "Half precision was computed as GPUs do: values rounded to halves, products summed in float32."
    if half.processor is None or half.judgement is None:
        return f"{how} This processor has no half arithmetic of its own to show beside it."
    run = half.judgement
    return (
        f"{how} In this processor's own ({half.processor}), for information: least cosine "
        f"{_figure(run.own.minimum)}, mean {_figure(run.own.mean)}"
        + (f"; beyond the limits: {'; '.join(run.failures)}." if run.failures else ".")
    )


def _add_rows(table: Table, columns: Sequence[Mapping[str, str]], limits: Mapping[str, str]) -> None:
    """Add a line for each figure that any column has: one whose results are not finite has fewer."""
    for name in dict.fromkeys(name for column in columns for name in column):
        table.add_row(name, *(column.get(name, _ABSENT) for column in columns), limits.get(name, ""))


def _engine_table(report: Report) -> Table:
    """Return the comparison of the engines with PyTorch: a line a figure, a column an engine."""
    first = report.engines[0]
    table = Table(
        title=f"Engine on {first.device}, via {first.via}, against PyTorch fp32 on "
        f"{first.judgement.crops} crops",
        title_justify="left",
    )
    table.add_column("")
    for one in report.engines:
        table.add_column(f"{one.judgement.engine}\n({one.judgement.arithmetic})", justify="right")
    table.add_column("limit", justify="right")
    columns = [_column(one.judgement) for one in report.engines]
    pose = first.judgement.pose
    limits = _limits(report.limits, largest=0.0 if pose is None else pose.largest)
    _add_rows(table, columns, limits)
    return table


def profile_table(profile: Profile) -> Table:
    """Return the time of each stage: a line a stage, a column a batch size, and the part of the whole."""
    table = Table(title=f"Milliseconds a batch: {profile.title}", title_justify="left")
    table.add_column("")
    for size in profile.sizes:
        table.add_column(f"batch {size}", justify="right")
    largest = profile.sizes[-1]
    table.add_column(f"of the whole, batch {largest}", justify="right")
    for stage, times in profile.milliseconds.items():
        share = times[largest] / profile.milliseconds[WHOLE][largest]
        table.add_row(stage, *(f"{times[size]:.3f}" for size in profile.sizes), f"{share:.1%}")
    table.add_row("whole, a crop", *(f"{profile.milliseconds[WHOLE][n] / n:.3f}" for n in profile.sizes), "")
    return table


def _retrieval_line(lost: RetrievalLoss) -> str:
    """Return what a file loses in retrieval, and which layers stayed in float32 because of it."""
    kept = f"; in float32: {', '.join(lost.float_groups)}" if lost.float_groups else ""
    return (
        f"Retrieval on {lost.set} ({lost.queries} queries of {lost.vehicles} vehicles among {lost.gallery} "
        f"pictures): mAP {lost.map:.2%}, of fp32 {lost.fp32_map:.2%}: {lost.loss:+.2f} points lost "
        f"(limit {lost.limit:g}){kept}."
    )


def _sizes_line(sizes: Mapping[str, int]) -> str:
    """Return the files of a bundle with their sizes."""
    return ", ".join(f"{name} {size / 1e6:.2f} MB" for name, size in sizes.items() if size > 10_000)


def _column(judgement: Judgement) -> dict[str, str]:
    """Return the lines of a judgement; one of an engine, which gives no heatmaps, has fewer."""
    pose = judgement.pose
    if pose is None:
        return _agreement_rows(judgement, "file's own heatmaps")
    distances = {
        "  distance, 99th percentile": f"{pose.distance_p99:.2g}",
        "  distance, largest": f"{pose.distance:.2g}",
    }
    if pose.error is None:
        return {
            **_agreement_rows(judgement, "engine's own keypoints"),
            "confidence, largest error": f"{pose.confidence:.2g}",
            "quality, largest error": _figure(pose.quality, "{:.2g}"),
            "keypoints decided differently": f"{pose.changed:.2%}",
            **distances,
        }
    return {
        **_agreement_rows(judgement, "file's own heatmaps"),
        "heatmaps, largest error": f"{pose.error:.2g}",
        "  mean error": _figure(pose.mean_error, "{:.2g}"),
        "  cosine of a crop's, least": _figure(pose.cosine),
        "  confidence, largest error": f"{pose.confidence:.2g}",
        "keypoints near a tie": _figure(pose.near, "{:.2%}"),
        "  decided differently": f"{pose.changed:.2%}",
        **distances,
        "  distance, largest, same decision": f"{pose.unchanged_distance:.2g}",
    }


def _agreement_rows(judgement: Judgement, what: str) -> dict[str, str]:
    """Return the lines of embeddings and attributes; `what` is what the reference was fed with."""
    end_to_end, tied, own = judgement.end_to_end, judgement.tied, judgement.own
    return {
        "end to end, same decisions: crops": _share(end_to_end, judgement.crops),
        "  cosine, least": _figure(end_to_end.minimum),
        "  cosine, mean": _figure(end_to_end.mean),
        **_attributes(judgement.attributes),
        "end to end, with a tie: crops": _share(tied, judgement.crops),
        "  cosine, least (for information)": _figure(tied.minimum),
        f"from the {what}: crops": _share(own, judgement.crops),
        "  cosine, least ": _figure(own.minimum),
        "  cosine, mean ": _figure(own.mean),
        **{f"{name} ": text for name, text in _attributes(judgement.own_attributes).items()},
    }


def _attributes(figures: Mapping[str, Attribute]) -> dict[str, str]:
    rows = {}
    for name, figure in figures.items():
        rows[f"  {name}, same class"] = _figure(figure.agreement, "{:.1%}")
        rows[f"  {name}, probability apart"] = _figure(figure.difference, "{:.2g}")
    return rows


def _staged_column(stage: Staged) -> dict[str, str]:
    return {
        "staged: crops": str(stage.crops),
        "  heatmaps, largest error": f"{stage.heatmap:.2g}",
        "  cosine, least  ": _figure(stage.embedding.minimum),
    }


def _limits(limits: Limits, *, largest: float) -> dict[str, str]:
    """Return the limit of each line that has one; blanks at the end tell lines of one name apart."""
    heatmap, cosine = f"{limits.heatmap_error(largest):.2g}", f"{limits.cosine:g}"
    texts = {
        "heatmaps, largest error": heatmap,
        "  heatmaps, largest error": heatmap,
        "  confidence, largest error": heatmap,
        "confidence, largest error": heatmap,
        "quality, largest error": heatmap,
        "  cosine of a crop's, least": f"{limits.heatmap_cosine:g}",
        "  cosine, least": cosine,
        "  cosine, least ": cosine,
        "  cosine, least  ": cosine,
        "  cosine, mean": f"{limits.mean_cosine:g}",
        "  cosine, mean ": f"{limits.mean_cosine:g}",
    }
    for name in ("color", "type"):
        for blank in ("", " "):
            texts[f"  {name}, probability apart{blank}"] = f"{limits.probability:g}"
    return texts


def _share(cosines: Cosines, crops: int) -> str:
    return f"{cosines.crops} ({cosines.crops / crops:.0%})"


def _figure(value: float | None, form: str = "{:.7f}") -> str:
    return _ABSENT if value is None else form.format(value)


def _tensors(specs: tuple[TensorSpec, ...]) -> str:
    return ", ".join(f"{spec.name} ({', '.join(str(n or 'N') for n in spec.shape)})" for spec in specs)


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
