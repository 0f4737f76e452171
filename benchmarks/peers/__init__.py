# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Who else describes vehicles, one file each: rows for the table of `speed.py`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Crops = Sequence[NDArray[np.uint8]]


@dataclass
class Subject:
    """One row of the table.

    Attributes:
        name: how the table calls it.
        call: describes one batch.
        arithmetic: what it computes in.
        operations: multiplications and additions a vehicle; None where they were not counted.
        limit: which measured limit it is held against, "fp32" or "int8"; empty for none.
        share: returns the part of its time between the networks since it was last called.
        shares: those, one a round.
    """

    name: str
    call: Callable[[Crops], object]
    arithmetic: str
    operations: float | None = None
    limit: str = ""
    share: Callable[[], float] | None = None
    shares: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Absent:
    """A peer that cannot be measured here, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class Setting:
    """What all peers are given alike.

    Attributes:
        bundles: where bundles lie; missing ones are exported.
        threads: processor threads.
        batch: the sizes that will be measured.
        stack: closes what a peer opened.
        announce: is told of what takes long.
        only: a word that a row's name has to hold; what costs much to make is not made for others.
    """

    bundles: Path
    threads: int
    batch: tuple[int, ...]
    stack: ExitStack
    announce: Callable[[str], None]
    only: str = ""


Peer = Callable[[Setting], Iterator[Subject | Absent]]
