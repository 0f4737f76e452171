# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Several cameras at once: a thread for each, and one network for all."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.errors import InputError
from pamtri_edge.printable import printable
from pamtri_edge.signals import postponed
from pamtri_edge.video.frames import Frame, Source
from pamtri_edge.video.journal import Embedder
from pamtri_edge.video.run import RunProgress, VideoRun

_RESULTS: Final = ("embeddings", "color_probs", "type_probs", "keypoints", "quality")
_LONGEST_NAME: Final = 100  # characters
_LOOK_S: Final = 0.2


@dataclass
class _Request:
    crops: list[NDArray[np.uint8]]
    result: Any = None
    error: BaseException | None = None
    done: bool = False


class SharedEmbedder:
    """A re-identifier for several threads: what they ask for while it is busy goes through as one batch.

    Args:
        embedder: the re-identifier.
    """

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._waiting: list[_Request] = []
        self._list = threading.Lock()
        self._network = threading.Lock()

    @property
    def manifest(self) -> Any:
        """The bundle's manifest."""
        return self._embedder.manifest

    def embed(self, batch: Sequence[NDArray[np.uint8]]) -> Any:
        """Return the results for a list of (H, W, 3) uint8 RGB crops.

        Raises:
            PamtriError: as the re-identifier; of a batch that was shared, to each that shared it.
        """
        request = _Request(list(batch))
        with self._list:
            self._waiting.append(request)
        with self._network:
            if not request.done:  # else another thread had it embedded with its own
                with self._list:
                    taken, self._waiting = self._waiting, []
                self._answer(taken)
        if request.error is not None:
            raise request.error
        return request.result

    def _answer(self, requests: Sequence[_Request]) -> None:
        try:
            found = self._embedder.embed([crop for request in requests for crop in request.crops])
            at = 0
            for request in requests:
                request.result = _part(found, slice(at, at + len(request.crops)))
                at += len(request.crops)
        except BaseException as error:
            for request in requests:
                request.error = error
        for request in requests:
            request.done = True


def _part(found: Any, rows: slice) -> SimpleNamespace:
    arrays = {name: getattr(found, name) for name in _RESULTS}
    return SimpleNamespace(**{name: None if array is None else array[rows] for name, array in arrays.items()})


class InterruptibleSource:
    """A source whose frames end with KeyboardInterrupt once `interrupt` was called, from any thread.

    Args:
        source: gives the frames.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._interrupted = threading.Event()
        self.label = source.label
        self.name = source.name
        self.live = source.live
        self.rate = source.rate
        self.total = source.total

    @property
    def lost(self) -> int:
        """Frames that could not be decoded or came too fast."""
        return self._source.lost

    @property
    def started(self) -> datetime | None:
        """The moment of the first frame, for live sources once it came."""
        return self._source.started

    def frames(self) -> Iterator[Frame]:
        """Give the frames in order; see `Source`."""
        for frame in self._source.frames():
            self._look()
            yield frame
        self._look()

    def interrupt(self) -> None:
        """Have the frames end."""
        self._interrupted.set()
        if self.live:  # it may be waiting for a frame that never comes
            # Beside us: closing waits for a camera that is silent, and the others are to end meanwhile.
            threading.Thread(target=self._source.close, name="pamtri-close", daemon=True).start()

    def close(self) -> None:
        """Let go of the file or connection."""
        self._source.close()

    def _look(self) -> None:
        if self._interrupted.is_set():
            raise KeyboardInterrupt


def folder_name(camera: str) -> str:
    """Return the name of a camera's folder: the camera's, without what no folder's name can hold."""
    name = printable(camera).replace("/", "_")[:_LONGEST_NAME].strip()
    return f"camera{name}" if not name or name.startswith(".") else name


def check_cameras(cameras: Sequence[str]) -> None:
    """Refuse cameras that could not be told apart in events or by their folders.

    Raises:
        InputError: two have one name.
    """
    seen: dict[str, str] = {}
    for camera in cameras:
        if folder_name(camera) in seen:
            raise InputError(
                f"two sources have the camera name {printable(camera)!r}, so that their events could not be "
                "told apart; name each source: --camera NAME, once for every source, in their order."
            )
        seen[folder_name(camera)] = camera


def run_together(
    jobs: Sequence[VideoRun],
    sources: Sequence[InterruptibleSource],
    on_progress: Sequence[Callable[[RunProgress], None]],
) -> list[Exception | None]:
    """Run several videos at once, each in a thread; one that fails does not end the others.

    Args:
        jobs: the runs.
        sources: theirs.
        on_progress: for each, what is called after every frame.

    Returns:
        For each run the error that ended it, or None.

    Raises:
        KeyboardInterrupt: the user stopped it; what was done of each before is kept.
    """
    errors: list[Exception | None] = [None] * len(jobs)

    def work(at: int) -> None:
        try:
            jobs[at].run(on_progress=on_progress[at])
        except KeyboardInterrupt:
            pass  # told once, by the main thread
        except Exception as error:
            errors[at] = error

    threads = [threading.Thread(target=work, args=(at,), name=f"pamtri-{at}") for at in range(len(jobs))]
    with postponed() as interrupted:
        try:
            for thread in threads:
                thread.start()
            while any(thread.is_alive() for thread in threads) and not interrupted():
                for thread in threads:
                    thread.join(_LOOK_S)
        finally:  # whatever it was, such as no more threads to be had: none runs on alone
            alive = [thread for thread in threads if thread.is_alive()]
            for source, thread in zip(sources, threads, strict=True):
                if thread in alive:
                    source.interrupt()
            for thread in alive:
                thread.join()
    return errors
