# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Jobs done by several processes, so that none outlives the one that wanted them."""

from __future__ import annotations

import os
import threading
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing import parent_process
from pathlib import Path
from typing import TYPE_CHECKING, Final

import cv2

from pamtri_edge.datasets.layout import Part, mask_name
from pamtri_edge.errors import PamtriError
from pamtri_edge.signals import interrupts_held, leave_to_parent
from pamtri_edge.spawned import SharedFlag, spawned
from pamtri_edge.synth.dataset.ledger import Ledger
from pamtri_edge.synth.dataset.plan import Job, SynthPlan

if TYPE_CHECKING:  # a process opens its own
    from pamtri_edge.synth.dataset.studio import OpenStudio, RenderStudio

_QUEUED: Final = 3  # jobs under way for each process: one is done, the others wait their turn


class WorkerError(PamtriError):
    """A process that drew pictures died."""


class Stopped(Exception):  # noqa: N818 - it is no error
    """The job was given up because the run ends."""


class Painter:
    """Does jobs: draws pictures, writes them, and writes down that they are there.

    Args:
        plan: the data set.
        folder: where it is written.
        open_studio: opens what draws; called at the first job.
        stop: once it is set, jobs are given up.
    """

    def __init__(
        self, plan: SynthPlan, folder: Path, open_studio: OpenStudio, stop: SharedFlag | threading.Event
    ) -> None:
        self._plan = plan
        self._folder = folder
        self._open = open_studio
        self._stop = stop
        self._ledger = Ledger(folder, plan.parts)
        self._studio: RenderStudio | None = None

    def do(self, job: Job) -> Job:
        """Do a job; return it.

        Raises:
            Stopped: the run ends.
            OSError: a picture cannot be written.
            PamtriError: the plan cannot be drawn.
        """
        self._studio = self._studio or self._open(self._plan)
        records = []
        for shot in self._studio.draw(job):
            if self._stop.is_set():
                raise Stopped
            part = Part(shot.record.part)
            name = shot.record.image
            self._ledger.write_file(self._folder / part.images / name, shot.jpeg)
            if shot.mask is not None:
                self._ledger.write_file(self._folder / part.masks / mask_name(name), shot.mask)
            records.append(shot.record)
        self._ledger.finish(job, records)
        return job


def do_all(
    jobs: Iterable[Job], plan: SynthPlan, folder: Path, *, processes: int, open_studio: OpenStudio
) -> Generator[Job, None, None]:
    """Do jobs, in any order; yield each when it is done.

    Leaving early (an error, Ctrl-C) gives up what is under way and waits until all processes are gone.

    Raises:
        WorkerError: a process was killed.
        ProcessError: processes cannot be started here.
        OSError: a picture cannot be written.
        PamtriError: the plan cannot be drawn.
    """
    if processes == 1:
        painter = Painter(plan, folder, open_studio, threading.Event())
        yield from (painter.do(job) for job in jobs)
        return
    stop = SharedFlag()
    with spawned(processes, _begin, plan, folder, open_studio, stop) as pool:
        try:
            yield from _feed(pool, iter(jobs), processes * _QUEUED)
        except BrokenProcessPool as error:
            raise WorkerError(
                "a process that draws pictures was killed, perhaps for want of memory; use fewer --processes "
                "and give the same command again to go on."
            ) from error
        finally:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)


def _feed(pool: ProcessPoolExecutor, jobs: Iterator[Job], limit: int) -> Iterator[Job]:
    """Keep `limit` jobs in the pool; yield each when it is done."""
    # The first submissions start the processes, which inherit what is blocked: a Ctrl-C that meets them
    # before they can ignore it would have each print its own traceback.
    with interrupts_held():
        under_way: set[Future[Job]] = {pool.submit(_do, job) for job in islice(jobs, limit)}
    while under_way:
        done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
        under_way |= {pool.submit(_do, job) for job in islice(jobs, len(done))}
        for future in done:
            yield future.result()


_painter: Painter | None = None


def _begin(plan: SynthPlan, folder: Path, open_studio: OpenStudio, stop: SharedFlag) -> None:
    """Make a process ready. What can fail waits for the first job, which hands its error on."""
    global _painter
    leave_to_parent()
    cv2.setNumThreads(1)  # every process has a core
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    _painter = Painter(plan, folder, open_studio, stop)


def _do(job: Job) -> Job:
    assert _painter is not None
    return _painter.do(job)


def _leave_with_parent() -> None:
    """End this process when the one that started it is gone, however it went."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
