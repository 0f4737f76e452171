# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import gc
import logging
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import cupy_fake
import pycuda_fake
from onnx_oracle import under_onnxruntime
from pamtri_edge.manifest import TensorSpec
from pamtri_edge.runtime.tensorrt.backend import TensorRtBackend
from pamtri_edge.runtime.tensorrt.device import find_gpu
from pamtri_edge.runtime.tensorrt.staging import MappedStaging, Staging, create_staging
from simulated_gpu import Gpu

SPEC = TensorSpec("images", (None, 2))
ORIN = {"name": "Orin", "compute": (8, 7), "integrated": True}


@pytest.fixture
def orin(machine: Any, monkeypatch: pytest.MonkeyPatch) -> Gpu:
    """Make this machine a Jetson with PyCUDA."""
    pycuda_fake.install(monkeypatch)
    machine.gpu = cupy_fake.install(monkeypatch, Gpu(**ORIN))
    return machine.gpu  # type: ignore[no-any-return]


def staging() -> Any:
    return create_staging(cupy_fake, find_gpu(cupy_fake, "cuda"))


def test_a_discrete_gpu_gets_copies_from_page_locked_memory(machine: Any) -> None:
    made = staging()
    assert type(made) is Staging
    channel = made.channel(SPEC, output=False)
    assert [host.shape for host in channel.hosts] == [(32, 2)] * 2
    assert machine.gpu.pinned == 2 * 32 * 2 * 4
    assert not channel.device.get().any()
    channel.hosts[1][:3] = 7
    made.upload(channel, 1, 3)
    made.download(channel, 0, 4)
    assert not channel.hosts[0].any(), "nothing was waited for"
    cupy_fake.cuda.Stream.null.synchronize()
    assert channel.hosts[0].sum() == 3 * 2 * 7


def test_a_jetson_shares_the_inputs_memory_in_the_primary_context(orin: Gpu) -> None:
    made = staging()
    assert isinstance(made, MappedStaging)
    channel = made.channel(SPEC, output=False)
    assert pycuda_fake.stack == [], "no context is left current"
    assert len(pycuda_fake.contexts) == 1
    assert orin.used == 0
    channel.hosts[0][:] = 3
    made.upload(channel, 0, 32)
    assert orin.log == []
    assert (channel.device.get() == 3).all()
    assert orin.is_mapped(channel.device.data.ptr)
    made.close()
    made.close()
    assert (pycuda_fake.contexts, pycuda_fake.stack, orin.pinned) == ([], [], 0)


def test_what_a_jetsons_gpu_writes_lies_in_memory_that_it_caches(orin: Gpu) -> None:
    made = staging()
    channel = made.channel(SPEC, output=True)
    assert not orin.is_mapped(channel.device.data.ptr)
    assert len(channel.hosts) == made.slots == 1
    channel.device[:2] = 5
    made.download(channel, 0, 2)
    cupy_fake.cuda.Stream.null.synchronize()
    assert channel.hosts[0][:3].tolist() == [[5, 5], [5, 5], [0, 0]]


def test_a_jetson_without_pycuda_copies_and_says_what_to_install(
    orin: Gpu, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "pycuda.driver", None)
    with caplog.at_level(logging.INFO):
        assert type(staging()) is Staging
    assert "pip install 'pamtri-edge[pycuda]'" in caplog.text


def test_a_discrete_gpu_does_not_need_pycuda(machine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pycuda.driver", None)
    assert type(staging()) is Staging


@pytest.mark.parametrize("schedule", ["lazy", "random"])
def test_batches_on_a_jetson_give_the_same_without_a_copy_of_pictures(
    orin: Gpu, load: Callable[..., TensorRtBackend], bundle: Any, schedule: str
) -> None:
    orin.schedule = schedule
    images = np.random.default_rng(0).normal(size=(70, 3, 16, 16)).astype(np.float32)
    meant = under_onnxruntime(bundle, {"images": images})["embedding"]
    backend = load()
    for count in (70, 1, 33, 70):
        found = backend.run({"images": images[:count]})["embedding"]
        np.testing.assert_allclose(found, meant[:count], atol=1e-5)
        there = backend.run_on_device([{"images": images[:count]}], count)["embedding"]
        np.testing.assert_allclose(there.get(), meant[:count], atol=1e-5)
    assert "copy to device" not in orin.log
    channels = backend._execution.program.channels  # type: ignore[union-attr]
    assert orin.is_mapped(channels["images"].device.data.ptr)
    assert not orin.is_mapped(channels["embedding"].device.data.ptr)
    del channels
    backend.close()
    gc.collect()
    assert pycuda_fake.contexts == []
    assert orin.pinned == 0
