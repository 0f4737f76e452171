# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What `pamtri-export --deepstream` does: of an export's bundle, or of one that there is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import typer

from pamtri_edge import console
from pamtri_edge.bundle import default_bundle, open_bundle
from pamtri_edge.errors import InputError
from pamtri_edge.export.pack import plugin_files
from pamtri_edge.export.pack.sources import sources
from pamtri_edge.export.pack.writing import check_pack, check_supported, pack_files, write_pack

_OWN: Final = frozenset({"deepstream", "bundle", "source", "overwrite", "dry_run"})


@dataclass(frozen=True, kw_only=True)
class PackOptions:
    """What was asked for.

    Attributes:
        folder: where the pack is written.
        videos: its sources.
        overwrite: replace a pack of that name.
    """

    folder: Path
    videos: tuple[str, ...]
    overwrite: bool


def pack_options(
    folder: Path | None, bundle: Path | None, named: Sequence[str], *, weights: bool, overwrite: bool
) -> PackOptions | None:
    """Return what was asked for, or None where no pack was.

    Args:
        folder: `--deepstream`.
        bundle: `--bundle`.
        named: every `--source`.
        weights: whether weights are exported as well.
        overwrite: `--overwrite`.

    Raises:
        InputError: options that do not go together, or a source that is none.
        ExportError: the place is taken.
    """
    if folder is None:
        if bundle is not None or named:
            raise InputError("--bundle and --source belong to a pack: give --deepstream DIR as well.")
        return None
    if weights and bundle is not None:
        raise InputError(
            "--bundle names a bundle that there is, and weights make a new one: give one of the two."
        )
    check_pack(folder, overwrite=overwrite)
    return PackOptions(folder=folder, videos=sources(named), overwrite=overwrite)


def refuse_export_options(context: typer.Context) -> None:
    """Refuse options of an export where nothing is exported: they would change nothing.

    Raises:
        InputError: names them.
    """
    given = [
        f"--{name.replace('_', '-')}"
        for name in context.params
        if name not in _OWN and str(context.get_parameter_source(name)).endswith("COMMANDLINE")
    ]
    if given:
        raise InputError(
            f"{', '.join(given)}: options of an export, and no weights are given. Give --model, --reid or "
            "--network for a new bundle, or leave them out for a pack of a bundle that there is."
        )


def pack_bundle(options: PackOptions, bundle: Path | None, *, dry_run: bool = False) -> None:
    """Write the pack of a bundle, and say what was written.

    Args:
        options: where and of what.
        bundle: the bundle; None for the default one.
        dry_run: only say what would be written.

    Raises:
        BundleError: the bundle cannot be opened.
        ExportError: it has geometry `original`, or the place cannot be written.
    """
    opened = open_bundle(bundle or default_bundle())
    check_supported(opened.manifest)
    names = ", ".join(pack_files(opened.manifest, options.videos))
    if dry_run:
        console.out.print(f"{options.folder} would hold the bundle and {names}.")
        console.out.print("Nothing was written (--dry-run).")
        return
    path = write_pack(opened, options.folder, options.videos, overwrite=options.overwrite)
    console.out.print(f"Wrote {path}: the bundle {opened.manifest.name}, {names}.")
    if not (path / plugin_files.PARSER).is_file():
        console.out.print(
            f"DeepStream is not installed here, or its libraries could not be built: run make -C "
            f"{path / plugin_files.FOLDER} on the device.",
        )
    console.out.print("README.md says what to start; pamtri lint examines it after a change.")
