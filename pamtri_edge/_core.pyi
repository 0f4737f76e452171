# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The decisions of a run, compiled (pipelines/core/bindings.cpp); refusals are `errors.InputError`."""

import numpy as np
from numpy.typing import NDArray

_Rectangle = tuple[int, int, int, int]

def crop_rectangles(
    boxes: NDArray[np.float64], frame_width: int, frame_height: int, rule: str
) -> NDArray[np.int32]: ...

class GateSpec:
    min_side: int
    max_views: int
    max_overlap: float
    border_px: float
    cut_factor: float
    sharp: float
    blur_factor: float
    gain: float
    last_gain: float
    good_quality: float
    min_quality: float
    retry_gain: float
    retry_s: float
    def __init__(self) -> None: ...
    def check(self) -> None: ...

class Sighting:
    def __init__(self, time_s: float, rectangle: _Rectangle, cut: bool, overlap: float) -> None: ...
    @property
    def time_s(self) -> float: ...
    @property
    def rectangle(self) -> _Rectangle: ...
    @property
    def cut(self) -> bool: ...
    @property
    def overlap(self) -> float: ...

class View:
    @property
    def worth(self) -> float: ...
    @property
    def failings(self) -> tuple[str, ...]: ...

def sightings(
    boxes: NDArray[np.float64],
    frame_width: int,
    frame_height: int,
    time_s: float,
    rule: str,
    border_px: float,
) -> list[tuple[int, Sighting]]: ...

class TrackGate:
    def __init__(self, spec: GateSpec, trained: bool) -> None: ...
    def wants_detail(self, sighting: Sighting) -> bool: ...
    def offer(self, sighting: Sighting, detail: float | None) -> tuple[bool, bool]: ...
    def close(self) -> bool: ...
    def pending(self) -> View: ...
    def answer(self, quality: float | None) -> None: ...
    def judge(self, view: View, quality: float | None) -> tuple[float, tuple[str, ...]]: ...

class Fusion:
    def __init__(self) -> None: ...
    def add(
        self,
        weight: float,
        good: bool,
        embedding: NDArray[np.float32],
        color_probs: NDArray[np.float32] | None,
        type_probs: NDArray[np.float32] | None,
    ) -> bool: ...
    @property
    def good(self) -> bool: ...
    def embedding(self) -> NDArray[np.float32]: ...
    def color_probs(self) -> NDArray[np.float32] | None: ...
    def type_probs(self) -> NDArray[np.float32] | None: ...
