# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Batches, made ahead of time by a few threads: decoding and OpenCV run without Python's lock."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from pamtri_edge.datasets.data_set import DataSet, crop_of
from pamtri_edge.train.augment import Augmented, AugmentSpec, augment
from pamtri_edge.train.sampler import Sampler
from pamtri_edge.vehicle import NUM_KEYPOINTS

_SALT: Final = 11
_AHEAD: Final = 3


@dataclass(frozen=True)
class Position:
    """Where in the data a training stands.

    Attributes:
        epoch: counted from 0.
        batch: the next batch of it.
    """

    epoch: int = 0
    batch: int = 0

    def after(self) -> Position:
        """Return that of the batch behind this one."""
        return Position(self.epoch, self.batch + 1)


def planned(sampler: Sampler, start: Position) -> Iterator[tuple[Position, NDArray[np.int64]]]:
    """Yield the position and the indices of every batch from a position on, without end."""
    epoch, first = start.epoch, start.batch
    while True:
        for number, indices in enumerate(sampler.epoch(epoch)):
            if number >= first:
                yield Position(epoch, number), indices
        epoch, first = epoch + 1, 0


@dataclass(frozen=True, eq=False)
class Pictures:
    """A batch as it leaves the loader.

    Attributes:
        position: of the batch behind this one.
        indices: (N,) int64 places in the data set.
        pictures: (N, S, S, 3) uint8 RGB; a tensor where they are held on a device.
        keypoints: (N, 36, 3) float32; of pictures without keypoints all 0.
        gray: (N,) bool, whose color was taken away.
    """

    position: Position
    indices: NDArray[np.int64]
    pictures: NDArray[np.uint8] | Tensor
    keypoints: NDArray[np.float32]
    gray: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Loader:
    """Reads and augments batches in order, from any position on.

    Attributes:
        data: the pictures.
        sampler: which make a batch.
        spec: what happens to them.
        seed: another seed, other augmentation.
        workers: threads that prepare pictures.
    """

    data: DataSet
    sampler: Sampler
    spec: AugmentSpec
    seed: int = 0
    workers: int = 2

    def batches(self, start: Position, size: Callable[[int], int]) -> Generator[Pictures, None, None]:
        """Yield batches without end.

        Args:
            start: the first one.
            size: gives the side of the pictures of batch n, counted from 0 from here on; asked when the batch
                is begun, up to three batches before it is yielded.
        """
        pool = ThreadPoolExecutor(self.workers, thread_name_prefix="augment")
        waiting: deque[tuple[Position, NDArray[np.int64], list[Future[Augmented]]]] = deque()
        try:
            for number, (at, indices) in enumerate(planned(self.sampler, start)):
                side = size(number)
                futures = [pool.submit(self._prepare, at, *one, side) for one in enumerate(indices.tolist())]
                waiting.append((at, indices, futures))
                if len(waiting) == _AHEAD:
                    yield _collected(*waiting.popleft())
        finally:
            pool.shutdown(cancel_futures=True)

    def _prepare(self, at: Position, place: int, index: int, size: int) -> Augmented:
        rng = np.random.default_rng([self.seed, _SALT, at.epoch, at.batch, place])
        picture, keypoints = crop_of(self.data, index, at.epoch, size)
        return augment(picture, keypoints, self.spec, rng, size=size)


def _collected(at: Position, indices: NDArray[np.int64], futures: list[Future[Augmented]]) -> Pictures:
    done = [future.result() for future in futures]
    empty = np.zeros((NUM_KEYPOINTS, 3), np.float32)
    return Pictures(
        at.after(),
        indices,
        np.stack([one.picture for one in done]),
        np.stack([empty if one.keypoints is None else one.keypoints for one in done]),
        np.array([one.gray for one in done]),
    )
