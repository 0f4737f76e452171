# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What of a data set is already drawn: a folder that can be left at any moment and taken up again.

While a data set is made, its folder holds `.synth/`: the plan, and a file of records for every job that
is done. A job's file is written after its pictures; both get their names when they are whole. So whatever
ends a run (Ctrl-C, a kill, a full disk), what has a name is good, and what is missing is drawn later.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from pamtri_edge.datasets.layout import MANIFEST_FILE, Part, mask_name
from pamtri_edge.errors import InputError
from pamtri_edge.files.atomic import publish, sweep
from pamtri_edge.files.claims import Claim
from pamtri_edge.synth.dataset.plan import Job
from pamtri_edge.synth.dataset.record import Record
from pamtri_edge.synth.dataset.write import whole_file

WORK: Final = ".synth"
"""Name of the folder of what is under way; gone when the data set is complete."""

_PLAN: Final = "plan.json"
_LOCK: Final = "lock"
_JOBS: Final = "jobs"
_DRAFTS: Final = "drafts"


class Ledger:
    """The folder of a data set under way.

    Args:
        folder: the data set's folder.
        parts: what it consists of.
    """

    def __init__(self, folder: Path, parts: tuple[Part, ...]) -> None:
        self.folder = folder
        self._parts = parts
        self._work = folder / WORK

    def make(self, *, masks: bool) -> None:
        """Make the folders that are written to.

        Raises:
            InputError: they cannot be made.
        """
        folders = [self._work / _JOBS, self._work / _DRAFTS]
        folders += [self.folder / part.images for part in self._parts]
        folders += [self.folder / part.masks for part in self._parts if masks]
        try:
            for folder in folders:
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{error.filename} cannot be made: {error.strerror}.") from error

    def plan(self) -> dict[str, Any] | None:
        """Return the plan that the folder was begun with; None if it was not."""
        plan = _read_json(self._work / _PLAN)
        return plan if isinstance(plan, dict) else None

    def begin(self, plan: dict[str, Any]) -> None:
        """Write the plan down."""
        with whole_file(self._work / _PLAN) as file:
            json.dump(plan, file, indent=2)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep another process out of the folder.

        Raises:
            InputError: there is one in it.
        """
        try:
            self._work.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"the output {self.folder} cannot be written: {error.strerror}.") from error
        with Claim(self.folder, lock=self._work / _LOCK):
            sweep(self.folder)
            yield

    def write_file(self, path: Path, data: bytes) -> None:
        """Write a file of a picture: drafted in the working folder, then put in its place.

        Raises:
            OSError: it cannot be written.
        """
        draft = self._work / _DRAFTS / path.name
        draft.write_bytes(data)
        publish(draft, path, flush=False)

    def finish(self, job: Job, records: list[Record]) -> None:
        """Write down that a job's pictures are there.

        Raises:
            OSError: it cannot be written.
        """
        draft = self._work / _DRAFTS / f"{job.name}.json"
        draft.write_text(json.dumps([record.to_json() for record in records]), encoding="utf-8")
        publish(draft, self._work / _JOBS / f"{job.name}.json", flush=False)

    def is_done(self, job: Job, *, masks: bool) -> bool:
        """Tell whether a job's pictures are all there, as long as they were written."""
        records = self.records(job)
        if records is None or len(records) != job.views:
            return False
        return all(self._is_there(record, masks=masks) for record in records)

    def records(self, job: Job) -> list[Record] | None:
        """Return the records of a job; None if it is not done."""
        data = _read_json(self._work / _JOBS / f"{job.name}.json")
        try:
            return None if data is None else [Record.from_json(one) for one in data]
        except (KeyError, TypeError, ValueError):
            return None

    def has_begun(self) -> bool:
        """Tell whether a job's pictures are there."""
        return any((self._work / _JOBS).iterdir())

    def forget(self) -> None:
        """Remove what was made before any picture, the folder too where nothing else is in it."""
        self.clear()
        self.close()
        with suppress(OSError):
            self.folder.rmdir()

    def close(self) -> None:
        """Remove the working folder; the data set is complete."""
        shutil.rmtree(self._work, ignore_errors=True)

    def _is_there(self, record: Record, *, masks: bool) -> bool:
        part = Part(record.part)
        try:
            long = (self.folder / part.images / record.image).stat().st_size
            mask = not masks or (self.folder / part.masks / mask_name(record.image)).stat().st_size > 0
        except OSError:
            return False
        return long == record.size and mask

    def clear(self) -> None:
        """Remove the data set, complete or not; other files of the folder stay.

        Raises:
            InputError: something cannot be removed.
        """
        files = [self.folder / MANIFEST_FILE, self._work / _PLAN]
        folders = [self._work / _JOBS, self._work / _DRAFTS]
        for part in self._parts:
            files += [self.folder / name for name in (part.reid_csv, part.pose_csv, part.coco, part.parquet)]
            folders += [self.folder / name for name in (part.images, part.masks)]
        try:
            for path in files:
                path.unlink(missing_ok=True)
            for folder in folders:
                if folder.exists():
                    shutil.rmtree(folder)
        except OSError as error:
            raise InputError(
                f"{error.filename or self.folder} cannot be removed: {error.strerror}."
            ) from error


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
