# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What our path with torch is made of on a GPU: captured calls, and our kernels on torch's tensors."""

from __future__ import annotations

from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from gpu import replay
from gpu.glue import DeviceGlue, HostGlue, glue_for

import torch_fake
from pamtri_edge import ops
from simulated_gpu import Gpu


class Cuda:
    """A torch that writes down what is done to its streams and graphs."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self._current = "main"
        stream = lambda name: SimpleNamespace(name=name, wait_stream=self._waiting(name))  # noqa: E731
        self.cuda = SimpleNamespace(
            Stream=lambda: stream("side"),
            current_stream=lambda: stream(self._current),
            stream=self._on,
            CUDAGraph=lambda: SimpleNamespace(replay=lambda: self.log.append("replay")),
            graph=lambda graph: self._on(SimpleNamespace(name="capture")),
        )

    def _waiting(self, name: str) -> Any:
        return lambda other: self.log.append(f"{name} waits for {other.name}")

    @contextmanager
    def _on(self, stream: Any) -> Any:
        before, self._current = self._current, stream.name
        yield
        self._current = before

    def call(self) -> str:
        self.log.append(f"call on {self._current}")
        return f"outputs of call {len(self.log)}"


def test_a_call_is_warmed_up_on_a_stream_of_its_own_then_captured_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fake = Cuda()
    monkeypatch.setattr(replay, "torch", fake)
    graph = replay.Replayed(fake.call)
    assert fake.log == [
        "side waits for main",
        *["call on side"] * 3,
        "main waits for side",
        "call on capture",
    ]
    captured = graph.outputs
    assert graph() is captured
    assert graph() is captured
    assert fake.log[-2:] == ["replay", "replay"]


def test_off_the_gpu_a_call_stays_as_it_is() -> None:
    def call() -> None: ...

    assert replay.replayed(call, torch.device("cpu")) is call
    assert isinstance(glue_for(torch.device("cpu")), HostGlue)
    assert isinstance(glue_for(torch.device("cuda")), DeviceGlue)


@pytest.mark.parametrize("segments", [False, True])
def test_our_kernels_do_on_tensors_what_the_host_does(
    simulated_gpu: Gpu, monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator, segments: bool
) -> None:
    crops = rng.integers(0, 256, (2, 256, 256, 3), np.uint8)
    maps = rng.random((2, 36, 64, 64), np.float32).astype(np.float16)
    planar = np.moveaxis(crops, -1, 1).astype(np.float32)
    points = ops.decode(maps.astype(np.float32))
    expected = ops.stack(planar, maps.astype(np.float32), keypoints=points if segments else None)

    torch_fake.install(monkeypatch)
    given, heatmaps = torch_fake.tensor(crops), torch_fake.tensor(maps)
    picture, keypoints, stack = (
        torch_fake.tensor(np.full(shape, np.nan, dtype))
        for shape, dtype in (
            ((2, 3, 256, 256), np.float16),
            (points.shape, np.float32),
            (expected.shape, np.float16),
        )
    )
    glue: Any = DeviceGlue()
    glue.stack(given, None, None, picture)
    glue.decode(heatmaps, keypoints)
    glue.stack(given, heatmaps, keypoints if segments else None, stack)
    np.testing.assert_array_equal(keypoints.array.get(), points)
    np.testing.assert_array_equal(stack.array.get(), expected.astype(np.float16))
    np.testing.assert_array_equal(picture.array.get(), expected[:, :3].astype(np.float16))
