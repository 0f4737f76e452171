# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""How long an export takes on this machine, now: a few crops and some Python are timed, the rest is counted.

Both networks see one crop a processor, side by side as the comparison runs them; other programs on the
processors slow that down as they will slow down the export. Writing the graph is Python's work alone, on one
processor, and is told from a loop that takes as long as a known part of it.
"""

from __future__ import annotations

import copy
import time
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn

from pamtri_edge.export.comparison.workers import MAX_WORKERS, side_by_side
from pamtri_edge.export.networks import Networks
from pamtri_edge.geometry import IMAGE_SIZE
from pamtri_edge.processors import available_processors

_LAYER: Final = 2.2  # loops of `_python_seconds` that writing a layer takes
_START: Final = 60.0  # loops for imports, files and tables
_LOOP: Final = 300_000

_OPENVINO: Final = 0.6  # of what PyTorch takes a crop
_ROUNDING: Final = 1.25  # a file in torch beside the module: it is run node by node, and rounds
_CALIBRATING: Final = 1.6  # a crop, with every activation looked at


@dataclass(frozen=True)
class Speed:
    """What this machine takes now, in seconds.

    Attributes:
        pose: the pose network, a crop, all processors busy; 0 without one.
        reid: the re-identification network, likewise.
        loop: a loop of Python.
    """

    pose: float
    reid: float
    loop: float

    @property
    def both(self) -> float:
        """Both networks, a crop."""
        return self.pose + self.reid


def measure(given: Networks) -> Speed:
    """Time both networks, whatever their weights, on one crop a processor, and a loop of Python."""
    with torch.no_grad():
        pose = 0.0 if given.pose is None else _crop_seconds(given.pose, 3, IMAGE_SIZE)
        return Speed(
            pose, _crop_seconds(given.reid, given.reid.spec.channels, given.reid.spec.side), _python_seconds()
        )


def export_seconds(
    speed: Speed, given: Networks, *, crops: int, calibrating: int, pictures: int, graphs: int, flipped: bool
) -> float:
    """Return about how long an export takes.

    Args:
        speed: of this machine.
        given: the networks.
        crops: how many are compared, sample crops included.
        calibrating: how many int8 is fitted to; 0 for other precisions.
        pictures: of a set that retrieval is measured on, by two files; 0 without one.
        graphs: how many times layers are written: 1, or 2 with the two-network form.
        flipped: whether pose runs twice a crop.
    """
    pose, reid = speed.pose * (2 if flipped else 1), speed.reid
    both = pose + reid
    posed = given.pose is not None
    compared = both * (1 + _ROUNDING + _OPENVINO * (2 if posed else 1)) + (2 * reid if posed else 0.0)
    written = speed.loop * (_START + graphs * _LAYER * _layers(given))
    return (
        written
        + crops * compared
        + calibrating * both * _CALIBRATING
        + 2 * pictures * embedding_seconds(speed, flipped=flipped)
    )


def embedding_seconds(speed: Speed, *, flipped: bool) -> float:
    """Return about how long a file takes to embed a picture."""
    return (speed.pose * (2 if flipped else 1) + speed.reid) * _OPENVINO


def _layers(given: Networks) -> int:
    networks = [network for network in (given.pose, given.reid) if network is not None]
    return sum(
        isinstance(module, (nn.Conv2d, nn.Linear)) for network in networks for module in network.modules()
    )


def _crop_seconds(network: nn.Module, channels: int, side: int) -> float:
    """Return the seconds a crop when all processors are at it."""
    if any(parameter.is_meta for parameter in network.parameters()):
        network = copy.deepcopy(network).to_empty(device="cpu")
        for tensor in (*network.parameters(), *network.buffers()):
            tensor.zero_()
    workers = min(available_processors(), MAX_WORKERS)
    batch = [torch.zeros(1, channels, side, side) for _ in range(workers)]

    def run(picture: Tensor) -> None:
        with torch.no_grad():
            if hasattr(network, "describe"):
                vector = torch.zeros(1, 108) if network.spec.keypoints else None  # type: ignore[union-attr]
                network.describe(picture, vector)  # type: ignore[operator]
            else:
                network(picture)

    side_by_side(run, batch)  # the first time costs more
    start = time.perf_counter()
    side_by_side(run, batch)
    return (time.perf_counter() - start) / workers


def _python_seconds() -> float:
    """Return how long a loop takes that makes and looks up small things, as writing a graph does."""
    start = time.perf_counter()
    found: dict[str, int] = {}
    for number in range(_LOOP):
        name = f"node_{number % 1000}"
        found[name] = found.get(name, 0) + number
    return time.perf_counter() - start
