# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A synthetic data set from its plan to its manifest."""

from __future__ import annotations

import errno
import hashlib
import json
import logging
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

from pamtri_edge import _render
from pamtri_edge.datasets.layout import MANIFEST_FILE, PARTS, Part
from pamtri_edge.errors import InputError, SourceError
from pamtri_edge.files.regular import sha256_of
from pamtri_edge.synth.dataset.ledger import WORK, Ledger
from pamtri_edge.synth.dataset.plan import SynthPlan
from pamtri_edge.synth.dataset.record import Record
from pamtri_edge.synth.dataset.workers import do_all
from pamtri_edge.synth.dataset.write import import_pyarrow, whole_file, write_labels
from pamtri_edge.vehicle import COLORS, KEYPOINT_NAMES, TYPES
from pamtri_edge.version import VERSION
from pamtri_edge.words import Split

if TYPE_CHECKING:
    from pamtri_edge.synth.dataset.studio import OpenStudio

_log = logging.getLogger(__name__)

SCHEMA: Final = 1
"""Of the manifest."""

_PARTS: Final = tuple(part for split in Split for part in PARTS[split])
_DRAWING: Final = ("specification", "body", "paint", "view")
"""The rooms whose code decides what a picture looks like."""

_BYTES_A_PIXEL: Final = 0.28  # 13 kilobytes of JPEG for 256x256 pixels, 5 of records and labels


@dataclass(frozen=True)
class SynthProgress:
    """How far a data set is.

    Attributes:
        images: pictures that are there.
        total: pictures there will be.
        before: of those that are there, how many an earlier run had drawn.
    """

    images: int
    total: int
    before: int


@dataclass(frozen=True)
class Generated:
    """A complete data set.

    Attributes:
        folder: where it is.
        manifest: what its manifest says.
        drawn: pictures that this run drew; fewer than there are where an earlier one had begun.
    """

    folder: Path
    manifest: dict[str, Any]
    drawn: int


def generate(
    plan: SynthPlan,
    folder: str | Path,
    *,
    processes: int = 1,
    overwrite: bool = False,
    open_studio: OpenStudio | None = None,
    on_progress: Callable[[SynthProgress], None] | None = None,
) -> Generated:
    """Draw a data set, or what is missing of it, and write its labels; the manifest comes last.

    Whatever stops it, the same call goes on where it was. Every file is the same whatever the number of
    processes and however often it was stopped.

    Args:
        plan: what to draw.
        folder: where; a new one, or one that holds this same plan in part or whole.
        processes: how many draw at the same time.
        overwrite: remove a data set of another plan, or begin this one anew.
        open_studio: opens what draws, in each process; None: the project's renderer.
        on_progress: called now and then.

    Raises:
        InputError: the folder holds something else or cannot be written, the disk is full, or the plan's
            meshes or cameras cannot be read.
        SourceError: the plan's backgrounds cannot be read.
        MissingDependencyError: a package for a wanted format is not installed.
        WorkerError: a process was killed.
    """
    if open_studio is None:
        from pamtri_edge.synth.dataset.studio import RenderStudio

        open_studio = RenderStudio
    folder = Path(folder)
    if processes < 1:
        raise InputError(f"processes is {processes}; accepted: at least 1.")
    if "parquet" in plan.formats:
        import_pyarrow()  # now, not after an hour
    configuration = _configuration(plan)
    ledger = Ledger(folder, _PARTS)
    _refuse_others(folder)
    if not overwrite and (complete := read_manifest(folder)) is not None:
        _refuse_another(folder, configuration, complete["configuration"])
        ledger.close()
        return Generated(folder, complete, 0)
    with ledger.locked():
        if overwrite:
            ledger.clear()
        begun = ledger.plan() or {}
        renderers = begun.pop("renderers", [])
        if begun:
            _refuse_another(folder, configuration, begun)
        renderers = _with_this_renderer(folder, renderers)
        ledger.begin({**configuration, "renderers": renderers})
        Ledger(folder, plan.parts).make(masks=plan.masks)
        try:
            drawn = _draw(plan, folder, ledger, processes, open_studio, on_progress)
        except (InputError, SourceError):  # of what the plan names; other options are then to be taken
            if not begun and not ledger.has_begun():
                ledger.forget()
            raise
        manifest = _conclude(plan, folder, ledger, configuration, renderers)
        ledger.close()
    return Generated(folder, manifest, drawn)


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """Return the manifest of a data set; None where there is none, so that it is not complete.

    Raises:
        InputError: there is one that is not readable.
    """
    path = folder / MANIFEST_FILE
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise InputError(f"{path} is not readable as a manifest: {error}. Give another name.") from error
    if not isinstance(manifest, dict) or not isinstance(manifest.get("configuration"), dict):
        raise InputError(f"{path} is not the manifest of a drawn data set; give another name.")
    return manifest


def _refuse_others(folder: Path) -> None:
    """Refuse a folder of something else, such as pictures that nobody can draw again."""
    if folder.exists() and not folder.is_dir():
        raise InputError(f"the output {folder} is a file; expected a folder, or a new name.")
    begun = folder.is_dir() and (folder / WORK).is_dir()
    if not begun and read_manifest(folder) is None and folder.is_dir() and any(folder.iterdir()):
        raise InputError(
            f"the output folder {folder} exists, is not empty, and holds no data set that could be gone on "
            "with or overwritten; give another name."
        )


def _refuse_another(folder: Path, wanted: dict[str, Any], found: dict[str, Any]) -> None:
    names = [name for name in {**wanted, **found} if wanted.get(name) != found.get(name)]
    if names:
        differences = ", ".join(f"{name} {found.get(name)!r} (now {wanted.get(name)!r})" for name in names)
        raise InputError(
            f"{folder} holds a data set of another configuration: {differences}. Give another name, the same "
            "options as then to go on, or --overwrite to begin anew."
        )


def _with_this_renderer(folder: Path, renderers: list[str]) -> list[str]:
    """Return by which renderers a data set is drawn, this one included; warn where it is another."""
    this = renderer_fingerprint()
    if this in renderers or not renderers:
        return renderers or [this]
    _log.warning(
        "the renderer has changed since %s was begun, so that its pictures will be of two kinds; --overwrite "
        "begins anew",
        folder,
    )
    return [*renderers, this]


def renderer_fingerprint() -> str:
    """Return a hash of the code that draws pictures: where it is equal, so are the pictures."""
    rooms = Path(__file__).parents[1]
    sources = [path for room in _DRAWING for path in sorted((rooms / room).glob("*.py"))]
    digest = hashlib.sha256()
    for path in (*sources, Path(_render.__file__)):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _draw(
    plan: SynthPlan,
    folder: Path,
    ledger: Ledger,
    processes: int,
    open_studio: OpenStudio,
    on_progress: Callable[[SynthProgress], None] | None,
) -> int:
    """Draw what is missing; return how many pictures that was."""
    missing = [job for job in plan.jobs() if not ledger.is_done(job, masks=plan.masks)]
    before = done = plan.images - sum(job.views for job in missing)
    tell = on_progress or (lambda progress: None)
    tell(SynthProgress(done, plan.images, before))
    if not missing:
        return 0
    _warn_of_little_space(plan, folder, plan.images - before)
    try:
        with closing(do_all(missing, plan, folder, processes=processes, open_studio=open_studio)) as jobs:
            for job in jobs:
                done += job.views
                tell(SynthProgress(done, plan.images, before))
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        what = "the disk is full" if full else f"{error.strerror or error}"
        raise InputError(
            f"{folder} cannot be written: {what}. {done} of {plan.images} images are kept; when that is "
            "solved, the same command goes on."
        ) from error
    return done - before


def _warn_of_little_space(plan: SynthPlan, folder: Path, images: int) -> None:
    needed = images * plan.size**2 * _BYTES_A_PIXEL
    free = shutil.disk_usage(folder).free
    if free < needed:
        _log.warning(
            "about %s MB are needed and %s MB are free where %s is; it may stop half-way, and the same "
            "command goes on when there is room",
            f"{needed / 1e6:,.0f}",
            f"{free / 1e6:,.0f}",
            folder,
        )


class _Records:
    """The records of one part in the order of their file names; can be gone through again and again."""

    def __init__(self, plan: SynthPlan, ledger: Ledger, part: Part) -> None:
        self._plan = plan
        self._ledger = ledger
        self._part = part

    def __iter__(self) -> Iterator[Record]:
        for _, jobs in groupby(self._plan.jobs(), key=attrgetter("identity")):
            found = (record for job in jobs for record in self._ledger.records(job) or ())
            mine = (record for record in found if record.part == self._part.name)
            yield from sorted(mine, key=attrgetter("image"))


def _conclude(
    plan: SynthPlan, folder: Path, ledger: Ledger, configuration: dict[str, Any], renderers: list[str]
) -> dict[str, Any]:
    """Write labels and manifest; return the manifest."""
    labels: list[Path] = []
    counts = {}
    for part in plan.parts:
        records = _Records(plan, ledger, part)
        labels += write_labels(folder, part, records, plan.formats)
        counts[part.name] = _count(records)
    manifest = {
        "schema": SCHEMA,
        "configuration": configuration,
        "renderers": renderers,
        "versions": {"numpy": np.__version__, "opencv": cv2.__version__},
        "counts": counts,
        "files": {path.name: {"bytes": path.stat().st_size, "sha256": sha256_of(path)} for path in labels},
        "keypoints": list(KEYPOINT_NAMES),
    }
    os.sync()  # the pictures before the manifest that vouches for them; once, not a time for each
    with whole_file(folder / MANIFEST_FILE) as file:
        json.dump(manifest, file, indent=2)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    return manifest


def _count(records: _Records) -> dict[str, Any]:
    vehicles: set[int] = set()
    cameras: set[int] = set()
    colors: Counter[str] = Counter()
    types: Counter[str] = Counter()
    digest = hashlib.sha256()
    for record in records:
        vehicles.add(record.vehicle)
        cameras.add(record.camera)
        colors[record.color] += 1
        types[record.type] += 1
        digest.update(f"{record.sha256}  {record.image}\n".encode())
    return {
        "images": sum(colors.values()),
        "vehicles": len(vehicles),
        "cameras": len(cameras),
        "colors": {name: colors[name] for name in COLORS if name in colors},
        "types": {name: types[name] for name in TYPES if name in types},
        "images_sha256": digest.hexdigest(),
    }


def _configuration(plan: SynthPlan) -> dict[str, Any]:
    """Return all that decides what the pictures are: the plan, the version, and the files it names."""
    prior = Path(plan.prior) if plan.prior.endswith(".json") else None
    named = {"backgrounds": plan.backgrounds, "meshes": plan.meshes, "camera": prior}
    fingerprints = {
        name: _fingerprint(path) for name, path in named.items() if path is not None and path.exists()
    }
    return {**plan.to_json(), "contents": fingerprints, "pamtri_edge": VERSION}


def _fingerprint(path: Path) -> str:
    """Return a hash of a file, or of the names and sizes of a folder's files."""
    if path.is_file():
        return sha256_of(path)
    inside = sorted(one for one in path.rglob("*") if one.is_file())
    lines = [f"{one.relative_to(path)} {one.stat().st_size}\n" for one in inside]
    return hashlib.sha256("".join(lines).encode()).hexdigest()
