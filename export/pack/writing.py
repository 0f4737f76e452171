# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Writing a pack: the bundle with every configuration around it, whole or not at all."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pamtri_edge.bundle import SUFFIX, Bundle
from pamtri_edge.errors import ExportError
from pamtri_edge.export import deepstream
from pamtri_edge.export.pack import application, plugin_files
from pamtri_edge.export.pack.pipeline import pipeline
from pamtri_edge.export.pack.readme import readme
from pamtri_edge.files.atomic import staged_folder
from pamtri_edge.manifest import MANIFEST_FILE, Manifest
from pamtri_edge.nvinfer import unsupported

APPLICATION: Final = "deepstream-app.txt"
TEST5: Final = "deepstream-test5.txt"
PIPELINE: Final = "service-maker.yaml"
README: Final = "README.md"
_PLAIN: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


def check_pack(folder: Path, *, overwrite: bool) -> None:
    """Refuse a place that is taken by something else than a pack, before any work is done.

    Raises:
        ExportError: it is taken.
    """
    if not os.path.lexists(folder):
        return
    if not overwrite:
        raise ExportError(f"{folder} exists; give --overwrite to replace it, or another --deepstream.")
    if not all((folder / name).is_file() for name in (APPLICATION, deepstream.CONFIG)):
        raise ExportError(
            f"{folder} exists and is not a pack for DeepStream, so it is not overwritten; "
            "give another --deepstream."
        )


def check_supported(manifest: Manifest) -> None:
    """Refuse a bundle that stock nvinfer cannot feed.

    Raises:
        ExportError: why, and what to do.
    """
    reason = unsupported(manifest.inputs)
    if reason is not None:
        raise ExportError(f"there is no pack for {manifest.name}: {reason}")


def pack_files(manifest: Manifest, sources: Sequence[str]) -> dict[str, str]:
    """Return the texts of a pack by file name.

    Args:
        manifest: of a bundle that stock nvinfer can feed.
        sources: the videos, one or more.
    """
    folder = bundle_name(manifest)
    return {
        **deepstream.inference(manifest, folder, parser=plugin_files.PARSER),
        plugin_files.SETTINGS: plugin_files.settings(manifest),
        APPLICATION: application.application(sources),
        TEST5: application.test5(sources),
        application.CONVERTER: application.converter(sources),
        PIPELINE: pipeline(sources),
        README: readme(manifest, folder, sources),
    }


def bundle_name(manifest: Manifest) -> str:
    """Return what the bundle is called in its pack: its name, where that is a plain word."""
    return f"{manifest.name if _PLAIN.fullmatch(manifest.name) else 'bundle'}{SUFFIX}"


def write_pack(bundle: Bundle, folder: Path, sources: Sequence[str], *, overwrite: bool = False) -> Path:
    """Write a folder with which DeepStream runs a bundle; it holds a copy of the bundle.

    Args:
        bundle: one that stock nvinfer can feed.
        folder: the folder; missing parents are made.
        sources: the videos, one or more.
        overwrite: replace a pack of that name, in one step.

    Returns:
        The folder.

    Raises:
        ExportError: the bundle has geometry `original`, or the place is taken or cannot be written.
    """
    check_supported(bundle.manifest)
    check_pack(folder, overwrite=overwrite)
    try:
        with staged_folder(folder, overwrite=overwrite) as staged:
            copy = staged.path / bundle_name(bundle.manifest)
            for name in (MANIFEST_FILE, *bundle.manifest.files):
                target = copy / name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(bundle.path / name, target)
            for name, text in pack_files(bundle.manifest, sources).items():
                (staged.path / name).write_text(text, encoding="utf-8")
            plugin_files.write_plugin(staged.path)
            return staged.publish()
    except OSError as error:
        where = error.filename or folder
        raise ExportError(f"{where}: {error.strerror}; nothing was left under {folder}.") from error
