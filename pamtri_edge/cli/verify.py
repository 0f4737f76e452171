# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""`pamtri verify`: does this bundle, on this machine, give what it promises?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from pamtri_edge import console
from pamtri_edge.cli.shared_options import BackendOption, DeviceOption, ThreadsOption
from pamtri_edge.errors import InputError
from pamtri_edge.options import finite
from pamtri_edge.printable import counted

if TYPE_CHECKING:
    from pamtri_edge.bundle import Bundle
    from pamtri_edge.parity.pictures import Pictures
    from pamtri_edge.parity.verify import Check
    from pamtri_edge.runtime import Backend

_DRAWN = 32
_DRAWN_SEED = 53


def verify(
    bundle: Annotated[Path, typer.Argument(help="The bundle, NAME.pamtri.")],
    crops: Annotated[
        Path | None,
        typer.Option(
            help="Folder of vehicle pictures to compare on; without it, those that come with the package."
        ),
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option(
            help="Another bundle of the same weights, or embeddings of the crops that were taken elsewhere, "
            "such as in DeepStream: .npy, .npz or .jsonl."
        ),
    ] = None,
    against_deepstream: Annotated[
        Path | None,
        typer.Option(
            help="Folder of what DeepStream dumped: of nvinfer with dump-input-tensor=1 (and "
            "raw-output-file-write=1), or of nvpamtri with dump-dir=DIR. --crops are then the crops that it "
            "looked at, in their own size; a dump of nvpamtri holds them itself."
        ),
    ] = None,
    limit: Annotated[
        float | None,
        typer.Option(
            callback=finite,
            help="What 95 % of the cosines with embeddings taken elsewhere must reach. [default: 0.98]",
        ),
    ] = None,
    backend: BackendOption = "auto",
    device: DeviceOption = "auto",
    threads: ThreadsOption = None,
) -> None:
    """Check a bundle on this machine: its files, its golden crops, and its results against others'.

    Always: every file's SHA-256, and the golden crops against what PyTorch gave at export. With
    --against OTHER the results on the crops are compared with another bundle's or with embeddings
    taken elsewhere; with --against-deepstream DUMP inputs and outputs of a run of DeepStream are, and
    channel order, scale and offsets, scaler, color conversion and precision are told apart as the cause;
    with --crops alone, with the torch engine, which computes in the types that the
    file states. Ends with 1 if anything passes its limit.
    """
    from pamtri_edge.bundle import open_bundle
    from pamtri_edge.parity.verify import check_golden
    from pamtri_edge.runtime import create_backend

    if against is not None and against_deepstream is not None:
        raise InputError("--against and --against-deepstream are two comparisons: give one of the two.")
    opened = open_bundle(bundle)
    engine = create_backend(opened.model, backend=backend, device=device, threads=threads)
    checks = [check_golden(opened, engine)]
    console.out.print(f"{opened.path}: {counted(len(opened.manifest.files), 'file')} present and unchanged.")
    _show(checks[0])
    more = (
        _more(opened, engine, crops, against, limit)
        if against_deepstream is None
        else _dumped(opened, engine, crops, against_deepstream, limit)
    )
    for check in more:
        checks.append(check)
        _show(check)
    engine.close()
    if any(check.failures for check in checks):
        raise typer.Exit(1)


def _more(
    bundle: Bundle, engine: Backend, crops: Path | None, against: Path | None, limit: float | None
) -> list[Check]:
    from pamtri_edge.bundle import open_bundle
    from pamtri_edge.parity import verify as checks
    from pamtri_edge.parity.embedding_sets import SUFFIXES, read_embeddings

    if against is None:
        if crops is None:
            return []
        if not checks.torch_is_here():
            console.err.print(
                "The crops were not run: nothing to compare with. Give --against OTHER, or install the torch "
                "engine: pip install 'pamtri-edge[torch]'"
            )
            return []
        return [checks.check_engines(bundle, engine, _pictures(crops))]
    if against.is_dir():
        return [checks.check_bundles(bundle, engine, open_bundle(against), _pictures(crops))]
    if against.suffix not in SUFFIXES:
        raise InputError(f"{against} is neither a bundle nor a file of embeddings ({', '.join(SUFFIXES)}).")
    if crops is None:
        raise InputError(f"{against} holds embeddings; say of which pictures: --crops DIR.")
    chosen = checks.ELSEWHERE_COSINE if limit is None else limit
    embeddings = read_embeddings(against)
    return [checks.check_embeddings(bundle, engine, embeddings, _pictures(crops), limit=chosen)]


def _dumped(
    bundle: Bundle, engine: Backend, crops: Path | None, dump: Path, limit: float | None
) -> list[Check]:
    from pamtri_edge.parity.deepstream import check_dump
    from pamtri_edge.parity.deepstream_dump import read_dump
    from pamtri_edge.parity.verify import ELSEWHERE_COSINE

    read = read_dump(dump, bundle.manifest.inputs, bundle.manifest.outputs)
    pictures = None if crops is None else _pictures(crops)
    chosen = ELSEWHERE_COSINE if limit is None else limit
    return check_dump(bundle, engine, read, pictures, limit=chosen)


def _pictures(crops: Path | None) -> Pictures:
    from pamtri_edge.datasets.parts import picture_files
    from pamtri_edge.parity.pictures import drawn_pictures, read_pictures

    if crops is None:
        return drawn_pictures(_DRAWN, seed=_DRAWN_SEED)
    return read_pictures(picture_files(crops), source=str(crops))


def _show(check: Check) -> None:
    console.out.print(check.title)
    table = Table(show_header=False, box=None)
    for name, figure in check.figures.items():
        table.add_row(name, figure)
    console.out.print(table)
    for remark in check.remarks:
        console.out.print(f"note: {remark}.")
    for failure in check.failures:
        console.err.print(console.styled("failed:", "bold red"), failure)
    if not check.failures:
        console.out.print("within the limits")
