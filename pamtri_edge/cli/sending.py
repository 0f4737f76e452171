# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""`--sink`: where `pamtri run` sends its events, and what became of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pamtri_edge import console
from pamtri_edge.options import check_count
from pamtri_edge.printable import counted, printable
from pamtri_edge.words import EmbeddingFormat, SinkFormat

if TYPE_CHECKING:
    from pamtri_edge._sinks import Report
    from pamtri_edge.sinks.sink import EventSink

SinkOption = Annotated[
    list[str] | None,
    typer.Option(
        help="Send events there too: file:PATH, mqtt[s]://HOST/TOPIC, redis[s]://HOST/STREAM or "
        "kafka[s]://HOST/TOPIC, where needed with user:password@ before the host, :PORT behind it and "
        "?option=value at the end (docs/sinks.md). Several times for several.",
        metavar="URI",
    ),
]
SinkFormatOption = Annotated[
    SinkFormat | None,
    typer.Option(
        help="How events are sent: JSON, or DeepStream's protobuf. Once, for all sinks. [default: json]"
    ),
]
SpoolOption = Annotated[
    list[Path] | None,
    typer.Option(
        help="File that keeps events until the sink has them, over kills and restarts; the next run with it "
        "sends them first. Once for each --sink, in their order. [default: in memory alone]",
        metavar="FILE",
    ),
]


def check_sinks(
    uris: Sequence[str] | None, payload_format: SinkFormat | None, spools: Sequence[Path] | None
) -> None:
    """Refuse options that do not belong together.

    Raises:
        typer.BadParameter: they do not.
    """
    if not uris and payload_format is not None:
        raise typer.BadParameter("it belongs to --sink.", param_hint="--sink-format")
    check_count("--spool", spools, uris or (), "sink")


@contextmanager
def sending(
    uris: Sequence[str] | None,
    payload_format: SinkFormat | None,
    spools: Sequence[Path] | None,
    *,
    embedding_format: EmbeddingFormat,
    outside: Path,
) -> Iterator[Sequence[EventSink]]:
    """Open sinks; at the end of the block send what is left, and say what became of the events.

    Args:
        uris: where events go.
        payload_format: how they are encoded.
        spools: one for each sink, or none.
        embedding_format: how embeddings are written in JSON.
        outside: the output folder, which a run clears, so that no sink and no spool may lie in it.

    Raises:
        InputError: a sink cannot be opened.
        SinkError: events were neither delivered nor kept.
    """
    if not uris:
        yield ()
        return
    from pamtri_edge._sinks import parse_settings
    from pamtri_edge.errors import SinkError
    from pamtri_edge.sinks.sink import EventSink

    kept_in: Sequence[Path | None] = spools or [None] * len(uris)
    sinks: list[tuple[EventSink, Path | None]] = []
    with ExitStack() as stack:
        for uri, spool in zip(uris, kept_in, strict=True):
            settings = parse_settings(uri)
            _refuse_inside(Path(settings.target) if settings.kind == "file" else None, outside, "sink")
            _refuse_inside(spool, outside, "spool")
            one = EventSink(
                uri, payload_format=payload_format or "json", embedding_format=embedding_format, spool=spool
            )
            stack.callback(one.close)
            sinks.append((one, spool))
        try:
            yield [one for one, _ in sinks]
        finally:
            lost = [_finish(one, spool) for one, spool in sinks]
    if any(lost):
        raise SinkError(
            "\n".join(filter(None, lost)) + "\nAll events of this run are in its events.jsonl. Keep them for "
            "a broker that is away: --spool FILE."
        )


def _refuse_inside(path: Path | None, folder: Path, what: str) -> None:
    from pamtri_edge.errors import InputError

    if path is not None and path.resolve().is_relative_to(folder.resolve()):
        raise InputError(
            f"the {what} {printable(path)} lies in the output folder, which belongs to one run; give another "
            "place."
        )


def _finish(sink: EventSink, spool: Path | None) -> str | None:
    """Send what is left, and say what became of it; return what is to be told as an error."""
    before = sink.report()
    left = before.spooled + before.held
    if left:
        wait = f"up to {sink.patience_s:g} s"
        console.err.print(f"sending {counted(left, 'event')} to {sink.shown} ({wait})")
    sink.flush(sink.patience_s)
    report = sink.close()
    console.out.print(f"sink {printable(sink.shown)}: {told(report)}")
    if report.spooled:
        console.err.print(
            f"{counted(report.spooled, 'event')} not delivered: the next run with --spool {printable(spool)} "
            "sends what is left"
        )
    if not report.dropped:
        return None
    why = f" {report.problem}" if report.problem else ""
    return f"{counted(report.dropped, 'event')} could not be delivered to {sink.shown}.{why}"


def told(report: Report) -> str:
    """Return a report in a few words."""
    earlier = [f"{report.earlier} left by an earlier run"] if report.earlier else []
    repeated = f" ({report.repeated} more than once)" if report.repeated else ""
    counts = [f"{report.sent} sent{repeated}", f"{report.acknowledged} acknowledged"]
    return ", ".join([*earlier, *counts, f"{report.spooled} spooled", f"{report.dropped} dropped"])
